// Ranges of any size, as the largest aligned blocks that tile them from left to right.

import { FANOUT_BITS, levelOfOrder, tileOrder } from '../../base/word.ts';
import { AT_LEVELS } from '../layout.ts';
import { clearStale } from '../run-index.ts';
import { markLive } from '../tree.ts';
import { isFree, orderAt } from './inspect.ts';

/** Whether all units from `offset` up to `end` are free. O(log² (end - offset)). */
export function isRangeFree(state: Int32Array, offset: number, end: number): boolean {
  while (offset < end) {
    const order = tileOrder(offset, end);
    if (!isFree(state, offset, order)) return false;
    offset += 1 << order;
  }
  return true;
}

/** Marks the free units from `offset` up to `end` as live. O(log² (end - offset)). */
export function markRangeLive(state: Int32Array, offset: number, end: number): void {
  while (offset < end) {
    const order = tileOrder(offset, end);
    markLiveAnywhere(state, offset, order);
    offset += 1 << order;
  }
}

/** Marks in `to` all blocks below `capacity` that are live in `from`. They must be free there. O(live blocks * log capacity). */
export function copyBlocks(from: Int32Array, to: Int32Array, capacity: number): void {
  for (let offset = 0; offset < capacity; ) {
    const found = orderAt(from, offset);
    if (found >= 0) markLiveAnywhere(to, offset, found);
    offset += 1 << (found < 0 ? ~found : found);
  }
}

/**
 * Marks a free block as live, whichever word it lies in. `markLive` alone may leave stale bits, which are allowed in words
 * that are hints; this word may be none.
 */
function markLiveAnywhere(state: Int32Array, offset: number, order: number): void {
  const bottom = levelOfOrder(order);
  markLive(state, offset, bottom, order - FANOUT_BITS * bottom);
  let word = (offset >>> (FANOUT_BITS * bottom)) >>> FANOUT_BITS;
  for (let level = bottom; level < state[AT_LEVELS]; level++, word >>>= FANOUT_BITS) {
    clearStale(state, level, word);
  }
}
