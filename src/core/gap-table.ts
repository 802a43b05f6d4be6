// The gap table: for each stretch of the arena, how long the longest range of free units that starts in it can be. It leads
// `allocRange` to the lowest place without a look at the gaps that are too short.
//
// A stretch is the 1024 units of one word of level 1: 32 words of level 0, one group of their index. The table is a tree
// of maxima in one array: the root is entry 1, the children of entry i are 2i and 2i + 1, the leaves are the stretches.
//
//   bound   A leaf is at least the length of every range of free units that starts in its stretch, or LONGEST.
//   nested  An entry is at least each of its two children.
//
// Before the tree lies a hint for each size of less than a word: most requests are as small as that.
//
//   hinted  No range of `size` free units starts in a word of level 0 before hint[size].
//   rising  A hint is at least that of each smaller size.
//
// The table is not part of the state: it is a bound that follows from it, and is made at the first search. Blocks that become
// live leave it true, so `alloc` knows nothing of it. Units that become free are noted in it. A search that finds no place in
// a stretch lowers its leaf, and `allocRange` lowers those of the stretches that it fills. So a stretch is searched in vain only
// if a range was taken from it since, or for a smaller size.

import { anyRunStarts, FANOUT_BITS, lowestBit } from '../base/word.ts';
import { gapStart, nextUsed } from './gaps.ts';
import { AT_CAPACITY, AT_COUNT, groupAt, HEADER, NO_ADDRESS, pairAt } from './layout.ts';

/** log2 of the units of a stretch. */
const STRETCH_BITS = 2 * FANOUT_BITS;
export const STRETCH = 1 << STRETCH_BITS;

/** Longer ranges count as this long: so one that becomes free is noted in at most 8 stretches before its own. */
const LONGEST = 8 * STRETCH;

/** What is known of the gaps of one state, shared by all allocators that work on it. */
export interface Gaps {
  /** The gap table, from the first search on. */
  table: Int32Array | undefined;
}

/** By buffer, and then by the byte at which the state starts in it. */
const gapsByBuffer = new WeakMap<ArrayBufferLike, Record<number, Gaps>>();

/** What is known of the gaps of `s`, which may be a new state in an old place: nothing. O(1). */
export const gapsOf = (s: Int32Array): Gaps => {
  const all = gapsByBuffer.get(s.buffer) ?? {};
  gapsByBuffer.set(s.buffer, all);
  all[s.byteOffset] ??= { table: undefined };
  const gaps = all[s.byteOffset];
  gaps.table = undefined;
  return gaps;
};

/** Sizes that have hints: those below this one. The tree begins here, too: its entry i is at TREE + i. */
const TREE = 32;

/** The number of leaves; leaf i is entry leaves + i. */
const leavesOf = (table: Int32Array): number => {
  return (table.length - TREE) >>> 1;
};

/** A table for an arena of `capacity` units that says nothing yet. O(capacity / 1024). */
export const newGapTable = (capacity: number): Int32Array => {
  const stretches = ((capacity - 1) >>> STRETCH_BITS) + 1;
  const leaves = 2 ** (32 - Math.clz32(stretches - 1));
  return new Int32Array(TREE + 2 * leaves).fill(LONGEST, TREE, TREE + leaves + stretches);
};

/** Notes that the units from `offset` up to `end` have become free. */
export const noteFree = (table: Int32Array, s: Int32Array, offset: number, end: number): void => {
  const leaf = TREE + leavesOf(table);
  // For stretches farther below, what was free up to `offset` was that long already.
  const start = Math.max(gapStart(s, offset) | 0, (offset - LONGEST) | 0);
  const lowest = start >>> STRETCH_BITS;
  let stretch = (end - 1) >>> STRETCH_BITS;
  let size = TREE - 1;
  if (stretch !== lowest || table[leaf + lowest] < LONGEST) {
    const stop = nextUsed(s, end) | 0;
    size = Math.min((stop - start) | 0, size);
    for (; stretch >= lowest; stretch--) {
      const length = Math.min((stop - Math.max(start, stretch << STRETCH_BITS)) | 0, LONGEST);
      if (table[leaf + stretch] < length) raise(table, leaf - TREE + stretch, length);
    }
  }
  const word = start >>> FANOUT_BITS;
  for (; table[size] > word; size--) table[size] = word;
};

/** Raises entry `i` to `length` at least. A length of several stretches is rounded up, or each free at its end would raise them all. */
const raise = (table: Int32Array, i: number, length: number): void => {
  const rounded = length < STRETCH ? length : (length + STRETCH - 1) & -STRETCH;
  for (; i > 0 && table[TREE + i] < rounded; i >>>= 1) table[TREE + i] = rounded;
};

/** Notes that the units from `offset` up to `end` have become live: no range starts in the stretches that they fill. */
export const noteTaken = (table: Int32Array, offset: number, end: number): void => {
  const leaf = TREE + leavesOf(table);
  table.fill(0, leaf + ((offset + STRETCH - 1) >>> STRETCH_BITS), leaf + (end >>> STRETCH_BITS));
};

/** The first stretch from `from` on whose leaf is at least `size`; -1 if there is none. */
const firstStretch = (table: Int32Array, size: number, from: number): number => {
  const leaves = leavesOf(table);
  let i = from === 0 ? 1 : leaves + from;
  for (;;) {
    if (table[TREE + i] >= size) {
      if (i >= leaves) return i - leaves;
      i *= 2;
      continue;
    }
    while ((i & 1) !== 0) {
      if (i === 1) return -1;
      const longest = Math.max(table[TREE + i - 1], table[TREE + i]);
      i >>>= 1;
      if (table[TREE + i] > longest) table[TREE + i] = longest;
    }
    i++;
  }
};

/** The least multiple of `alignment`, a positive integer of any size, from `offset` up; NO_ADDRESS if it is above that. */
const alignedUp = (offset: number, alignment: number): number => {
  return alignment === 1 ? offset : Math.min(Math.ceil(offset / alignment) * alignment, NO_ADDRESS) | 0;
};

/**
 * The lowest multiple of `alignment` in `stretch` at which `size` units are free. If there is none, the complement of an
 * address from the end of the stretch up, at most the capacity, below which there is none; the stretch's leaf is lowered.
 * No range of `size` units starts before `hint`.
 *
 * A range of 2^(k+1) - 1 free units or more holds an aligned free block of order k. So the word of level 1, and the index of
 * the words of level 0, tell which words such a range can lie in.
 */
const placeIn = (
  table: Int32Array,
  s: Int32Array,
  stretch: number,
  size: number,
  alignment: number,
  hint: number,
): number => {
  let from = Math.max(hint | 0, stretch << STRETCH_BITS); // no place lies below
  const end = (stretch + 1) << STRETCH_BITS;
  const pos = pairAt(s, 1, stretch);
  const free = ~(s[pos] | s[pos + 1]);
  const order = 30 - Math.clz32(size + 1);
  const isSmall = order < FANOUT_BITS;
  // What is free at the end of the last word may go on in the next stretch.
  let words = free | (1 << 31);
  if (isSmall) words |= s[groupAt(s, 0, 0, stretch, order)];
  // The longest range. Those that are not looked at are shorter than `size`, or hold no word that is all free.
  let longest = isSmall ? (size - 1) | 0 : 2 * 31;
  while (from < end) {
    words &= -1 << (from >>> FANOUT_BITS);
    const c = lowestBit(words);
    const word = (stretch << FANOUT_BITS) | c;
    if (words === 0 || word >= s[AT_COUNT]) break;
    let unit = word << FANOUT_BITS;
    if (((free >>> c) & 1) === 0) {
      const used = s[HEADER + (word << 1)];
      const mask = used === 0 ? 0 : ~used & (from > unit ? -1 << from : -1);
      const inside = size <= 32 ? anyRunStarts(mask, size) : 0;
      // The run at either end of the word may go on in the next one.
      const starts = inside | (mask & 1) | (mask < 0 ? 1 << (32 - Math.clz32(~mask)) : 0);
      if (starts === 0) {
        words &= words - 1;
        continue;
      }
      const child = lowestBit(starts);
      unit += child;
      if (alignment === 1 && child !== 0 && ((inside >>> child) & 1) !== 0) return unit;
    }
    const first = Math.max(gapStart(s, unit) | 0, from);
    const stop = nextUsed(s, unit) | 0;
    const place = alignedUp(first, alignment) | 0;
    const fits = place + size <= stop;
    if (fits && place < end) return place;
    longest = Math.max(longest, (stop - first) | 0);
    // A closed word of level 1 looks free. If it is not, all of it lies in one block.
    from = fits || stop <= unit ? end : stop;
  }
  table[TREE + leavesOf(table) + stretch] = Math.min(longest, LONGEST);
  return ~Math.min(alignedUp(Math.max(from, end), alignment), s[AT_CAPACITY]);
};

/**
 * The lowest multiple of `alignment` at which `size` units are free, 1 <= size <= capacity; -1 if there is none.
 * O(log capacity) for each stretch whose leaf promises too much, and one more.
 */
export const lowestPlace = (table: Int32Array, s: Int32Array, size: number, alignment: number): number => {
  if (size >= TREE || alignment !== 1) return search(table, s, size, alignment, 0);
  const word = table[size];
  const used = s[HEADER + (word << 1)];
  const starts = used === 0 ? 0 : anyRunStarts(~used, size);
  if (starts !== 0) return (word << FANOUT_BITS) | lowestBit(starts);
  const place = search(table, s, size, 1, word << FANOUT_BITS);
  const next = place < 0 ? s[AT_COUNT] : place >>> FANOUT_BITS;
  for (let larger = size; larger < TREE && table[larger] < next; larger++) table[larger] = next;
  return place;
};

/** The same from `hint` on, before which no range of `size` units starts. */
const search = (table: Int32Array, s: Int32Array, size: number, alignment: number, hint: number): number => {
  for (let from = hint; from < s[AT_CAPACITY]; ) {
    const stretch = firstStretch(table, Math.min(size | 0, LONGEST), from >>> STRETCH_BITS);
    if (stretch < 0) break;
    const place = placeIn(table, s, stretch, size, alignment, hint);
    if (place >= 0) return place;
    from = ~place;
  }
  return -1;
};
