// No allocator: what the memory alone costs when blocks are freed, and places found for new ones, all over an arena.

import type { Allocator } from '../driver.ts';
import type { Contender } from './contender.ts';

/** Hands out places at random, and changes one word of a state as large as ours for each operation. */
class Memory implements Allocator {
  readonly #words: Int32Array;
  readonly #capacity: number;
  #random = 1;

  constructor(words: Int32Array, capacity: number) {
    this.#words = words;
    this.#capacity = capacity;
  }

  alloc(): number {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) | 0;
    // The state of a linear congruential generator is at its most random at the top.
    const offset = Math.floor(((this.#random >>> 0) / 2 ** 32) * this.#capacity);
    this.#words[offset >>> 4] ^= 1;
    return offset;
  }

  free(offset: number): void {
    this.#words[offset >>> 4] ^= 1;
  }
}

export const memory: Contender = {
  name: 'memory alone',
  sizesIn: 'units',
  placesAsReference: false,
  isPeer: false,
  create: ({ capacity }) => {
    const words = new Int32Array(Math.ceil(capacity / 16));
    return { allocator: new Memory(words, capacity), untouched: words.buffer };
  },
};
