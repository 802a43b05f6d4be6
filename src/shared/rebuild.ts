// Writing a quiet arena anew around the blocks that are known to be live.

import { assert, DEV } from '../base/assert.ts';
import type { LiveBlock } from '../base/blocks.ts';
import { lowestBit, runStarts } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { FANOUT_BITS, type Geometry, SLOT_STATE } from './layout.ts';
import { noteOwner, ownerAt } from './owners.ts';
import { refresh } from './run-index.ts';
import { ATTACHED, kindOf, slotPos } from './slots.ts';
import { writeEmpty } from './state.ts';
import { blockMask, CLOSED, EMPTY, freeOf, isSubdivided, subdivisionMask } from './word.ts';

/**
 * Makes `live`, blocks that do not overlap, the live blocks of a quiet arena. A block without an attached owner
 * becomes that of the worker in `slot`. O(capacity).
 */
export function rebuild(cells: Cells, g: Geometry, slot: number, live: readonly LiveBlock[]): void {
  const owners = live.map(({ offset }) => {
    const owner = g.tracked ? ownerAt(cells, g, offset) : 0;
    const isAttached =
      owner >= 1 && owner <= g.slots && kindOf(cells.load(slotPos(g, owner) + SLOT_STATE)) === ATTACHED;
    return isAttached ? owner : slot;
  });
  for (let pos = g.words[0]; pos < g.length; pos++) cells.store(pos, 0);
  writeEmpty(cells, g);
  live.forEach(({ offset, size }, i) => {
    markLive(cells, g, offset, lowestBit(size), owners[i]);
  });
}

/** Makes the block of 2^order units at `offset`, all of it free, live in a quiet arena. O(log capacity). */
export function markLive(cells: Cells, g: Geometry, offset: number, order: number, owner: number): void {
  const level = order >>> 2;
  for (let l = g.levels - 1; l >= level; l--) {
    const child = offset >>> (FANOUT_BITS * l);
    const word = child >>> FANOUT_BITS;
    const c = child & 15;
    const pos = g.words[l] + word;
    const value = cells.load(pos);
    if (DEV) assert(value !== CLOSED, 'the word above a block that becomes live is open');
    if (l === level) {
      if (DEV)
        assert(((runStarts(freeOf(value), order & 3) >>> c) & 1) === 1, 'a block that becomes live is free');
      cells.store(pos, value ^ blockMask(order & 3, c));
    } else if (((freeOf(value) >>> c) & 1) === 1) {
      cells.store(pos, value ^ subdivisionMask(c));
      cells.store(g.words[l - 1] + child, EMPTY);
    } else if (DEV)
      assert(isSubdivided(value, c), 'a child above a block that becomes live is free or subdivided');
    refresh(cells, g, l, word);
  }
  if (g.tracked) noteOwner(cells, g, offset, owner);
}
