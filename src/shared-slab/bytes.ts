// Tracked heaps: the owner of each block in a slab.
//
// The byte of a live block's first unit says to which worker the block belongs. 0 is the owner of the slab. Any other
// value is a slot, which may also be that of the slab's owner; NOBODY; or RESERVED while a recovery takes the block back.
// The bytes of free slots mean nothing. While a slab is not marked as ADOPTED, all of its bytes are 0. Before a slab is
// abandoned, the bytes 0 of its live blocks become the slot of its owner.
//
// A worker that adopts a block reads the byte, and then changes it by CAS. In between, a recovery may free the block,
// another worker may take the slab over, and the slot may get another block. The CAS must not hit a block of another
// worker. So the byte 0 that the adopter has read must not return as another owner's:
//
// - In a slab that is marked, the owner makes its own slot the byte of the free slots before it takes them.
// - A slab of pages fresh from the arena is marked from the start, if any worker is adopting.
// - An empty slab loses its mark only if no worker is adopting.

import { byteIn, changeByteIn } from '../shared/bytes.ts';
import type { Cells } from '../shared/cells.ts';
import type { Geometry } from './layout.ts';

/** The byte of `unit`. */
export const byteAt = (cells: Cells, { owners }: Geometry, unit: number): number => {
  return byteIn(cells, owners, unit);
};

/** Changes the byte of `unit` from `before` to `after`. Returns whether it was `before`. */
export const changeByte = (
  cells: Cells,
  { owners }: Geometry,
  unit: number,
  before: number,
  after: number,
): boolean => {
  return changeByteIn(cells, owners, unit, before, after);
};

/** Makes `slot` the byte of `unit`, at which no live block begins. */
export const claimByte = (cells: Cells, G: Geometry, unit: number, slot: number): void => {
  let byte = byteAt(cells, G, unit);
  while (byte !== slot && !changeByte(cells, G, unit, byte, slot)) byte = byteAt(cells, G, unit);
};

/** Makes `byte` the byte of all units of the `pages` pages from page `h` on. */
export const fillBytes = (cells: Cells, G: Geometry, h: number, pages: number, byte: number): void => {
  const shift = G.pageShift - G.unitShift;
  const end = (h + pages) << shift;
  for (let unit = h << shift; unit < end; ) {
    // A page of less than four units shares a cell with others.
    if ((unit & 3) !== 0 || unit + 4 > end) claimByte(cells, G, unit++, byte);
    else {
      cells.write(G.owners + (unit >>> 2), Math.imul(byte, 0x01010101));
      unit += 4;
    }
  }
};
