// The tree of words: marking blocks live, opening and closing words.
//
// Level d has one word pair (used, cont: see word.ts) for 32^(d+1) units; a child of it is 32^d units. A word is open
// when its parent's child is subdivided, and closed, all zero, otherwise; the top word is always open. An open word
// is never zero: when its last block goes it closes, and the parent's child becomes free. The top word keeps a child
// beyond the capacity in use, so every walk upwards ends there at the latest.

import { FANOUT_BITS, longestRunOrder, MAX_RUN_ORDER, runMask } from '../base/word.ts';
import { AT_ABOVE, AT_FREE, AT_WORDS } from './layout.ts';
import { clearStale, lowestInLevel, setRunBits, wordClosed } from './run-index.ts';

/** Marks the free block of order `FAN_BITS * level + r` at `offset` as live, opening words down to its level. */
export const markLive = (s: Int32Array, offset: number, level: number, r: number): void => {
  let x = offset >>> (FANOUT_BITS * level);
  let at = s[AT_WORDS + level] + ((x >>> 5) << 1);
  let busy = s[at] | s[at + 1];
  s[at] |= runMask(r) << x;
  s[at + 1] |= (runMask(r) ^ 1) << x;
  s[AT_FREE] -= 1 << (FANOUT_BITS * level + r);
  while (busy === 0) {
    // The word was closed. Whatever one block left free in it includes a half; none of that lies below the child
    // that is opened above, which AT_ABOVE has taken into account, so that stays a lower bound.
    setRunBits(s, level, x >>> 5, MAX_RUN_ORDER);
    level++;
    x >>>= 5;
    at = s[AT_WORDS + level] + ((x >>> 5) << 1);
    busy = s[at] | s[at + 1];
    s[at + 1] |= 1 << x;
  }
};

/** Closes `word` of `level`, which has become all zero, and every word above that becomes so by it. */
export const closeWord = (s: Int32Array, level: number, word: number): void => {
  for (;;) {
    wordClosed(s, level, word);
    level++;
    const at = s[AT_WORDS + level] + ((word >>> 5) << 1);
    const cont = s[at + 1] & ~(1 << word);
    s[at + 1] = cont;
    const busy = s[at] | cont;
    if (busy !== 0) {
      lowerBounds(s, level, word << (FANOUT_BITS * level));
      setRunBits(s, level, word >>> 5, longestRunOrder(~busy));
      return;
    }
    word >>>= 5;
  }
};

/** Notes that a child of `level` at `offset` has become free. */
export const lowerBounds = (s: Int32Array, level: number, offset: number): void => {
  for (let below = AT_ABOVE + level - 1; below >= AT_ABOVE; below--) {
    if (offset < s[below]) s[below] = offset;
  }
};

/**
 * Makes the live block of `before` units at `offset` one of `after` units, a multiple of which `offset` is; blocks of both
 * sizes belong to `level`. Returns false when what it would take is not free; nothing has changed then.
 */
export const resizeInWord = (
  s: Int32Array,
  offset: number,
  level: number,
  before: number,
  after: number,
): boolean => {
  const child = offset >>> (FANOUT_BITS * level);
  const word = child >>> 5;
  const at = s[AT_WORDS + level] + (word << 1);
  const own = ((2 << ((before >>> (FANOUT_BITS * level)) - 1)) - 1) << child;
  const run = ((2 << ((after >>> (FANOUT_BITS * level)) - 1)) - 1) << child;
  const used = s[at] & ~own;
  const cont = s[at + 1] & ~own;
  if (((used | cont) & run) !== 0) return false;
  s[at] = used | run;
  s[at + 1] = cont | (run & ~(1 << child));
  s[AT_FREE] += before - after;
  if (after > before) clearStale(s, level, word);
  else {
    lowerBounds(s, level, offset + after);
    setRunBits(s, level, word, longestRunOrder(~(s[at] | s[at + 1])));
  }
  return true;
};

/**
 * Address of the lowest free block that can hold one of order `FAN_BITS * level + r`: a run in a word of that level, or a
 * free child of a level above, which is then to be opened; NOWHERE if there is none. Goes up only as long as the bound of
 * a level allows for something lower further up, and leaves the bounds that it passed exact.
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
    // That child goes: what else is free above a level lies at the next multiple of such a child's size, or later.
    for (l = level; s[AT_ABOVE + l] === lowest; l++) {
      s[AT_ABOVE + l] = (lowest | ((1 << (FANOUT_BITS * (l + 1))) - 1)) + 1;
    }
  }
  return lowest;
};
