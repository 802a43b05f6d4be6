// The size of the pages of a shared heap, and of its largest slot.

import { pageShiftFor as smallPageShiftFor } from '../slab/page.ts';

/** Heaps from this size on have pages of 4 KiB; smaller ones as a heap for one worker has. */
const LARGE = 2 ** 24;
const LARGE_PAGE_SHIFT = 12;

/** In smaller heaps, a worker with slots of more than a page would take too much of the heap. */
const MEDIUM = 2 ** 20;
const LARGEST_SLOT = 2 ** 13;

/** log2 of the bytes of a page of a heap that never has more than `bytes` bytes. */
export const pageShiftFor = (bytes: number, unitShift: number): number => {
  return bytes >= LARGE ? Math.max(unitShift, LARGE_PAGE_SHIFT) : smallPageShiftFor(bytes, unitShift);
};

/**
 * Bytes of the largest slot of such a heap; 0 if a page is a unit: then there are no slots. Larger blocks are pages.
 */
export const largestSlotFor = (bytes: number, pageShift: number, unitShift: number): number => {
  if (pageShift <= unitShift) return 0;
  return bytes < MEDIUM ? 2 ** pageShift : Math.max(2 ** pageShift, LARGEST_SLOT);
};
