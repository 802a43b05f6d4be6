// Writing the state of an empty arena.

import { assert, DEV } from '../../base/assert.ts';
import { FANOUT_BITS, longestRunOrder } from '../../base/word.ts';
import {
  AT_ABOVE,
  AT_CAPACITY,
  AT_COUNT,
  AT_FREE,
  AT_FULL,
  AT_INDEX,
  AT_LEVELS,
  AT_MAGIC,
  AT_VERSION,
  AT_WORDS,
  FULL,
  hintAt,
  layoutOf,
  MAGIC,
  MAX_LEVELS,
  NO_ADDRESS,
  ORDERS_PER_LEVEL,
  pairAt,
  TIERS,
  VERSION,
} from '../layout.ts';
import { setRunBits } from '../run-index.ts';

/** Writes the part of the header that follows from the capacity alone. */
export function writeHeader(state: Int32Array, capacity: number): void {
  const { levels, count, words, index } = layoutOf(capacity);
  state[AT_MAGIC] = MAGIC;
  state[AT_VERSION] = VERSION;
  state[AT_CAPACITY] = capacity;
  state[AT_LEVELS] = levels;
  state[AT_FULL] = FULL;
  for (let level = 0; level < MAX_LEVELS; level++) {
    if (level < levels) {
      state[AT_COUNT + level] = count[level];
      state[AT_WORDS + level] = words[level];
      for (let tier = 0; tier < index[level].length; tier++)
        state[AT_INDEX + level * TIERS + tier] = index[level][tier];
    } else {
      state[AT_WORDS + level] = AT_FULL;
    }
  }
}

/**
 * The last word of `level` in an empty arena: the children beyond the capacity are in use, and a child that the capacity
 * cuts is subdivided. Both are zero if the capacity ends with the word.
 */
export function tailOf(capacity: number, level: number): { readonly used: number; readonly cont: number } {
  const span = 2 ** (FANOUT_BITS * level);
  const whole = Math.floor(capacity / span);
  const inside = whole & 31;
  const isCut = capacity % span !== 0;
  if (inside === 0 && !isCut) return { used: 0, cont: 0 };
  const outside = -1 << inside;
  return isCut ? { used: outside & ~(1 << inside), cont: 1 << inside } : { used: outside, cont: 0 };
}

/** The state of an arena of `capacity` units, all free, in a buffer of its own. O(log capacity), and the zeroing by the runtime. */
export function emptyState(capacity: number): Int32Array<ArrayBuffer> {
  const state = new Int32Array(layoutOf(capacity).length);
  writeEmpty(state, capacity);
  return state;
}

/** Makes `state`, all zero and of the right length, that of an arena of `capacity` units, all free. O(log capacity). */
export function writeEmpty(state: Int32Array, capacity: number): void {
  if (DEV)
    assert(state.length === layoutOf(capacity).length, 'the state has the length that its capacity takes');
  writeHeader(state, capacity);
  state[AT_FREE] = capacity;
  const levels = state[AT_LEVELS];
  for (let level = 0; level < levels; level++) {
    const count = state[AT_COUNT + level];
    state[pairAt(state, level, count)] = FULL; // the sentinel
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) state[hintAt(level, r)] = count;
    const { used, cont } = tailOf(capacity, level);
    if ((used | cont) === 0) continue;
    const pos = pairAt(state, level, count - 1);
    state[pos] = used;
    state[pos + 1] = cont;
    setRunBits(state, level, count - 1, longestRunOrder(~(used | cont)));
  }
  // Nothing is above the top level. The other bounds are 0, a lower bound that the first search makes exact.
  state[AT_ABOVE + levels - 1] = NO_ADDRESS;
}
