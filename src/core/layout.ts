// Where everything lies in the state: one Int32Array of header, words by level, and the run index.
//
//   header | level 0 words, sentinel | level 1 words, sentinel | … | run index of level 0 | of level 1 | …
//
// Every position is an index of that Int32Array. The header repeats what follows from these units, because the hot paths
// find it there with one load; attaching to a state checks that the repetition is true. Hot functions call the state `s`.
//
// Three things that the hot paths rely on:
//
//   sentinel  The word at position `count` of a level does not exist. Its pair is full, so a hint equal to `count` needs no
//             bounds check: the look at that pair finds no room.
//   maximum   A state may be laid out for more units than the arena has. Those beyond the capacity are in use, as the tail of any
//             arena is, so that nothing but `state/capacity.ts` knows of them.
//   missing   The levels above the top one do not exist. The header points them at AT_FULL, another full pair, so that a
//             request for more than the arena has needs no check either.

import { assert, DEV } from '../base/assert.ts';
import { FANOUT_BITS, groupsOf } from '../base/word.ts';

/** Levels that the largest capacity takes. Header tables always have this many entries. */
export const MAX_LEVELS = 7;

/** Orders that one level covers, and so index bitmaps per level. */
export const ORDERS_PER_LEVEL = 5;

/** Tiers that the index of the largest level takes. */
export const TIERS = 5;

/** An address above all addresses. */
export const NO_ADDRESS = 0x7fffffff;

/** "BUDY" in a little-endian buffer. */
export const MAGIC = 0x59445542;

/** Version of the format that this code reads and writes. */
export const VERSION = 1;

// The fields of the header. Those of several entries begin at multiples of 8, but for the last, AT_HINT.

export const AT_MAGIC = 0;
export const AT_VERSION = 1;
export const AT_CAPACITY = 2;
export const AT_LEVELS = 3;
/** Units that are free. */
export const AT_FREE = 4;
/** The most units that the state is laid out for, if it is for more than one capacity; else 0, and the capacity is what counts. */
export const AT_MAXIMUM = 5;
/** [level]: no free child of any higher level lies below this address. */
export const AT_ABOVE = 8;
/** [level]: number of words. */
export const AT_COUNT = AT_ABOVE + 8;
/** [level]: position of the first word pair. */
export const AT_WORDS = AT_COUNT + 8;
/** [level * TIERS + tier]: position of that tier of the level's run index. */
export const AT_INDEX = AT_WORDS + 8;
/** [order]: no word of the order's level before this one has its bit set for the order. */
export const AT_HINT = AT_INDEX + 35;
/** A full pair, for the levels that do not exist. */
export const AT_FULL = AT_HINT + 37;
/** Length of the header, and so the position of the words of level 0. */
export const HEADER = AT_FULL + 8;

// Sums only: the bundler makes literals of them, and V8 would load any other constant from memory (5 % of the whole).
if (DEV) {
  assert(
    AT_HINT === AT_INDEX + MAX_LEVELS * TIERS,
    'the index table has an entry for each tier of each level',
  );
  assert(
    AT_FULL === Math.ceil((AT_HINT + MAX_LEVELS * ORDERS_PER_LEVEL) / 8) * 8,
    'there is a hint for each order',
  );
}

/** `used` of a full pair: all children are in use. Its `cont` is 0. */
export const FULL = -1;

/** Position of the pair of `word` of `level`: `used` is there, `cont` in the next cell. */
export const pairAt = (s: Int32Array, level: number, word: number): number => {
  return s[AT_WORDS + level] + (word << 1);
};

/** Position of the hint for order `r` of `level`. */
export const hintAt = (level: number, r: number): number => {
  return AT_HINT + level * ORDERS_PER_LEVEL + r;
};

/** Position of the bits for order `r` of group `group` in a tier of the index of `level`. */
export const groupAt = (s: Int32Array, level: number, tier: number, group: number, r: number): number => {
  return s[AT_INDEX + level * TIERS + tier] + group * ORDERS_PER_LEVEL + r;
};

/** Positions in the state, all derived from the units that it is laid out for. */
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

/** The units that a state is laid out for. */
export const laidOutFor = (s: Int32Array): number => {
  return s[AT_MAXIMUM] || s[AT_CAPACITY];
};

/** Lays out a state for `capacity` units, 1 … 2^30. O(log capacity). */
export function layoutOf(capacity: number): Layout {
  const levels = Math.floor((31 - Math.clz32(capacity)) / FANOUT_BITS) + 1;
  const count: number[] = [];
  const words: number[] = [];
  const index: number[][] = [];
  let pos = HEADER;
  for (let level = 0, span = 32; level < levels; level++, span *= 32) {
    count.push(Math.ceil(capacity / span));
    words.push(pos);
    pos += 2 * (count[level] + 1);
  }
  for (let level = 0; level < levels; level++) {
    const tiers: number[] = [];
    let bits = count[level];
    do {
      bits = groupsOf(bits);
      tiers.push(pos);
      pos += bits * ORDERS_PER_LEVEL;
    } while (bits > 1);
    index.push(tiers);
  }
  return { levels, count, words, index, length: pos };
}
