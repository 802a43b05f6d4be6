// Tracked heaps: whose a block is.
//
// The byte of a live block's first unit is 0 or the owner's slot for a block of the slab's owner, and else the slot of
// another worker, NOBODY, or RESERVED while a recovery takes the block back. The bytes of free slots mean nothing. So long as a slab is not marked as ADOPTED, all of its
// bytes are 0.
//
// A worker that adopts a block looks whose it is, and then changes the byte by CAS. In between the block may be freed by
// a recovery, the slab may go to another worker, and the slot to another block. So in a slab that is marked, the owner
// makes the bytes of free slots its own slot before it takes them; and a slab that is made while any worker adopts is
// marked from the start. So no block of another worker has the byte 0 that the adopter has seen.

import type { Cells } from '../shared/cells.ts';
import type { Geometry } from './layout.ts';

/** The byte of `unit`. */
export const byteAt = (cells: Cells, { owners }: Geometry, unit: number): number => {
  return (cells.load(owners + (unit >>> 2)) >>> ((unit & 3) << 3)) & 255;
};

/** Changes the byte of `unit` from `before` to `after`. Returns whether it was `before`. */
export const changeByte = (
  cells: Cells,
  { owners }: Geometry,
  unit: number,
  before: number,
  after: number,
): boolean => {
  const pos = owners + (unit >>> 2);
  const shift = (unit & 3) << 3;
  for (;;) {
    const four = cells.load(pos);
    if (((four >>> shift) & 255) !== before) return false;
    if (cells.cas(pos, four, four ^ ((before ^ after) << shift))) return true;
  }
};

/** Makes the byte of `unit`, of which no block is live, `slot`. */
export const claimByte = (cells: Cells, G: Geometry, unit: number, slot: number): void => {
  let byte = byteAt(cells, G, unit);
  while (byte !== slot && !changeByte(cells, G, unit, byte, slot)) byte = byteAt(cells, G, unit);
};

/** Makes the bytes of all units of `pages` pages from page `h` on `byte`. */
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
