// Tracked heaps: whose a block is, if it is not the block of the worker that owns the slab.
//
// The byte of a live block's first unit is 0 for a block of the slab's owner, and else the slot of another worker, or
// NOBODY. The bytes of free slots mean nothing: the owner of the slab makes them 0 before it takes those slots. So long as
// a slab is not marked as ADOPTED, all of its bytes are 0.

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

/** Makes the byte of `unit`, the first of a free slot, 0. */
export const clearByte = (cells: Cells, G: Geometry, unit: number): void => {
  let byte = byteAt(cells, G, unit);
  while (byte !== 0 && !changeByte(cells, G, unit, byte, 0)) byte = byteAt(cells, G, unit);
};
