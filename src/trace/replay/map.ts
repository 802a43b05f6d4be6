// Memory maps: the fullness of each of N equal regions of an arena.

import { checkInteger } from '../../base/arguments.ts';
import type { BuddyAllocator } from '../../core/allocator.ts';

/** Counts the units in use in each of N regions of an arena, as blocks come and go. */
export class RegionMap {
  readonly #capacity: number;
  readonly #used: Float64Array;

  /** Region i of N has the units from floor(i * capacity / N) up to, not including, floor((i + 1) * capacity / N). */
  constructor(capacity: number, regions: number) {
    this.#capacity = capacity;
    this.#used = new Float64Array(Math.min(regions, capacity));
  }

  /** Adds a block of `size` units. O(regions that it touches). */
  add(offset: number, size: number): void {
    this.#count(offset, size, 1);
  }

  /** Removes a block that was added. O(regions that it touches). */
  remove(offset: number, size: number): void {
    this.#count(offset, size, -1);
  }

  /** The fullness of every region, 0 (empty) to 1 (full). */
  fullness(): number[] {
    return Array.from(this.#used, (used, i) => used / (this.#start(i + 1) - this.#start(i)));
  }

  /** First unit of a region. */
  #start(region: number): number {
    return Math.floor((region * this.#capacity) / this.#used.length);
  }

  /** Adds `sign` per unit of a block to the regions that it touches. */
  #count(offset: number, size: number, sign: number): void {
    const end = offset + size;
    // The region of a unit u is the largest i with start(i) <= u.
    let region = Math.floor(((offset + 1) * this.#used.length - 1) / this.#capacity);
    for (let from = offset; from < end; region++) {
      const to = Math.min(end, this.#start(region + 1));
      this.#used[region] += sign * (to - from);
      from = to;
    }
  }
}

/**
 * A memory map of an arena: the fullness, 0 (empty) to 1 (full), of each of `regions` regions in address order. The
 * regions have equal sizes, up to one unit if their number does not divide the capacity. An arena of fewer units
 * than `regions` has one region per unit. O(blocks + regions).
 *
 * @throws TypeError if `regions` is not a number.
 * @throws RangeError if `regions` is not a positive integer.
 */
export function memoryMap(allocator: BuddyAllocator, regions: number): number[] {
  checkInteger('regions', regions, 1);
  const map = new RegionMap(allocator.capacity, regions);
  for (const block of allocator.blocks()) if (!block.free) map.add(block.offset, block.size);
  return map.fullness();
}
