// Gaps: the longest ranges of free units, of any length, between live blocks. `allocRange` takes its place from one.
//
// A gap of 2^(k+1) - 1 units or more holds an aligned free block of order k. So a request of `size` units finds all gaps
// that may hold it through the index of that one order: in words of its level that have their bit set, and in free children
// of the levels above. Each such block is extended to the whole gap by a look at the words beside it.
//
// Nothing here depends on hints beyond what they promise, and stale bits cost a look each, at most five a level.

import { FANOUT_BITS, levelOfOrder, longRunStarts, lowestBit } from '../base/word.ts';
import { AT_ABOVE, AT_CAPACITY, AT_COUNT, hintAt, NO_ADDRESS, pairAt } from './layout.ts';
import { nextWord } from './run-index.ts';

/**
 * Address of the first unit in use from `offset` on, or of the block that holds `offset`, which may start below it; the
 * capacity if all are free. `offset` may be the capacity. O(log capacity).
 */
export const nextUsed = (s: Int32Array, offset: number): number => {
  let level = 0;
  let child = offset;
  let pos = pairAt(s, 0, child >>> FANOUT_BITS);
  let busy = s[pos] | s[pos + 1];
  let bits = busy & (-1 << child);
  while (bits === 0) {
    // The child of an open word is subdivided, and done with. That of a closed one is free or part of a block.
    child = (child >>> FANOUT_BITS) + (busy === 0 ? 0 : 1);
    level++;
    pos = pairAt(s, level, child >>> FANOUT_BITS);
    busy = s[pos] | s[pos + 1];
    bits = busy & (-1 << child);
  }
  for (;;) {
    const c = lowestBit(bits);
    child = (child & ~31) | c;
    if (((s[pos] >>> c) & 1) !== 0) return child << (FANOUT_BITS * level);
    level--;
    pos = pairAt(s, level, child);
    bits = s[pos] | s[pos + 1];
    child <<= FANOUT_BITS;
  }
};

/** Address at which the gap that holds the free unit at `offset` starts. O(log capacity). */
export const gapStart = (s: Int32Array, offset: number): number => {
  let level = 0;
  let child = offset;
  let pos = pairAt(s, 0, child >>> FANOUT_BITS);
  let bits = (s[pos] | s[pos + 1]) & ~(-1 << child);
  while (bits === 0) {
    child >>>= FANOUT_BITS;
    if (child === 0) return 0;
    level++;
    pos = pairAt(s, level, child >>> FANOUT_BITS);
    bits = (s[pos] | s[pos + 1]) & ~(-1 << child);
  }
  for (;;) {
    const c = 31 - Math.clz32(bits);
    child = (child & ~31) | c;
    if (((s[pos] >>> c) & 1) !== 0) return (child + 1) << (FANOUT_BITS * level);
    level--;
    pos = pairAt(s, level, child);
    bits = s[pos] | s[pos + 1];
    child <<= FANOUT_BITS;
  }
};

/** The free children of `word` of `level`, none of which starts before the child that holds `from`. */
const freeFrom = (s: Int32Array, level: number, word: number, from: number): number => {
  const pos = pairAt(s, level, word);
  const busy = s[pos] | s[pos + 1];
  if (busy === 0) return 0; // closed: its bits are stale
  const child = from >>> (FANOUT_BITS * level);
  return child >>> FANOUT_BITS === word ? ~busy & (-1 << child) : ~busy;
};

/**
 * Address of the lowest free child of the levels above `level` that does not end before `from`; NO_ADDRESS if there is
 * none.
 */
const lowestAbove = (s: Int32Array, level: number, from: number): number => {
  let lowest = NO_ADDRESS;
  for (let l = level + 1; s[AT_ABOVE + l - 1] < lowest; l++) {
    const shift = FANOUT_BITS * l;
    const start = Math.max(from, s[AT_ABOVE + l - 1]);
    let word = Math.max((start >>> shift) >>> FANOUT_BITS, s[hintAt(l, 0)]);
    for (;;) {
      word = nextWord(s, l, 0, word);
      if (word === s[AT_COUNT + l]) break;
      const free = freeFrom(s, l, word, start);
      if (free !== 0) {
        lowest = Math.min(lowest, ((word << FANOUT_BITS) | lowestBit(free)) << shift);
        break;
      }
      word++;
    }
  }
  return lowest;
};

/** The least multiple of `alignment`, a positive integer of any size, that is not below `offset`. */
const alignedUp = (offset: number, alignment: number): number => {
  if (alignment === 1) return offset;
  const over = offset % alignment;
  return over === 0 ? offset : offset - over + alignment;
};

/**
 * The lowest multiple of `alignment` at which `size` units fit into the gap that holds the free unit at `unit`. If there is
 * none, the complement of the lowest one behind the gap, or of the capacity if that is lower.
 */
const fitAround = (s: Int32Array, unit: number, size: number, alignment: number): number => {
  const offset = alignedUp(gapStart(s, unit), alignment);
  const end = nextUsed(s, unit);
  return offset + size <= end ? offset : ~Math.min(alignedUp(end, alignment), s[AT_CAPACITY]);
};

/**
 * The lowest multiple of `alignment` at which `size` units are free, 1 <= size <= capacity; -1 if there is none. Makes the
 * bound of one level exact, and changes nothing else. At worst O(log capacity) for each gap that holds size / 4 units, but
 * no place.
 */
export const lowestFit = (s: Int32Array, size: number, alignment: number): number => {
  const order = 30 - Math.clz32(size + 1);
  const level = levelOfOrder(order);
  const r = order - FANOUT_BITS * level;
  const shift = FANOUT_BITS * level;
  const count = s[AT_COUNT + level];
  // Of the units of a gap, fewer than a child at either end are part of children that are subdivided.
  const least = ((size + 1) >>> shift) - 1;
  let word = s[hintAt(level, r)];
  let above = s[AT_ABOVE + level];
  let isExact = false;
  let from = 0; // The lowest place that has not been ruled out.
  for (;;) {
    word = nextWord(s, level, r, Math.max(word, (from >>> shift) >>> FANOUT_BITS));
    const start = word === count ? s[AT_CAPACITY] : word << (shift + FANOUT_BITS);
    if (above < start && !isExact) {
      above = s[AT_ABOVE + level] = lowestAbove(s, level, above);
      isExact = true;
    }
    if (above < from) above = lowestAbove(s, level, from);
    let unit = above;
    if (above >= start) {
      if (word === count) return -1;
      const free = freeFrom(s, level, word, from);
      // A run at either edge of the word may go on in the next one.
      const edges = (free & 1) | (free < 0 ? 1 << (32 - Math.clz32(~free)) : 0);
      const starts = longRunStarts(free, least) | edges;
      if (starts === 0) {
        word++;
        continue;
      }
      unit = ((word << FANOUT_BITS) | lowestBit(starts)) << shift;
    }
    const offset = fitAround(s, unit, size, alignment);
    if (offset >= 0) return offset;
    from = ~offset;
    if (from === s[AT_CAPACITY]) return -1;
  }
};
