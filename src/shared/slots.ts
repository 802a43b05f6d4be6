// The slots of the workers: their states, how a worker takes one and gives it back, and the ids of workers.
//
// Slots are numbered from 1. A slot's state is its kind, the slot of the worker that recovers it, and a generation
// counter, so that a dead worker's id is never mistaken for its successor's in the same slot.

import { checkNumber, checkWithin } from '../base/arguments.ts';
import { assert, DEV } from '../base/assert.ts';
import type { Cells } from './cells.ts';
import { FANOUT_BITS, type Geometry, ORDERS_PER_LEVEL, SLOT_HINTS, SLOT_STATE } from './layout.ts';

/** Most slots: a byte holds the owner of a block. */
export const MAX_SLOTS = 253;

/** Kinds of states. No worker has the slot. */
export const VACANT = 0;
/** A worker has the slot. */
export const ATTACHED = 1;
/** The slot's worker is dead, and another worker recovers it. */
export const RECOVERING = 2;
/** The slot's worker is known to be dead, but no worker recovers it: a recovery was not complete. */
export const DEAD = 3;

/** The kind of a state. */
export const kindOf = (state: number): number => {
  return state & 3;
};

/** The slot of the worker that recovers, in a state of that kind. */
export const recovererOf = (state: number): number => {
  return (state >>> 2) & 255;
};

/** How often the slot has been taken, modulo 2^22. */
export const generationOf = (state: number): number => {
  return state >>> 10;
};

/** A state. */
export const stateFrom = (generation: number, kind: number, recoverer = 0): number => {
  if (DEV)
    assert(
      (kind === RECOVERING) === recoverer > 0,
      'a slot has a recoverer exactly while it is being recovered',
    );
  return (generation << 10) | (recoverer << 2) | kind;
};

/** Position of slot `slot`, 1 … slots. */
export const slotPos = (g: Geometry, slot: number): number => {
  if (DEV) assert(slot >= 1 && slot <= g.slots, 'a slot is 1 … slots');
  return g.firstSlot + (slot - 1) * g.slotStride;
};

/** `value`, after a check that an arena can have so many slots. */
export function checkMaxWorkers(value: number): number {
  return checkWithin('maxWorkers', value, 1, MAX_SLOTS);
}

/**
 * Takes a slot for a worker that looks for room from unit `first` up to `end`, far from the other workers. Returns
 * the slot, 1 … slots; 0 when all are taken.
 */
export function attachWorker(cells: Cells, g: Geometry, first: number, end: number): number {
  for (let slot = 1; slot <= g.slots; slot++) {
    const pos = slotPos(g, slot);
    const state = cells.load(pos + SLOT_STATE);
    if (kindOf(state) !== VACANT) continue;
    if (!cells.cas(pos + SLOT_STATE, state, stateFrom(generationOf(state) + 1, ATTACHED))) continue;
    // The bits of the slot's number, reversed, as a fraction of the arena (van der Corput 1935).
    const start = first + Math.floor((end - first) * reversed(slot - 1));
    for (let order = 0; order < ORDERS_PER_LEVEL * g.levels; order++) {
      // Not by a shift: on the highest level that would be a shift by 32.
      cells.store(pos + SLOT_HINTS + order, Math.floor(start / 2 ** (FANOUT_BITS * ((order >>> 2) + 1))));
    }
    return slot;
  }
  return 0;
}

/** Gives the slot of an attached worker back. The next worker may take it at once. */
export function vacateSlot(cells: Cells, g: Geometry, slot: number): void {
  const pos = slotPos(g, slot) + SLOT_STATE;
  const state = cells.load(pos);
  if (DEV) assert(kindOf(state) === ATTACHED, 'a worker that detaches itself has an attached slot');
  cells.store(pos, stateFrom(generationOf(state), VACANT));
}

/** The id of the worker in `slot`, by which others know it: no other worker has it, for 2^22 turns of the slot. */
export function workerIdOf(cells: Cells, g: Geometry, slot: number): number {
  return idFrom(cells.load(slotPos(g, slot) + SLOT_STATE), slot);
}

/** The slot of the worker with an id. */
export const slotOf = (workerId: number): number => {
  return workerId & 255;
};

/** The generation that the slot of the worker with an id had at that time. */
export const generationOfId = (workerId: number): number => {
  return workerId >>> 8;
};

/** Throws a TypeError or a RangeError if `workerId`, called `name` in the message, can be no worker's id. */
export function checkWorkerId({ slots }: Geometry, name: string, workerId: number): void {
  const slot = slotOf(checkNumber(name, workerId));
  if (!Number.isInteger(workerId) || workerId < 1 || workerId >= 2 ** 30 || slot < 1 || slot > slots) {
    throw new RangeError(`${name} must be the id of a worker, not ${workerId}`);
  }
}

/** The ids of all workers that are attached, and of those that are dead and not recovered. O(slots). */
export function workerIdsOf(cells: Cells, g: Geometry): number[] {
  const all: number[] = [];
  for (let slot = 1; slot <= g.slots; slot++) {
    const state = cells.load(slotPos(g, slot) + SLOT_STATE);
    if (kindOf(state) !== VACANT) all.push(idFrom(state, slot));
  }
  return all;
}

function idFrom(state: number, slot: number): number {
  return (generationOf(state) << 8) | slot;
}

function reversed(n: number): number {
  let fraction = 0;
  for (let bit = 0.5; n !== 0; bit /= 2, n >>>= 1) fraction += (n & 1) * bit;
  return fraction;
}
