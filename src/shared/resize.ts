// Changing the size of a live block without moving it, if that is a change of one word.

import { assert, DEV } from '../base/assert.ts';
import { blockLength, runStarts } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { levelOf } from './inspect.ts';
import { FANOUT_BITS, type Geometry, ORDERS_PER_LEVEL } from './layout.ts';
import { setRunBits } from './run-index.ts';
import { blockMask, contOf, freeOf, usedOf } from './word.ts';

/**
 * Makes the live block at `offset` one of 2^order units. No other worker may be about to free or resize it. Returns
 * whether the block has that size now: it has not if the order belongs to another level, or if the block would have
 * to grow over children that are not free. One CAS: a worker that dies in this call has changed the block or has not.
 * The owner stays.
 */
export function resize(cells: Cells, g: Geometry, offset: number, order: number): boolean {
  const level = levelOf(cells, g, offset);
  const r = order - ORDERS_PER_LEVEL * level;
  if (r < 0 || r >= ORDERS_PER_LEVEL) return false;
  const child = offset >>> (FANOUT_BITS * level);
  const word = child >>> FANOUT_BITS;
  const c = child & 15;
  const pos = g.words[level] + word;
  for (;;) {
    const value = cells.read(pos);
    const length = blockLength(usedOf(value), contOf(value), c);
    const without = value ^ blockMask(31 - Math.clz32(length), c);
    if (((runStarts(freeOf(without), r) >>> c) & 1) === 0) return false;
    const next = without ^ blockMask(r, c);
    if (next === value) return true;
    if (!cells.cas(pos, value, next)) continue;
    if (DEV) assert((length & (length - 1)) === 0, 'a block has a power of two of children');
    if (1 << r < length) setRunBits(cells, g, level, word, next);
    return true;
  }
}
