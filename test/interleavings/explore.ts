// All interleavings of a program, depth first: from every state, every worker that can go on makes one access. A
// state that was met before is not explored again. No state can come back to itself, because the list of answers to a
// worker only grows. So in every state there is a most number of steps that each worker, alone, needs to end its
// operation. It is computed on the way.

import { Automaton } from './automaton.ts';
import { Memory, SALT_1, SALT_2 } from './cells.ts';
import { choose, isPossible, workerOf } from './choice.ts';
import { Machine, STALE } from './machine.ts';
import type { Program } from './program.ts';
import { QuietChecks } from './quiet.ts';
import type { Subject } from './subject.ts';
import { StateTable } from './table.ts';
import { describeSchedule } from './trace.ts';
import { Violation } from './violation.ts';

export interface ExploreOptions {
  /** Check that an ALLOC fails only if no block that fits was free throughout. Default true. */
  readonly full?: boolean;
  /** Let plain reads see outdated values as well. Default false. */
  readonly stale?: boolean;
  /** The most switches away from a worker in the middle of an operation. Default: no limit. */
  readonly preemptions?: number;
  /** The most accesses that an operation may take, alone, from any state on. Default: no limit. */
  readonly bound?: number;
  /** Stop after this many states. Default: no limit. */
  readonly maxStates?: number;
  /** Makes a memory of `length` cells, for example one with a planted bug. */
  readonly memory?: (length: number) => Memory;
  /** Called after every million states. */
  readonly onProgress?: (report: Report) => void;
}

export interface Report {
  states: number;
  /** Steps made; a killing is one. */
  steps: number;
  /** Different states in which all operations were over. */
  ends: number;
  /** Steps of the longest schedule. */
  depth: number;
  /** The most accesses that one operation made, alone, from any state on. Not known if preemptions are limited. */
  alone: number;
  /** Whether all interleavings were explored. */
  complete: boolean;
}

/** Explores programs of one subject. It learns the subject's operations once, for all programs. */
export class Explorer {
  readonly #automaton: Automaton;

  constructor(subject: Subject) {
    this.#automaton = new Automaton(subject);
  }

  /** Explores a program. Throws a Violation, with its schedule, if something is wrong. */
  explore(program: Program, options: ExploreOptions = {}): Report {
    return new Search(this.#automaton, program, options).run();
  }

  /** As {@link explore}, but the schedule of a Violation has the fewest preemptions that show it. */
  exploreAndExplain(program: Program, options: ExploreOptions = {}): Report {
    try {
      return this.explore(program, options);
    } catch (violation) {
      if (!(violation instanceof Violation)) throw violation;
      for (let preemptions = 0; preemptions < 5; preemptions++)
        this.explore(program, { ...options, preemptions });
      throw violation;
    }
  }
}

/**
 * Numbers of a frame: the hash of its state, the choice made there and how many changes came before, and the next choice.
 */
const HASH_1 = 0;
const HASH_2 = 1;
const CHOICE = 2;
const ENDED = 3;
const CHANGES = 4;
const NEXT = 5;
const LAST = 6;
const BUDGET = 7;
const FRAME = 8;

class Search {
  readonly #machine: Machine;
  readonly #options: ExploreOptions;
  readonly #table: StateTable;
  readonly #quiet: QuietChecks;
  readonly #newMemory: () => Memory;
  readonly #workers: number;
  readonly #stride: number;
  /** The stack. Each entry: a frame, the steps that each worker needs alone, the control of the machine. */
  #stack: Int32Array;
  #top = -1;
  /** Cells that were changed on the way to the present state, each with the value that it had before. */
  readonly #changes: number[] = [];
  readonly #report: Report = { states: 0, steps: 0, ends: 0, depth: 0, alone: 0, complete: false };

  constructor(automaton: Automaton, program: Program, options: ExploreOptions) {
    const { subject } = automaton;
    this.#newMemory = () => options.memory?.(subject.length) ?? new Memory(subject.length);
    this.#machine = new Machine(automaton, this.#newMemory(), program, {
      full: options.full ?? true,
      stale: options.stale ?? false,
    });
    this.#options = options;
    this.#workers = program.workers.length;
    this.#table = new StateTable(this.#workers);
    this.#quiet = new QuietChecks(this.#newMemory);
    this.#stride = FRAME + this.#workers + this.#machine.control.length;
    this.#stack = new Int32Array(this.#stride * 256);
  }

  run(): Report {
    const report = this.#report;
    const { maxStates = Infinity } = this.#options;
    try {
      this.#push(-1, this.#options.preemptions ?? -1);
      while (this.#top >= 0 && report.states < maxStates) this.#advance();
    } catch (violation) {
      if (violation instanceof Violation) violation.schedule = this.#schedule();
      throw violation;
    }
    report.complete = this.#top < 0;
    return report;
  }

  /** Makes the next choice of the frame on top, or leaves the frame if no choice is left. */
  #advance(): void {
    const stack = this.#stack;
    const machine = this.#machine;
    const frame = this.#top * this.#stride;
    const choice = stack[frame + NEXT]++;
    if (choice > this.#workers * (1 + (this.#options.stale ? STALE : 0))) {
      this.#pop();
      return;
    }
    if (!isPossible(machine, choice)) return;
    const worker = workerOf(machine, choice);
    const last = stack[frame + LAST];
    let budget = stack[frame + BUDGET];
    if (budget >= 0 && worker >= 0 && worker !== last && last >= 0 && machine.isBusy(last)) {
      if (budget-- === 0) return;
    }
    this.#report.steps++;
    stack[frame + CHOICE] = choice;
    stack[frame + CHANGES] = this.#changes.length;
    choose(machine, choice);
    if (worker >= 0) this.#changes.push(...machine.changes);
    stack[frame + ENDED] = worker >= 0 && machine.ended ? 1 : 0;
    this.#push(worker < 0 ? last : worker, budget);
  }

  /** Enters the present state of the machine, unless it was met before. */
  #push(last: number, budget: number): void {
    const machine = this.#machine;
    let hash1 = machine.hash(SALT_1);
    let hash2 = machine.hash(SALT_2);
    if (budget >= 0) {
      hash1 ^= Math.imul(budget * 8 + last + 2, 0x632be5ab);
      hash2 ^= Math.imul(budget * 8 + last + 2, 0x7feb352d);
    }
    const notes = this.#table.find(hash1, hash2);
    if (notes >= 0) {
      if (this.#top >= 0) {
        this.#noteAlone(this.#table.values, notes);
        this.#undo();
      }
      return;
    }
    const report = this.#report;
    report.states++;
    if (report.states % 1_000_000 === 0) this.#options.onProgress?.(report);
    if (machine.isOver()) {
      this.#quiet.check(machine);
      report.ends = this.#quiet.size;
    } else if (this.#isStuck()) throw new Error(`the program cannot end: ${machine.program.text}`);
    this.#top++;
    report.depth = Math.max(report.depth, this.#top);
    const frame = this.#top * this.#stride;
    if (frame + this.#stride > this.#stack.length) {
      const larger = new Int32Array(this.#stack.length * 2);
      larger.set(this.#stack);
      this.#stack = larger;
    }
    const stack = this.#stack;
    stack.fill(0, frame, frame + FRAME + this.#workers);
    stack[frame + HASH_1] = hash1;
    stack[frame + HASH_2] = hash2;
    stack[frame + LAST] = last;
    stack[frame + BUDGET] = budget;
    stack.set(machine.control, frame + FRAME + this.#workers);
  }

  /** Leaves the state on top: notes the results about it, and goes back to the state before. */
  #pop(): void {
    const frame = this.#top * this.#stride;
    const stack = this.#stack;
    const { values } = this.#table;
    const notes = this.#table.notesOf(stack[frame + HASH_1], stack[frame + HASH_2]);
    for (let w = 0; w < this.#workers; w++) {
      const alone = stack[frame + FRAME + w];
      values[notes + w] = alone;
      if (alone <= this.#report.alone) continue;
      this.#report.alone = alone;
      if (alone > (this.#options.bound ?? Infinity)) {
        throw new Violation(`worker ${w}, alone, takes ${alone} accesses to end its operation`);
      }
    }
    this.#top--;
    if (this.#top < 0) return;
    this.#noteAlone(values, notes);
    this.#undo();
  }

  /** Notes how many steps the worker of the last step needs alone: that step, and those that follow it. */
  #noteAlone(values: Uint16Array, notes: number): void {
    const frame = this.#top * this.#stride;
    const worker = workerOf(this.#machine, this.#stack[frame + CHOICE]);
    if (worker < 0) return;
    const alone = 1 + (this.#stack[frame + ENDED] === 1 ? 0 : values[notes + worker]);
    const pos = frame + FRAME + worker;
    if (alone > this.#stack[pos]) this.#stack[pos] = alone;
  }

  /** Takes back the step from the state on top. */
  #undo(): void {
    const frame = this.#top * this.#stride;
    const stack = this.#stack;
    const machine = this.#machine;
    const changes = this.#changes;
    while (changes.length > stack[frame + CHANGES]) {
      const before = changes.pop() as number;
      machine.memory.set(changes.pop() as number, before);
    }
    const control = frame + FRAME + this.#workers;
    for (let i = 0; i < machine.control.length; i++) machine.control[i] = stack[control + i];
  }

  #isStuck(): boolean {
    if (this.#machine.canKill()) return false;
    for (let w = 0; w < this.#workers; w++) if (this.#machine.enabled(w)) return false;
    return true;
  }

  /** The schedule that led to the present state, in words. */
  #schedule(): string[] {
    const choices = Array.from({ length: this.#top + 1 }, (_, i) => this.#stack[i * this.#stride + CHOICE]);
    const { automaton, program } = this.#machine;
    return describeSchedule(
      new Machine(automaton, this.#newMemory(), program, {
        full: false,
        stale: this.#options.stale ?? false,
      }),
      choices,
    );
  }
}
