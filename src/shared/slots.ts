// Workers come and go: taking a slot and giving it back.

import type { Cells } from './cells.ts';
import type { Engine } from './engine.ts';
import {
  ATTACHED,
  FANOUT_BITS,
  type Geometry,
  generationOf,
  kindOf,
  NOBODY,
  ORDERS_PER_LEVEL,
  SLOT_HINTS,
  SLOT_STATE,
  slotOf,
  stateFrom,
  VACANT,
} from './layout.ts';
import { changeOwner, nextOwned } from './owners.ts';

/**
 * Takes a slot for a worker that is to look for room from unit `first` up to `end`, far from the others. Returns the slot,
 * 1 … slots; 0 when all are taken.
 */
export function attachWorker(cells: Cells, g: Geometry, first: number, end: number): number {
  for (let worker = 1; worker <= g.slots; worker++) {
    const slot = slotOf(g, worker);
    const state = cells.load(slot + SLOT_STATE);
    if (kindOf(state) !== VACANT) continue;
    if (!cells.cas(slot + SLOT_STATE, state, stateFrom(generationOf(state) + 1, ATTACHED))) continue;
    // The bits of the slot's number, reversed, as a fraction of the arena (van der Corput 1935).
    const start = first + Math.floor((end - first) * reversed(worker - 1));
    for (let order = 0; order < ORDERS_PER_LEVEL * g.levels; order++) {
      // Not by a shift: that of the highest level would be one by 32.
      cells.store(slot + SLOT_HINTS + order, Math.floor(start / 2 ** (FANOUT_BITS * ((order >>> 2) + 1))));
    }
    return worker;
  }
  return 0;
}

/** Gives back the slot of the worker that `engine` is. Its blocks are nobody's from now on. O(capacity) where owners are tracked. */
export function detachWorker(engine: Engine): void {
  const { cells, g, worker } = engine;
  engine.closeOwnHints();
  for (let at = nextOwned(cells, g, 0); at < g.capacity; at = nextOwned(cells, g, at + 1)) {
    changeOwner(cells, g, at, worker, NOBODY);
  }
  const slot = slotOf(g, worker);
  cells.store(slot + SLOT_STATE, stateFrom(generationOf(cells.load(slot + SLOT_STATE)), VACANT));
}

/** The number by which others know the worker in slot `worker`: one that nobody else has had, or will have for 2^22 turns. */
export function workerIdOf(cells: Cells, g: Geometry, worker: number): number {
  return (generationOf(cells.load(slotOf(g, worker) + SLOT_STATE)) << 8) | worker;
}

/** Refuses what can be no worker's number. */
export function checkWorkerId({ slots }: Geometry, name: string, number: number): void {
  if (typeof number !== 'number') throw new TypeError(`${name} must be a number, not a ${typeof number}`);
  const slot = number & 255;
  if (!Number.isInteger(number) || number < 1 || number >= 2 ** 30 || slot < 1 || slot > slots) {
    throw new RangeError(`${name} must be the number of a worker, not ${number}`);
  }
}

/** The numbers of all who are attached, or dead and not recovered. */
export function workerIdsOf(cells: Cells, g: Geometry): number[] {
  const all: number[] = [];
  for (let worker = 1; worker <= g.slots; worker++) {
    const state = cells.load(slotOf(g, worker) + SLOT_STATE);
    if (kindOf(state) !== VACANT) all.push((generationOf(state) << 8) | worker);
  }
  return all;
}

function reversed(n: number): number {
  let fraction = 0;
  for (let bit = 0.5; n !== 0; bit /= 2, n >>>= 1) fraction += (n & 1) * bit;
  return fraction;
}
