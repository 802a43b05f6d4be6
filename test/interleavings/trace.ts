// A schedule in words.

import type { Automaton } from './automaton.ts';
import { AND, BROKEN, CAS, DONE, FAILED, KIND_NAMES, LOAD, READ } from './cells.ts';
import { choose, isStale, workerOf } from './choice.ts';
import type { Machine } from './machine.ts';
import { CALL_NAMES, isOnBlock } from './subject.ts';
import { Violation } from './violation.ts';

/** Lines of a long schedule that are shown, at its beginning and at its end. */
const SHOWN = 150;

/** Makes the steps of a schedule once more. Returns one line per step. */
export function describeSchedule(machine: Machine, choices: readonly number[]): string[] {
  const lines = [`program ${machine.program.text}`];
  for (const choice of choices) {
    const worker = workerOf(machine, choice);
    if (worker < 0) lines.push(`${machine.program.victim} is killed`);
    else if (!machine.isBusy(worker)) lines.push(`${worker} ${callText(machine, worker)}`);
    try {
      choose(machine, choice);
    } catch (violation) {
      // It is that of the last step, for which the schedule is shown.
      if (!(violation instanceof Violation)) throw violation;
    }
    if (worker >= 0)
      lines.push(`${worker}   ${stepText(machine)}${isStale(machine, choice) ? ', outdated' : ''}`);
  }
  const left = lines.length - 2 * SHOWN;
  return left <= 0 ? lines : [...lines.slice(0, SHOWN), `… ${left} lines …`, ...lines.slice(-SHOWN)];
}

function callText(machine: Machine, worker: number): string {
  const op = machine.operation(worker);
  if (op === undefined) return '';
  const { names } = machine.program;
  const argument = isOnBlock(op.kind) ? machine.placeOf(op) : op.argument;
  return `${CALL_NAMES[op.kind]}(${argument})${op.block < 0 ? '' : ` block ${names[op.block]}`}`;
}

/** The last step of `machine`. */
function stepText({ automaton, subject, from, to, answer }: Machine): string {
  const text = accessText(automaton, from, answer, (pos) => subject.cellName(pos));
  const kind = automaton.kind(to);
  if (kind === DONE) return `${text} and returns ${automaton.a(to)}`;
  if (kind === BROKEN) return `${text} and throws: ${automaton.message(to)}`;
  return kind === FAILED ? `${text} and throws a BuddyError` : text;
}

function accessText(
  automaton: Automaton,
  node: number,
  answer: number,
  nameOf: (pos: number) => string,
): string {
  const kind = automaton.kind(node);
  if (kind >= DONE) return 'nothing to do';
  const name = `${KIND_NAMES[kind]} ${nameOf(automaton.pos(node))}`;
  const a = hex(automaton.a(node));
  if (kind === READ || kind === LOAD) return `${name}: ${hex(answer)}`;
  if (kind === CAS) return `${name}: ${a} to ${hex(automaton.b(node))}, ${answer === 1 ? 'done' : 'refused'}`;
  return kind === AND ? `${name}: ${a}, left ${hex(answer)}` : `${name}: ${a}`;
}

function hex(value: number): string {
  return value >= 0 && value < 10 ? String(value) : `0x${(value >>> 0).toString(16)}`;
}
