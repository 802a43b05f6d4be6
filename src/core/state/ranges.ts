// Ranges of any size, as live blocks that tile them. What is marked here are the largest aligned blocks, from left to right.

import { assert, DEV } from '../../base/assert.ts';
import { blockLength, FANOUT_BITS, longestRunOrder, maskOf, tileStarts } from '../../base/word.ts';
import { nextUsed } from '../gaps.ts';
import { AT_ABOVE, AT_FREE, AT_LEVELS, pairAt } from '../layout.ts';
import { clearStale, setRunBits } from '../run-index.ts';
import { closeWord, lowerBounds } from '../tree.ts';
import { orderAt } from './inspect.ts';

/** Whether all units from `offset` up to `end` are free. O(log capacity). */
export function isRangeFree(state: Int32Array, offset: number, end: number): boolean {
  return offset === end || nextUsed(state, offset) >= end;
}

/**
 * Marks the free units from `offset` up to `end` as live: of every level at most two words, in which the range begins and
 * ends. O(log capacity).
 */
export const markRangeLive = (s: Int32Array, offset: number, end: number): void => {
  let first = offset;
  let last = end;
  for (let level = 0; first < last; level++) {
    const word = first >>> FANOUT_BITS;
    if (last - first < 32 && (last - 1) >>> FANOUT_BITS === word) {
      markRun(s, level, word, first & 31, last - first);
      break;
    }
    if ((first & 31) !== 0) markRun(s, level, word, first & 31, 32 - (first & 31));
    if ((last & 31) !== 0) markRun(s, level, last >>> FANOUT_BITS, 0, last & 31);
    first = (first + 31) >>> FANOUT_BITS;
    last >>>= FANOUT_BITS;
  }
  s[AT_FREE] -= end - offset;
  // Nothing is free any more from `offset` up to `end`.
  for (let level = s[AT_LEVELS] - 2; level >= 0; level--) {
    const bound = s[AT_ABOVE + level];
    if (bound >= offset && bound < end) {
      s[AT_ABOVE + level] = ((end - 1) | ((1 << (FANOUT_BITS * (level + 1))) - 1)) + 1;
    }
  }
};

/** Marks the `n` free children of a word from child `c` on as live, and opens the words down to it. */
const markRun = (s: Int32Array, level: number, word: number, c: number, n: number): void => {
  const mask = maskOf(n, c);
  let pos = pairAt(s, level, word);
  let busy = s[pos] | s[pos + 1];
  if (DEV) assert((busy & mask) === 0, 'a range that becomes live was free');
  s[pos] |= mask;
  s[pos + 1] |= mask & ~tileStarts(c, c + n);
  while (busy === 0) {
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
 * Goes over the live blocks from `offset` up to `end`, and frees them if `frees` is set; then they must be known to tile the
 * range.
 *
 * @returns -1 if they tile the range; else a unit of it that is free, or an end of it that lies inside a block.
 */
export const overTiles = (s: Int32Array, offset: number, end: number, frees: boolean): number => {
  for (let next = offset; next < end; ) {
    let level = 0;
    let child = next;
    let pos = pairAt(s, 0, child >>> FANOUT_BITS);
    while ((s[pos] | s[pos + 1]) === 0) {
      level++;
      child >>>= FANOUT_BITS;
      pos = pairAt(s, level, child >>> FANOUT_BITS);
    }
    const shift = FANOUT_BITS * level;
    const used = s[pos];
    const cont = s[pos + 1];
    if (child << shift !== next || (((used & ~cont) >>> child) & 1) === 0) return next;
    // All used children from here on: those of several blocks have the bits of one block without the first's.
    const run = blockLength(used, used, child);
    const inside = Math.min(run, (end - next) >>> shift);
    const after = next + (inside << shift);
    const goesOn = run > inside && (((used & cont) >>> (child + inside)) & 1) !== 0;
    if (goesOn || (run > inside && after !== end)) return end;
    if (frees) {
      const keep = ~maskOf(inside, child);
      const busy = (used | cont) & keep;
      s[pos] = used & keep;
      s[pos + 1] = cont & keep;
      if (busy === 0) closeWord(s, level, child >>> FANOUT_BITS);
      else {
        lowerBounds(s, level, next);
        setRunBits(s, level, child >>> FANOUT_BITS, longestRunOrder(~busy));
      }
    }
    next = after;
  }
  if (frees) s[AT_FREE] += end - offset;
  return -1;
};

/** Marks in `to` all blocks below `capacity` that are live in `from`. They must be free there. O(live blocks * log capacity). */
export function copyBlocks(from: Int32Array, to: Int32Array, capacity: number): void {
  for (let offset = 0; offset < capacity; ) {
    const found = orderAt(from, offset);
    const end = offset + (1 << (found < 0 ? ~found : found));
    if (found >= 0) markRangeLive(to, offset, end);
    offset = end;
  }
}
