// The run index: which words of a level hold a free run of 2^r children, for r = 0 … 4.
//
// Its lowest tier has four bits a word, the word's grade: one more than the r of its longest free run, 0 for none.
// Eight grades make a group, one int32. Above it, for every r, a bitmap of the groups with a grade above r, and tiers of
// bitmaps, 32 to 1, up to one int32; the five of a tier are interleaved, so that one cache line serves them all.
//
//   complete  an open word's grade is at least what its longest free run makes it; if more, it is stale.
//   closed    a closed word's grade is 0.
//   tiered    a bit above is set if, and only if, what it stands for below is not empty.
//   hinted    no word before hint[level, r] has a grade above r.
//   bounded   a stale word is the hint of some r of its level, so at most five words of a level are stale.
//
// `alloc` lowers no grade: a word that is filled and emptied again costs no index work. Staleness stays bounded because
// a block is only ever taken from the word at its order's hint, and a hint that moves settles the word it leaves.

import {
  AT_COUNT,
  AT_HINT,
  AT_INDEX,
  AT_WORDS,
  groupsOf,
  NOWHERE,
  ORDERS_PER_LEVEL,
  TIERS,
} from './layout.ts';
import { FAN_BITS, fitting, longestRun, lowestBit } from './word.ts';

/** Bit 3 of each nibble is set where the grade in `group` is above `r`: the sum reaches 8 there, and never 16. */
function above(group: number, r: number): number {
  return (group + Math.imul(7 - r, 0x11111111)) & 0x88888888;
}

/** Whether a word of `group` has a grade above `r`. */
export function holdsAbove(group: number, r: number): boolean {
  return above(group, r) !== 0;
}

/** The grade of `word`: one more than the r of the longest free run that it may hold. */
export function gradeOf(s: Int32Array, level: number, word: number): number {
  return (s[s[AT_INDEX + level * TIERS] + (word >>> 3)] >>> ((word & 7) << 2)) & 15;
}

/** Notes that `word` of `level` holds free runs of all orders up to `run`, -1 … 4. */
export function raise(s: Int32Array, level: number, word: number, run: number): void {
  const at = s[AT_INDEX + level * TIERS] + (word >>> 3);
  const shift = (word & 7) << 2;
  const group = s[at];
  const grade = (group >>> shift) & 15;
  if (run < grade) return;
  s[at] = group + ((run + 1 - grade) << shift);
  const hint = AT_HINT + level * ORDERS_PER_LEVEL;
  for (let r = grade; r <= run; r++) {
    if (!holdsAbove(group, r)) raiseTiers(s, level, word >>> 3, r);
    const left = s[hint + r];
    if (word < left) {
      s[hint + r] = word;
      settle(s, level, left);
    }
  }
}

function raiseTiers(s: Int32Array, level: number, below: number, r: number): void {
  let bit = below;
  for (let tier = AT_INDEX + level * TIERS + 1; s[tier] !== 0; tier++) {
    const at = s[tier] + (bit >>> 5) * ORDERS_PER_LEVEL + r;
    const before = s[at];
    s[at] = before | (1 << bit);
    if (before !== 0) return;
    bit >>>= 5;
  }
}

/** Notes that `word` of `level` holds no free run above order `run`, -1 … 4. */
export function lower(s: Int32Array, level: number, word: number, run: number): void {
  const at = s[AT_INDEX + level * TIERS] + (word >>> 3);
  const shift = (word & 7) << 2;
  const grade = (s[at] >>> shift) & 15;
  if (grade <= run + 1) return;
  const group = s[at] - ((grade - run - 1) << shift);
  s[at] = group;
  for (let r = run + 1; r < grade; r++) {
    if (!holdsAbove(group, r)) lowerTiers(s, level, word >>> 3, r);
  }
}

function lowerTiers(s: Int32Array, level: number, below: number, r: number): void {
  let bit = below;
  for (let tier = AT_INDEX + level * TIERS + 1; s[tier] !== 0; tier++) {
    const at = s[tier] + (bit >>> 5) * ORDERS_PER_LEVEL + r;
    const after = s[at] & ~(1 << bit);
    s[at] = after;
    if (after !== 0) return;
    bit >>>= 5;
  }
}

/** Gives `word` the grade that it deserves. The position past the last word is none and has none. */
export function settle(s: Int32Array, level: number, word: number): void {
  if (word === s[AT_COUNT + level]) return;
  const at = s[AT_WORDS + level] + (word << 1);
  const busy = s[at] | s[at + 1];
  if (busy !== 0) lower(s, level, word, longestRun(~busy)); // a closed word has none anyway
}

/** The lowest word of `level`, not before `from`, with a grade above `r`; the number of words if none. */
export function nextWord(s: Int32Array, level: number, r: number, from: number): number {
  if (from === s[AT_COUNT + level]) return from;
  const here = above(s[s[AT_INDEX + level * TIERS] + (from >>> 3)], r) & (-1 << ((from & 7) << 2));
  return here !== 0 ? (from & ~7) | (lowestBit(here) >>> 2) : nextWordBeyond(s, level, r, from >>> 3);
}

/** The same for the groups after `group`: up the tiers until a bit is set, and down again to what it stands for. */
function nextWordBeyond(s: Int32Array, level: number, r: number, group: number): number {
  const tiers = AT_INDEX + level * TIERS;
  const count = s[AT_COUNT + level];
  let i = group + 1;
  let bits = groupsOf(count);
  for (let tier = 1; i < bits; tier++) {
    const set = s[s[tiers + tier] + (i >>> 5) * ORDERS_PER_LEVEL + r] & (-1 << i);
    if (set !== 0) {
      i = (i & ~31) | lowestBit(set);
      while (--tier > 0) i = (i << 5) | lowestBit(s[s[tiers + tier] + i * ORDERS_PER_LEVEL + r]);
      return (i << 3) | (lowestBit(above(s[s[tiers] + i], r)) >>> 2);
    }
    i = (i >>> 5) + 1;
    bits = (bits + 31) >>> 5;
  }
  return count;
}

/**
 * Address of the lowest free block of order `FAN_BITS * level + r` in the words of `level`, whose word is now the order's
 * hint; NOWHERE if there is none. Stale words met on the way are settled: five at most.
 */
export function seek(s: Int32Array, level: number, r: number): number {
  const hint = AT_HINT + level * ORDERS_PER_LEVEL + r;
  let word = s[hint];
  for (;;) {
    word = nextWord(s, level, r, word);
    s[hint] = word;
    if (word === s[AT_COUNT + level]) return NOWHERE;
    const at = s[AT_WORDS + level] + (word << 1);
    const free = ~(s[at] | s[at + 1]);
    const fits = fitting(free, r);
    if (fits !== 0) return ((word << 5) | lowestBit(fits)) << (FAN_BITS * level);
    lower(s, level, word, longestRun(free));
  }
}
