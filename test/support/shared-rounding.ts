// What a request takes in a shared heap: its block, and the pages that a worker without a free slot needs for it.

import type { SharedHeap } from '../../src/shared.ts';
import { geometryFor, leastOrder, slotsIn } from '../../src/shared-slab/layout.ts';
import { largestSlotFor, pageShiftFor } from '../../src/shared-slab/sizing.ts';
import { classOf, unitsOf } from '../../src/slab/size-classes.ts';

/** All numbers but `slots` are bytes. */
export interface Rounding {
  readonly page: number;
  /** 0 if the heap has no slabs. */
  readonly largestSlot: number;
  /** The block that a request gets. */
  block(bytes: number): number;
  /** The run of pages for the block itself, or for the least slab of such slots. */
  run(bytes: number): number;
  /** Slots of that slab; 1 for a block of pages. */
  slots(bytes: number): number;
}

/** How `heap` rounds requests, by its own figures and the rules for the sizes of pages and slots. */
export function roundingOf(heap: SharedHeap): Rounding {
  const { unit, start, maximum, maxWorkers } = heap;
  const unitShift = Math.log2(unit);
  const bytes = maximum - Math.ceil(start / 64) * 64;
  const pageShift = pageShiftFor(bytes, unitShift);
  const page = 2 ** pageShift;
  const largestSlot = largestSlotFor(bytes, pageShift, unitShift);
  const pages = Math.ceil(maximum / page);
  const G = geometryFor({
    pages,
    workers: maxWorkers,
    unitShift,
    pageShift,
    largestSlot,
    base: 0,
    tracked: false,
  });
  const isSlot = (size: number) => size <= largestSlot;
  const classFor = (size: number) => classOf(Math.ceil(Math.max(1, size) / unit) - 1);
  const inPages = (size: number) => page * 2 ** Math.max(0, Math.ceil(Math.log2(size / page)));
  return {
    page,
    largestSlot,
    block: (size) => (isSlot(size) ? unitsOf(classFor(size)) * unit : inPages(size)),
    run: (size) => (isSlot(size) ? page * 2 ** leastOrder(G, classFor(size)) : inPages(size)),
    slots: (size) => (isSlot(size) ? slotsIn(G, classFor(size), leastOrder(G, classFor(size))) : 1),
  };
}

/** Allocates all pages that are free, without growth. Free slots stay free. */
export function fillPages(heap: SharedHeap): void {
  const { page } = roundingOf(heap);
  for (let size = heap.largestFree; size > page; size = heap.largestFree) heap.alignedAlloc(size, size);
  // Runs of one page make slabs of one slot.
  while (heap.largestFree > 0) heap.malloc(page);
}
