// The slots of the workers: their states, how a worker takes one and gives it back, and the ids of workers.
//
// Slots are numbered from 1. A slot's state is its kind, whether its blocks were left behind, the slot of the worker
// that recovers it, and a generation counter, so that a dead worker's id is never mistaken for its successor's in the
// same slot.
//
// A block's owner is a slot, without the generation. So a slot must not change hands while a worker adopts a block from
// the worker that has it, or had it: the adoption could hit a block of the successor. The adopter says in its own slot
// from which worker it adopts, before it looks at the state of that worker's slot; a worker that takes a slot looks for
// such adopters after it has changed the state. One of the two sees the other, and gives up.

import { checkNumber, checkWithin } from '../base/arguments.ts';
import { assert, DEV } from '../base/assert.ts';
import type { Cells } from './cells.ts';
import type { Holdings } from './holdings.ts';
import { type Geometry, ORDERS_PER_LEVEL, SLOT_ADOPTS, SLOT_HINTS, SLOT_STATE } from './layout.ts';
import { disown, slotsThatOwn } from './owners.ts';
import { beginReach, wordOf } from './reach.ts';

/** Most slots: a byte holds the owner of a block. */
export const MAX_SLOTS = 253;

/** In SLOT_ADOPTS, instead of an id: the slot of nobody. */
const ANYONE = 255;

/** Kinds of states. No worker has the slot. */
export const VACANT = 0;
/** A worker has the slot. */
export const ATTACHED = 1;
/** The slot's worker is dead, and another worker recovers it. */
export const RECOVERING = 2;
/** The slot's worker is known to be dead, but no worker recovers it: a recovery was not complete. */
export const DEAD = 3;

/** Positions of the recoverer and of the generation in a state, which begins with two bits for the kind. */
const LEFT_BIT = 4;
const RECOVERER_SHIFT = 3;
const GENERATION_SHIFT = 11;

/** The kind of a state. */
export const kindOf = (state: number): number => {
  return state & 3;
};

/**
 * Whether the blocks that the slot owns were left by a worker that has detached itself: by the last one if the slot is
 * vacant. Otherwise they are older than the present worker, which has none of its own before they are disowned.
 */
export const isLeft = (state: number): boolean => {
  return (state & LEFT_BIT) !== 0;
};

/** The slot of the worker that recovers, in a state of that kind. */
export const recovererOf = (state: number): number => {
  return (state >>> RECOVERER_SHIFT) & 255;
};

/** How often the slot has been taken, modulo 2^21. */
export const generationOf = (state: number): number => {
  return state >>> GENERATION_SHIFT;
};

/** A state. */
export const stateFrom = (generation: number, kind: number, left = false, recoverer = 0): number => {
  if (DEV)
    assert(
      (kind === RECOVERING) === recoverer > 0,
      'a slot has a recoverer exactly while it is being recovered',
    );
  return (generation << GENERATION_SHIFT) | (recoverer << RECOVERER_SHIFT) | (left ? LEFT_BIT : 0) | kind;
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
 * the slot, 1 … slots; 0 when all are taken. Takes the slot of a worker that has left blocks only if there is no other:
 * they are nobody's then; `holdings` are those besides the arena's. O(slots), O(capacity) in that case.
 */
export function attachWorker(
  cells: Cells,
  g: Geometry,
  first: number,
  end: number,
  holdings?: Holdings,
): number {
  const slot = takeSlot(cells, g, holdings);
  if (slot === 0) return 0;
  // The bits of the slot's number, reversed, as a fraction of the lower half (van der Corput 1935). So the upper half
  // stays in one piece as long as the lower one has room.
  const home = first + Math.floor(((end - first) / 2) * reversed(slot - 1));
  const pos = slotPos(g, slot);
  for (let order = 0; order < ORDERS_PER_LEVEL * g.levels; order++)
    cells.store(pos + SLOT_HINTS + order, wordOf(order >>> 2, home));
  beginReach(cells, g, pos, home);
  return slot;
}

/** Takes any slot that is vacant: first those without blocks. Returns 0 if there is none. */
function takeSlot(cells: Cells, g: Geometry, holdings?: Holdings): number {
  let owning: ReadonlySet<number> | undefined;
  for (const accepts of [
    (state: number) => !isLeft(state),
    (state: number, slot: number) => {
      if (!isLeft(state)) return false;
      owning ??= slotsThatOwn(cells, g);
      return !owning.has(slot) && !holdings?.owns(slot);
    },
    isLeft,
  ]) {
    for (let slot = 1; slot <= g.slots; slot++) {
      const state = cells.load(slotPos(g, slot) + SLOT_STATE);
      if (kindOf(state) === VACANT && accepts(state, slot) && claim(cells, g, slot, state, holdings))
        return slot;
    }
  }
  return 0;
}

/** Takes the vacant slot `slot`, unless another worker takes it or adopts from the worker that had it. */
function claim(cells: Cells, g: Geometry, slot: number, state: number, holdings?: Holdings): boolean {
  const pos = slotPos(g, slot) + SLOT_STATE;
  const generation = generationOf(state) + 1;
  const left = isLeft(state);
  if (isAdoptedFrom(cells, g, slot)) return false;
  if (!cells.cas(pos, state, stateFrom(generation, ATTACHED, left))) return false;
  // Now no worker begins to adopt from the worker that had the slot.
  if (left) {
    disown(cells, g, slot);
    holdings?.disown(slot);
  }
  const vacates = isAdoptedFrom(cells, g, slot);
  if (left || vacates) cells.store(pos, stateFrom(generation, vacates ? VACANT : ATTACHED));
  return !vacates;
}

/** Whether a worker is in the middle of an adoption from the worker that has, or had, slot `slot`. */
function isAdoptedFrom(cells: Cells, g: Geometry, slot: number): boolean {
  for (let other = 1; g.tracked && other <= g.slots; other++) {
    if (slotOf(cells.load(slotPos(g, other) + SLOT_ADOPTS)) === slot) return true;
  }
  return false;
}

/**
 * Says in slot `slot` that its worker adopts from the worker with the id `from`. Returns whether the blocks that are
 * owned by the slot of that worker are that worker's now, and so until {@link endAdoption}.
 */
export function beginAdoption(cells: Cells, g: Geometry, slot: number, from: number): boolean {
  cells.store(slotPos(g, slot) + SLOT_ADOPTS, from);
  const state = cells.load(slotPos(g, slotOf(from)) + SLOT_STATE);
  return generationOf(state) === generationOfId(from) && isLeft(state) === (kindOf(state) === VACANT);
}

/** Whether any worker is in the middle of an adoption, or has died in one. O(slots). */
export function isAdopting(cells: Cells, g: Geometry): boolean {
  for (let slot = 1; slot <= g.slots; slot++) {
    if (cells.load(slotPos(g, slot) + SLOT_ADOPTS) !== 0) return true;
  }
  return false;
}

/** Says in slot `slot` that its worker adopts from whoever has the block. */
export function beginAdoptionFromAny(cells: Cells, g: Geometry, slot: number): void {
  cells.store(slotPos(g, slot) + SLOT_ADOPTS, ANYONE);
}

/** Says in slot `slot` that its worker is not in the middle of an adoption. */
export function endAdoption(cells: Cells, g: Geometry, slot: number): void {
  cells.store(slotPos(g, slot) + SLOT_ADOPTS, 0);
}

/**
 * Gives the slot of an attached worker back. The next worker may take it at once. With `left`, the slot keeps the
 * worker's blocks.
 */
export function vacateSlot(cells: Cells, g: Geometry, slot: number, left: boolean): void {
  const pos = slotPos(g, slot) + SLOT_STATE;
  const state = cells.load(pos);
  if (DEV) assert(kindOf(state) === ATTACHED, 'a worker that detaches itself has an attached slot');
  cells.store(pos, stateFrom(generationOf(state), VACANT, left));
}

/** The id of the worker in `slot`, by which others know it: no other worker has it, for 2^21 turns of the slot. */
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
  if (!Number.isInteger(workerId) || workerId < 1 || workerId >= 2 ** 29 || slot < 1 || slot > slots) {
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
