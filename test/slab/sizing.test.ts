// The sizes of pages, slots and slabs, of every class of every geometry.

import { describe, expect, test } from 'vitest';
import {
  BITS,
  BUSY_SHIFT,
  CLASS_MASK,
  type Geometry,
  MAX_SLOTS,
  PAGE_CELLS,
  pagesOf,
  SLAB_SHIFT,
  SLOTS_MASK,
  slotBytes,
} from '../../src/slab/layout.ts';
import { pageShiftFor } from '../../src/slab/page.ts';
import { classesFor, STEPS, slotsOf, stepFor } from '../../src/slab/sizing.ts';
import { roomOf } from '../support/room.ts';

const LARGEST_SLAB = 32;

/** Every pair of a unit and a page that a heap can have. */
const GEOMETRIES: [number, number][] = [];
for (let unitShift = 3; unitShift <= 16; unitShift++) {
  for (let pageShift = Math.max(6, unitShift); pageShift <= Math.max(10, unitShift); pageShift++)
    GEOMETRIES.push([unitShift, pageShift]);
}

const geometryOf = (unitShift: number, pageShift: number): Geometry => ({
  unitShift,
  pageShift,
  classes: classesFor(pageShift, unitShift),
  origin: 0,
  lead: 0,
});

test('pages and the largest slot are as documented', () => {
  for (let unitShift = 3; unitShift <= 16; unitShift++) {
    for (let bytes = 64; bytes <= 2 ** 32; bytes = Math.ceil(bytes * 1.01)) {
      const pageShift = pageShiftFor(bytes, unitShift);
      const { page, largestSlot } = roomOf({ unit: 2 ** unitShift }, bytes);
      const geometry = geometryOf(unitShift, pageShift);
      expect(2 ** pageShift).toBe(page);
      expect(geometry.classes === 0 ? 0 : slotBytes(geometry, geometry.classes - 1)).toBe(largestSlot);
    }
  }
});

describe.each(GEOMETRIES)('units of 2^%i, pages of 2^%i bytes', (unitShift, pageShift) => {
  const geometry = geometryOf(unitShift, pageShift);
  const page = 2 ** pageShift;

  test('classes and slabs have room in the words that hold them', () => {
    expect(geometry.classes).toBeLessThanOrEqual(CLASS_MASK + 1);
    // Smaller pages are for heaps of less than 64 KiB.
    const pages = (pageShift < 10 ? 2 ** 16 : 2 ** 32) / page;
    expect(pages * 2 ** SLAB_SHIFT).toBeLessThan(2 ** 31);
    expect(MAX_SLOTS).toBeLessThanOrEqual(SLOTS_MASK);
    expect(SLOTS_MASK).toBeLessThan(2 ** BUSY_SHIFT);
  });

  test('every slab of every class', () => {
    for (let c = 0; c < geometry.classes; c++) {
      const size = slotBytes(geometry, c);
      for (let step = 0; step < STEPS; step++) {
        const slots = slotsOf(geometry, size, step);
        const pages = pagesOf(geometry, slots, size);
        expect(slots).toBeGreaterThanOrEqual(1);
        expect(slots).toBeLessThanOrEqual(MAX_SLOTS);
        expect(pages).toBeLessThanOrEqual(LARGEST_SLAB);
        expect(slots * size).toBeLessThanOrEqual(pages * page);
        expect(slots * size).toBeGreaterThan((pages - 1) * page);
        // The bitmap has room in the descriptors of the slab's own pages.
        expect(Math.ceil(slots / 32)).toBeLessThanOrEqual(pages * PAGE_CELLS - BITS);
        // `slotOf` takes no more units.
        expect((pages * page) / 2 ** unitShift).toBeLessThanOrEqual(2 ** 12);
      }
    }
  });

  test('an eighth of a slab at most is left over, unless all sizes of slabs leave more', () => {
    for (let c = 0; c < geometry.classes; c++) {
      const size = slotBytes(geometry, c);
      let least = 1;
      for (let pages = 1; pages <= LARGEST_SLAB; pages++) {
        const slots = Math.min(
          Math.floor((pages * page) / size),
          MAX_SLOTS,
          32 * (pages * PAGE_CELLS - BITS),
        );
        least = Math.min(least, 1 - (slots * size) / (pages * page));
      }
      for (let step = 0; step < STEPS; step++) {
        const slots = slotsOf(geometry, size, step);
        const rest = 1 - (slots * size) / (pagesOf(geometry, slots, size) * page);
        expect(rest, `${slots} slots of ${size}`).toBeLessThanOrEqual(Math.max(1 / 8, least));
      }
    }
  });
});

test('a slab has at most half of what its class has in slabs, or one page', () => {
  for (let pages = 0, before = 0; pages < 1000; pages++) {
    const step = stepFor(pages);
    expect(2 ** step).toBeLessThanOrEqual(Math.max(1, pages / 2));
    expect(step).toBeGreaterThanOrEqual(before);
    expect(step).toBeLessThan(STEPS);
    before = step;
  }
  expect(stepFor(2 ** 22)).toBe(STEPS - 1);
});
