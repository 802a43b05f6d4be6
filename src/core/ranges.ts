// Ranges that are no single block, as the largest aligned blocks that tile them from left to right.

import { FAN_BITS, levelOfOrder, tileOrder } from '../base/word.ts';
import { blockAt, isFree } from './inspect.ts';
import { AT_LEVELS } from './layout.ts';
import { settle } from './run-index.ts';
import { place } from './tree.ts';

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
export function placeRange(s: Int32Array, at: number, end: number): void {
  while (at < end) {
    const order = tileOrder(at, end);
    placeAnywhere(s, at, order);
    at += 1 << order;
  }
}

/** Makes all live blocks of `from` live in `to`, where they are free. O(live blocks * log capacity). */
export function copyBlocks(from: Int32Array, to: Int32Array, capacity: number): void {
  for (let at = 0; at < capacity; ) {
    const found = blockAt(from, at);
    if (found >= 0) placeAnywhere(to, at, found);
    at += 1 << (found < 0 ? ~found : found);
  }
}

/** Marks a free block as live. A search takes only from words that are hints; this block may lie in any. */
function placeAnywhere(s: Int32Array, offset: number, order: number): void {
  const level = levelOfOrder(order);
  place(s, offset, level, order - FAN_BITS * level);
  for (
    let l = level, word = (offset >>> (FAN_BITS * level)) >>> FAN_BITS;
    l < s[AT_LEVELS];
    l++, word >>>= FAN_BITS
  ) {
    settle(s, l, word);
  }
}
