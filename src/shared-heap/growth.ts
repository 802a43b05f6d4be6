// Blocks that cover what is not to be allocated: what the heap keeps for itself, and what is no memory yet.

import { lowestBit, tileOrder } from '../base/word.ts';
import type { Cells } from '../shared/cells.ts';
import type { Geometry } from '../shared/layout.ts';
import { RESERVED } from '../shared/owners.ts';
import { markLive } from '../shared/rebuild.ts';

/** Units of the largest block at `at` that ends at `end` or before and has no more than `most` units. */
export function tileAt(at: number, end: number, most: number): number {
  return 2 ** tileOrder(at, Math.min(end, at + most));
}

/**
 * Units of the block that covers what is no memory yet from `at` on, in a heap of the units from `first` up to `end`. No block is
 * larger than a quarter of what lies before it, so that the heap can grow by little, and there are O(log end) of them.
 */
export function growthAt(at: number, first: number, end: number): number {
  return tileAt(at, end, Math.max(1, (at - first) >> 2));
}

/** Makes all units of a fresh arena reserved but those from `first` up to `frontier`. */
export function reserve(cells: Cells, g: Geometry, first: number, frontier: number): void {
  const put = (at: number, size: number) => {
    markLive(cells, g, at, lowestBit(size), RESERVED);
    return at + size;
  };
  for (let at = 0; at < first; ) at = put(at, tileAt(at, first, first));
  for (let at = frontier; at < g.capacity; ) at = put(at, growthAt(at, first, g.capacity));
}
