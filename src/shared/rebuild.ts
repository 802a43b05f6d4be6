// Writing a quiet arena anew around the blocks that are known to be live.

import type { LiveBlock } from '../base/blocks.ts';
import { lowestBit } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { ATTACHED, FANOUT_BITS, type Geometry, kindOf, SLOT_STATE, slotOf } from './layout.ts';
import { changeOwner, ownerAt } from './owners.ts';
import { refresh } from './run-index.ts';
import { writeEmpty } from './state.ts';
import { blockMask, EMPTY, freeOf, subdivisionMask } from './word.ts';

/** Makes `live`, which must not overlap, the live blocks of a quiet arena. One that no attached worker owns is `worker`'s. O(capacity). */
export function rebuild(cells: Cells, g: Geometry, worker: number, live: readonly LiveBlock[]): void {
  const owners = live.map(({ offset }) => {
    const owner = g.tracked ? ownerAt(cells, g, offset) : 0;
    const known =
      owner >= 1 && owner <= g.slots && kindOf(cells.load(slotOf(g, owner) + SLOT_STATE)) === ATTACHED;
    return known ? owner : worker;
  });
  for (let at = g.words[0]; at < g.length; at++) cells.store(at, 0);
  writeEmpty(cells, g);
  live.forEach(({ offset, size }, i) => {
    markLive(cells, g, offset, lowestBit(size), owners[i]);
  });
}

/** Makes the block of 2^order units at `offset` live in a quiet arena, all of which is free. O(log capacity). */
export function markLive(cells: Cells, g: Geometry, offset: number, order: number, owner: number): void {
  const level = order >>> 2;
  for (let l = g.levels - 1; l >= level; l--) {
    const child = offset >>> (FANOUT_BITS * l);
    const word = child >>> FANOUT_BITS;
    const at = g.words[l] + word;
    const raw = cells.load(at);
    if (l === level) cells.store(at, raw ^ blockMask(order & 3, child & 15));
    else if (((freeOf(raw) >>> (child & 15)) & 1) === 1) {
      cells.store(at, raw ^ subdivisionMask(child & 15));
      cells.store(g.words[l - 1] + child, EMPTY);
    }
    refresh(cells, g, l, word);
  }
  if (g.tracked) changeOwner(cells, g, offset, 0, owner);
}
