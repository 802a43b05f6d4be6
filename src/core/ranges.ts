// Ranges that are no single block, as the largest aligned blocks that tile them from left to right.

import { FANOUT_BITS, levelOfOrder, tileOrder } from '../base/word.ts';
import { isFree, orderAt } from './inspect.ts';
import { AT_LEVELS } from './layout.ts';
import { clearStale } from './run-index.ts';
import { markLive } from './tree.ts';

/** Whether all units from `at` to `end` are free. O(log² (end - at)). */
export function isRangeFree(s: Int32Array, at: number, end: number): boolean {
  while (at < end) {
    const order = tileOrder(at, end);
    if (!isFree(s, at, order)) return false;
    at += 1 << order;
  }
  return true;
}

/** Makes the free units from `at` to `end` live. O(log² (end - at)). */
export function markRangeLive(s: Int32Array, at: number, end: number): void {
  while (at < end) {
    const order = tileOrder(at, end);
    markLiveAnywhere(s, at, order);
    at += 1 << order;
  }
}

/** Makes all live blocks of `from` live in `to`, where they are free. O(live blocks * log capacity). */
export function copyBlocks(from: Int32Array, to: Int32Array, capacity: number): void {
  for (let at = 0; at < capacity; ) {
    const found = orderAt(from, at);
    if (found >= 0) markLiveAnywhere(to, at, found);
    at += 1 << (found < 0 ? ~found : found);
  }
}

/** Marks a free block as live. A search takes only from words that are hints; this block may lie in any. */
function markLiveAnywhere(s: Int32Array, offset: number, order: number): void {
  const level = levelOfOrder(order);
  markLive(s, offset, level, order - FANOUT_BITS * level);
  for (
    let l = level, word = (offset >>> (FANOUT_BITS * level)) >>> FANOUT_BITS;
    l < s[AT_LEVELS];
    l++, word >>>= FANOUT_BITS
  ) {
    clearStale(s, l, word);
  }
}
