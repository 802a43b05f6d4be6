// The parts of a shared heap's growth: blocks that cover the units without memory, and a buffer that is up to date.

import { lowestBit, tileOrder } from '../base/word.ts';
import type { Backing } from '../heap/memory.ts';
import type { Cells } from '../shared/cells.ts';
import { levelOf } from '../shared/inspect.ts';
import { FANOUT_BITS, type Geometry } from '../shared/layout.ts';
import { RESERVED } from '../shared/owners.ts';
import { markLive } from '../shared/rebuild.ts';
import { CLOSED, freeOf } from '../shared/word.ts';

/** Units of the largest block at `offset` that ends at `end` or before and has no more than `most` units. */
export function tileAt(offset: number, end: number, most: number): number {
  return 2 ** tileOrder(offset, Math.min(end, offset + most));
}

/**
 * Units of the block that covers the units without memory from `offset` on, in a heap of the units from `first` up to
 * `end`. It is not larger than a quarter of the units before it, so that the heap can grow by little, and there are
 * O(log end) of them.
 */
export function growthAt(offset: number, first: number, end: number): number {
  return tileAt(offset, end, Math.max(1, (offset - first) >> 2));
}

/** Reserves all units of a fresh arena but those from `first` up to `frontier`. */
export function reserve(cells: Cells, g: Geometry, first: number, frontier: number): void {
  const put = (offset: number, size: number) => {
    markLive(cells, g, offset, lowestBit(size), RESERVED);
    return offset + size;
  };
  for (let offset = 0; offset < first; ) offset = put(offset, tileAt(offset, first, first));
  for (let offset = frontier; offset < g.capacity; )
    offset = put(offset, growthAt(offset, first, g.capacity));
}

/** Whether all units from `from` up to `to` are free. Units in transit are not. O(to - from) at worst. */
export function isRangeFree(cells: Cells, g: Geometry, from: number, to: number): boolean {
  for (let offset = from; offset < to; ) {
    const level = levelOf(cells, g, offset);
    const child = offset >>> (FANOUT_BITS * level);
    const word = cells.load(g.words[level] + (child >>> FANOUT_BITS));
    if (word === CLOSED || ((freeOf(word) >>> (child & 15)) & 1) === 0) return false;
    offset = (child + 1) << (FANOUT_BITS * level);
  }
  return true;
}

/**
 * The buffer of `backing`, with `end` bytes if the memory has those. A buffer of a WebAssembly memory keeps its length,
 * and an engine tells a thread late that another one has grown the memory. Growing it by 0 bytes brings the buffer up
 * to date.
 */
export function bufferTo(backing: Backing, end: number): SharedArrayBuffer {
  const { byteLength } = backing.buffer;
  if (byteLength < end && backing.granularity > 1) backing.grow(byteLength);
  return backing.buffer as SharedArrayBuffer;
}
