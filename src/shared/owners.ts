// Tracked arenas: who owns a block, and what a worker is at work on, so that both are known when it has died.
//
// The owner of a live block is in the byte of its first unit; 0 otherwise, and also for the moments between the CAS
// that takes a block and the note of its owner, and between the erasure of the owner and the CAS that gives the block back.
// In those moments, and whenever a word is opened or closed, the worker's slot announces an offset in what is changed.

import { lowestBit } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { type Geometry, SLOT_AT, SLOT_SEQUENCE, slotOf } from './layout.ts';

/** The owner of the block at `offset`; 0 when none is noted. */
export const ownerAt = (cells: Cells, g: Geometry, offset: number): number => {
  return (cells.load(g.owners + (offset >>> 2)) >>> ((offset & 3) << 3)) & 255;
};

/** The first offset from `from` on at which an owner is noted; the capacity when there is none, or owners are not tracked. */
export function nextOwned(cells: Cells, g: Geometry, from: number): number {
  for (let at = g.tracked ? from : g.capacity; at < g.capacity; at = (at | 3) + 1) {
    const rest = cells.load(g.owners + (at >>> 2)) >>> ((at & 3) << 3);
    if (rest !== 0) return at + (lowestBit(rest) >>> 3);
  }
  return g.capacity;
}

/** Changes the owner noted at `offset` from `before` to `after`. Returns whether it was `before`. */
export const changeOwner = (
  cells: Cells,
  g: Geometry,
  offset: number,
  before: number,
  after: number,
): boolean => {
  const at = g.owners + (offset >>> 2);
  const shift = (offset & 3) << 3;
  for (;;) {
    const four = cells.load(at);
    if (((four >>> shift) & 255) !== before) return false;
    if (cells.cas(at, four, four ^ ((before ^ after) << shift))) return true;
  }
};

/** Announces that `worker` is about to change what `offset` lies in. */
export const announce = (cells: Cells, g: Geometry, worker: number, offset: number): void => {
  const slot = slotOf(g, worker);
  cells.store(slot + SLOT_AT, offset + 1);
  // Who compares the sequence before and after a look at the tree learns of every announcement in between.
  cells.store(slot + SLOT_SEQUENCE, cells.read(slot + SLOT_SEQUENCE) + 1);
};

/** Announces that `worker` is done. */
export const endAnnouncement = (cells: Cells, g: Geometry, worker: number): void => {
  cells.store(slotOf(g, worker) + SLOT_AT, 0);
};
