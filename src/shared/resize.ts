// Changing the size of a live block where it stays, as far as that is a change of one word.

import { blockLength, runStarts } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { levelOf } from './inspect.ts';
import { FANOUT_BITS, type Geometry, ORDERS_PER_LEVEL } from './layout.ts';
import { setRunBits } from './run-index.ts';
import { blockMask, contOf, freeOf, usedOf } from './word.ts';

/**
 * Makes the live block at `offset`, which nobody else is about to free or to resize, one of 2^order units. Returns whether it
 * is; not when the order belongs to another level than the block's, or what lies above it in the word is not free. One CAS:
 * a worker that dies on the way has changed the block or has not. Its owner stays as noted.
 */
export function resize(cells: Cells, g: Geometry, offset: number, order: number): boolean {
  const level = levelOf(cells, g, offset);
  const r = order - ORDERS_PER_LEVEL * level;
  if (r < 0 || r >= ORDERS_PER_LEVEL) return false;
  const child = offset >>> (FANOUT_BITS * level);
  const word = child >>> FANOUT_BITS;
  const c = child & 15;
  const at = g.words[level] + word;
  for (;;) {
    const raw = cells.read(at);
    const length = blockLength(usedOf(raw), contOf(raw), c);
    const without = raw ^ blockMask(31 - Math.clz32(length), c);
    if (((runStarts(freeOf(without), r) >>> c) & 1) === 0) return false;
    const next = without ^ blockMask(r, c);
    if (next === raw) return true;
    if (!cells.cas(at, raw, next)) continue;
    if (1 << r < length) setRunBits(cells, g, level, word, next);
    return true;
  }
}
