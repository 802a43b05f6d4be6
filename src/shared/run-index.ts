// The index of a shared arena: for each level, the words that may hold a free run of each order.
//
// The lowest tier has a cell for eight words: bit 8 * r + (word & 7) says that the word may hold a run of order r, so
// that one atomic access changes the bits of all orders. Above it there is a tiered bitmap for each order, as in
// ../core/run-index.ts: a bit for each cell that may have bits for that order, then a bit for each group of 32, and
// so on.
//
// Every bit is a hint. A bit that should not be set costs a look at the word. A bit that should be set and is not,
// because a worker was stopped at the wrong moment, costs a search through all words before an allocation gives up.
// Nothing else depends on the bits. They are complete if all is quiet and no worker has died: a worker that clears a
// bit looks at the word once more and sets the bit again if room was made meanwhile, and a worker that makes room
// looks at the bit afterwards.

import { assert, DEV } from '../base/assert.ts';
import { lowestBit, runStarts } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { type Geometry, ORDERS_PER_LEVEL } from './layout.ts';
import { CLOSED, freeOf, runOf } from './word.ts';

/** The bits of the first of eight words, for all orders. */
const ALL_ORDERS = 0x01010101;

/** The bits of the first of eight words, for the orders up to `run`, -1 … 3. */
const upTo = (run: number): number => {
  return run < 0 ? 0 : ALL_ORDERS >>> (24 - 8 * run);
};

/** Sets the bits of `word` of `level` for the free runs in `value`, its value when it was open. */
export const setRunBits = (cells: Cells, g: Geometry, level: number, word: number, value: number): void => {
  if (DEV) assert(word >= 0 && word < g.count[level], 'the index has bits for the words of its level only');
  const set = cells.read(g.index[level][0] + (word >>> 3)) >>> (word & 7);
  if ((set & ALL_ORDERS) === ALL_ORDERS) return;
  const missing = upTo(runOf(value)) & ~set;
  if (missing !== 0) setBits(cells, g, level, word, missing << (word & 7));
};

const setBits = (cells: Cells, g: Geometry, level: number, word: number, bits: number): void => {
  const tiers = g.index[level];
  cells.or(tiers[0] + (word >>> 3), bits);
  for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
    if (((bits >>> (8 * r)) & 255) !== 0) setTierBits(cells, tiers, 0, word >>> 3, r);
  }
};

/** Sets the bits that stand for cell `i` of tier `below` for order `r`, on all tiers above. */
const setTierBits = (cells: Cells, tiers: Int32Array, below: number, i: number, r: number): void => {
  for (let tier = below + 1; tier < tiers.length; tier++, i >>>= 5) {
    const pos = tiers[tier] + (i >>> 5) * ORDERS_PER_LEVEL + r;
    if (((cells.read(pos) >>> i) & 1) === 0) cells.or(pos, 1 << i);
  }
};

/**
 * Sets all bits of `word` of `level` that its free runs call for. Sets the bits of higher tiers that stand for those,
 * and for the bits that were set before: stopped workers may have left any of them unset.
 */
export const refresh = (cells: Cells, g: Geometry, level: number, word: number): void => {
  const value = cells.load(g.words[level] + word);
  const called = value === CLOSED ? 0 : upTo(runOf(value)) << (word & 7);
  const set = cells.load(g.index[level][0] + (word >>> 3)) & (ALL_ORDERS << (word & 7));
  if ((called | set) !== 0) setBits(cells, g, level, word, called | set);
};

/**
 * Clears the bit of `word` of `level` for order `r`, or for all orders if nothing is free there; unless it has such a
 * run.
 */
export const clearRunBits = (cells: Cells, g: Geometry, level: number, word: number, r: number): void => {
  if (DEV) assert(r >= 0 && r < ORDERS_PER_LEVEL, 'a run is of an order within its level');
  const pos = g.words[level] + word;
  const before = cells.read(pos);
  let bits = ALL_ORDERS;
  if (before !== CLOSED && freeOf(before) !== 0) {
    // Another worker has made room since the caller found none, and may have seen the bit set.
    if (runStarts(freeOf(before), r) !== 0) return;
    bits = 1 << (8 * r);
  }
  cells.and(g.index[level][0] + (word >>> 3), ~(bits << (word & 7)));
  // The same may have happened since the look above.
  const after = cells.load(pos);
  if (after !== CLOSED && after !== before) refresh(cells, g, level, word);
};

/** Clears the bit that stands for cell `i` of tier `below`, unless that cell has bits for order `r`. */
const clearTierBit = (cells: Cells, tiers: Int32Array, below: number, i: number, r: number): void => {
  cells.and(tiers[below + 1] + (i >>> 5) * ORDERS_PER_LEVEL + r, ~(1 << i));
  const mask = below === 0 ? 255 << (8 * r) : -1;
  const pos = tiers[below] + (below === 0 ? i : i * ORDERS_PER_LEVEL + r);
  if ((cells.load(pos) & mask) !== 0) setTierBits(cells, tiers, below, i, r);
};

/**
 * The lowest word of `level` from `from` up to `to` with its bit set for order `r`; `to` if there is none. A bit of a
 * higher tier is cleared here, when the bits below it are found to be zero, and not along with the last of them.
 */
export const nextWord = (
  cells: Cells,
  g: Geometry,
  level: number,
  r: number,
  from: number,
  to: number,
): number => {
  const tiers = g.index[level];
  let i = from;
  let tier = 0;
  let shift = 0; // log2 of the words that a bit of the tier stands for
  let down = false; // whether the bit of the tier above that stands for this cell was set
  while (i << shift < to && tier < tiers.length) {
    const bits =
      tier === 0
        ? ((cells.read(tiers[0] + (i >>> 3)) >>> (8 * r)) & 255) >>> (i & 7)
        : cells.read(tiers[tier] + (i >>> 5) * ORDERS_PER_LEVEL + r) >>> i;
    const up = tier === 0 ? 3 : 5;
    if (bits === 0) {
      i >>>= up;
      if (down) clearTierBit(cells, tiers, tier, i, r);
      i++;
      tier++;
      shift += up;
      down = false;
      continue;
    }
    i += lowestBit(bits);
    if (tier === 0) return Math.min(i, to);
    tier--;
    const step = tier === 0 ? 3 : 5;
    i <<= step;
    shift -= step;
    down = true;
  }
  return to;
};
