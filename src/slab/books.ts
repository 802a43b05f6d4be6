// Making books, and laying them out anew for more pages or fewer.

import { assert, DEV } from '../base/assert.ts';
import { allocatorOn, stateOf } from '../core/allocator.ts';
import { copyState } from '../core/state/copy.ts';
import { writeEmpty } from '../core/state/empty.ts';
import {
  AT_LIMIT,
  AT_PAGES,
  AT_RESERVED,
  AT_TOP,
  arenaIn,
  CLASS_CELLS,
  CLASSES,
  cellsFor,
  descriptorsAt,
  type Geometry,
  INVERSE,
  mapAt,
  PAGE_CELLS,
  RESERVED,
  SIZE,
  slotBytes,
} from './layout.ts';
import { inverseOf, unitsOf } from './size-classes.ts';
import type { Slabs } from './slabs.ts';

/** Books of `pages` pages with room for `limit`, page 0 counted: all of them free. */
export function emptyBooks(geometry: Geometry, pages: number, limit: number): Int32Array<ArrayBuffer> {
  const b = new Int32Array(cellsFor(geometry, limit));
  writeEmptyBooks(geometry, b, pages, limit);
  return b;
}

/** Makes all pages of `slabs` free. O(pages), and the zeroing of an arena for all that the books have room for. */
export function clearBooks(slabs: Slabs): void {
  const { geometry, b } = slabs;
  const pages = b[AT_PAGES];
  const limit = b[AT_LIMIT];
  // What lies behind the pages, in descriptors and map, may be the most by far, and says nothing.
  slabs.map.fill(0, 0, pages);
  arenaIn(geometry, b).fill(0);
  b.fill(0, 0, descriptorsAt(geometry) + pages * PAGE_CELLS);
  writeEmptyBooks(geometry, b, pages, limit);
  slabs.open(b);
}

/** Makes `b`, of the right length, the books of `pages` pages, all of them free. All of `b` that says something is zero. */
function writeEmptyBooks(geometry: Geometry, b: Int32Array, pages: number, limit: number): void {
  b[AT_LIMIT] = limit;
  b[AT_PAGES] = pages;
  b[AT_TOP] = 1;
  for (let c = 0, k = CLASSES; c < geometry.classes; c++, k += CLASS_CELLS) {
    b[k + SIZE] = slotBytes(geometry, c);
    b[k + INVERSE] = inverseOf(unitsOf(c));
  }
  const { lead } = geometry;
  const state = arenaIn(geometry, b);
  writeEmpty(state, lead + limit);
  const arena = allocatorOn(state);
  arena.reserve(0, lead + 1);
  if (pages < limit) arena.reserve(lead + pages, limit - pages);
}

/** Makes `slabs`, whose books have room for that, those of `pages` pages. Those that go must be free. O(log limit). */
export function setPages({ geometry, b, arena }: Slabs, pages: number): void {
  const { lead } = geometry;
  const limit = b[AT_LIMIT];
  // The reservation of what lies behind the pages is made anew: its blocks need not end where the pages do.
  if (b[AT_PAGES] < limit) arena.release(lead + b[AT_PAGES], limit - b[AT_PAGES]);
  if (pages < limit) arena.reserve(lead + pages, limit - pages);
  b[AT_PAGES] = pages;
  b[AT_TOP] = Math.min(b[AT_TOP], pages);
}

/**
 * Makes `to`, all zero and of the right length, the books of `slabs`, with room for `limit` pages and with `pages` pages. Pages
 * that go must be free. O(pages): the copying of some 20 bytes for each page that the books had room for.
 */
export function layOutBooks(slabs: Slabs, to: Int32Array, pages: number, limit: number): void {
  const { geometry, b } = slabs;
  const { lead } = geometry;
  const common = Math.min(b[AT_LIMIT], limit);
  to.set(b.subarray(0, descriptorsAt(geometry) + common * PAGE_CELLS));
  to.set(slabs.map.subarray(0, common), mapAt(geometry, limit));
  to[AT_LIMIT] = limit;
  if (b[AT_PAGES] < b[AT_LIMIT]) setPages(slabs, b[AT_LIMIT]); // so that nothing lies behind the pages
  copyState(stateOf(slabs.arena), arenaIn(geometry, to), lead + limit);
  to[AT_PAGES] = limit;
  to[AT_TOP] = Math.min(to[AT_TOP], pages);
  slabs.open(to);
  setPages(slabs, pages);
}

/** A run of pages that belongs to no block. */
export interface Run {
  readonly page: number;
  readonly pages: number;
}

/** All runs under a reservation. O(pages). */
export function reservedRuns({ b, map }: Slabs): Run[] {
  const runs: Run[] = [];
  for (let page = 1; page < b[AT_PAGES]; page++) {
    if (map[page] < -RESERVED) runs.push({ page, pages: -map[page] - RESERVED });
  }
  return runs;
}

/** Puts the `pages` pages from `page` on, which are free, under a reservation that no block is in. */
export function reserveRun({ geometry, b, map, arena }: Slabs, page: number, pages: number): void {
  const reserved = arena.reserve(page + geometry.lead, pages);
  if (DEV) assert(reserved, 'pages to be reserved are free');
  map[page] = -pages - RESERVED;
  b[AT_RESERVED] += pages;
}

/** Ends the reservation of the run that starts at `page`. */
export function releaseRun({ geometry, b, map, arena }: Slabs, page: number): void {
  const pages = -map[page] - RESERVED;
  arena.release(page + geometry.lead, pages);
  map[page] = 0;
  b[AT_RESERVED] -= pages;
}
