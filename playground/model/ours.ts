// The package's own allocator as a contender.

import { BuddyAllocator } from '../../src/index.ts';
import type { Contender, Figures } from './contender.ts';
import { RegionSums, spanUsed } from './words.ts';

/** A save is a copy of the allocator's state. */
export class Ours implements Contender<ArrayBuffer> {
  readonly name = 'buddy-allocator';
  #allocator: BuddyAllocator;
  #state: Int32Array;

  /** @param capacity a power of two. */
  constructor(capacity: number) {
    this.#allocator = new BuddyAllocator({ capacity });
    this.#state = new Int32Array(this.#allocator.state);
  }

  get allocator(): BuddyAllocator {
    return this.#allocator;
  }

  /** The allocator's state, for reading. */
  get state(): Int32Array {
    return this.#state;
  }

  alloc(units: number): number {
    return this.#allocator.alloc(units);
  }

  free(offset: number): void {
    this.#allocator.free(offset);
  }

  figures(): Figures {
    const { capacity, freeUnits, largestFree } = this.#allocator;
    return {
      usedUnits: capacity - freeUnits,
      largestFree,
      externalFragmentation: freeUnits === 0 ? 0 : 1 - largestFree / freeUnits,
      span: spanUsed(this.#state),
    };
  }

  measure(fullness: Float32Array): void {
    const region = this.#allocator.capacity / fullness.length;
    fullness.set(new RegionSums(this.#state, 0, region, fullness.length).used);
    for (let i = 0; i < fullness.length; i++) fullness[i] /= region;
  }

  save(): ArrayBuffer {
    return this.#allocator.state.slice(0);
  }

  load(save: ArrayBuffer): void {
    this.#allocator = BuddyAllocator.attach(save.slice(0));
    this.#state = new Int32Array(this.#allocator.state);
  }
}
