// Copying a state into one of another capacity: level by level, words and index as they are, whatever they hold.
//
// The two arenas have the units below the lower capacity in common. In each level the words that lie wholly in that part are
// the same in both; those behind it are as in an empty arena; the word at the border is put together from the two.

import { assert, DEV } from '../../base/assert.ts';
import { FANOUT_BITS, GROUP_BITS, groupsOf, longestRunOrder } from '../../base/word.ts';
import {
  AT_CAPACITY,
  AT_COUNT,
  AT_FREE,
  AT_LEVELS,
  groupAt,
  hintAt,
  ORDERS_PER_LEVEL,
  pairAt,
} from '../layout.ts';
import { setRunBits } from '../run-index.ts';

/**
 * Marks in `to`, the state of an empty arena, what is live in `from`. All units of `from` beyond the capacity of `to` must be
 * free. O(lower capacity), some 0.3 bytes a unit.
 */
export function copyState(from: Int32Array, to: Int32Array): void {
  const border = Math.min(from[AT_CAPACITY], to[AT_CAPACITY]);
  to[AT_FREE] = from[AT_FREE] + to[AT_CAPACITY] - from[AT_CAPACITY];
  let isOpen = false; // the word at the border of the level below
  for (let level = 0; level < to[AT_LEVELS]; level++) {
    const hasLevel = level < from[AT_LEVELS];
    const shift = FANOUT_BITS * level;
    // The words before this one lie below the border. There is none at the border if a level ends there.
    const word = Math.floor(border / 2 ** (shift + FANOUT_BITS));
    if (hasLevel) {
      const start = pairAt(from, level, 0);
      to.set(from.subarray(start, start + 2 * word), pairAt(to, level, 0));
    }
    copyIndex(from, to, level, word);
    if (word < to[AT_COUNT + level]) {
      isOpen = joinWord(from, to, level, word, border, isOpen, hasLevel);
    } else isOpen = false;
  }
  if (DEV) assert(to[AT_FREE] >= 0, 'what does not fit was free');
}

/** Puts the word at the border together. Returns whether it is open. */
const joinWord = (
  from: Int32Array,
  to: Int32Array,
  level: number,
  word: number,
  border: number,
  isOpenBelow: boolean,
  hasLevel: boolean,
): boolean => {
  const size = 2 ** (FANOUT_BITS * level);
  const child = Math.floor(border / size) & 31;
  const isCut = border % size !== 0;
  const below = (1 << child) - 1;
  const behind = ~below & (isCut ? ~(1 << child) : -1);
  const pos = pairAt(to, level, word);
  const old = hasLevel ? pairAt(from, level, word) : -1;
  const used = (old < 0 ? 0 : from[old] & below) | (to[pos] & behind);
  const cut = isCut && isOpenBelow ? 1 << child : 0;
  const cont = (old < 0 ? 0 : from[old + 1] & below) | (to[pos + 1] & behind) | cut;
  to[pos] = used;
  to[pos + 1] = cont;
  if ((used | cont) === 0) return false;
  setRunBits(to, level, word, longestRunOrder(~(used | cont)));
  return true;
};

/**
 * Copies the index of the words of `level` before `word`, and the hints. The word at the border has no bits then; those
 * behind it have the bits that an empty arena gives them.
 */
const copyIndex = (from: Int32Array, to: Int32Array, level: number, word: number): void => {
  const hasLevel = level < from[AT_LEVELS];
  let bits = to[AT_COUNT + level];
  let border = word;
  let tier = 0;
  do {
    const group = border >>> GROUP_BITS;
    if (group > 0) {
      const start = groupAt(from, level, tier, 0, 0);
      to.set(from.subarray(start, start + group * ORDERS_PER_LEVEL), groupAt(to, level, tier, 0, 0));
    }
    for (let r = 0; r < ORDERS_PER_LEVEL && group < groupsOf(bits); r++) {
      const pos = groupAt(to, level, tier, group, r);
      if (tier > 0) to[pos] = groupBits(to, level, tier, group, r, bits);
      else {
        const before = (1 << word) - 1;
        to[pos] &= -2 << word;
        if (hasLevel && before !== 0) to[pos] |= from[groupAt(from, level, 0, group, r)] & before;
      }
    }
    bits = groupsOf(bits);
    border = group;
    tier++;
  } while (bits > 1);
  for (let r = 0; r < ORDERS_PER_LEVEL && hasLevel; r++) {
    to[hintAt(level, r)] = Math.min(from[hintAt(level, r)], to[hintAt(level, r)]);
  }
};

/** The bits of a group of a higher tier, as the groups below it have them. */
const groupBits = (
  s: Int32Array,
  level: number,
  tier: number,
  group: number,
  r: number,
  bits: number,
): number => {
  let mask = 0;
  const first = group << GROUP_BITS;
  for (let i = first; i < Math.min(first + 32, bits); i++) {
    if (s[groupAt(s, level, tier - 1, i, r)] !== 0) mask |= 1 << i;
  }
  return mask;
};
