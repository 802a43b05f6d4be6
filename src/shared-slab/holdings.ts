// The blocks in slabs that the worker in a slot owns, or has left, in a tracked heap: those of its slabs, and those that
// are its by their bytes. And what becomes of them when it has died.

import type { Cells } from '../shared/cells.ts';
import type { Holdings } from '../shared/holdings.ts';
import { sizeAt } from '../shared/inspect.ts';
import { NOBODY, nextOwned, ownerAt } from '../shared/owners.ts';
import { changeByte } from './bytes.ts';
import type { SlabEngine } from './engine.ts';
import {
  ADOPTED,
  descriptorAt,
  type Geometry,
  OWNER,
  SLOT_MASK,
  SLOTS_PER_CELL,
  slotBytes,
} from './layout.ts';
import { changeOwners, classAt, freeSlot, hasOwner, liveSlots, slabsBefore } from './slab.ts';

/** The slabs of a heap, as the arena of pages asks about them. */
export class SlabHoldings implements Holdings {
  readonly #cells: Cells;
  readonly #geometry: Geometry;
  readonly #end: () => number;

  /** @param end the first page that need not have memory, at present */
  constructor(cells: Cells, geometry: Geometry, end: () => number) {
    this.#cells = cells;
    this.#geometry = geometry;
    this.#end = end;
  }

  owns(slot: number): boolean {
    for (const h of this.#marked()) if (hasOwner(this.#cells, this.#geometry, h, slot)) return true;
    return false;
  }

  disown(slot: number): void {
    for (const h of this.#marked()) changeOwners(this.#cells, this.#geometry, h, slot, NOBODY);
  }

  /** The slabs in which blocks may belong to others than the slab's owner. */
  *#marked(): Generator<number, void, undefined> {
    const G = this.#geometry;
    if (!G.tracked) return;
    for (const h of slabsBefore(this.#cells, G, this.#end())) {
      if ((this.#cells.load(descriptorAt(G, h) + OWNER) & ADOPTED) !== 0) yield h;
    }
  }
}

/** Blocks that were taken back, and their units. */
export interface Taken {
  readonly blocks: number;
  readonly units: number;
}

/**
 * Takes the blocks in slabs of the dead worker in slot `dead` back, in a tracked heap; and gives its slabs up. `slabs`
 * must know all pages that have memory. A worker
 * that dies in this call has the slabs and the blocks that it has taken, for the next recovery.
 */
export function takeBack(slabs: SlabEngine, dead: number): Taken {
  const { cells, G, slot } = slabs;
  const { arena } = G;
  // Slabs that the dead worker was making or giving back. What else it has in the arena are large blocks.
  for (
    let page = nextOwned(cells, arena, 0);
    page < arena.capacity;
    page = nextOwned(cells, arena, page + 1)
  ) {
    if (ownerAt(cells, arena, page) !== dead) continue;
    const end = page + sizeAt(cells, arena, page);
    let isSlab = false;
    for (let i = page; i < end; i++) {
      if (cells.load(G.map + i) !== 0) isSlab = true;
      cells.store(G.map + i, 0);
    }
    if (isSlab) slabs.arena.reclaim(page, dead);
  }
  let blocks = 0;
  let units = 0;
  const free = (h: number, before: number, shift: number): void => {
    const size = slotBytes(G, classAt(cells, G, h)) >>> G.unitShift;
    for (const { pos, bit, unit } of liveSlots(cells, G, h)) {
      // Of this worker and those that adopt the block, one succeeds.
      if (!changeByte(cells, G, unit, before, slot) || !freeSlot(cells, pos, bit, shift)) continue;
      slabs.noteFreed(size);
      blocks++;
      units += size;
    }
  };
  for (const h of slabsBefore(cells, G, slabs.pages)) {
    let owner = cells.load(descriptorAt(G, h) + OWNER);
    while ((owner & SLOT_MASK) === dead && !slabs.take(h, owner))
      owner = cells.load(descriptorAt(G, h) + OWNER);
    const isDeads = (owner & SLOT_MASK) === dead;
    if (G.tracked && isDeads) free(h, 0, 0);
    // In a slab of this worker, too, as another worker: it collects the slots later.
    if (G.tracked && (isDeads || (owner & ADOPTED) !== 0)) free(h, dead, isDeads ? 0 : SLOTS_PER_CELL);
    if (isDeads) slabs.letGo(h);
  }
  return { blocks, units };
}
