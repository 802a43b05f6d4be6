// The bounds of the memory that a heap manages, in pages. Nothing here touches a memory.
//
// Pages are counted from `origin` on, the page before the first that can be used: page 0 of the slabs. The arena of pages
// begins at or before that, at a multiple of every alignment that a fixed region can satisfy in more than one place.

import { cellsFor, type Geometry, slotBytes } from '../slab/layout.ts';
import { pageShiftFor } from '../slab/page.ts';
import { classesFor } from '../slab/sizing.ts';
import { HEADER_BYTES, headerAt, unitZeroFor } from './header.ts';

/**
 * Books outside of the region have room for so many pages, 32 MiB of 1 KiB, and then for all that there can be: cells that
 * nothing was written to cost nothing. So they are copied once, while they are small.
 */
const FIRST_LIMIT = 2 ** 15;
/** Books with sizes, which take six times as much, have room for so many times the pages there are instead. */
const SPARE = 4;

/** The bounds of a region. All numbers are bytes. */
export interface Bounds {
  readonly unit: number;
  /** First byte of the region. */
  readonly start: number;
  /** End of the region at first; for good if `maximum` is 0. */
  readonly end: number;
  /** The growth limit; 0 if the end never moves. */
  readonly maximum: number;
  /** Whether the region holds the books of its own slabs. */
  readonly embed: boolean;
  /** Whether the exact sizes of blocks are kept. */
  readonly keepSizes: boolean;
}

/** Bytes of a page of a region of `bounds` in a memory that never has more than `limit` bytes. */
export function pageFor({ unit, start, end, maximum }: Bounds, limit: number): number {
  const highest = maximum === 0 ? end : Math.min(maximum, limit);
  return 2 ** pageShiftFor(Math.max(1, highest - start), Math.log2(unit));
}

/** See the head of this file. Numbers named `pages` count page 0; lengths, ends and pointers are bytes. */
export class Extent {
  readonly unit: number;
  /** First byte of the region. */
  readonly start: number;
  /** The growth limit, a whole number of pages; 0 if the end never moves. */
  readonly maximum: number;
  readonly embed: boolean;
  readonly keepSizes: boolean;
  readonly geometry: Geometry;
  /** Bytes of a page. */
  readonly page: number;
  /** Bytes of the largest slot; 0 if there are no slabs. */
  readonly largestSlot: number;

  /** The extent of `bounds` in pages of `page` bytes. */
  constructor({ unit, start, end, maximum, embed, keepSizes }: Bounds, page: number) {
    const unitShift = Math.log2(unit);
    const shift = Math.log2(page);
    this.unit = unit;
    this.start = start;
    this.embed = embed;
    this.keepSizes = keepSizes;
    this.page = page;
    this.maximum = this.wholePages(maximum);
    // No block is at the null pointer.
    const first = embed ? headerAt(start) + HEADER_BYTES : Math.max(1, start);
    const origin = Math.ceil(first / this.page) - 1;
    const zero = origin * this.page;
    const base = maximum === 0 ? unitZeroFor(this.page, zero, Math.max(first, end)) / this.page : 0;
    const classes = classesFor(shift, unitShift);
    this.geometry = { unitShift, pageShift: shift, classes, origin, lead: origin - base };
    this.largestSlot = classes === 0 ? 0 : slotBytes(this.geometry, classes - 1);
  }

  /** `bytes` without the part that does not make a whole page. */
  wholePages(bytes: number): number {
    return Math.floor(bytes / this.page) * this.page;
  }

  /** Pages up to the byte `end`; less than 1 if it lies before the first. */
  pagesAt(end: number): number {
    return Math.floor(end / this.page) - this.geometry.origin;
  }

  /** The byte behind the last of `pages` pages. */
  endOf(pages: number): number {
    return (pages + this.geometry.origin) * this.page;
  }

  /** Bytes of the books of `pages` pages. */
  booksBytes(pages: number): number {
    return cellsFor(this.geometry, pages) * 4;
  }

  /** Bytes of the sizes of all blocks in `pages` pages. */
  sizesBytes(pages: number): number {
    return this.keepSizes ? 2 * Math.ceil((pages * this.page) / this.unit) : 0;
  }

  /** Bytes of the heap's own state for `pages` pages. */
  stateBytes(pages: number): number {
    return this.booksBytes(pages) + this.sizesBytes(pages);
  }

  /** Pages that books outside of the region have room for, while it has `pages` pages and never more than up to `highest`. */
  limitFor(pages: number, highest: number): number {
    const most = this.pagesAt(highest);
    const later = this.keepSizes ? SPARE * pages : most;
    return Math.max(pages, Math.min(most, pages <= FIRST_LIMIT ? FIRST_LIMIT : later));
  }

  /** Pages that the heap's own state for `pages` pages takes inside the region. */
  ownPages(pages: number): number {
    return this.embed ? Math.ceil(this.stateBytes(pages) / this.page) : 0;
  }

  /** The least number of pages from `wish` up of which `used` have room before the heap's own state. */
  pagesFor(used: number, wish: number): number {
    for (let pages = Math.max(used, wish); ; ) {
      const least = used + this.ownPages(pages);
      if (least <= pages) return pages;
      pages = least;
    }
  }

  /** The least multiple of `granularity` from `wish` up that is the length of a memory with {@link pagesFor}. */
  lengthFor(used: number, wish: number, granularity: number): number {
    for (let length = Math.ceil(wish / granularity) * granularity; ; ) {
      const pages = Math.max(1, this.pagesAt(length));
      const least = this.pagesFor(used, pages);
      if (least === pages) return length;
      length = Math.ceil(this.endOf(least) / granularity) * granularity;
    }
  }

  /** Whether a heap up to `end` has room for a block, besides what it keeps for itself. */
  hasRoom(end: number): boolean {
    const pages = this.pagesAt(end);
    return pages >= 2 && pages >= this.pagesFor(2, pages);
  }

  /**
   * The end of an empty heap: `end`, or as much more as a heap takes at least. Throws a RangeError if that is beyond
   * `limit`, which is 0 if the end never moves.
   */
  openingEnd(end: number, limit: number, granularity: number): number {
    if (this.hasRoom(end)) return end;
    const length = this.lengthFor(2, 0, granularity);
    if (length <= limit) return length;
    if (this.hasRoom(limit)) return limit;
    throw new RangeError(`${end - this.start} bytes are too few for a heap`);
  }
}
