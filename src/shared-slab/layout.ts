// The layout of the cells that describe the slabs of a shared heap. They follow the state of the arena of pages.
//
//   state of the arena | header | a line for each worker | page map | slab descriptors, by page | owners, if tracked
//
// Pages are units of the arena. Page 0 must never be handed out, so 0 stands for no slab.
//
// A cell of a slab's bitmap describes 16 slots by two bits each. FREE, in the low half, is set by the slab's owner
// alone, mostly by plain writes of 16 bits. FREED, in the high half, is set by all other workers, by CAS of the whole
// cell. A slot is live if neither is set. So a CAS that sets FREED succeeds only while the slot is live, and never
// disturbs what the owner writes.

import { type Geometry as ArenaGeometry, geometryOf } from '../shared/layout.ts';
import { classOf, unitsOf } from '../slab/size-classes.ts';

/** Slots that a cell describes. */
export const SLOTS_PER_CELL = 16;

// Header.

/** The approximate number of slabs without an owner. */
export const AT_ABANDONED = 0;
/** Always 0: the cell of a class that has no slab to take slots from. */
export const AT_NONE = 1;
/** Cells of the header, and of the line of a worker: a cache line. */
export const LINE = 16;

// Line of a worker.

/** Units in the blocks that the worker has allocated, less those in the blocks that it has freed. */
export const USED = 0;
/** One more than the unit of the block that the worker takes back from a dead one; 0 if it takes none back. */
export const TAKING = 1;

// Slab descriptor.

/**
 * The slot of the worker that owns the slab, 0 if none does, with {@link OWNED}, {@link SHARED} and {@link ADOPTED}.
 */
export const OWNER = 0;
/** Number of slots, log2 of the pages, and flags that only the owner needs. */
export const META = 1;
/** The next and the previous slab in a list of the owner's. */
export const NEXT = 2;
export const PREV = 3;
/** The bitmap, from here on. */
export const BITS = 4;

/**
 * Set in OWNER always. No cell of a bitmap has both bits, as a slot is not FREE and FREED at once. So a CAS that
 * expects the value of an OWNER fails on a cell of a bitmap. That can happen: the bitmap of a slab reaches into the
 * descriptors of its further pages, and a worker may have read one of those cells when it was the OWNER of another
 * slab.
 */
export const OWNED = 0x80008000 | 0;
/** In OWNER: another worker frees slots of the slab, so the owner does so by CAS. */
export const SHARED = 0x100;
/** In OWNER: some of its blocks may belong to other workers than the owner of the slab. */
export const ADOPTED = 0x200;
export const SLOT_MASK = 0xff;

/** The slot in the value of an OWNER; -1 if the value is the cell of a bitmap. */
export const slotIn = (owner: number): number => ((owner & OWNED) === OWNED ? owner & SLOT_MASK : -1);

/** In META. */
export const COUNT_MASK = 0x7ff;
export const ORDER_SHIFT = 12;
export const ORDER_MASK = 0xf;
/** Set while all slots of a slab are in use, as far as its owner knows: it is in the ring of full slabs. */
export const FULL = 0x10000;
/** Set while an empty slab waits to be used again. */
export const CACHED = 0x20000;

/** From this bit on: the number of a cell of the bitmap that had a slot which was not FREE at the last look. */
export const BUSY_SHIFT = 20;

/** Most slots of a slab. */
export const MAX_SLOTS = 1024;
/** log2 of the pages of the largest slab. */
export const LARGEST_ORDER = 4;

// Page map: the slab that a page lies in and its class; 0 for all other pages.

/** An entry has the slab's first page from this bit on, and the class below. */
export const SLAB_SHIFT = 7;
export const CLASS_MASK = (1 << SLAB_SHIFT) - 1;

/** The positions of all parts, and the numbers that never change. */
export interface Geometry {
  /** The arena of pages, which is tracked always. */
  readonly arena: ArenaGeometry;
  /** log2 of the bytes of a unit. Every slot is a multiple of a unit. */
  readonly unitShift: number;
  /** log2 of the bytes of a page. */
  readonly pageShift: number;
  /** Number of size classes. */
  readonly classes: number;
  /** Address of page 0. */
  readonly base: number;
  /** Whether the owner of each block is noted, rather than that of slabs only. */
  readonly tracked: boolean;
  /** Position of the header. */
  readonly header: number;
  /** Position of the line of slot 1. */
  readonly lines: number;
  /** Position of the page map. */
  readonly map: number;
  /** Position of the descriptors. */
  readonly descriptors: number;
  /** Cells of descriptors that each page has room for. */
  readonly pageCells: number;
  /** Position of the owners' bytes, one for each unit, four to a cell. */
  readonly owners: number;
  /** Cells in all. */
  readonly length: number;
}

/** The numbers that a {@link Geometry} is derived from. */
export interface Dimensions {
  /** Pages, page 0 counted. */
  readonly pages: number;
  /** The most workers that can be attached at once, 1 … 252. */
  readonly workers: number;
  readonly unitShift: number;
  readonly pageShift: number;
  /** Bytes of the largest slot, a power of two of units; 0 if there are to be no slabs. */
  readonly largestSlot: number;
  readonly base: number;
  readonly tracked: boolean;
}

const aligned = (cells: number): number => Math.ceil(cells / LINE) * LINE;

/** Lays out everything. O(log pages). */
export function geometryFor(dimensions: Dimensions): Geometry {
  const { pages, workers, unitShift, pageShift, largestSlot, base, tracked } = dimensions;
  const arena = geometryOf(pages, workers, true);
  const units = 2 ** (pageShift - unitShift);
  const header = aligned(arena.length);
  const lines = header + LINE;
  const map = lines + workers * LINE;
  const descriptors = aligned(map + pages);
  const pageCells = BITS + Math.ceil(units / SLOTS_PER_CELL);
  const owners = aligned(descriptors + pages * pageCells);
  const length = tracked ? aligned(owners + Math.ceil((pages * units) / 4)) : owners;
  const classes = largestSlot === 0 ? 0 : classOf(2 ** (Math.log2(largestSlot) - unitShift) - 1) + 1;
  return {
    arena,
    unitShift,
    pageShift,
    classes,
    base,
    tracked,
    header,
    lines,
    map,
    descriptors,
    pageCells,
    owners,
    length,
  };
}

/** Position of the line of the worker in `slot`. */
export const lineAt = (G: Geometry, slot: number): number => G.lines + (slot - 1) * LINE;

/** Position of the descriptor of slab `h`. */
export const descriptorAt = (G: Geometry, h: number): number => G.descriptors + h * G.pageCells;

/** Bytes of a slot of class `c`. */
export const slotBytes = (G: Geometry, c: number): number => unitsOf(c) << G.unitShift;

/** Slots of class `c` in a slab of 2^order pages. */
export const slotsIn = (G: Geometry, c: number, order: number): number => {
  return Math.min(MAX_SLOTS, Math.floor(2 ** (order + G.pageShift) / slotBytes(G, c)));
};

/**
 * log2 of the pages of the least slab of class `c`: the least order that leaves at most an eighth of the pages over; if
 * none does, the order that leaves the least part over.
 */
export const leastOrder = (G: Geometry, c: number): number => {
  const rest = (order: number): number =>
    1 - (slotsIn(G, c, order) * slotBytes(G, c)) / 2 ** (order + G.pageShift);
  let best = 0;
  for (let order = 1; order <= LARGEST_ORDER && rest(best) > 1 / 8; order++)
    if (rest(order) < rest(best)) best = order;
  return best;
};

/** log2 of the pages of the largest slab of class `c`: it has no more slots than a slab may have. */
export const mostOrder = (G: Geometry, c: number): number => {
  let order = LARGEST_ORDER;
  while (order > 0 && 2 ** (order + G.pageShift) > MAX_SLOTS * slotBytes(G, c)) order--;
  return order;
};

/** Cells of the bitmap of a slab of `count` slots. */
export const cellsFor = (count: number): number => (count + SLOTS_PER_CELL - 1) >> 4;

/** The bits of the slots of one cell of a bitmap, whose first slot is slot `first` of a slab of `count` slots. */
export const slotBits = (count: number, first: number): number => {
  const slots = count - first;
  return slots >= SLOTS_PER_CELL ? 0xffff : (1 << slots) - 1;
};
