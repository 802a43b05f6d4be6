// The invariants of the slabs, in words. Exact if no worker is in a call and the dead are recovered.

import type { Cells } from '../shared/cells.ts';
import { blocksOf } from '../shared/inspect.ts';
import { SLOT_STATE } from '../shared/layout.ts';
import { IN_SLAB, ownerAt } from '../shared/owners.ts';
import { ATTACHED, kindOf, slotPos } from '../shared/slots.ts';
import { byteAt } from './bytes.ts';
import {
  ADOPTED,
  AT_NONE,
  BITS,
  CLASS_MASK,
  descriptorAt,
  type Geometry,
  OWNER,
  SLAB_SHIFT,
  SLOTS_PER_CELL,
  slotBits,
  slotIn,
  slotsIn,
} from './layout.ts';
import { countAt, liveSlots, pagesAt } from './slab.ts';

/** Every violated invariant of the slabs between pages `first` and `end`. O(pages). */
export function check(cells: Cells, G: Geometry, first: number, end: number): string[] {
  const wrong: string[] = [];
  if (cells.load(G.header + AT_NONE) !== 0) wrong.push('the cell of no slab is not 0');
  for (const { offset, size, free } of blocksOf(cells, G.arena)) {
    const isSlab = !free && offset >= first && offset < end && ownerAt(cells, G.arena, offset) === IN_SLAB;
    if (isSlab) wrong.push(...checkSlab(cells, G, offset, size));
    else {
      for (let page = offset; page < offset + size; page++) {
        if (cells.load(G.map + page) !== 0)
          wrong.push(`page ${page} is in no slab, but the map says that it is in one`);
      }
    }
  }
  return wrong;
}

function checkSlab(cells: Cells, G: Geometry, h: number, pages: number): string[] {
  const entry = cells.load(G.map + h);
  const c = entry & CLASS_MASK;
  if (entry >>> SLAB_SHIFT !== h || c >= G.classes) return [`the map does not know the slab at page ${h}`];
  const wrong: string[] = [];
  for (let page = h; page < h + pages; page++) {
    if (cells.load(G.map + page) !== entry) wrong.push(`page ${page} is in slab ${h}, but not by the map`);
  }
  if (pagesAt(cells, G, h) !== pages)
    return [...wrong, `slab ${h} has ${pages} pages, not as many as it says`];
  const count = countAt(cells, G, h);
  if (count !== slotsIn(G, c, Math.log2(pages)))
    return [...wrong, `slab ${h} says that it has ${count} slots`];
  const d = descriptorAt(G, h);
  const owner = cells.load(d + OWNER);
  const slot = slotIn(owner);
  if (slot < 0 || slot > G.arena.slots || (slot > 0 && !isAttached(cells, G, slot)))
    wrong.push(`slab ${h} belongs to slot ${slot}, in which no worker is`);
  for (let from = 0, at = d + BITS; from < count; from += SLOTS_PER_CELL, at++) {
    const value = cells.load(at);
    const outside = ~slotBits(count, from) & 0xffff;
    if (((value | (value >>> SLOTS_PER_CELL)) & outside) !== 0)
      wrong.push(`slab ${h} has slots behind its last`);
  }
  if (G.tracked && (owner & ADOPTED) === 0) {
    for (const { unit } of liveSlots(cells, G, h))
      if (byteAt(cells, G, unit) !== 0) wrong.push(`unit ${unit} has an owner, but its slab is not marked`);
  }
  return wrong;
}

function isAttached(cells: Cells, { arena }: Geometry, slot: number): boolean {
  return kindOf(cells.load(slotPos(arena, slot) + SLOT_STATE)) === ATTACHED;
}
