// Ranges of any size, as live blocks that tile them. What is marked here are the largest aligned blocks, from left to right.

import { assert, DEV } from '../../base/assert.ts';
import { FANOUT_BITS, longestRunOrder, maskOf } from '../../base/word.ts';
import { nextUsed } from '../gaps.ts';
import { AT_FREE, MAX_LEVELS, pairAt } from '../layout.ts';
import { clearStale, setRunBits } from '../run-index.ts';
import { freeRun } from '../tree.ts';

/** [child]: as bits, what `round` makes of it for each size of a block. */
const bySize = (round: (child: number, size: number) => number): Int32Array => {
  return Int32Array.from({ length: 32 }, (_, child) => {
    return [1, 2, 4, 8, 16].reduce((bits, size) => bits | (1 << round(child, size)), 0);
  });
};

/** [child]: it rounded up to multiples of each size. */
const ROUNDED_UP = bySize((child, size) => (child + size - 1) & -size);

/** [child]: the one after it rounded down. */
const ROUNDED_DOWN = bySize((child, size) => (child + 1) & -size);

/** Of `mask`, the `n` children of a word from `child` on, those at which the largest aligned blocks that tile them start. */
const tileStarts = (mask: number, child: number, n: number): number => {
  return (ROUNDED_UP[child & 31] | ROUNDED_DOWN[(child + n - 1) & 31]) & mask;
};

/** Whether all units from `offset` up to `end` are free. O(log capacity). */
export function isRangeFree(state: Int32Array, offset: number, end: number): boolean {
  return offset === end || nextUsed(state, offset) >= end;
}

/** Whether the `n` children of `level` from `child` on, which lie in one word, are whole live blocks of that level. */
const isLiveRun = (s: Int32Array, level: number, child: number, n: number): boolean => {
  const pos = pairAt(s, level, child >>> FANOUT_BITS);
  const used = s[pos];
  const cont = s[pos + 1];
  const mask = maskOf(n, child);
  return ((~used & mask) | ((cont >>> child) & 1) | (used & cont & (mask << 1) & ~mask)) === 0;
};

/** What `overRuns` does with a range. */
const CHECK = 0;
const FREE = 1;
const MARK = 2;

/**
 * Goes over the largest aligned runs of children that tile the units from `from` up to `to`: at each level the one at either
 * end, until both ends lie in one word.
 *
 * @returns false if `what` is CHECK and a run is not made of whole live blocks of its level.
 */
const overRuns = (s: Int32Array, from: number, to: number, what: number): boolean => {
  for (let level = 0; from < to; level++) {
    const isLast = from >>> FANOUT_BITS === to >>> FANOUT_BITS;
    let child = from;
    let n = isLast ? to - from : -from & 31;
    for (let side = 0; side < 2; side++) {
      if (n !== 0) {
        if (what === MARK) markRun(s, level, child, n);
        else if (what === FREE) freeRun(s, level, child, n);
        else if (!isLiveRun(s, level, child, n)) return false;
      }
      if (isLast) return true;
      child = to & ~31;
      n = to & 31;
    }
    from = (from + 31) >>> FANOUT_BITS;
    to >>>= FANOUT_BITS;
  }
  return true;
};

/**
 * Marks the free units from `offset` up to `end` as live: in two words of each level at most, those in which the range begins
 * and ends. O(log capacity).
 */
export const markRangeLive = (s: Int32Array, offset: number, end: number): void => {
  s[AT_FREE] -= end - offset;
  // Mostly the range lies in one word of level 0.
  if (offset >>> FANOUT_BITS === end >>> FANOUT_BITS) markRun(s, 0, offset, end - offset);
  else overRuns(s, offset, end, MARK);
};

/** Frees the units from `from` up to `to`, which belong to the tail of an arena: no block holds them. O(log capacity). */
export const freeTail = (s: Int32Array, from: number, to: number): void => {
  overRuns(s, from, to, FREE);
};

/** Marks the `n` free children of `level` from `child` on, which lie in one word, as live, and opens the words down to it. */
const markRun = (s: Int32Array, level: number, child: number, n: number): void => {
  const mask = maskOf(n, child);
  let word = child >>> FANOUT_BITS;
  let pos = pairAt(s, level, word);
  let busy = s[pos] | s[pos + 1];
  if (DEV) assert((busy & mask) === 0, 'a range that becomes live was free');
  s[pos] |= mask;
  s[pos + 1] |= mask & ~tileStarts(mask, child, n);
  while (busy === 0 && level < MAX_LEVELS - 1) {
    // The word was closed. AT_ABOVE remains a lower bound: nothing in it lies below the child that is subdivided now.
    setRunBits(s, level, word, longestRunOrder(~(s[pos] | s[pos + 1])));
    level++;
    pos = pairAt(s, level, word >>> FANOUT_BITS);
    busy = s[pos] | s[pos + 1];
    s[pos + 1] |= 1 << word;
    word >>>= FANOUT_BITS;
  }
  // Stale bits are allowed in words that are hints only, and this word may be none.
  clearStale(s, level, word);
};

/**
 * Frees the units from `offset` up to `end` if they are made of blocks as `markRangeLive` makes them, or others that lie within
 * the same runs. O(log capacity).
 *
 * @returns false if they are not; nothing has changed then.
 */
export const freeRuns = (s: Int32Array, offset: number, end: number): boolean => {
  // Mostly the range lies in one word of level 0.
  if (offset >>> FANOUT_BITS === end >>> FANOUT_BITS && isLiveRun(s, 0, offset, end - offset)) {
    freeRun(s, 0, offset, end - offset);
    return true;
  }
  return overRuns(s, offset, end, CHECK) && overRuns(s, offset, end, FREE);
};
