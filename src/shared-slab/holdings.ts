// The blocks in slabs that a worker owns or has left, in a tracked heap: the blocks of its slabs, and the blocks that
// belong to it by their bytes. A recovery takes them back if the worker has died.

import type { Cells } from '../shared/cells.ts';
import type { Holdings } from '../shared/holdings.ts';
import { sizeAt } from '../shared/inspect.ts';
import { NOBODY, nextOwned, ownerAt, RESERVED } from '../shared/owners.ts';
import { byteAt, changeByte } from './bytes.ts';
import type { SlabEngine } from './engine.ts';
import {
  ADOPTED,
  descriptorAt,
  type Geometry,
  lineAt,
  OWNER,
  SLOTS_PER_CELL,
  slotBytes,
  slotIn,
  TAKING,
} from './layout.ts';
import { changeOwners, classAt, freeSlot, hasOwner, liveSlots, slabsBefore, unmap } from './slab.ts';

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

  forget(offset: number): void {
    unmap(this.#cells, this.#geometry, offset);
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
 * Gives up the slabs of the dead worker in slot `dead`; in a tracked heap also takes back its blocks in slabs. `slabs`
 * must know all pages that have memory. If the calling worker dies in this call, it is the owner of the slabs that it
 * has taken, and its line has the block that it was about to free: the next recovery goes on with both.
 */
export function takeBack(slabs: SlabEngine, dead: number): Taken {
  const { cells, G, slot } = slabs;
  const { arena } = G;
  // Slabs that the dead worker was making or giving back. All other blocks that it has in the arena are large ones.
  for (
    let page = nextOwned(cells, arena, 0);
    page < arena.capacity;
    page = nextOwned(cells, arena, page + 1)
  ) {
    if (ownerAt(cells, arena, page) !== dead) continue;
    const end = page + sizeAt(cells, arena, page);
    let isSlab = false;
    for (let i = page; i < end; i++) if (cells.load(G.map + i) !== 0) isSlab = true;
    // If the block was adopted and freed meanwhile, these pages may be another worker's slab: `giveBack` leaves that
    // alone.
    if (isSlab) slabs.giveBack(page, dead);
  }
  let blocks = 0;
  let units = 0;
  const taking = lineAt(G, slot) + TAKING;
  // One more than the unit of the block that the dead worker was about to take back from another one, or 0.
  const left = cells.load(lineAt(G, dead) + TAKING);
  const free = (h: number, before: number, shift: number): void => {
    const size = slotBytes(G, classAt(cells, G, h)) >>> G.unitShift;
    for (const { pos, bit, unit } of liveSlots(cells, G, h)) {
      const byte = byteAt(cells, G, unit);
      const isLeft = byte === RESERVED && unit + 1 === left;
      if (byte !== before && !isLeft) continue;
      // If this worker dies before it has freed the block, the next recovery does so.
      cells.store(taking, unit + 1);
      // Of this worker and those that adopt the block, one succeeds.
      if (!isLeft && !changeByte(cells, G, unit, before, RESERVED)) continue;
      if (!freeSlot(cells, pos, bit, shift)) continue;
      slabs.noteFreed(size);
      blocks++;
      units += size;
    }
  };
  for (const h of slabsBefore(cells, G, slabs.pages)) {
    let owner = cells.load(descriptorAt(G, h) + OWNER);
    while (slotIn(owner) === dead && !slabs.take(h, owner)) owner = cells.load(descriptorAt(G, h) + OWNER);
    const isDeads = slotIn(owner) === dead;
    if (G.tracked && isDeads) free(h, 0, 0);
    // Sets FREED also in a slab of this worker, which collects the slots later.
    if (G.tracked && (isDeads || (owner & ADOPTED) !== 0)) free(h, dead, isDeads ? 0 : SLOTS_PER_CELL);
    if (isDeads) slabs.letGo(h);
  }
  cells.store(lineAt(G, dead) + TAKING, 0);
  cells.store(taking, 0);
  return { blocks, units };
}
