// Schedules at random, for programs that are too large to explore. They are seeded, so that each can be run again.

import { Random } from '../support/random.ts';
import { Automaton } from './automaton.ts';
import { Memory } from './cells.ts';
import { choose, isPossible } from './choice.ts';
import { Machine, STALE } from './machine.ts';
import { parseProgram } from './program.ts';
import { QuietChecks } from './quiet.ts';
import type { Subject } from './subject.ts';
import { describeSchedule } from './trace.ts';
import { Violation } from './violation.ts';

export interface RandomOptions {
  readonly seed: number;
  /** How many programs, each with one schedule. */
  readonly runs: number;
  /** Operations of all workers together. */
  readonly operations: number;
  readonly orders: readonly number[];
  /** Kill worker 0 at some time, and let another recover it at some time. */
  readonly killed?: boolean;
  /** Check that an ALLOC fails only if no block that fits was free throughout. Default true. */
  readonly full?: boolean;
  /** Let plain reads see outdated values as well. Default true. */
  readonly stale?: boolean;
  /** Makes a memory of `length` cells, for example one with a planted bug. */
  readonly memory?: (length: number) => Memory;
}

/** Nodes beyond which the automaton is dropped and a new one begun: most of them are never met again. */
const MAX_NODES = 1_000_000;

/** Runs random programs under random schedules. Returns the steps made; throws a Violation with its schedule. */
export function exploreAtRandom(subject: Subject, options: RandomOptions): number {
  const { full = true, stale = true } = options;
  const memory = (): Memory => options.memory?.(subject.length) ?? new Memory(subject.length);
  const quiet = new QuietChecks(memory);
  let automaton = new Automaton(subject);
  let steps = 0;
  for (let run = 0; run < options.runs; run++) {
    if (automaton.size > MAX_NODES) automaton = new Automaton(subject);
    const random = new Random(options.seed + run);
    const program = parseProgram(randomProgram(random, subject.workers, options));
    const newMachine = (): Machine => new Machine(automaton, memory(), program, { full, stale });
    const machine = newMachine();
    const pick = randomScheduler(random, machine);
    const choices: number[] = [];
    try {
      while (!machine.isOver()) {
        const choice = pick();
        choices.push(choice);
        choose(machine, choice);
      }
      quiet.check(machine);
    } catch (violation) {
      if (violation instanceof Violation) {
        violation.message += ` (seed ${options.seed + run})`;
        violation.schedule = describeSchedule(newMachine(), choices);
      }
      throw violation;
    }
    steps += choices.length;
  }
  return steps;
}

/** A program that can end: operations are dealt out in an order in which they could be done one by one. */
function randomProgram(
  random: Random,
  workers: number,
  { operations, orders, killed }: RandomOptions,
): string {
  const lines: string[][] = Array.from({ length: workers }, () => []);
  const live: string[] = [];
  const bias = 0.3 + 0.5 * random.next();
  for (let i = 0; i < operations; i++) {
    const line = lines[random.below(workers)];
    if (live.length === 0 || random.next() < bias) {
      line.push(`b${i}:${orders[random.below(orders.length)]}`);
      live.push(`b${i}`);
    } else {
      line.push(`-${live.splice(random.below(live.length), 1)[0]}`);
    }
  }
  if (killed) {
    lines[0].unshift('~0');
    const line = lines[1 + random.below(workers - 1)];
    line.splice(random.below(line.length + 1), 0, '!0');
  }
  return lines.map((line) => line.join(' ')).join(' | ');
}

/**
 * One of three ways to choose the worker that goes on: any, at each step; mostly the same one; or the one with the
 * highest priority, which sinks to the lowest at a few moments (PCT: Burckhardt et al., ASPLOS 2010).
 */
function randomScheduler(random: Random, machine: Machine): () => number {
  const { workers } = machine;
  const choices = workers + 1 + workers * STALE;
  const way = random.below(3);
  const rarely = 0.02 + 0.2 * random.next();
  const priorities = Array.from({ length: workers }, () => random.next());
  const killAt = random.below(60 * machine.program.workers[0].length + 1);
  let step = 0;
  let last = 0;
  const isReady = (worker: number): boolean => machine.enabled(worker);
  const anyone = (): number => {
    const ready = priorities.map((_, w) => w).filter(isReady);
    return ready.length === 0 ? workers : ready[random.below(ready.length)];
  };
  const next = (): number => {
    if (way === 0) return anyone();
    if (way === 1) return isReady(last) && random.next() > rarely ? last : anyone();
    if (random.next() < rarely / 4) priorities[last] = -step;
    const ready = priorities.map((_, w) => w).filter(isReady);
    return ready.length === 0 ? workers : ready.reduce((a, b) => (priorities[a] > priorities[b] ? a : b));
  };
  return () => {
    if (step++ >= killAt && machine.canKill()) return workers;
    last = next();
    if (last === workers) return workers;
    for (let choice = choices - 1; choice > workers; choice--) {
      const isOurs = Math.floor((choice - workers - 1) / STALE) === last;
      if (isOurs && isPossible(machine, choice) && random.next() < 0.5) return choice;
    }
    return last;
  };
}
