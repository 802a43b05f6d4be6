// Memory maps: how full each of N equal regions of an arena is.

import { checkInteger } from '../../base/arguments.ts';
import type { BuddyAllocator } from '../../core/allocator.ts';

/** Counts the units in use in each of N regions of an arena, as blocks come and go. */
export class RegionMap {
  readonly #capacity: number;
  readonly #used: Float64Array;

  /** Region i of N spans the units from floor(i * capacity / N) up to floor((i + 1) * capacity / N). */
  constructor(capacity: number, regions: number) {
    this.#capacity = capacity;
    this.#used = new Float64Array(Math.min(regions, capacity));
  }

  /** Adds a block of `size` units. O(regions it touches). */
  add(offset: number, size: number): void {
    this.#count(offset, size, 1);
  }

  /** Takes a block away that was added. */
  remove(offset: number, size: number): void {
    this.#count(offset, size, -1);
  }

  /** The fullness of every region, 0 (empty) to 1 (full). */
  fullness(): number[] {
    return Array.from(this.#used, (used, i) => used / (this.#start(i + 1) - this.#start(i)));
  }

  #start(region: number): number {
    return Math.floor((region * this.#capacity) / this.#used.length);
  }

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
 * A memory map of an arena: the fullness, 0 (empty) to 1 (full), of each of `regions` regions of equal size (within
 * one unit where they do not divide the capacity), in address order. An arena of fewer units than `regions` gives one
 * region a unit. O(blocks + regions).
 *
 * @throws {TypeError} or {RangeError} when `regions` is no integer of at least 1.
 */
export function memoryMap(allocator: BuddyAllocator, regions: number): number[] {
  checkInteger('regions', regions, 1);
  const map = new RegionMap(allocator.capacity, regions);
  for (const block of allocator.blocks()) if (!block.free) map.add(block.offset, block.size);
  return map.fullness();
}
