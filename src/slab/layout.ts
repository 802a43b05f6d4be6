// Where everything lies in the books: one Int32Array that holds all that is known of the slabs and of the pages.
//
//   header | class records | slab descriptors, by page | page map | state of the page arena
//
// Pages are numbered from 1; there is no page 0, so 0 stands for none. The run of pages of a slab is named by its first
// page. Each page has room for four cells of descriptors: a slab's descriptor takes as many as its pages have.
//
// The books are laid out for `limit` pages, of which `pages` exist at present. Cells that nothing was written to cost no
// memory where the runtime zeroes pages lazily.

import { assert, DEV } from '../base/assert.ts';
import { BuddyAllocator } from '../core/allocator.ts';
import { unitsOf } from './size-classes.ts';

// Header.

/** Always 0: the word of a class that has no slab to take slots from. */
export const AT_NONE = 0;
/** Pages that the books have room for, page 0 counted. */
export const AT_LIMIT = 1;
/** Pages there are, page 0 counted: page `pages - 1` is the last. */
export const AT_PAGES = 2;
/** The end of the highest page that was ever in use. */
export const AT_TOP = 3;
/** Large blocks. */
export const AT_LARGE = 4;
/** Pages in large blocks. */
export const AT_LARGE_PAGES = 5;
/** Runs in the cache. */
export const AT_CACHED = 6;
/** The word that belongs to the user. */
export const AT_ROOT = 7;
/** Pages under a reservation. */
export const AT_RESERVED = 8;
/** [pages - 1]: the first run of that many pages in the cache; 0 if there is none. */
export const AT_CACHE = 9;
/** Runs of more pages are not cached, and slabs have no more. */
export const MOST_CACHED_PAGES = 32;
/** Position of the first class record. A literal, as the bundler makes literals of literals only. */
export const CLASSES = 41;
if (DEV) assert(CLASSES === AT_CACHE + MOST_CACHED_PAGES, 'the class records follow the cache');

// Class record.

/** Position of the word from which slots are taken. */
export const WORD = 0;
/** Address of that word's first slot. */
export const WORD_BASE = 1;
/** Bytes of a slot. */
export const SIZE = 2;
/** `inverseOf` the slot's units. */
export const INVERSE = 3;
/** Live slots. */
export const LIVE = 4;
/** The first slab of the list of slabs with free slots, from which slots are taken; 0 if there is none. */
export const HEAD = 5;
/** Pages in slabs of this class. */
export const CLASS_PAGES = 6;
export const CLASS_CELLS = 8;

// Slab descriptor.

/** Number of slots, and a word that was not all free when last looked at. */
export const META = 0;
export const NEXT = 1;
/** The slab before on the list; 0 for the first one, OFF_LIST for a slab on no list. */
export const PREV = 2;
/** Bitmap of the free slots, from here on. */
export const BITS = 3;
export const PAGE_CELLS = 4;

/** PREV of a slab that is full. */
export const OFF_LIST = -1;
/** META of a run in the cache: it has no slots. */
export const CACHED = 0;

export const SLOTS_MASK = 0x7ff;
export const BUSY_SHIFT = 16;

/** Most slots of a slab: so many fit into META, and so few that their bitmap is searched at once. */
export const MAX_SLOTS = 1024;

// Page map: 0, or the slab that a page lies in and its class, or for the first page of other runs -pages.

/** An entry of a slab has its first page from this bit on, and its class below. */
export const SLAB_SHIFT = 7;
export const CLASS_MASK = (1 << SLAB_SHIFT) - 1;

/** A run that belongs to nobody has this many pages more. */
export const RESERVED = 0x1000000;

/** What never changes about a set of slabs. */
export interface Geometry {
  /** log2 of the unit, what every slot is a multiple of. */
  readonly unitShift: number;
  /** log2 of the bytes of a page. */
  readonly pageShift: number;
  /** Number of size classes. */
  readonly classes: number;
  /** Address of page 0 in pages; the page itself does not exist. */
  readonly origin: number;
  /** Where page 0 lies in the arena of pages. */
  readonly lead: number;
}

/** Position of the descriptors. */
export const descriptorsAt = ({ classes }: Geometry): number => CLASSES + classes * CLASS_CELLS;

/** Position of the page map. */
export const mapAt = (geometry: Geometry, limit: number): number =>
  descriptorsAt(geometry) + limit * PAGE_CELLS;

/** Position of the arena's state. */
export const arenaAt = (geometry: Geometry, limit: number): number => mapAt(geometry, limit) + limit;

/** The page map in the books `b`. */
export const mapIn = (geometry: Geometry, b: Int32Array): Int32Array =>
  b.subarray(mapAt(geometry, b[AT_LIMIT]), arenaAt(geometry, b[AT_LIMIT]));

/** The state of the arena in the books `b`. */
export const arenaIn = (geometry: Geometry, b: Int32Array): Int32Array =>
  b.subarray(arenaAt(geometry, b[AT_LIMIT]));

/** Cells of books for `limit` pages. */
export const cellsFor = (geometry: Geometry, limit: number): number =>
  arenaAt(geometry, limit) + BuddyAllocator.bytesFor(geometry.lead + limit) / 4;

/** Bytes of a slot of class `c`. */
export const slotBytes = ({ unitShift }: Geometry, c: number): number => unitsOf(c) << unitShift;

/** Pages of a slab of `slots` slots of `size` bytes. */
export const pagesOf = ({ pageShift }: Geometry, slots: number, size: number): number =>
  ((slots * size - 1) >>> pageShift) + 1;
