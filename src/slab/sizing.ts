// How large things are: the largest slot, and the slabs of a class.

import { BITS, type Geometry, MAX_SLOTS, PAGE_CELLS, pagesOf } from './layout.ts';
import { PAGE_SHIFT } from './page.ts';
import { classOf } from './size-classes.ts';

/** log2 of the largest slot, in pages of full size. Larger blocks are runs of pages. */
const LARGEST_SLOT_SHIFT = 13;
/** log2 of the pages of the largest slab. */
const LARGEST_STEP = 4;
/** How many steps there are. */
export const STEPS = LARGEST_STEP + 1;
/** A slab takes up to this part of what its class has in slabs already. */
const SLAB_PART = 2;

/** Number of size classes: none if a page is a unit, and slots of up to half a page if pages are small. */
export const classesFor = (pageShift: number, unitShift: number): number => {
  if (pageShift <= unitShift) return 0;
  const largest = pageShift < PAGE_SHIFT ? pageShift - 1 : Math.max(LARGEST_SLOT_SHIFT, pageShift);
  return classOf(2 ** (largest - unitShift) - 1) + 1;
};

/** Slots of `size` bytes that a run of `pages` pages has room for, and the descriptors of the pages that those take. */
export const slotsIn = (geometry: Geometry, size: number, pages: number): number => {
  let slots = Math.min(Math.floor((pages << geometry.pageShift) / size), MAX_SLOTS);
  for (;;) {
    const most = 32 * (pagesOf(geometry, slots, size) * PAGE_CELLS - BITS);
    if (slots <= most) return slots;
    slots = most;
  }
};

/**
 * The step of the next slab, log2 of its pages, of a class that has `pages` pages. So a class of few objects takes few pages, and a
 * large one has few slabs.
 */
export const stepFor = (pages: number): number => {
  const wished = 31 - Math.clz32(pages / SLAB_PART);
  return Math.max(0, Math.min(wished, LARGEST_STEP));
};

/**
 * Number of slots of `size` bytes in a slab of more than half of 2^step pages, up to all of them: where the fewest bytes are
 * left over. If more than an eighth would be left over, the least larger slab with less.
 */
export const slotsOf = (geometry: Geometry, size: number, step: number): number => {
  const { pageShift } = geometry;
  const least = ((size - 1) >>> pageShift) + 1;
  const wished = Math.max(1 << step, least);
  const most = Math.max(wished, 1 << LARGEST_STEP);
  const rest = (pages: number): number => 1 - (slotsIn(geometry, size, pages) * size) / (pages << pageShift);
  let best = wished;
  for (let pages = wished - 1; pages >= least && 2 * pages > wished; pages--) {
    if (rest(pages) < rest(best)) best = pages;
  }
  for (let pages = wished + 1; pages <= most && rest(best) > 1 / 8; pages++) {
    if (rest(pages) < rest(best)) best = pages;
  }
  return slotsIn(geometry, size, best);
};
