// The tree of words: marking blocks live, opening and closing words, the search over all levels.
//
// A child of a word of level d is 32^d units. A word is open while its parent's child is subdivided, and closed, all zero,
// otherwise; the top word is always open. An open word is never zero: when its last block goes it closes, and the parent's
// child becomes free. The top word keeps a child beyond the capacity in use, so every walk upwards ends there at the latest.

import { assert, DEV } from '../base/assert.ts';
import { FANOUT_BITS, longestRunOrder, MAX_RUN_ORDER, maskOf, runMask } from '../base/word.ts';
import { AT_ABOVE, AT_FREE, MAX_LEVELS, pairAt } from './layout.ts';
import { hasRunBit, lowestInLevel, setRunBits, wordClosed } from './run-index.ts';

/** Marks the free block of order `FANOUT_BITS * level + r` at `offset` as live, and opens the words down to its level. */
export const markLive = (s: Int32Array, offset: number, level: number, r: number): void => {
  let child = offset >>> (FANOUT_BITS * level);
  let pos = pairAt(s, level, child >>> FANOUT_BITS);
  let busy = s[pos] | s[pos + 1];
  if (DEV) assert((busy & (runMask(r) << child)) === 0, 'a block that becomes live was free');
  s[pos] |= runMask(r) << child;
  s[pos + 1] |= (runMask(r) ^ 1) << child;
  s[AT_FREE] -= 1 << (FANOUT_BITS * level + r);
  while (busy === 0 && level < MAX_LEVELS - 1) {
    // The word was closed, so one block leaves at least one half free: set the bits of all five orders. Nothing in it lies
    // below the child just opened, so AT_ABOVE remains a lower bound.
    setRunBits(s, level, child >>> FANOUT_BITS, MAX_RUN_ORDER);
    level++;
    child >>>= FANOUT_BITS;
    pos = pairAt(s, level, child >>> FANOUT_BITS);
    busy = s[pos] | s[pos + 1];
    if (DEV) assert(((busy >>> child) & 1) === 0, 'the parent of a closed word is free');
    s[pos + 1] |= 1 << child;
  }
};

/** Frees the `n` children of `level` from `child` on, which lie in one word and are whole live blocks. */
export const freeRun = (s: Int32Array, level: number, child: number, n: number): void => {
  const word = child >>> FANOUT_BITS;
  const pos = pairAt(s, level, word);
  const keep = ~maskOf(n, child);
  const used = s[pos] & keep;
  const cont = s[pos + 1] & keep;
  s[pos] = used;
  s[pos + 1] = cont;
  s[AT_FREE] += n << (FANOUT_BITS * level);
  if ((used | cont) === 0) closeWord(s, level, word);
  else {
    lowerBounds(s, level, child << (FANOUT_BITS * level));
    const longest = longestRunOrder(~(used | cont));
    if (!hasRunBit(s, level, word, longest)) setRunBits(s, level, word, longest);
  }
};

/** Closes `word` of `level`, which has become all zero, and every word above that becomes so by it. */
export const closeWord = (s: Int32Array, level: number, word: number): void => {
  while (level < MAX_LEVELS - 1) {
    wordClosed(s, level, word);
    level++;
    const pos = pairAt(s, level, word >>> FANOUT_BITS);
    const before = s[pos + 1];
    if (DEV) assert(((before >>> word) & 1) === 1, 'the parent of an open word is subdivided');
    const cont = before & ~(1 << word);
    s[pos + 1] = cont;
    const busy = s[pos] | cont;
    if (busy !== 0) {
      lowerBounds(s, level, word << (FANOUT_BITS * level));
      const longest = longestRunOrder(~busy);
      if (!hasRunBit(s, level, word >>> FANOUT_BITS, longest))
        setRunBits(s, level, word >>> FANOUT_BITS, longest);
      return;
    }
    word >>>= FANOUT_BITS;
  }
};

/** Lowers the bounds AT_ABOVE of the levels below `level`, a child of which has become free at `offset`. */
export const lowerBounds = (s: Int32Array, level: number, offset: number): void => {
  for (let below = AT_ABOVE + level - 1; below >= AT_ABOVE; below--) {
    if (offset < s[below]) s[below] = offset;
  }
};

/**
 * Address of the lowest free block that can hold one of order `FANOUT_BITS * level + r`: a run in a word of that level, or a
 * free child of a level above, which is then to be opened; NO_ADDRESS if there is none. Goes up only as long as the bound
 * of a level allows for something lower further up, and leaves the bounds that it passed exact.
 */
export const findLowest = (s: Int32Array, level: number, r: number): number => {
  const local = lowestInLevel(s, level, r);
  let lowest = local;
  let l = level;
  for (; s[AT_ABOVE + l] < lowest; l++) {
    const child = lowestInLevel(s, l + 1, 0);
    s[AT_ABOVE + l] = child;
    if (child < lowest) lowest = child;
  }
  while (--l >= level) {
    if (s[AT_ABOVE + l + 1] < s[AT_ABOVE + l]) s[AT_ABOVE + l] = s[AT_ABOVE + l + 1];
  }
  if (lowest < local) {
    // That child is about to be opened: the next free child above these levels lies at the next multiple of its size, or later.
    for (l = level; s[AT_ABOVE + l] === lowest; l++) {
      s[AT_ABOVE + l] = (lowest | ((1 << (FANOUT_BITS * (l + 1))) - 1)) + 1;
    }
  }
  return lowest;
};
