// Looking into slabs: what is at an address, which blocks are live. Nothing here changes anything.

import {
  AT_LARGE,
  AT_LARGE_PAGES,
  AT_PAGES,
  AT_RESERVED,
  BITS,
  CLASS_CELLS,
  CLASS_MASK,
  CLASSES,
  descriptorsAt,
  type Geometry,
  HEAD,
  LIVE,
  META,
  NEXT,
  PAGE_CELLS,
  RESERVED,
  SIZE,
  SLAB_SHIFT,
  SLOTS_MASK,
} from './layout.ts';
import type { Slabs } from './slabs.ts';

/** A live block, in bytes. */
export interface LiveBlock {
  /** The address of the block. */
  readonly ptr: number;
  /** Its bytes, rounding up included. */
  readonly size: number;
}

/** Address of `page`. */
export const addressOf = ({ origin, pageShift }: Geometry, page: number): number =>
  (page + origin) * 2 ** pageShift;

/** The page that holds the byte at `ptr`, 0 … 2^32 - 1; 0 if there is no such page. */
const pageAt = ({ b, geometry }: Slabs, ptr: number): number => {
  const page = (ptr >>> geometry.pageShift) - geometry.origin;
  return page > 0 && page < b[AT_PAGES] ? page : 0;
};

/**
 * The live block that holds the byte at `ptr`, 0 … 2^32 - 1; undefined if none does. O(1) in a slab. In a large block
 * O(log pages), for each time that it grew in place.
 */
export function blockAt(slabs: Slabs, ptr: number): LiveBlock | undefined {
  const { b, map, geometry } = slabs;
  const page = pageAt(slabs, ptr);
  if (page === 0) return undefined;
  const entry = map[page];
  if (entry > 0) {
    const h = entry >>> SLAB_SHIFT;
    const s = descriptorsAt(geometry) + h * PAGE_CELLS;
    const size = b[CLASSES + (entry & CLASS_MASK) * CLASS_CELLS + SIZE];
    const slot = Math.floor((ptr - addressOf(geometry, h)) / size);
    return isLive(b, s, slot) ? { ptr: addressOf(geometry, h) + slot * size, size } : undefined;
  }
  const first = firstPage(slabs, page);
  const pages = -map[first];
  if (!(pages > page - first && pages < RESERVED)) return undefined;
  return { ptr: addressOf(geometry, first), size: pages * 2 ** geometry.pageShift };
}

/**
 * The nearest page, not above `page`, that has an entry in the map, unless a free page is between; `page` itself then. Of a
 * large block only the first page has an entry; the blocks of the arena that tile it lead there.
 */
const firstPage = ({ map, arena, geometry }: Slabs, page: number): number => {
  let at = page;
  while (map[at] === 0) {
    const start = arena.blockOf(at + geometry.lead);
    if (start < 0) return page;
    at = start - geometry.lead;
    if (map[at] === 0) at--;
  }
  return at;
};

/** Whether slot `slot` of the slab whose descriptor is at `s` exists and is live. */
const isLive = (b: Int32Array, s: number, slot: number): boolean =>
  slot < slotsAt(b, s) && ((b[s + BITS + (slot >>> 5)] >>> slot) & 1) === 0;

/** Slots of the slab whose descriptor is at `s`. */
export const slotsAt = (b: Int32Array, s: number): number => b[s + META] & SLOTS_MASK;

/** Whether the byte at `ptr` is the heap's own: before the first page, or in a run that is reserved. */
export function isReserved(slabs: Slabs, ptr: number): boolean {
  const page = pageAt(slabs, ptr);
  if (page === 0) return true;
  if (slabs.map[page] > 0) return false;
  return slabs.map[firstPage(slabs, page)] < -RESERVED;
}

/** All live blocks, in the order of their addresses. O(pages + slots). */
export function* liveBlocks(slabs: Slabs): Generator<LiveBlock, void, undefined> {
  const { b, map, geometry } = slabs;
  for (let page = 1; page < b[AT_PAGES]; ) {
    const entry = map[page];
    if (entry > 0) {
      const h = entry >>> SLAB_SHIFT;
      const s = descriptorsAt(geometry) + h * PAGE_CELLS;
      const size = b[CLASSES + (entry & CLASS_MASK) * CLASS_CELLS + SIZE];
      for (let slot = 0; slot < slotsAt(b, s); slot++) {
        if (isLive(b, s, slot)) yield { ptr: addressOf(geometry, h) + slot * size, size };
      }
      while (map[page] === entry) page++;
    } else if (entry < 0) {
      const pages = entry < -RESERVED ? -entry - RESERVED : -entry;
      if (entry > -RESERVED) yield { ptr: addressOf(geometry, page), size: pages * 2 ** geometry.pageShift };
      page += pages;
    } else page++;
  }
}

/** Bytes in live blocks, rounding up included. O(classes). */
export function usedBytes({ b, geometry }: Slabs): number {
  let used = b[AT_LARGE_PAGES] * 2 ** geometry.pageShift;
  for (let k = CLASSES; k < descriptorsAt(geometry); k += CLASS_CELLS) used += b[k + LIVE] * b[k + SIZE];
  return used;
}

/** Number of live blocks. O(classes). */
export function liveCount({ b, geometry }: Slabs): number {
  let count = b[AT_LARGE];
  for (let k = CLASSES; k < descriptorsAt(geometry); k += CLASS_CELLS) count += b[k + LIVE];
  return count;
}

/** Pages under a reservation. */
export const reservedPages = ({ b }: Slabs): number => b[AT_RESERVED];

/**
 * Size of the largest request that has room. Empty slabs give their pages back for it. O(classes), and the cost of
 * `largestRange`.
 */
export function largestFree(slabs: Slabs): number {
  const { b, geometry } = slabs;
  slabs.flush(true);
  let largest = slabs.arena.largestRange * 2 ** geometry.pageShift;
  for (let k = CLASSES; k < descriptorsAt(geometry); k += CLASS_CELLS) {
    if (b[k + HEAD] !== 0 && hasFree(slabs, b[k + HEAD])) largest = Math.max(largest, b[k + SIZE]);
  }
  return largest;
}

/** Whether slab `h`, the head of a list, or one behind it has a free slot: those behind have. */
const hasFree = ({ b, geometry }: Slabs, h: number): boolean => {
  const s = descriptorsAt(geometry) + h * PAGE_CELLS;
  if (b[s + NEXT] !== 0) return true;
  for (let w = 0; w <= (slotsAt(b, s) - 1) >>> 5; w++) if (b[s + BITS + w] !== 0) return true;
  return false;
};
