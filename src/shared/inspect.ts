// Questions about a shared arena. While it changes, an answer is made of words that are right one by one, each at a
// moment of its own.

import type { Block } from '../base/blocks.ts';
import { BuddyError } from '../base/errors.ts';
import { blockLength, blockStart, tileOrder } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { FANOUT_BITS, type Geometry } from './layout.ts';
import { CLOSED, contOf, freeOf, usedOf } from './word.ts';

/**
 * The level whose word describes `unit`: the lowest one that is open there. There always is one, because the top word
 * never closes: it has a child beyond the capacity, which is in use, or a child that the capacity cuts, whose last
 * word never closes. Of damaged words it is the top word.
 */
export const levelOf = (cells: Cells, g: Geometry, unit: number): number => {
  let level = 0;
  let word = unit >>> FANOUT_BITS;
  while (level < g.levels - 1 && cells.read(g.words[level] + word) === CLOSED) {
    level++;
    word >>>= FANOUT_BITS;
  }
  return level;
};

/** Offset of the live block that holds `unit`; -1 if the unit is free. */
export function blockOf(cells: Cells, g: Geometry, unit: number): number {
  const level = levelOf(cells, g, unit);
  const child = unit >>> (FANOUT_BITS * level);
  const value = cells.load(g.words[level] + (child >>> FANOUT_BITS));
  const used = usedOf(value);
  if (value === CLOSED || ((used >>> (child & 15)) & 1) === 0) return -1;
  const start = blockStart(used, contOf(value), child & 15);
  return ((child & ~15) | start) << (FANOUT_BITS * level);
}

/** Units of the live block at `offset`; 0 if no live block starts there. */
export function sizeAt(cells: Cells, g: Geometry, offset: number): number {
  const level = levelOf(cells, g, offset);
  const child = offset >>> (FANOUT_BITS * level);
  const value = cells.load(g.words[level] + (child >>> FANOUT_BITS));
  const used = usedOf(value);
  const cont = contOf(value);
  const starts = (((used & ~cont) >>> (child & 15)) & 1) === 1;
  if (value === CLOSED || !starts || child << (FANOUT_BITS * level) !== offset) return 0;
  return blockLength(used, cont, child & 15) << (FANOUT_BITS * level);
}

/** The error of a call that wants a live block at `offset`, where none starts. */
export function misuse(cells: Cells, g: Geometry, offset: number): BuddyError {
  const start = blockOf(cells, g, offset);
  return start >= 0 && start !== offset
    ? new BuddyError('INTERIOR', `unit ${offset} is inside the block at ${start}`)
    : new BuddyError('NOT_ALLOCATED', `unit ${offset} is free: freed already, or never allocated`);
}

/**
 * All blocks in address order, free ones as large as coalescing would make them. A word in transit counts as a live
 * block: it belongs to some worker. Exact if the arena is quiet.
 */
export function* blocksOf(cells: Cells, g: Geometry): Generator<Block, void, undefined> {
  let pending = -1; // start of the free units that are not yet reported
  for (let offset = 0; offset < g.capacity; ) {
    const level = levelOf(cells, g, offset);
    const span = FANOUT_BITS * level;
    const child = offset >>> span;
    const c = child & 15;
    const value = cells.load(g.words[level] + (child >>> FANOUT_BITS));
    const free = value !== CLOSED && ((freeOf(value) >>> c) & 1) === 1;
    const used = usedOf(value);
    // Not by a shift: of damaged words, 8 children of the highest level would be 2^31 units.
    const size = (((used >>> c) & 1) === 1 ? blockLength(used, contOf(value), c) : 1) * 2 ** span;
    if (free) {
      if (pending < 0) pending = offset;
    } else {
      if (pending >= 0) yield* tiles(pending, offset);
      pending = -1;
      yield { offset, size, free };
    }
    offset += size;
  }
  if (pending >= 0) yield* tiles(pending, g.capacity);
}

/** The maximal free blocks that make up the units from `offset` up to `end`. */
function* tiles(offset: number, end: number): Generator<Block, void, undefined> {
  while (offset < end) {
    const order = tileOrder(offset, end);
    yield { offset, size: 1 << order, free: true };
    offset += 1 << order;
  }
}
