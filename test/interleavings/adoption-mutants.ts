// Planted bugs in how blocks and slots change hands: subjects that carry out one operation in a way that one could take
// for right, and memories that lose one access. The explorer has to find each.

import type { Cells } from '../../src/shared/cells.ts';
import { Engine } from '../../src/shared/engine.ts';
import { SLOT_ADOPTS, SLOT_STATE } from '../../src/shared/layout.ts';
import { changeOwner, disown, ownsAny } from '../../src/shared/owners.ts';
import {
  ATTACHED,
  generationOf,
  kindOf,
  slotOf,
  slotPos,
  stateFrom,
  vacateSlot,
  workerIdOf,
} from '../../src/shared/slots.ts';
import { CAS, LOAD, Memory, STORE } from './cells.ts';
import { SharedSubject } from './shared.ts';
import { ADOPT, DETACH, fromOfAdoption, offsetOfAdoption } from './subject.ts';

/** An operation of the worker with an id. */
type Call = (cells: Cells, subject: SharedSubject, id: number, argument: number) => number;

export interface AdoptionMutant {
  readonly name: string;
  /** A program in which the bug shows. */
  readonly program: string;
  readonly workers: number;
  /** The operation that is carried out in another way. */
  readonly call?: readonly [kind: number, call: Call];
  /**
   * What is performed instead of an access to a field of a slot, given the present value of the cell: the same kind with
   * another argument, or nothing.
   */
  readonly access?: (
    kind: number,
    field: number,
    a: number,
    b: number,
  ) => readonly [a: number, b: number] | null;
}

const adoptFirst: Call = (cells, { g }, id, argument) => {
  const [offset, from] = [offsetOfAdoption(argument), fromOfAdoption(argument)];
  if (!changeOwner(cells, g, offset, slotOf(from), slotOf(id))) return 0;
  if (workerIdOf(cells, g, slotOf(from)) === from) return 1;
  changeOwner(cells, g, offset, slotOf(id), slotOf(from));
  return 0;
};

const adoptUnannounced: Call = (cells, { g }, id, argument) => {
  const [offset, from] = [offsetOfAdoption(argument), fromOfAdoption(argument)];
  if (workerIdOf(cells, g, slotOf(from)) !== from) return 0;
  return changeOwner(cells, g, offset, slotOf(from), slotOf(id)) ? 1 : 0;
};

const detachInSteps: Call = (cells, { g }, id) => {
  new Engine(cells, g, slotOf(id)).closeHints(slotOf(id), 4 * g.levels);
  disown(cells, g, slotOf(id));
  vacateSlot(cells, g, slotOf(id), false);
  return 0;
};

const detachFirst: Call = (cells, { g }, id) => {
  vacateSlot(cells, g, slotOf(id), ownsAny(cells, g, slotOf(id)));
  new Engine(cells, g, slotOf(id)).closeHints(slotOf(id), 4 * g.levels);
  return 0;
};

export const ADOPTION_MUTANTS: readonly AdoptionMutant[] = [
  {
    name: 'adopting takes the block first, then looks whether the giver is still there, and else gives it back',
    program: 'p:0 | !0 | ^ q:0 | ; | !3 a:0 | | ~3 *p',
    workers: 4,
    call: [ADOPT, adoptFirst],
  },
  {
    name: 'adopting looks for the giver first, and does not say so',
    program: 'p:0 ; | !0 | ^ q:0 | *p',
    workers: 4,
    call: [ADOPT, adoptUnannounced],
  },
  {
    name: 'attaching does not see who is adopting',
    program: 'p:0 ; | !0 | ^ q:0 | *p',
    workers: 4,
    access: (kind, field, a, b) => (kind === STORE && field === SLOT_ADOPTS ? null : [a, b]),
  },
  {
    name: 'a worker that has adopted, or has died in that, still seems to adopt',
    program: 'p:0 . ; | ~1 *p | !1',
    workers: 3,
    access: (kind, field, a, b) => (kind === STORE && field === SLOT_ADOPTS && a === 0 ? null : [a, b]),
  },
  {
    name: 'detaching makes the blocks nobody’s one by one',
    program: 'p:0 q:0 ; ~0 . | !0 |',
    workers: 3,
    call: [DETACH, detachInSteps],
  },
  {
    name: 'detaching gives back the slot before it has closed the empty words',
    program: 'p:0 -p ; . | | ^ q:0',
    workers: 3,
    call: [DETACH, detachFirst],
  },
  {
    name: 'detaching does not note that blocks are left',
    program: 'p:0 ; . | *p | ^ q:0',
    workers: 3,
    access: (kind, field, a, b) =>
      kind === STORE && field === SLOT_STATE ? [stateFrom(generationOf(a), kindOf(a)), b] : [a, b],
  },
  {
    name: 'attaching does not note that the blocks of its slot are older',
    program: 'p:0 . ; | !2 | ~2 ^ q:0',
    workers: 3,
    access: (kind, field, a, b) =>
      kind === CAS && field === SLOT_STATE && kindOf(b) === ATTACHED
        ? [a, stateFrom(generationOf(b), ATTACHED)]
        : [a, b],
  },
];

/** A subject in which an operation is carried out as in `mutant`. With few slots, each but one for a worker. */
export class AdoptionMutantSubject extends SharedSubject {
  readonly #mutant: AdoptionMutant;

  constructor(mutant: AdoptionMutant) {
    super(16, mutant.workers - (mutant.program.includes('^') ? 1 : 0), true);
    this.#mutant = mutant;
  }

  override call(cells: Cells, id: number, kind: number, argument: number): number {
    const [mutated, call] = this.#mutant.call ?? [];
    return call !== undefined && kind === mutated
      ? call(cells, this, id, argument)
      : super.call(cells, id, kind, argument);
  }
}

/** Makes memories of `subject` that perform accesses to slots as in `mutant`. */
export function memoryOf({ g }: SharedSubject, { access }: AdoptionMutant): (length: number) => Memory {
  const end = slotPos(g, g.slots) + g.slotStride;

  class MutatedMemory extends Memory {
    override perform(kind: number, pos: number, a: number, b: number): number {
      if (access === undefined || pos < g.firstSlot || pos >= end) return super.perform(kind, pos, a, b);
      const changed = access(kind, (pos - g.firstSlot) % g.slotStride, a, b);
      return changed === null ? super.perform(LOAD, pos, 0, 0) : super.perform(kind, pos, ...changed);
    }
  }
  return (length) => new MutatedMemory(length);
}
