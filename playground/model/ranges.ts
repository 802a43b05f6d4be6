// Exact ranges, `allocRange`, as a contender: the same arena as that of blocks, but nothing is rounded up.

import { BuddyAllocator } from '../../src/index.ts';
import type { Contender, Figures } from './contender.ts';
import { popcount, RegionSums, spanUsed } from './words.ts';

interface Save {
  readonly state: ArrayBuffer;
  readonly starts: Int32Array;
}

export class Ranges implements Contender<Save> {
  readonly name = 'Exact ranges';
  #allocator: BuddyAllocator;
  #state: Int32Array;
  /** One bit per unit, set where a live range starts: the blocks that tile a range do not show its ends. */
  #starts: Int32Array;

  /** @param capacity a power of two. */
  constructor(capacity: number) {
    this.#allocator = new BuddyAllocator({ capacity });
    this.#state = new Int32Array(this.#allocator.state);
    this.#starts = new Int32Array(Math.ceil(capacity / 32));
  }

  alloc(units: number): number {
    const offset = this.#allocator.allocRange(units);
    if (offset >= 0) this.#starts[offset >>> 5] |= 1 << offset;
    return offset;
  }

  free(offset: number, units: number): void {
    this.#allocator.release(offset, units);
    this.#starts[offset >>> 5] &= ~(1 << offset);
  }

  figures(): Figures {
    const { capacity, freeUnits, largestRange } = this.#allocator;
    return {
      usedUnits: capacity - freeUnits,
      largestFree: largestRange,
      externalFragmentation: freeUnits === 0 ? 0 : 1 - largestRange / freeUnits,
      span: spanUsed(this.#state),
    };
  }

  measure(fullness: Float32Array): void {
    const region = this.#allocator.capacity / fullness.length;
    fullness.set(this.sums(0, region, fullness.length).used);
    for (let i = 0; i < fullness.length; i++) fullness[i] /= region;
  }

  /** Units in use, by region of `units` units, a power of two, from `from` on. */
  sums(from: number, units: number, count: number): RegionSums {
    return new RegionSums(this.#state, from, units, count);
  }

  /** Live ranges that start in `from` … `to` - 1. O(to - from) / 32. */
  countStarts(from: number, to: number): number {
    let count = 0;
    for (let cell = from >>> 5; cell << 5 < to; cell++) count += popcount(this.#cell(cell, from, to));
    return count;
  }

  /** The starts of live ranges in `from` … `to` - 1. */
  *startsIn(from: number, to: number): Generator<number, void, undefined> {
    for (let cell = from >>> 5; cell << 5 < to; cell++) {
      for (let bits = this.#cell(cell, from, to); bits !== 0; bits &= bits - 1) {
        yield (cell << 5) + 31 - Math.clz32(bits & -bits);
      }
    }
  }

  save(): Save {
    return { state: this.#allocator.state.slice(0), starts: this.#starts.slice() };
  }

  load({ state, starts }: Save): void {
    this.#allocator = BuddyAllocator.attach(state.slice(0));
    this.#state = new Int32Array(this.#allocator.state);
    this.#starts = starts.slice();
  }

  /** The bits of a cell for the units in `from` … `to` - 1. */
  #cell(cell: number, from: number, to: number): number {
    let bits = this.#starts[cell];
    if (cell === from >>> 5) bits &= -1 << from;
    if (cell === to >>> 5) bits &= ~(-1 << to);
    return bits;
  }
}
