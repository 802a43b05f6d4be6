// Workers come and go: taking a slot and giving it back.

import type { Cells } from './cells.ts';
import type { Engine } from './engine.ts';
import {
  ATTACHED,
  FAN_BITS,
  type Geometry,
  ORDERS_PER_LEVEL,
  SLOT_HINTS,
  SLOT_STATE,
  slotOf,
  VACANT,
} from './layout.ts';

/** Takes a slot. Returns its number, which is the worker's from now on; 0 when all are taken. */
export function join(cells: Cells, g: Geometry): number {
  for (let worker = 1; worker <= g.slots; worker++) {
    const slot = slotOf(g, worker);
    if (!cells.cas(slot + SLOT_STATE, VACANT, ATTACHED)) continue;
    // Far from one another: the bits of the number, reversed, as a fraction of the arena (van der Corput 1935).
    const start = Math.floor(g.capacity * reversed(worker - 1));
    for (let order = 0; order < ORDERS_PER_LEVEL * g.levels; order++) {
      cells.store(slot + SLOT_HINTS + order, start >>> (FAN_BITS * ((order >>> 2) + 1)));
    }
    return worker;
  }
  return 0;
}

/** Gives back the slot of the worker that `engine` is. */
export function leave(engine: Engine): void {
  const { cells, g, worker } = engine;
  engine.leave();
  cells.store(slotOf(g, worker) + SLOT_STATE, VACANT);
}

function reversed(n: number): number {
  let fraction = 0;
  for (let bit = 0.5; n !== 0; bit /= 2, n >>>= 1) fraction += (n & 1) * bit;
  return fraction;
}
