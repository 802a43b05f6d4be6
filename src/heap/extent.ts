// The bounds of the memory that a heap manages, and the arithmetic of its growth. Nothing here touches a memory.
//
// The heap counts in units from `base` on. `base` is a multiple of every block that the region can hold, so a block of
// 2^k bytes lies at a multiple of 2^k of the memory.

import { BuddyAllocator } from '../core/allocator.ts';
import { HEADER_BYTES, headerAt, unitZeroFor } from './header.ts';

/** The bounds of a region. All numbers are bytes. */
export interface Bounds {
  readonly unit: number;
  /** First byte of the region. */
  readonly start: number;
  /** End of the region at first; for good if `maximum` is 0. */
  readonly end: number;
  /** The growth limit; 0 if the end never moves. */
  readonly maximum: number;
  /** Whether the region holds the state of its own allocator. */
  readonly embed: boolean;
}

/** See the head of this file. Capacities, offsets and the like are units; lengths, ends and pointers are bytes. */
export class Extent {
  readonly unit: number;
  /** log2 of `unit`. */
  readonly shift: number;
  /** First byte of the region. */
  readonly start: number;
  /** The byte at which unit 0 begins; 0 if the region's end can move. */
  readonly base: number;
  /** The first unit that may be allocated. */
  readonly first: number;
  /** The growth limit, a whole number of units; 0 if the end never moves. */
  readonly maximum: number;
  readonly embed: boolean;

  constructor({ unit, start, end, maximum, embed }: Bounds) {
    this.unit = unit;
    this.shift = Math.log2(unit);
    this.start = start;
    this.base = maximum === 0 ? unitZeroFor(unit, headerAt(start), end) : 0;
    this.maximum = this.wholeUnits(maximum);
    this.embed = embed;
    const first = embed
      ? Math.ceil((headerAt(start) + HEADER_BYTES) / unit)
      : Math.max(1, Math.ceil(start / unit)); // so that no block is at the null pointer
    this.first = first - this.base / unit;
  }

  /** The pointer to the unit at `offset`. */
  pointerTo(offset: number): number {
    return ((offset << this.shift) + this.base) >>> 0;
  }

  /** The offset of the unit that holds the byte at `ptr`, 0 … 2^32 - 1; beyond the arena if `ptr` is before `base`. */
  offsetAt(ptr: number): number {
    return (ptr - this.base) >>> this.shift;
  }

  /** `bytes` without the part that does not make a whole unit. */
  wholeUnits(bytes: number): number {
    return Math.floor(bytes / this.unit) * this.unit;
  }

  /** Units from `base` up to `end`. */
  capacityAt(end: number): number {
    return Math.floor((end - this.base) / this.unit);
  }

  /** Units that the state of an arena of `capacity` units takes inside the region. */
  stateUnitsFor(capacity: number): number {
    return this.embed ? Math.ceil(BuddyAllocator.bytesFor(capacity) / this.unit) : 0;
  }

  /**
   * The least capacity from `wish` up that holds `units` units and, behind them, the state of an arena of that
   * capacity.
   */
  capacityFor(units: number, wish: number): number {
    for (let capacity = Math.max(units, wish); ; ) {
      const least = units + this.stateUnitsFor(capacity);
      if (least <= capacity) return capacity;
      capacity = least;
    }
  }

  /**
   * The least multiple of `granularity` from `wish` up that is the length of a memory with room for
   * {@link capacityFor}.
   */
  lengthFor(units: number, wish: number, granularity: number): number {
    const { unit } = this;
    for (let length = wish; ; ) {
      const capacity = Math.floor(length / unit);
      const least = this.capacityFor(units, capacity);
      if (least === capacity && length % granularity === 0) return length;
      length = Math.ceil(Math.max(least * unit, length) / granularity) * granularity;
    }
  }

  /** Whether a heap up to `end` has room for a block, besides what it keeps for itself. */
  hasRoom(end: number): boolean {
    return this.capacityAt(end) >= this.capacityFor(this.first + 1, 0);
  }

  /**
   * The end of an empty heap: `end`, or as much more as a heap takes at least. Throws a RangeError if that is beyond
   * `limit`, which is 0 if the end never moves.
   */
  openingEnd(end: number, limit: number, granularity: number): number {
    if (this.hasRoom(end)) return end;
    const length = this.lengthFor(this.first + 1, 0, granularity);
    if (length > limit) throw new RangeError(`${end - this.start} bytes are too few for a heap`);
    return length;
  }
}
