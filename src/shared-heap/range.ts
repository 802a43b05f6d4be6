// Whether units of a shared arena are free.

import type { Cells } from '../shared/cells.ts';
import { levelOf } from '../shared/inspect.ts';
import { FANOUT_BITS, type Geometry } from '../shared/layout.ts';
import { CLOSED, freeOf } from '../shared/word.ts';

/** Whether all units from `from` up to `to` are free. What is in transit is not. O(to - from) at worst. */
export function isRangeFree(cells: Cells, g: Geometry, from: number, to: number): boolean {
  for (let at = from; at < to; ) {
    const level = levelOf(cells, g, at);
    const child = at >>> (FANOUT_BITS * level);
    const raw = cells.load(g.words[level] + (child >>> FANOUT_BITS));
    if (raw === CLOSED || ((freeOf(raw) >>> (child & 15)) & 1) === 0) return false;
    at = (child + 1) << (FANOUT_BITS * level);
  }
  return true;
}
