// Where everything lies in the cells of a shared arena, and the slots of the workers that are attached to it.
//
//   header | slot of worker 1 | of worker 2 | … | words of level 0 | … | index of level 0 | … | owners, if tracked
//
// What is written by one worker only begins at a multiple of 16 cells, a cache line.

import { groupsOf } from '../base/word.ts';

/** log2 of the children of a word: two bits a child, in one int32, which is the most that one CAS can change. */
export const FANOUT_BITS = 4;

/** Highest order, relative to its level, of a block inside one word. */
export const MAX_RUN_ORDER = 3;

/** Orders that one level covers. */
export const ORDERS_PER_LEVEL = 4;

/** "BUDS" in a little-endian buffer. */
export const MAGIC = 0x53445542;

/** Version of the format that this code reads and writes. */
export const VERSION = 1;

/** Header. */
export const AT_MAGIC = 0;
export const AT_VERSION = 1;
export const AT_CAPACITY = 2;
export const AT_SLOTS = 3;
export const AT_TRACKED = 4;
const HEADER = 16;

/** A worker's slot: its state, of which more below. */
export const SLOT_STATE = 0;
/** Tracked arenas: 1 + an offset in what the worker is changing; 0 when it changes nothing. */
export const SLOT_AT = 1;
/** Tracked arenas: changes after every change of SLOT_AT to an offset, and before what that announces. */
export const SLOT_SEQUENCE = 2;
/** [order]: the word in which the worker looks first. */
export const SLOT_HINTS = 4;

// The state of a slot: its kind, the slot of the worker that is recovering it, and the generation of its holder, so that
// the number of a worker that is no more is not taken for that of the next one in its place.

/** Kinds of states. */
export const VACANT = 0;
export const ATTACHED = 1;
export const RECOVERING = 2;
/** Known to be dead, but nobody is recovering it: a recovery was not complete. */
export const DEAD = 3;

/** The kind of a state. */
export const kindOf = (state: number): number => {
  return state & 3;
};

/** The slot of the worker that is recovering. */
export const recovererOf = (state: number): number => {
  return (state >>> 2) & 255;
};

/** How often the slot has been taken; modulo 2^22. */
export const generationOf = (state: number): number => {
  return state >>> 10;
};

/** A state. */
export const stateFrom = (generation: number, kind: number, recoverer = 0): number => {
  return (generation << 10) | (recoverer << 2) | kind;
};

/** Most workers that can be attached at once: the owner of a block is noted in a byte. */
export const MAX_SLOTS = 253;

/** Owner of blocks that no worker may free: a shared heap's own. */
export const RESERVED = 254;

/** Owner of blocks whose owner has left. */
export const NOBODY = 255;

/** Positions of everything, derived from the capacity, the number of slots and whether owners are tracked. */
export interface Geometry {
  /** Units in the arena. */
  readonly capacity: number;
  /** Workers that can be attached at once. */
  readonly slots: number;
  /** Whether each block's owner is noted. */
  readonly tracked: boolean;
  /** Levels of words, 1 … 8. The top level has one word, and it never becomes all free: the capacity cuts it. */
  readonly levels: number;
  /** Cells from one slot to the next. That of worker 1 is at {@link firstSlot}. */
  readonly slotStride: number;
  /** Position of the slot of worker 1. */
  readonly firstSlot: number;
  /** Words, by level. */
  readonly count: Int32Array;
  /** Position of the first word, by level. */
  readonly words: Int32Array;
  /** Position of every tier of the index, by level. */
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

/** Lays out an arena. O(log capacity). */
export function geometryOf(capacity: number, slots: number, tracked: boolean): Geometry {
  const levels = Math.floor((31 - Math.clz32(capacity)) / FANOUT_BITS) + 1;
  const slotStride = aligned(SLOT_HINTS + ORDERS_PER_LEVEL * levels);
  const firstSlot = HEADER;
  const count = new Int32Array(levels);
  const words = new Int32Array(levels);
  const index: Int32Array[] = [];
  let at = firstSlot + slots * slotStride;
  for (let level = 0, span = 16; level < levels; level++, span *= 16) {
    count[level] = Math.ceil(capacity / span);
    words[level] = at;
    at = aligned(at + count[level]);
  }
  for (let level = 0; level < levels; level++) {
    const tiers: number[] = [];
    let cells = Math.ceil(count[level] / 8);
    tiers.push(at);
    for (at += cells; cells > 1; at += cells * ORDERS_PER_LEVEL) {
      cells = groupsOf(cells);
      tiers.push(at);
    }
    index.push(Int32Array.from(tiers));
    at = aligned(at);
  }
  const owners = at;
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

/** Position of the slot of `worker`, 1 … slots. */
export function slotOf(g: Geometry, worker: number): number {
  return g.firstSlot + (worker - 1) * g.slotStride;
}
