// Gaps: the longest ranges of free units between blocks in use, of any length. Where they start and end is in the words.

import { FANOUT_BITS, lowestBit } from '../base/word.ts';
import { AT_CAPACITY, HEADER, MAX_LEVELS, pairAt } from './layout.ts';

/**
 * Looks from `offset` up (`isUp`) or down for a unit in use. Climbs until a word has a child in use on that side, and goes
 * down to the nearest.
 */
const edge = (s: Int32Array, offset: number, isUp: boolean): number => {
  let level = 0;
  let child = offset;
  let pos = 0;
  let bits = 0;
  for (;;) {
    pos = pairAt(s, level, child >>> FANOUT_BITS);
    const busy = s[pos] | s[pos + 1];
    const up = -1 << child;
    bits = busy & (isUp ? up : ~up);
    if (bits !== 0) break;
    if (++level === MAX_LEVELS) return s[AT_CAPACITY]; // only if the state was overwritten: the top word is never zero
    child >>>= FANOUT_BITS;
    if (!isUp && child === 0) return 0;
    // The parent's child of an open word is subdivided, and done with. That of a closed word is free or part of a block.
    if (isUp && busy !== 0) child++;
  }
  for (;;) {
    const c = isUp ? lowestBit(bits) : 31 - Math.clz32(bits);
    child = (child & ~31) | c;
    if (((s[pos] >>> c) & 1) !== 0 || level === 0) return (isUp ? child : child + 1) << (FANOUT_BITS * level);
    level--;
    pos = pairAt(s, level, child);
    bits = s[pos] | s[pos + 1];
    child <<= FANOUT_BITS;
  }
};

/**
 * Address of the first unit in use from `offset` on, the capacity if all are free. If `offset` is in use itself, the address
 * of that unit or of a lower one of the same block. `offset` may be the capacity. O(log capacity).
 */
export const nextUsed = (s: Int32Array, offset: number): number => {
  // Mostly the word of `offset` tells, or the next one.
  const pos = HEADER + ((offset >>> FANOUT_BITS) << 1);
  const used = s[pos];
  const bits = used & (-1 << offset);
  if (bits !== 0) return (offset & ~31) + lowestBit(bits);
  const next = s[pos + 2];
  return used !== 0 && next !== 0 ? (offset | 31) + 1 + lowestBit(next) : edge(s, offset, true);
};

/** Address at which the gap that holds the free unit at `offset` starts. O(log capacity). */
export const gapStart = (s: Int32Array, offset: number): number => {
  // Mostly the word of `offset` tells, or the one before.
  const pos = HEADER + ((offset >>> FANOUT_BITS) << 1);
  const bits = s[pos] & ~(-1 << offset);
  if (bits !== 0) return (offset | 31) + 1 - Math.clz32(bits);
  const before = s[pos - 2];
  return before !== 0 ? (offset & ~31) - Math.clz32(before) : edge(s, offset, false);
};
