// Tracked arenas: the owner of each block and the announcements of each worker, so that both are known after its death.
//
// The byte of a live block's first unit holds its owner: the slot of a worker, RESERVED or NOBODY. It is 0 for a free
// unit, and for a moment in a live block: between the CAS that takes the block and the note of its owner, and between
// the erasure of the owner and the CAS that gives the block back. In those moments, and whenever it opens or closes a
// word, a worker announces in its slot an offset that lies in what it changes.

import { assert, DEV } from '../base/assert.ts';
import { lowestBit } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { type Geometry, SLOT_ANNOUNCED, SLOT_SEQUENCE } from './layout.ts';
import { slotPos } from './slots.ts';

/** Owner of the blocks that no worker may free: a shared heap keeps them for itself. */
export const RESERVED = 254;

/** Owner of the blocks whose worker has detached itself. */
export const NOBODY = 255;

/** The owner of the block at `offset`; 0 if none is noted. */
export const ownerAt = (cells: Cells, g: Geometry, offset: number): number => {
  return (cells.load(g.owners + (offset >>> 2)) >>> ((offset & 3) << 3)) & 255;
};

/**
 * The lowest offset from `from` up at which an owner is noted; the capacity if there is none, or owners are not
 * tracked.
 */
export function nextOwned(cells: Cells, g: Geometry, from: number): number {
  for (let offset = g.tracked ? from : g.capacity; offset < g.capacity; offset = (offset | 3) + 1) {
    const rest = cells.load(g.owners + (offset >>> 2)) >>> ((offset & 3) << 3);
    if (rest !== 0) return offset + (lowestBit(rest) >>> 3);
  }
  return g.capacity;
}

/** Changes the owner noted at `offset` from `before` to `after`. Returns whether it was `before`. */
export const changeOwner = (
  cells: Cells,
  g: Geometry,
  offset: number,
  before: number,
  after: number,
): boolean => {
  if (DEV) {
    assert(isOwner(g, before) && isOwner(g, after), 'an owner is a slot, RESERVED, NOBODY or none');
    assert(g.tracked && offset >= 0 && offset < g.capacity, 'an owner belongs to a unit of a tracked arena');
  }
  const pos = g.owners + (offset >>> 2);
  const shift = (offset & 3) << 3;
  for (;;) {
    const four = cells.load(pos);
    if (((four >>> shift) & 255) !== before) return false;
    if (cells.cas(pos, four, four ^ ((before ^ after) << shift))) return true;
  }
};

/** Notes the owner of the block at `offset`, which was taken just now. */
export const noteOwner = (cells: Cells, g: Geometry, offset: number, owner: number): void => {
  const noted = changeOwner(cells, g, offset, 0, owner);
  // Nobody else can have noted one: a block without an owner can be neither freed nor adopted.
  if (DEV) assert(noted, 'a block that was taken just now has no owner');
};

/** Announces that the worker in `slot` is about to change something that contains `offset`. */
export const announce = (cells: Cells, g: Geometry, slot: number, offset: number): void => {
  const pos = slotPos(g, slot);
  cells.store(pos + SLOT_ANNOUNCED, offset + 1);
  // Another worker that finds the same sequence before and after its look at the tree has missed no announcement.
  cells.store(pos + SLOT_SEQUENCE, cells.read(pos + SLOT_SEQUENCE) + 1);
};

/** Announces that the worker in `slot` has finished its change. */
export const endAnnouncement = (cells: Cells, g: Geometry, slot: number): void => {
  cells.store(slotPos(g, slot) + SLOT_ANNOUNCED, 0);
};

function isOwner(g: Geometry, owner: number): boolean {
  return (owner >= 0 && owner <= g.slots) || owner === RESERVED || owner === NOBODY;
}
