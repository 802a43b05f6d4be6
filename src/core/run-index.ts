// The run index: for every level and every order of that level, a bitmap of the words that hold a free run of it.
//
// A bitmap is tiered: 32 words to a group, 32 groups to a group of the next tier, up to one group. The bitmaps of
// the five orders of a level are interleaved, so that one cache line serves them all. Invariants:
//
//   complete  an open word with a free run of order r has its bit set for r. Any other bit of a word is stale.
//   nested    a word's bit for r implies its bits for all orders below r.
//   tiered    a bit of a higher tier is set if, and only if, its group in the tier below is not zero.
//   hinted    no word before hint[level, r] has its bit set for r.
//   bounded   a word with a stale bit is the hint of some order of its level, so at most five words of a level are stale.
//
// `alloc` clears no bits, and `free` leaves those of a word that it closes: a word that fills up and is emptied, or is
// emptied and filled again, costs no index work. Staleness stays bounded because a block is only ever taken from the word
// at its order's hint, a word that closes keeps its bits only if it is a hint, and a hint that moves settles the word that
// it leaves.

import { FANOUT_BITS, longestRunOrder, lowestBit, MAX_RUN_ORDER, runStarts } from '../base/word.ts';
import {
  AT_COUNT,
  AT_HINT,
  AT_INDEX,
  AT_WORDS,
  groups,
  NO_ADDRESS,
  ORDERS_PER_LEVEL,
  TIERS,
} from './layout.ts';

/** Notes that `word` of `level` holds free runs of all orders up to `run`, -1 … 4. */
export const setRunBits = (s: Int32Array, level: number, word: number, run: number): void => {
  const bit = 1 << word;
  const hint = AT_HINT + level * ORDERS_PER_LEVEL;
  let at = s[AT_INDEX + level * TIERS] + (word >>> 5) * ORDERS_PER_LEVEL + run;
  let settled = -1;
  for (let r = run; r >= 0; r--, at--) {
    const group = s[at];
    if ((group & bit) !== 0) return; // nested: the lower orders have it too
    s[at] = group | bit;
    if (group === 0) setTierBits(s, level, word >>> 5, r);
    const left = s[hint + r];
    if (word < left) {
      s[hint + r] = word;
      if (left !== settled) clearStale(s, level, left);
      settled = left;
    }
  }
};

const setTierBits = (s: Int32Array, level: number, group: number, r: number): void => {
  let bits = groups(s[AT_COUNT + level]);
  for (let tier = AT_INDEX + level * TIERS + 1; bits > 1; tier++) {
    const at = s[tier] + (group >>> 5) * ORDERS_PER_LEVEL + r;
    const before = s[at];
    s[at] = before | (1 << group);
    if (before !== 0) return;
    group >>>= 5;
    bits = groups(bits);
  }
};

/** Whether `raise` would have nothing to do. */
export const hasRunBit = (s: Int32Array, level: number, word: number, run: number): boolean => {
  return ((s[s[AT_INDEX + level * TIERS] + (word >>> 5) * ORDERS_PER_LEVEL + run] >>> word) & 1) !== 0;
};

/** Notes that `word` of `level` holds no free run above order `run`, -1 … 4. */
export const clearRunBits = (s: Int32Array, level: number, word: number, run: number): void => {
  const bit = 1 << word;
  let at = s[AT_INDEX + level * TIERS] + (word >>> 5) * ORDERS_PER_LEVEL + run + 1;
  for (let r = run + 1; r <= MAX_RUN_ORDER; r++, at++) {
    const group = s[at];
    if ((group & bit) === 0) return; // nested: the higher orders lack it too
    s[at] = group & ~bit;
    if (group === bit) clearTierBits(s, level, word >>> 5, r);
  }
};

const clearTierBits = (s: Int32Array, level: number, group: number, r: number): void => {
  let bits = groups(s[AT_COUNT + level]);
  for (let tier = AT_INDEX + level * TIERS + 1; bits > 1; tier++) {
    const at = s[tier] + (group >>> 5) * ORDERS_PER_LEVEL + r;
    const after = s[at] & ~(1 << group);
    s[at] = after;
    if (after !== 0) return;
    group >>>= 5;
    bits = groups(bits);
  }
};

/** Clears the stale bits of `word`; the position past the last word is none and has none. */
export const clearStale = (s: Int32Array, level: number, word: number): void => {
  if (word === s[AT_COUNT + level]) return;
  const at = s[AT_WORDS + level] + (word << 1);
  const busy = s[at] | s[at + 1];
  clearRunBits(s, level, word, busy === 0 ? -1 : longestRunOrder(~busy));
};

/** Notes that `word` of `level` has closed: clears its bits, unless it is a hint and may keep them. */
export const wordClosed = (s: Int32Array, level: number, word: number): void => {
  const hint = AT_HINT + level * ORDERS_PER_LEVEL;
  for (let r = 0; r <= MAX_RUN_ORDER; r++) {
    if (s[hint + r] === word) return;
  }
  clearRunBits(s, level, word, -1);
};

/** The lowest word of `level`, not before `from`, with its bit set for order `r`; the number of words if none. */
export const nextWord = (s: Int32Array, level: number, r: number, from: number): number => {
  const tiers = AT_INDEX + level * TIERS;
  const count = s[AT_COUNT + level];
  let bits = count;
  let i = from;
  for (let tier = 0; i < bits; tier++) {
    const group = s[s[tiers + tier] + (i >>> 5) * ORDERS_PER_LEVEL + r] & (-1 << i);
    if (group !== 0) {
      i = (i & ~31) | lowestBit(group);
      while (tier > 0) {
        tier--;
        i = (i << 5) | lowestBit(s[s[tiers + tier] + i * ORDERS_PER_LEVEL + r]);
      }
      return i;
    }
    i = (i >>> 5) + 1;
    bits = groups(bits);
  }
  return count;
};

/** Whether a closed word is part of a free child, and not of a live block. */
const isClosedFree = (s: Int32Array, level: number, word: number): boolean => {
  let child = word;
  for (let above = AT_WORDS + level + 1; ; above++) {
    const at = s[above] + ((child >>> 5) << 1);
    if ((s[at] | s[at + 1]) !== 0) return ((s[at] >>> child) & 1) === 0;
    child >>>= 5;
  }
};

/**
 * Address of the lowest free block of order `FAN_BITS * level + r` in the words of `level`, whose word is now the order's
 * hint; NOWHERE if there is none, or if a level above has a free child that lies lower. Stale words met on the way are
 * settled: five at most.
 */
export const lowestInLevel = (s: Int32Array, level: number, r: number): number => {
  const hint = AT_HINT + level * ORDERS_PER_LEVEL + r;
  let word = s[hint];
  while (word !== s[AT_COUNT + level]) {
    const at = s[AT_WORDS + level] + (word << 1);
    const free = ~(s[at] | s[at + 1]);
    if (free === -1) {
      // Closed. If it is part of a free child above, that lies at its address or lower, so what lies beyond it here is
      // not wanted; and as it is about to be opened again, it may keep its bits.
      if (isClosedFree(s, level, word)) return NO_ADDRESS;
      clearRunBits(s, level, word, -1);
    } else {
      const fits = runStarts(free, r);
      if (fits !== 0) return ((word << 5) | lowestBit(fits)) << (FANOUT_BITS * level);
      clearRunBits(s, level, word, longestRunOrder(free));
    }
    word = nextWord(s, level, r, word + 1);
    s[hint] = word;
  }
  return NO_ADDRESS;
};
