// The index of a shared arena: for every level, which words may hold a free run of which order.
//
// The lowest tier has a cell for eight words: bit 8 * r + (word & 7) says that the word may hold a run of order r, so that one
// atomic access changes the bits of all orders. Above it there is a tiered bitmap for each order, as in ../run-index.ts, of
// the cells, then of groups of 32, that are not without a bit for that order.
//
// Every bit is a hint. A bit that is set and should not be costs a look at the word; one that should be set and is not,
// because a worker was stopped at the wrong moment, costs a search through all words before an allocation gives up.
// Nothing else depends on them. When all is quiet and nobody has died they are complete: who clears a bit looks at the word
// once more and sets the bit again if somebody has made room meanwhile, and who makes room looks at the bit afterwards.

import { lowestBit, runStarts } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { type Geometry, ORDERS_PER_LEVEL } from './layout.ts';
import { CLOSED, freeOf, runOf } from './word.ts';

/** The bits of the first of eight words. */
const ALL_ORDERS = 0x01010101;

/** Those for the orders up to `run`, -1 … 3. */
const upTo = (run: number): number => {
  return run < 0 ? 0 : ALL_ORDERS >>> (24 - 8 * run);
};

/** Sets the bits of `word` of `level` for the free runs that it holds: it is open, and `raw` its value. */
export const setRunBits = (cells: Cells, g: Geometry, level: number, word: number, raw: number): void => {
  const set = cells.read(g.index[level][0] + (word >>> 3)) >>> (word & 7);
  if ((set & ALL_ORDERS) === ALL_ORDERS) return;
  const lacking = upTo(runOf(raw)) & ~set;
  if (lacking !== 0) setBits(cells, g, level, word, lacking << (word & 7));
};

const setBits = (cells: Cells, g: Geometry, level: number, word: number, bits: number): void => {
  const tiers = g.index[level];
  cells.or(tiers[0] + (word >>> 3), bits);
  for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
    if (((bits >>> (8 * r)) & 255) !== 0) setTierBits(cells, tiers, 0, word >>> 3, r);
  }
};

/** Sets the bits for order `r` of cell `i` of tier `below`, and of the cells above. */
const setTierBits = (cells: Cells, tiers: Int32Array, below: number, i: number, r: number): void => {
  for (let tier = below + 1; tier < tiers.length; tier++, i >>>= 5) {
    const at = tiers[tier] + (i >>> 5) * ORDERS_PER_LEVEL + r;
    if (((cells.read(at) >>> i) & 1) === 0) cells.or(at, 1 << i);
  }
};

/**
 * Sets all bits of `word` of `level` that its free runs call for, and the bits of higher tiers that stand for those and for
 * the ones that are set anyway, whatever stopped workers have left of them.
 */
export const refresh = (cells: Cells, g: Geometry, level: number, word: number): void => {
  const raw = cells.load(g.words[level] + word);
  const called = raw === CLOSED ? 0 : upTo(runOf(raw)) << (word & 7);
  const set = cells.load(g.index[level][0] + (word >>> 3)) & (ALL_ORDERS << (word & 7));
  if ((called | set) !== 0) setBits(cells, g, level, word, called | set);
};

/** Clears the bit of `word` of `level` for order `r`, or for all orders if nothing is free there; unless it holds such a run. */
export const clearRunBits = (cells: Cells, g: Geometry, level: number, word: number, r: number): void => {
  const at = g.words[level] + word;
  const before = cells.read(at);
  let bits = ALL_ORDERS;
  if (before !== CLOSED && freeOf(before) !== 0) {
    // Somebody has made room since it was found lacking, and may have seen the bit set.
    if (runStarts(freeOf(before), r) !== 0) return;
    bits = 1 << (8 * r);
  }
  cells.and(g.index[level][0] + (word >>> 3), ~(bits << (word & 7)));
  // The same may have happened since the look above.
  const after = cells.load(at);
  if (after !== CLOSED && after !== before) refresh(cells, g, level, word);
};

/** Clears the bit that stands for cell `i` of tier `below`, unless that has bits for order `r`. */
const clearTier = (cells: Cells, tiers: Int32Array, below: number, i: number, r: number): void => {
  cells.and(tiers[below + 1] + (i >>> 5) * ORDERS_PER_LEVEL + r, ~(1 << i));
  const mask = below === 0 ? 255 << (8 * r) : -1;
  const at = tiers[below] + (below === 0 ? i : i * ORDERS_PER_LEVEL + r);
  if ((cells.load(at) & mask) !== 0) setTierBits(cells, tiers, below, i, r);
};

/**
 * The lowest word of `level` from `from` up to `to` with its bit set for order `r`; `to` if there is none. Bits of higher
 * tiers are cleared here, when what they stand for is found empty, and not with the last bit below them.
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
      if (down) clearTier(cells, tiers, tier, i, r);
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
