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
  AT_MAXIMUM,
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

/** Writes the part of the header that follows from the capacity and the maximum, 0 if there is none. */
export function writeHeader(state: Int32Array, capacity: number, maximum: number): void {
  const { levels, count, words, index } = layoutOf(maximum || capacity);
  state[AT_MAGIC] = MAGIC;
  state[AT_VERSION] = VERSION;
  state[AT_CAPACITY] = capacity;
  state[AT_MAXIMUM] = maximum;
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

/** The word of `level` in which the capacity ends, or the one behind it if it ends with a word. */
export function borderOf(capacity: number, level: number): number {
  return Math.floor(capacity / 2 ** (FANOUT_BITS * (level + 1)));
}

/**
 * The word at the border of `level` in an empty arena: the children beyond the capacity are in use, and a child that the
 * capacity cuts is subdivided. Both are zero if the capacity ends with a word: the one at the border, if there is any, is
 * closed then, as all words behind it are.
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

/**
 * The state of an arena of `capacity` units, all free, in a buffer of its own, laid out for `maximum` units unless that is 0.
 * O(log capacity), and the zeroing by the runtime.
 */
export function emptyState(capacity: number, maximum = 0): Int32Array<ArrayBuffer> {
  const state = new Int32Array(layoutOf(maximum || capacity).length);
  writeEmpty(state, capacity, maximum);
  return state;
}

/** Makes `state`, all zero and of the right length, that of an arena of `capacity` units, all free. O(log capacity). */
export function writeEmpty(state: Int32Array, capacity: number, maximum = 0): void {
  if (DEV)
    assert(state.length === layoutOf(maximum || capacity).length, 'the state has the length that it takes');
  writeHeader(state, capacity, maximum);
  state[AT_FREE] = capacity;
  const levels = state[AT_LEVELS];
  for (let level = 0; level < levels; level++) {
    const count = state[AT_COUNT + level];
    state[pairAt(state, level, count)] = FULL; // the sentinel
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) state[hintAt(level, r)] = count;
    const { used, cont } = tailOf(capacity, level);
    if ((used | cont) === 0) continue;
    const word = borderOf(capacity, level);
    const pos = pairAt(state, level, word);
    state[pos] = used;
    state[pos + 1] = cont;
    setRunBits(state, level, word, longestRunOrder(~(used | cont)));
  }
  // Nothing is above the top level. The other bounds are 0, a lower bound that the first search makes exact.
  state[AT_ABOVE + levels - 1] = NO_ADDRESS;
}
