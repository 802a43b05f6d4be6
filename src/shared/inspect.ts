// Questions about a shared arena. While it changes, each word that an answer is made of is of some moment, but not all of one.

import type { Block } from '../base/blocks.ts';
import { BuddyError } from '../base/errors.ts';
import { blockLength, blockStart, tileOrder } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { FANOUT_BITS, type Geometry } from './layout.ts';
import { CLOSED, contOf, freeOf, usedOf } from './word.ts';

/**
 * The level whose word tells what `unit` is part of: the lowest one that is open there. There is one, as the top word never
 * closes: it has a child beyond the capacity, which is in use, or one that the capacity cuts, whose last word never closes.
 */
export const levelOf = (cells: Cells, g: Geometry, unit: number): number => {
  let level = 0;
  let word = unit >>> FANOUT_BITS;
  while (cells.read(g.words[level] + word) === CLOSED) {
    level++;
    word >>>= FANOUT_BITS;
  }
  return level;
};

/** Offset of the live block that holds `unit`; -1 when it is free. */
export function blockOf(cells: Cells, g: Geometry, unit: number): number {
  const level = levelOf(cells, g, unit);
  const child = unit >>> (FANOUT_BITS * level);
  const raw = cells.load(g.words[level] + (child >>> FANOUT_BITS));
  const used = usedOf(raw);
  if (raw === CLOSED || ((used >>> (child & 15)) & 1) === 0) return -1;
  const start = blockStart(used, contOf(raw), child & 15);
  return ((child & ~15) | start) << (FANOUT_BITS * level);
}

/** Units of the live block at `offset`; 0 when no live block begins there. */
export function sizeAt(cells: Cells, g: Geometry, offset: number): number {
  const level = levelOf(cells, g, offset);
  const child = offset >>> (FANOUT_BITS * level);
  const raw = cells.load(g.words[level] + (child >>> FANOUT_BITS));
  const used = usedOf(raw);
  const cont = contOf(raw);
  const starts = (((used & ~cont) >>> (child & 15)) & 1) === 1;
  if (raw === CLOSED || !starts || child << (FANOUT_BITS * level) !== offset) return 0;
  return blockLength(used, cont, child & 15) << (FANOUT_BITS * level);
}

/** Why no block can be given back at `offset`. */
export function misuse(cells: Cells, g: Geometry, offset: number): BuddyError {
  const owner = blockOf(cells, g, offset);
  return owner >= 0 && owner !== offset
    ? new BuddyError('INTERIOR', `unit ${offset} is inside the block at ${owner}`)
    : new BuddyError('NOT_ALLOCATED', `unit ${offset} is free: freed already, or never allocated`);
}

/**
 * All blocks in address order, free ones as large as coalescing would make them. In transit, that is neither live nor free,
 * counts as live: it is somebody's. Right when the arena is quiet.
 */
export function* blocksOf(cells: Cells, g: Geometry): Generator<Block, void, undefined> {
  let pending = -1; // start of the free units that are not yet reported
  for (let offset = 0; offset < g.capacity; ) {
    const level = levelOf(cells, g, offset);
    const span = FANOUT_BITS * level;
    const child = offset >>> span;
    const c = child & 15;
    const raw = cells.load(g.words[level] + (child >>> FANOUT_BITS));
    const free = raw !== CLOSED && ((freeOf(raw) >>> c) & 1) === 1;
    const used = usedOf(raw);
    const size = (((used >>> c) & 1) === 1 ? blockLength(used, contOf(raw), c) : 1) << span;
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

/** The maximal free blocks that make up [`at`, `end`). */
function* tiles(at: number, end: number): Generator<Block, void, undefined> {
  while (at < end) {
    const order = tileOrder(at, end);
    yield { offset: at, size: 1 << order, free: true };
    at += 1 << order;
  }
}
