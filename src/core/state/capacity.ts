// Changing the capacity of an arena within the units that its state is laid out for.
//
// The units from the capacity on are in use: of each level the children in the word at the border, as `tailOf` says; the words
// behind that are closed, part of a child in use. So a new capacity moves the border of each level, and nothing else.

import { assert, DEV } from '../../base/assert.ts';
import { FANOUT_BITS } from '../../base/word.ts';
import { AT_CAPACITY, AT_LEVELS, FULL, hintAt, laidOutFor, ORDERS_PER_LEVEL, pairAt } from '../layout.ts';
import { clearStale } from '../run-index.ts';
import { borderOf, tailOf } from './empty.ts';
import { freeTail, markRangeLive } from './ranges.ts';

/** Whether `level` has an open word at the border of `capacity`. */
const isCutAt = (capacity: number, level: number): boolean =>
  capacity % 2 ** (FANOUT_BITS * (level + 1)) !== 0;

/**
 * Makes `capacity`, at most what the state is laid out for, the capacity of the arena; units that go must be free.
 * O(log capacity).
 */
export const setCapacity = (s: Int32Array, capacity: number): void => {
  if (DEV) assert(capacity <= laidOutFor(s), 'the state is laid out for the capacity');
  const before = s[AT_CAPACITY];
  s[AT_CAPACITY] = capacity;
  if (capacity > before) {
    openBorder(s, capacity);
    freeTail(s, before, capacity);
  } else if (capacity < before) {
    markRangeLive(s, capacity, before);
    for (let level = 0; level < s[AT_LEVELS]; level++) {
      // The tail is not made of blocks.
      s[pairAt(s, level, borderOf(capacity, level)) + 1] &= ~tailOf(capacity, level).used;
    }
    closeBorder(s, before, capacity);
    clearHints(s);
  }
};

/** Opens the words at the border of `capacity`, which lies in the tail: what they divide stays in use. */
const openBorder = (s: Int32Array, capacity: number): void => {
  for (let level = s[AT_LEVELS] - 1; level > 0; level--) {
    if (!isCutAt(capacity, level - 1)) return;
    const word = borderOf(capacity, level - 1);
    const pos = pairAt(s, level, word >>> FANOUT_BITS);
    const bit = 1 << word;
    if ((s[pos] & bit) === 0) continue; // open already
    s[pos] &= ~bit;
    s[pos + 1] |= bit;
    s[pairAt(s, level - 1, word)] = FULL;
  }
};

/** Closes the words at the border of `before` that lie wholly behind `capacity`. */
const closeBorder = (s: Int32Array, before: number, capacity: number): void => {
  for (let level = 0; level < s[AT_LEVELS] - 1; level++) {
    const word = borderOf(before, level);
    if (word * 2 ** (FANOUT_BITS * (level + 1)) < capacity) return;
    if (!isCutAt(before, level)) continue;
    const pos = pairAt(s, level, word);
    if (DEV) assert((s[pos] | s[pos + 1]) === FULL, 'a word behind the capacity is full');
    s[pos] = 0;
    s[pos + 1] = 0;
    const parent = pairAt(s, level + 1, word >>> FANOUT_BITS);
    s[parent] |= 1 << word;
    s[parent + 1] &= ~(1 << word);
  }
};

/** Clears all stale bits, so that none is left of a word behind the capacity. */
const clearHints = (s: Int32Array): void => {
  for (let level = 0; level < s[AT_LEVELS]; level++) {
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) clearStale(s, level, s[hintAt(level, r)]);
  }
};
