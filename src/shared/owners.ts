// Tracked arenas: the owner of each block, which is known after its death.
//
// The byte of a live block's first unit holds its owner: the slot of a worker, RESERVED, IN_SLAB or NOBODY. It is 0 for
// a free unit, and for a moment in a live block: between the CAS that takes the block and the note of its owner, and
// between the erasure of the owner and the CAS that gives the block back. In those moments, and whenever it opens or
// closes a word, a worker announces in its slot an offset that lies in what it changes.
//
// A worker that detaches itself changes no byte: its slot says that it has left its blocks.

import { assert, DEV } from '../base/assert.ts';
import { lowestBit } from '../base/word.ts';
import { byteIn, changeByteIn } from './bytes.ts';
import type { Cells } from './cells.ts';
import type { Geometry } from './layout.ts';

/** Owner of the blocks that no worker may free: a shared heap keeps them for itself. */
export const RESERVED = 254;

/** Owner of the pages of a shared heap's slabs, whose owners the slabs know. Such a heap has no slot of that number. */
export const IN_SLAB = 253;

/** Whether a shared heap keeps a block with that owner for itself, so that nobody may free it. */
export const isKept = (owner: number): boolean => owner === RESERVED || owner === IN_SLAB;

/** Owner of the blocks whose worker has detached itself, after another worker has taken its slot. */
export const NOBODY = 255;

/** The owner of the block at `offset`; 0 if none is noted. */
export const ownerAt = (cells: Cells, g: Geometry, offset: number): number => {
  return byteIn(cells, g.owners, offset);
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
    assert(isOwner(g, before) && isOwner(g, after), 'an owner is a slot, RESERVED, IN_SLAB, NOBODY or none');
    assert(g.tracked && offset >= 0 && offset < g.capacity, 'an owner belongs to a unit of a tracked arena');
  }
  return changeByteIn(cells, g.owners, offset, before, after);
};

/** Notes the owner of the block at `offset`, which was taken just now. */
export const noteOwner = (cells: Cells, g: Geometry, offset: number, owner: number): void => {
  const noted = changeOwner(cells, g, offset, 0, owner);
  // Nobody else can have noted one: a block without an owner can be neither freed nor adopted.
  if (DEV) assert(noted, 'a block that was taken just now has no owner');
};

/** Whether `slot` owns any block. O(capacity). */
export function ownsAny(cells: Cells, g: Geometry, slot: number): boolean {
  for (let offset = nextOwned(cells, g, 0); offset < g.capacity; offset = nextOwned(cells, g, offset + 1)) {
    if (ownerAt(cells, g, offset) === slot) return true;
  }
  return false;
}

/** All owners of blocks. O(capacity). */
export function slotsThatOwn(cells: Cells, g: Geometry): Set<number> {
  const owners = new Set<number>();
  for (let offset = nextOwned(cells, g, 0); offset < g.capacity; offset = nextOwned(cells, g, offset + 1)) {
    owners.add(ownerAt(cells, g, offset));
  }
  return owners;
}

/** Makes all blocks that `slot` owns nobody's. O(capacity). */
export function disown(cells: Cells, g: Geometry, slot: number): void {
  for (let offset = nextOwned(cells, g, 0); offset < g.capacity; offset = nextOwned(cells, g, offset + 1)) {
    changeOwner(cells, g, offset, slot, NOBODY);
  }
}

function isOwner(g: Geometry, owner: number): boolean {
  return (owner >= 0 && owner <= g.slots) || owner >= IN_SLAB;
}
