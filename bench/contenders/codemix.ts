// The npm package `malloc` of codemix: a skip list of free blocks inside one ArrayBuffer.

import Malloc from 'malloc';
import { UNIT_BYTES } from '../workloads.ts';
import type { Contender } from './contender.ts';

class CodemixAllocator {
  readonly #heap: Malloc;

  constructor(memory: ArrayBuffer) {
    this.#heap = new Malloc(memory);
  }

  alloc(bytes: number): number {
    return this.#heap.alloc(bytes) || -1;
  }

  free(address: number): void {
    this.#heap.free(address);
  }
}

export const codemix: Contender = {
  name: 'malloc (codemix)',
  sizesIn: 'bytes',
  placesAsReference: false,
  isPeer: true,
  create: ({ capacity }) => {
    const memory = new ArrayBuffer(capacity * UNIT_BYTES);
    return { allocator: new CodemixAllocator(memory), untouched: memory };
  },
};
