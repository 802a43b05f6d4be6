// Writing the state of an empty arena.

import { FANOUT_BITS, longestRunOrder } from '../base/word.ts';
import {
  AT_ABOVE,
  AT_CAPACITY,
  AT_COUNT,
  AT_FREE,
  AT_FULL,
  AT_HINT,
  AT_INDEX,
  AT_LEVELS,
  AT_MAGIC,
  AT_VERSION,
  AT_WORDS,
  layoutOf,
  MAGIC,
  MAX_LEVELS,
  NO_ADDRESS,
  ORDERS_PER_LEVEL,
  TIERS,
  VERSION,
} from './layout.ts';
import { setRunBits } from './run-index.ts';

/** Writes the part of the header that follows from the capacity alone. */
export function writeHeader(s: Int32Array, capacity: number): void {
  const { levels, count, words, index } = layoutOf(capacity);
  s[AT_MAGIC] = MAGIC;
  s[AT_VERSION] = VERSION;
  s[AT_CAPACITY] = capacity;
  s[AT_LEVELS] = levels;
  s[AT_FULL] = -1;
  for (let level = 0; level < MAX_LEVELS; level++) {
    if (level < levels) {
      s[AT_COUNT + level] = count[level];
      s[AT_WORDS + level] = words[level];
      for (let tier = 0; tier < index[level].length; tier++)
        s[AT_INDEX + level * TIERS + tier] = index[level][tier];
    } else {
      s[AT_WORDS + level] = AT_FULL;
    }
  }
}

/**
 * The last word of `level` in an empty arena: children beyond the capacity are in use, a child that the capacity cuts
 * is subdivided. Both zero when the capacity ends with the word.
 */
export function tailOf(capacity: number, level: number): { readonly used: number; readonly cont: number } {
  const span = 2 ** (FANOUT_BITS * level);
  const whole = Math.floor(capacity / span);
  const inside = whole & 31;
  const cut = capacity % span !== 0;
  if (inside === 0 && !cut) return { used: 0, cont: 0 };
  const outside = -1 << inside;
  return cut ? { used: outside & ~(1 << inside), cont: 1 << inside } : { used: outside, cont: 0 };
}

/** The state of an arena of `capacity` units, all free, in a buffer of its own. */
export function emptyState(capacity: number): Int32Array<ArrayBuffer> {
  const s = new Int32Array(layoutOf(capacity).length);
  writeEmpty(s, capacity);
  return s;
}

/** Fills `s`, all zero and of the right length, with the state of an arena of `capacity` units, all free. O(log capacity). */
export function writeEmpty(s: Int32Array, capacity: number): void {
  writeHeader(s, capacity);
  s[AT_FREE] = capacity;
  const levels = s[AT_LEVELS];
  for (let level = 0; level < levels; level++) {
    const count = s[AT_COUNT + level];
    s[s[AT_WORDS + level] + 2 * count] = -1;
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) s[AT_HINT + level * ORDERS_PER_LEVEL + r] = count;
    const { used, cont } = tailOf(capacity, level);
    if ((used | cont) === 0) continue;
    const at = s[AT_WORDS + level] + 2 * (count - 1);
    s[at] = used;
    s[at + 1] = cont;
    setRunBits(s, level, count - 1, longestRunOrder(~(used | cont)));
  }
  s[AT_ABOVE + levels - 1] = NO_ADDRESS; // and 0 for the levels below: a lower bound that the first search makes exact
}
