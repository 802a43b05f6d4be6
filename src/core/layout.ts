// Where everything lies in the state buffer: one Int32Array of header, words by level, and the run index.
//
//   header | level 0 words, sentinel | level 1 words, sentinel | … | run index of level 0 | of level 1 | …
//
// All positions are int32 indices. The header repeats what follows from the capacity, because the hot paths
// find it there with one load; attaching to a buffer checks that the repetition is true.

import { FANOUT_BITS } from '../base/word.ts';

/** Levels that the largest capacity takes. Header tables always have this many entries. */
export const MAX_LEVELS = 7;

/** Orders that one level covers, and so index bitmaps per level. */
export const ORDERS_PER_LEVEL = 5;

/** An address above all addresses. */
export const NO_ADDRESS = 0x7fffffff;

/** "BUDY" in a little-endian buffer; read on a machine of the other endianness, it is foreign. */
export const MAGIC = 0x59445542;

/** Version of the format that this code reads and writes. */
export const VERSION = 1;

/** Header fields. */
export const AT_MAGIC = 0;
export const AT_VERSION = 1;
export const AT_CAPACITY = 2;
export const AT_LEVELS = 3;
export const AT_FREE = 4;
/** [level]: no free child of any higher level lies below this address. */
export const AT_ABOVE = 8;
/** [level]: number of words. */
export const AT_COUNT = 16;
/** [level]: position of the first word pair. */
export const AT_WORDS = 24;
/** [level * TIERS + tier]: position of that tier of the level's run index. */
export const AT_INDEX = 32;
/** Tiers that the index of the largest level takes. */
export const TIERS = 5;
/** [order]: no word of the order's level before this one holds a free run of that order. */
export const AT_HINT = 67;
/** A word pair all of whose children are used: what a level that does not exist shows to a search. */
export const AT_FULL = 104;
/** Length of the header, and so the position of the words of level 0. */
export const HEADER = 112;

/** int32 positions in the state, all derived from the capacity. */
export interface Layout {
  /** Levels of words, 1 … 7. The top level has one word, and at least one child of it lies beyond the capacity. */
  readonly levels: number;
  /** Words, by level. */
  readonly count: readonly number[];
  /** Position of the first word pair, by level. */
  readonly words: readonly number[];
  /** Position of every tier of the run index, by level. */
  readonly index: readonly (readonly number[])[];
  /** Length of the whole state. */
  readonly length: number;
}

/** Groups of 32 that `bits` bits of a bitmap take. */
export function groups(bits: number): number {
  return (bits + 31) >>> 5;
}

/** Lays out a state for `capacity` units, 1 … 2^30. O(log capacity). */
export function layoutOf(capacity: number): Layout {
  const levels = Math.floor((31 - Math.clz32(capacity)) / FANOUT_BITS) + 1;
  const count: number[] = [];
  const words: number[] = [];
  const index: number[][] = [];
  let at = HEADER;
  for (let level = 0, span = 32; level < levels; level++, span *= 32) {
    count.push(Math.ceil(capacity / span));
    words.push(at);
    at += 2 * (count[level] + 1);
  }
  for (let level = 0; level < levels; level++) {
    const tiers: number[] = [];
    let bits = count[level];
    do {
      bits = groups(bits);
      tiers.push(at);
      at += bits * ORDERS_PER_LEVEL;
    } while (bits > 1);
    index.push(tiers);
  }
  return { levels, count, words, index, length: at };
}
