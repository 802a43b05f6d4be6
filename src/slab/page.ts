// How large the pages of a heap are.

/** Heaps of less are small. */
const SMALL = 2 ** 16;
/** log2 of the bytes of a page, but in small heaps. */
export const PAGE_SHIFT = 10;
const LEAST_PAGE_SHIFT = 6;

/**
 * The page of a heap that never has more than `bytes` bytes: 1 KiB, in small heaps some sqrt(8 * bytes), and a unit at least. A
 * small heap with larger pages has too few of them for its classes, with smaller ones too much in their descriptors.
 */
export const pageShiftFor = (bytes: number, unitShift: number): number => {
  if (bytes >= SMALL) return Math.max(unitShift, PAGE_SHIFT);
  const root = Math.floor((Math.log2(bytes) + 3) / 2);
  return Math.max(unitShift, LEAST_PAGE_SHIFT, root);
};
