// Making books, and laying them out anew for more pages or fewer.

import { assert, DEV } from '../base/assert.ts';
import { BuddyAllocator, setState, stateOf } from '../core/allocator.ts';
import { copyState } from '../core/state/copy.ts';
import { writeEmpty } from '../core/state/empty.ts';
import {
  AT_LIMIT,
  AT_PAGES,
  AT_TOP,
  arenaAt,
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
import { granulesOf, inverseOf } from './size-classes.ts';
import type { Slabs } from './slabs.ts';

/** Books of `pages` pages with room for `limit`, page 0 counted: all of them free. */
export function emptyBooks(geometry: Geometry, pages: number, limit: number): Int32Array<ArrayBuffer> {
  const b = new Int32Array(cellsFor(geometry, limit));
  writeEmptyBooks(geometry, b, pages, limit);
  return b;
}

/** Makes `b`, all zero and of the right length, the books of `pages` pages, all of them free. */
export function writeEmptyBooks(geometry: Geometry, b: Int32Array, pages: number, limit: number): void {
  b[AT_LIMIT] = limit;
  b[AT_PAGES] = pages;
  b[AT_TOP] = 1;
  for (let c = 0, k = CLASSES; c < geometry.classes; c++, k += CLASS_CELLS) {
    b[k + SIZE] = slotBytes(geometry, c);
    b[k + INVERSE] = inverseOf(granulesOf(c));
  }
  const { lead } = geometry;
  const state = b.subarray(arenaAt(geometry, limit));
  writeEmpty(state, lead + limit);
  const arena = new BuddyAllocator({ capacity: 1 });
  setState(arena, state);
  arena.reserve(0, lead + 1);
  if (pages < limit) arena.reserve(lead + pages, limit - pages);
}

/** Makes `slabs`, whose books have room for that, those of `pages` pages. Those that go must be free. O(log limit). */
export function setPages(
  { geometry, b, arena }: Pick<Slabs, 'geometry' | 'b' | 'arena'>,
  pages: number,
): void {
  const before = b[AT_PAGES];
  if (pages > before) arena.release(geometry.lead + before, pages - before);
  if (pages < before) arena.reserve(geometry.lead + pages, before - pages);
  b[AT_PAGES] = pages;
  b[AT_TOP] = Math.min(b[AT_TOP], pages);
}

/**
 * The books of `slabs` for `pages` pages with room for `limit`, in a buffer of their own. Pages that go must be free. The
 * present books are not to be used any more. O(limit): the copying of some 24 bytes a page. Throws what the runtime throws if
 * it has no memory; nothing has changed then.
 */
export function booksFor(slabs: Slabs, pages: number, limit: number): Int32Array<ArrayBuffer> {
  const { geometry, b } = slabs;
  const { lead } = geometry;
  const common = Math.min(b[AT_LIMIT], limit);
  const to = new Int32Array(cellsFor(geometry, limit));
  to.set(b.subarray(0, descriptorsAt(geometry) + common * PAGE_CELLS));
  to.set(slabs.map.subarray(0, common), mapAt(geometry, limit));
  const state = to.subarray(arenaAt(geometry, limit));
  writeEmpty(state, lead + limit);
  if (b[AT_PAGES] < b[AT_LIMIT]) setPages(slabs, b[AT_LIMIT]); // so that nothing lies behind the pages
  copyState(stateOf(slabs.arena), state);
  to[AT_LIMIT] = limit;
  to[AT_PAGES] = limit;
  const arena = new BuddyAllocator({ capacity: 1 });
  setState(arena, state);
  setPages({ geometry, b: to, arena }, pages);
  return to;
}

/** Puts the `pages` pages from `page` on, which are free, under a reservation that no block is in. */
export function reserveRun({ geometry, map, arena }: Slabs, page: number, pages: number): void {
  const reserved = arena.reserve(page + geometry.lead, pages);
  if (DEV) assert(reserved, 'pages to be reserved are free');
  map[page] = -pages - RESERVED;
}

/** Ends the reservation of the run that starts at `page`. */
export function releaseRun({ geometry, map, arena }: Slabs, page: number): void {
  arena.release(page + geometry.lead, -map[page] - RESERVED);
  map[page] = 0;
}
