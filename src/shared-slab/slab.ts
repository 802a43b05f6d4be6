// One slab: its bitmap and its owner, as any worker sees and changes them.

import type { Cells } from '../shared/cells.ts';
import { sizeAt } from '../shared/inspect.ts';
import { IN_SLAB, ownerAt } from '../shared/owners.ts';
import { byteAt, changeByte, claimByte } from './bytes.ts';
import {
  BITS,
  BUSY_SHIFT,
  CLASS_MASK,
  COUNT_MASK,
  cellsFor,
  descriptorAt,
  type Geometry,
  META,
  ORDER_MASK,
  ORDER_SHIFT,
  SLAB_SHIFT,
  SLOTS_PER_CELL,
  slotBits,
  slotBytes,
} from './layout.ts';

/** The live slots of the cell `value` of a bitmap. The bits behind a slab's last slot are set, too. */
export const liveOf = (value: number): number => ~(value | (value >>> SLOTS_PER_CELL)) & 0xffff;

/** The cell `value` once its FREED slots have become FREE. */
export const collected = (value: number): number => (value | (value >>> SLOTS_PER_CELL)) & 0xffff;

/** The class of slab `h`. */
export const classAt = (cells: Cells, G: Geometry, h: number): number => cells.read(G.map + h) & CLASS_MASK;

/** Number of slots of slab `h`. */
export const countAt = (cells: Cells, G: Geometry, h: number): number =>
  cells.read(descriptorAt(G, h) + META) & COUNT_MASK;

/** Pages of slab `h`. */
export const pagesAt = (cells: Cells, G: Geometry, h: number): number =>
  1 << ((cells.read(descriptorAt(G, h) + META) >>> ORDER_SHIFT) & ORDER_MASK);

/** The slab that begins at page `page`; 0 if none does. */
export const slabAt = (cells: Cells, G: Geometry, page: number): number => {
  const entry = cells.load(G.map + page);
  return entry >>> SLAB_SHIFT === page ? page : 0;
};

/** Clears the map's entries of the pages of the arena's block at `page`: they are in no slab then. */
export const unmap = (cells: Cells, G: Geometry, page: number): void => {
  const end = page + sizeAt(cells, G.arena, page);
  for (let i = page; i < end; i++) cells.store(G.map + i, 0);
};

/** The unit of the arena at which slot `slot` of slab `h`, of class `c`, begins. */
export const unitOf = (G: Geometry, h: number, c: number, slot: number): number =>
  (h << (G.pageShift - G.unitShift)) + slot * (slotBytes(G, c) >>> G.unitShift);

/**
 * Sets `bit` in one half of the cell at `pos`, if the slot is live: `shift` is 0 for the owner of the slab, and 16 for
 * others. Of several workers that try, one succeeds. Returns whether this one did.
 */
export const freeSlot = (cells: Cells, pos: number, bit: number, shift: number): boolean => {
  for (;;) {
    const value = cells.read(pos);
    if ((liveOf(value) & bit) === 0) return false;
    if (cells.cas(pos, value, value | (bit << shift))) return true;
  }
};

/**
 * Makes the FREED slots of the cell at `pos` FREE. Only the owner of the slab calls this. Returns whether there were
 * any.
 */
export const collectCell = (cells: Cells, pos: number): boolean => {
  for (;;) {
    const value = cells.read(pos);
    if (value >>> SLOTS_PER_CELL === 0) return false;
    if (cells.cas(pos, value, collected(value))) return true;
  }
};

/** {@link collectCell} for all cells of slab `h`. */
export const collect = (cells: Cells, G: Geometry, h: number): boolean => {
  const bits = descriptorAt(G, h) + BITS;
  const end = bits + cellsFor(countAt(cells, G, h));
  let any = false;
  for (let pos = bits; pos < end; pos++) if (collectCell(cells, pos)) any = true;
  return any;
};

/**
 * Whether all slots of slab `h` are FREE. Only the owner of the slab calls this. It looks first at the cell where it
 * last found a slot that was not FREE, since the last slots of a slab are mostly freed one after another.
 */
export const isEmpty = (cells: Cells, G: Geometry, h: number): boolean => {
  const d = descriptorAt(G, h);
  const meta = cells.read(d + META);
  const count = meta & COUNT_MASK;
  const busy = meta >>> BUSY_SHIFT;
  if (cells.readLow(d + BITS + busy) !== slotBits(count, busy * SLOTS_PER_CELL)) return false;
  for (let i = 0; i * SLOTS_PER_CELL < count; i++) {
    if (cells.readLow(d + BITS + i) === slotBits(count, i * SLOTS_PER_CELL)) continue;
    cells.write(d + META, (meta & ~(-1 << BUSY_SHIFT)) | (i << BUSY_SHIFT));
    return false;
  }
  return true;
};

/** Whether any slot of slab `h` is live. */
export const isUsed = (cells: Cells, G: Geometry, h: number): boolean => {
  return !liveSlots(cells, G, h).next().done;
};

/** Makes the slab's `owner` the byte of some slots of slab `h`: the `bits` of the cell whose first slot is `first`. */
export const claimBytes = (
  cells: Cells,
  G: Geometry,
  h: number,
  first: number,
  bits: number,
  owner: number,
): void => {
  const c = classAt(cells, G, h);
  for (let rest = bits; rest !== 0; rest &= rest - 1) {
    claimByte(cells, G, unitOf(G, h, c, first + 31 - Math.clz32(rest & -rest)), owner);
  }
};

/** A live slot: where its bit is, and the unit at which it begins. */
export interface LiveSlot {
  readonly pos: number;
  readonly bit: number;
  readonly unit: number;
}

/** The live slots of slab `h`, in address order. */
export function* liveSlots(cells: Cells, G: Geometry, h: number): Generator<LiveSlot, void, undefined> {
  const c = classAt(cells, G, h);
  const count = countAt(cells, G, h);
  let pos = descriptorAt(G, h) + BITS;
  // If the slab vanishes meanwhile, its count may be anything. The descriptors end at the owners.
  for (let first = 0; first < count && pos < G.owners; first += SLOTS_PER_CELL, pos++) {
    for (let live = liveOf(cells.load(pos)) & slotBits(count, first); live !== 0; live &= live - 1) {
      const i = 31 - Math.clz32(live & -live);
      yield { pos, bit: 1 << i, unit: unitOf(G, h, c, first + i) };
    }
  }
}

/** Changes the bytes of the live blocks of slab `h` that are `before` to `after`. */
export const changeOwners = (cells: Cells, G: Geometry, h: number, before: number, after: number): void => {
  for (const { unit } of liveSlots(cells, G, h)) changeByte(cells, G, unit, before, after);
};

/** Whether the byte of any live slot of slab `h` is `owner`. */
export const hasOwner = (cells: Cells, G: Geometry, h: number, owner: number): boolean => {
  for (const { unit } of liveSlots(cells, G, h)) if (byteAt(cells, G, unit) === owner) return true;
  return false;
};

/** All slabs that begin before page `end`, and are neither being made nor given back. */
export function* slabsBefore(cells: Cells, G: Geometry, end: number): Generator<number, void, undefined> {
  for (let page = 1; page < end; ) {
    const h = slabAt(cells, G, page);
    const isWhole = h !== 0 && ownerAt(cells, G.arena, h) === IN_SLAB;
    if (isWhole) yield h;
    page += isWhole ? pagesAt(cells, G, h) : 1;
  }
}
