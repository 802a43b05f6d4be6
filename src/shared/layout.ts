// The positions of everything in the cells of a shared arena.
//
//   header | slot 1 | slot 2 | … | words of level 0 | … | index of level 0 | … | owners, if tracked
//
// Each part to which one worker writes alone begins at a multiple of 16 cells, a cache line.

import { groupsOf } from '../base/word.ts';

/** log2 of the children of a word: two bits per child in one int32, which is the most that one CAS can change. */
export const FANOUT_BITS = 4;

/** Highest order, relative to its level, of a block inside one word. */
export const MAX_RUN_ORDER = 3;

/** Orders that one level covers. */
export const ORDERS_PER_LEVEL = 4;

/** "BUDS" in a little-endian buffer. */
export const MAGIC = 0x53445542;

/** Version of the format that this code reads and writes. */
export const VERSION = 3;

/** Header. */
export const AT_MAGIC = 0;
export const AT_VERSION = 1;
export const AT_CAPACITY = 2;
export const AT_SLOTS = 3;
export const AT_TRACKED = 4;
const HEADER = 16;

/** Fields of a slot. Its state: see slots.ts. */
export const SLOT_STATE = 0;
/** Tracked arenas: 1 + the announced offset, which lies in what the worker changes; 0 when it changes nothing. */
export const SLOT_ANNOUNCED = 1;
/** Tracked arenas: the count of announcements. It changes after SLOT_ANNOUNCED and before the announced change. */
export const SLOT_SEQUENCE = 2;
/** Tracked arenas: the id of the worker from which this worker is adopting a block; 0 if it is not. See slots.ts. */
export const SLOT_ADOPTS = 3;
/** The unit at which the worker's reach begins: see reach.ts. */
export const SLOT_HOME = 4;
/** [order]: the word in which the worker looks first. Behind them [level]: the end of its reach. */
export const SLOT_HINTS = 5;

/** Positions of everything, derived from the capacity, the number of slots and whether owners are tracked. */
export interface Geometry {
  /** Units in the arena. */
  readonly capacity: number;
  /** Slots: the most workers that can be attached at once. */
  readonly slots: number;
  /** Whether the owner of each block is noted. */
  readonly tracked: boolean;
  /** Levels of words, 1 … 8. The top level has one word, which never becomes all free: the capacity cuts it. */
  readonly levels: number;
  /** Cells from one slot to the next. */
  readonly slotStride: number;
  /** Position of slot 1. */
  readonly firstSlot: number;
  /** [level]: the number of words. */
  readonly count: Int32Array;
  /** [level]: the position of the first word. */
  readonly words: Int32Array;
  /** [level][tier]: the position of that tier of the index. */
  readonly index: readonly Int32Array[];
  /** Position of the owners' bytes, four to a cell. */
  readonly owners: number;
  /** Cells in all. */
  readonly length: number;
}

const CACHE_LINE = 16;

function aligned(cells: number): number {
  return Math.ceil(cells / CACHE_LINE) * CACHE_LINE;
}

/** Lays out an arena of `capacity` units, 1 … 2^30, with `slots` slots, 1 … 253. O(log capacity). */
export function geometryOf(capacity: number, slots: number, tracked: boolean): Geometry {
  const levels = Math.floor((31 - Math.clz32(capacity)) / FANOUT_BITS) + 1;
  const slotStride = aligned(SLOT_HINTS + (ORDERS_PER_LEVEL + 1) * levels);
  const firstSlot = HEADER;
  const count = new Int32Array(levels);
  const words = new Int32Array(levels);
  const index: Int32Array[] = [];
  let pos = firstSlot + slots * slotStride;
  for (let level = 0, span = 16; level < levels; level++, span *= 16) {
    count[level] = Math.ceil(capacity / span);
    words[level] = pos;
    pos = aligned(pos + count[level]);
  }
  for (let level = 0; level < levels; level++) {
    const tiers: number[] = [];
    let cells = Math.ceil(count[level] / 8);
    tiers.push(pos);
    for (pos += cells; cells > 1; pos += cells * ORDERS_PER_LEVEL) {
      cells = groupsOf(cells);
      tiers.push(pos);
    }
    index.push(Int32Array.from(tiers));
    pos = aligned(pos);
  }
  const owners = pos;
  const length = tracked ? aligned(owners + Math.ceil(capacity / 4)) : owners;
  return {
    capacity,
    slots,
    tracked,
    levels,
    slotStride,
    firstSlot,
    count,
    words,
    index,
    owners,
    length,
  };
}
