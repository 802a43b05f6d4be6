// Bytes in shared cells, four to a cell, as the owners of blocks are noted.

import type { Cells } from './cells.ts';

/** Byte `index` of those that begin at `pos`. */
export const byteIn = (cells: Cells, pos: number, index: number): number => {
  return (cells.load(pos + (index >>> 2)) >>> ((index & 3) << 3)) & 255;
};

/** Changes byte `index` of those that begin at `pos` from `before` to `after`. Returns whether it was `before`. */
export const changeByteIn = (
  cells: Cells,
  pos: number,
  index: number,
  before: number,
  after: number,
): boolean => {
  const cell = pos + (index >>> 2);
  const shift = (index & 3) << 3;
  for (;;) {
    const four = cells.load(cell);
    if (((four >>> shift) & 255) !== before) return false;
    if (cells.cas(cell, four, four ^ ((before ^ after) << shift))) return true;
  }
};
