// Writing the state of an empty arena, before anybody else sees it.

import type { Cells } from './cells.ts';
import {
  AT_CAPACITY,
  AT_MAGIC,
  AT_SLOTS,
  AT_TRACKED,
  AT_VERSION,
  FANOUT_BITS,
  type Geometry,
  MAGIC,
  VERSION,
} from './layout.ts';
import { setRunBits } from './run-index.ts';
import { CLOSED, EMPTY, subdivisionMask } from './word.ts';

/** The last word of `level` in an empty arena: closed when the capacity ends with it. Otherwise it never closes. */
export function tailOf(g: Geometry, level: number): number {
  const span = 2 ** (FANOUT_BITS * level);
  const inside = Math.floor(g.capacity / span) & 15;
  const cut = g.capacity % span !== 0;
  if (inside === 0 && !cut) return CLOSED;
  // Children beyond the capacity are in use for ever, each a block of its own; one that the capacity cuts is subdivided.
  const outside = (-1 << (cut ? inside + 1 : inside)) & 0xffff;
  return EMPTY ^ outside ^ (cut ? subdivisionMask(inside) : 0);
}

/** Formats cells that are all zero. O(log capacity). */
export function writeEmpty(cells: Cells, g: Geometry): void {
  for (let level = 0; level < g.levels; level++) {
    const raw = tailOf(g, level);
    const last = g.count[level] - 1;
    if (raw === CLOSED) continue;
    cells.store(g.words[level] + last, raw);
    setRunBits(cells, g, level, last, raw);
  }
  cells.store(AT_VERSION, VERSION);
  cells.store(AT_CAPACITY, g.capacity);
  cells.store(AT_SLOTS, g.slots);
  cells.store(AT_TRACKED, g.tracked ? 1 : 0);
  cells.store(AT_MAGIC, MAGIC);
}
