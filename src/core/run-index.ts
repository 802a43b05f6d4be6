// The run index: for every level and every order of that level, a bitmap of the words that hold a free run of it.
//
// A bitmap is tiered: 32 words to a group, 32 groups to a group of the next tier, up to one group. The bitmaps of
// the five orders of a level are interleaved, so that one cache line serves them all. Invariants:
//
//   complete  An open word with a free run of order r has its bit set for r. Any other set bit of a word is stale.
//   nested    If a word has its bit set for r, it has the bits of all orders below r set, too.
//   tiered    A bit of a higher tier is set if, and only if, its group in the tier below is not zero.
//   hinted    No word before hint[level, r] has its bit set for r.
//   bounded   A word with a stale bit is the hint of some order of its level: at most five words of a level are stale.
//
// `alloc` clears no bit, and `free` leaves the bits of a word that it closes: a word that fills up and is emptied, or is
// emptied and filled again, costs no index work. Staleness stays bounded by three rules: a block is taken only from the word
// at its order's hint, a word that closes keeps its bits only while it is a hint, and the stale bits of a word are cleared
// when a hint leaves it.

import { assert, DEV } from '../base/assert.ts';
import {
  FANOUT_BITS,
  GROUP_BITS,
  groupsOf,
  longestRunOrder,
  lowestBit,
  MAX_RUN_ORDER,
  runStarts,
} from '../base/word.ts';
import {
  AT_COUNT,
  AT_INDEX,
  groupAt,
  hintAt,
  NO_ADDRESS,
  ORDERS_PER_LEVEL,
  pairAt,
  TIERS,
} from './layout.ts';

/** Sets the bits of `word` of `level`, which is open, for all orders up to `run`, -1 … 4: it holds such free runs. */
export const setRunBits = (s: Int32Array, level: number, word: number, run: number): void => {
  if (DEV) assert(run >= -1 && run <= MAX_RUN_ORDER, 'a run is of order -1 to 4');
  const bit = 1 << word;
  const hint = hintAt(level, 0);
  let pos = groupAt(s, level, 0, word >>> GROUP_BITS, run);
  let cleared = -1;
  for (let r = run; r >= 0; r--, pos--) {
    const group = s[pos];
    if ((group & bit) !== 0) return; // nested: the lower orders have theirs, too
    s[pos] = group | bit;
    if (group === 0) setTierBits(s, level, word >>> GROUP_BITS, r);
    const left = s[hint + r];
    if (word < left) {
      s[hint + r] = word;
      if (left !== cleared) clearStale(s, level, left);
      cleared = left;
    }
  }
};

const setTierBits = (s: Int32Array, level: number, group: number, r: number): void => {
  let bits = groupsOf(s[AT_COUNT + level]);
  for (let tier = 1; bits > 1; tier++) {
    const pos = groupAt(s, level, tier, group >>> GROUP_BITS, r);
    const before = s[pos];
    s[pos] = before | (1 << group);
    if (before !== 0) return;
    group >>>= GROUP_BITS;
    bits = groupsOf(bits);
  }
};

/**
 * Whether `setRunBits` would have nothing to do. Its arithmetic is that of `groupAt`, written out: `free` asks each time, and
 * `groupAt` is above the size to which V8 inlines a function wherever it is called.
 */
export const hasRunBit = (s: Int32Array, level: number, word: number, run: number): boolean => {
  const pos = s[AT_INDEX + level * TIERS] + (word >>> GROUP_BITS) * ORDERS_PER_LEVEL + run;
  return ((s[pos] >>> word) & 1) !== 0;
};

/** Clears the bits of `word` of `level` for all orders above `run`, -1 … 4: it holds no such free runs. */
export const clearRunBits = (s: Int32Array, level: number, word: number, run: number): void => {
  const bit = 1 << word;
  let pos = groupAt(s, level, 0, word >>> GROUP_BITS, run + 1);
  for (let r = run + 1; r <= MAX_RUN_ORDER; r++, pos++) {
    const group = s[pos];
    if ((group & bit) === 0) return; // nested: the higher orders lack theirs, too
    s[pos] = group & ~bit;
    if (group === bit) clearTierBits(s, level, word >>> GROUP_BITS, r);
  }
};

const clearTierBits = (s: Int32Array, level: number, group: number, r: number): void => {
  let bits = groupsOf(s[AT_COUNT + level]);
  for (let tier = 1; bits > 1; tier++) {
    const pos = groupAt(s, level, tier, group >>> GROUP_BITS, r);
    const after = s[pos] & ~(1 << group);
    s[pos] = after;
    if (after !== 0) return;
    group >>>= GROUP_BITS;
    bits = groupsOf(bits);
  }
};

/** Clears the stale bits of `word`. The sentinel's position, `count`, is allowed: it has no bits. */
export const clearStale = (s: Int32Array, level: number, word: number): void => {
  if (word === s[AT_COUNT + level]) return;
  const pos = pairAt(s, level, word);
  const busy = s[pos] | s[pos + 1];
  const longest = busy === 0 ? -1 : longestRunOrder(~busy);
  if (longest < MAX_RUN_ORDER && hasRunBit(s, level, word, longest + 1))
    clearRunBits(s, level, word, longest);
};

/** To be called when `word` of `level` has closed: clears its bits, unless it is a hint and may keep them. */
export const wordClosed = (s: Int32Array, level: number, word: number): void => {
  const hint = hintAt(level, 0);
  for (let r = 0; r <= MAX_RUN_ORDER; r++) {
    if (s[hint + r] === word) return;
  }
  clearRunBits(s, level, word, -1);
};

/** The lowest word of `level`, not before `from`, with its bit set for order `r`; the number of words if there is none. */
export const nextWord = (s: Int32Array, level: number, r: number, from: number): number => {
  const count = s[AT_COUNT + level];
  let bits = count;
  let i = from;
  for (let tier = 0; i < bits; tier++) {
    const group = s[groupAt(s, level, tier, i >>> GROUP_BITS, r)] & (-1 << i);
    if (group !== 0) {
      i = (i & ~31) | lowestBit(group);
      while (tier > 0) {
        tier--;
        i = (i << GROUP_BITS) | lowestBit(s[groupAt(s, level, tier, i, r)]);
      }
      return i;
    }
    i = (i >>> GROUP_BITS) + 1;
    bits = groupsOf(bits);
  }
  return count;
};

/** Whether a closed word lies in a free child of a higher level, and not in a live block. */
const isClosedFree = (s: Int32Array, level: number, word: number): boolean => {
  let child = word;
  for (let above = level + 1; ; above++) {
    const pos = pairAt(s, above, child >>> FANOUT_BITS);
    if ((s[pos] | s[pos + 1]) !== 0) return ((s[pos] >>> child) & 1) === 0;
    child >>>= FANOUT_BITS;
  }
};

/**
 * Address of the lowest free block of order `FANOUT_BITS * level + r` in the words of `level`, whose word is now the order's
 * hint; NO_ADDRESS if there is none, or if a free child of a higher level lies lower. Clears the bits of the stale words
 * that it meets: five at most.
 */
export const lowestInLevel = (s: Int32Array, level: number, r: number): number => {
  const hint = hintAt(level, r);
  let word = s[hint];
  while (word !== s[AT_COUNT + level]) {
    const pos = pairAt(s, level, word);
    const free = ~(s[pos] | s[pos + 1]);
    if (free === -1) {
      // Closed. If it lies in a free child of a higher level, that child starts here or lower and wins; the bits stay, as
      // the word is about to be reopened.
      if (isClosedFree(s, level, word)) return NO_ADDRESS;
      clearRunBits(s, level, word, -1);
    } else {
      const starts = runStarts(free, r);
      if (starts !== 0) return ((word << FANOUT_BITS) | lowestBit(starts)) << (FANOUT_BITS * level);
      clearRunBits(s, level, word, longestRunOrder(free));
    }
    word = nextWord(s, level, r, word + 1);
    s[hint] = word;
  }
  return NO_ADDRESS;
};
