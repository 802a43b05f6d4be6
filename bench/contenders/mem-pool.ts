// MemPool of @thi.ng/malloc: linked lists of used and of free blocks inside one ArrayBuffer.

import { MemPool } from '@thi.ng/malloc';
import { UNIT_BYTES } from '../workloads.ts';
import type { Contender } from './contender.ts';

class MemPoolAllocator {
  readonly #pool: MemPool;

  constructor(memory: ArrayBuffer) {
    this.#pool = new MemPool({ buf: memory });
  }

  alloc(bytes: number): number {
    return this.#pool.malloc(bytes) || -1;
  }

  free(address: number): void {
    this.#pool.free(address);
  }
}

export const memPool: Contender = {
  name: '@thi.ng/malloc',
  sizesIn: 'bytes',
  placesAsReference: false,
  isPeer: true,
  create: ({ capacity }) => {
    const memory = new ArrayBuffer(capacity * UNIT_BYTES);
    return { allocator: new MemPoolAllocator(memory), untouched: memory };
  },
};
