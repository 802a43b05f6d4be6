// A worker's own cells: numbers of its slabs that no other worker needs. If the worker dies, a recovery finds its slabs
// by the owner in their descriptors.

import { type Geometry, LARGEST_ORDER } from './layout.ts';

// Record of a class.

/** Position of the cell from which slots are taken. */
export const WORD = 0;
/** Address of that cell's first slot. */
export const WORD_BASE = 1;
/** The first slab of the list of slabs with free slots, from which slots are taken; 0 if there is none. */
export const HEAD = 2;
/** The slab of the ring of full slabs that is looked at next; 0 if the ring is empty. */
export const RING = 3;
/** Pages in slabs of this class. */
export const PAGES = 4;
export const CLASS_SHIFT = 3;

// Behind the records.

/** [order]: the first empty slab of that order in the cache. */
const CACHE = 0;
/** Pages in the cache. */
const CACHED_PAGES = LARGEST_ORDER + 1;
/** The page at which the next look for a slab without an owner begins. */
const CURSOR = CACHED_PAGES + 1;
/** Pages that may become slabs before the worker looks which of its slabs others have emptied. */
const BUDGET = CURSOR + 1;

export const cacheAt = ({ classes }: Geometry): number => (classes << CLASS_SHIFT) + CACHE;
export const cachedPagesAt = ({ classes }: Geometry): number => (classes << CLASS_SHIFT) + CACHED_PAGES;
export const cursorAt = ({ classes }: Geometry): number => (classes << CLASS_SHIFT) + CURSOR;
export const budgetAt = ({ classes }: Geometry): number => (classes << CLASS_SHIFT) + BUDGET;

/** Cells that a worker has of its own. */
export const ownCells = (G: Geometry): number => budgetAt(G) + 1;
