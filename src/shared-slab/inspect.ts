// Questions about the slabs and blocks of a shared heap. Each cell is read at a moment of its own: while the heap
// changes, an answer may mix several moments.

import type { Cells } from '../shared/cells.ts';
import { blockOf, blocksOf, sizeAt } from '../shared/inspect.ts';
import { isKept, ownerAt } from '../shared/owners.ts';
import {
  BITS,
  CLASS_MASK,
  descriptorAt,
  type Geometry,
  lineAt,
  SLAB_SHIFT,
  slotBytes,
  USED,
} from './layout.ts';
import { countAt, liveOf, liveSlots, slabAt } from './slab.ts';

/** A live block: its first unit, counted from page 0 on, and its units. */
export interface UnitBlock {
  readonly unit: number;
  readonly units: number;
}

/** The live block that holds `unit`, one before page `end`; undefined if none does. */
export function blockHolding(cells: Cells, G: Geometry, unit: number): UnitBlock | undefined {
  const unitsOfPage = 2 ** (G.pageShift - G.unitShift);
  const page = Math.floor(unit / unitsOfPage);
  const entry = cells.load(G.map + page);
  if (entry === 0) {
    const start = blockOf(cells, G.arena, page);
    if (start < 0 || slabAt(cells, G, start) !== 0 || isKept(ownerAt(cells, G.arena, start)))
      return undefined;
    return { unit: start * unitsOfPage, units: sizeAt(cells, G.arena, start) * unitsOfPage };
  }
  const h = entry >>> SLAB_SHIFT;
  const units = slotBytes(G, entry & CLASS_MASK) >>> G.unitShift;
  const slot = Math.floor((unit - h * unitsOfPage) / units);
  if (slot >= countAt(cells, G, h)) return undefined;
  const live = liveOf(cells.load(descriptorAt(G, h) + BITS + (slot >>> 4)));
  return (live & (1 << (slot & 15))) === 0 ? undefined : { unit: h * unitsOfPage + slot * units, units };
}

/** All live blocks from page `first` up to page `end`, in address order. Exact if no worker is in a call. */
export function* blocksBetween(
  cells: Cells,
  G: Geometry,
  first: number,
  end: number,
): Generator<UnitBlock, void, undefined> {
  const unitsOfPage = 2 ** (G.pageShift - G.unitShift);
  for (const { offset, size, free } of blocksOf(cells, G.arena)) {
    if (free || offset < first || offset >= end) continue;
    const entry = cells.load(G.map + offset);
    if (entry >>> SLAB_SHIFT === offset) {
      const units = slotBytes(G, entry & CLASS_MASK) >>> G.unitShift;
      for (const { unit } of liveSlots(cells, G, offset)) yield { unit, units };
    } else if (!isKept(ownerAt(cells, G.arena, offset))) {
      yield { unit: offset * unitsOfPage, units: size * unitsOfPage };
    }
  }
}

/**
 * Units in live blocks: the units that all workers together have allocated, less the units that they have freed. Exact
 * if no worker is in a call, and none has died in one. The count of a worker whose blocks others free may wrap around
 * at 2^31, so the sum must wrap around as well. O(workers).
 */
export function usedUnits(cells: Cells, G: Geometry): number {
  let units = 0;
  for (let slot = 1; slot <= G.arena.slots; slot++) units = (units + cells.load(lineAt(G, slot) + USED)) | 0;
  return units;
}
