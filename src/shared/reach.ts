// The reach of a worker: the words whose freed room it takes again. It is how workers come back to low addresses.
//
// A worker that took whatever room it freed last would keep its blocks wherever they are: after a peak, a few blocks
// that are replaced again and again would stay spread over the arena, and no large block would have room. So room
// that a worker frees beyond its reach does not become its hint. The worker searches from its home to the end of its
// reach instead, and the words beyond run empty.
//
// The end of a reach moves by two rules:
//
//   up     to the word that a search has found, if no word in reach had room;
//   up or down, by what the word above a new hint shows: how many of its 16 children, words of this level, are all
//          free. Many free ones mean that the reach could be shorter; few, that it may be longer, so that searches
//          stay short. One hint in 32 is looked at, by its number. So a free pays for one comparison.
//
// The shorter a reach, the more often its words fill up. So a reach that ends below 5/8 of the arena may have twice
// the free words that a longer one may have: there is room for large blocks beyond it.
//
// Home and reach lie in the worker's slot, and no other worker reads them. They say where to look first. Whatever
// they are, a search looks at all words before it gives up.

import { assert, DEV } from '../base/assert.ts';
import type { Cells } from './cells.ts';
import { FANOUT_BITS, type Geometry, ORDERS_PER_LEVEL, SLOT_HINTS, SLOT_HOME } from './layout.ts';
import { countOf } from './word.ts';

/** Hints are looked at if these bits of their number are zero. */
export const SAMPLED_BITS = 31;

/** Free words of 16 that a reach may have, halved: of one that ends low, and of one that ends high. */
const LOW_TARGET = 4;
const HIGH_TARGET = 1;

/** Where a reach ends high, in sixteenths of the level. */
const HIGH = 10;

/** So many free words of 16 are a sparse part of the arena: the reach shrinks faster there. */
const SPARSE = 7;

/** log2 of the fraction of a reach by which its end moves, for each half word that is too many or too few. */
const STEP = 7;
const SPARSE_STEP = 6;

/**
 * Position of the end of the reach in level 0, in the slot at `slotPos`; that of level 1 follows it. An end is counted
 * in children: a word is in reach if its first child is before the end.
 */
export const reachPos = (g: Geometry, slotPos: number): number => {
  return slotPos + SLOT_HINTS + ORDERS_PER_LEVEL * g.levels;
};

/** The word of `level` that holds `unit`. */
export const wordOf = (level: number, unit: number): number => {
  // Not by one shift: on the highest level that would be a shift by 32.
  return (unit >>> (FANOUT_BITS * level)) >>> FANOUT_BITS;
};

/** Begins the reach of the slot at `slotPos` at `home`, a unit of the arena: with one word of each level. */
export function beginReach(cells: Cells, g: Geometry, slotPos: number, home: number): void {
  if (DEV) assert(home >= 0 && home < g.capacity, 'a home is a unit of the arena');
  cells.store(slotPos + SLOT_HOME, home);
  for (let level = 0; level < g.levels; level++) {
    cells.store(reachPos(g, slotPos) + level, (wordOf(level, home) + 1) << FANOUT_BITS);
  }
}

/** The word of `level` in which the home of the slot at `slotPos` lies. */
export const homeOf = (cells: Cells, g: Geometry, slotPos: number, level: number): number => {
  const home = wordOf(level, cells.read(slotPos + SLOT_HOME));
  return home < g.count[level] ? home : 0; // damaged
};

/** The first word that is not in the reach with its end at `pos`, of a level with `count` words. */
export const endOf = (cells: Cells, pos: number, count: number): number => {
  const end = (cells.read(pos) + 15) >> FANOUT_BITS;
  return end < 0 || end > count ? count : end; // damaged
};

/** Moves the end at `pos` up, so that `word` is in reach. */
export const extendTo = (cells: Cells, pos: number, word: number): void => {
  if (cells.read(pos) <= word << FANOUT_BITS) cells.write(pos, (word + 1) << FANOUT_BITS);
};

/**
 * Moves the end at `pos`, of a level with `count` words, by a look at the word above a new hint, in which the children
 * `free` are free. The reach keeps `home`, and so it has at least one word.
 */
export const adjust = (cells: Cells, pos: number, free: number, home: number, count: number): void => {
  const end = cells.read(pos);
  const words = countOf(free);
  const target = end > HIGH * count ? HIGH_TARGET : LOW_TARGET;
  const length = end - (home << FANOUT_BITS);
  const step = (length >> (words < SPARSE ? STEP : SPARSE_STEP)) + 1;
  const wish = end + (target - 2 * words) * step;
  cells.write(pos, Math.max((home + 1) << FANOUT_BITS, Math.min(wish, count << FANOUT_BITS)));
};
