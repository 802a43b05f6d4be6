// No allocator: a typed array for every block, left to the garbage collector when freed.

import type { Workload } from '../workloads.ts';
import type { Contender } from './contender.ts';

class TypedArrayPerBlock {
  readonly #blocks: (Uint8Array | undefined)[];
  #next = 0;

  constructor(blocks: number) {
    this.#blocks = new Array<undefined>(blocks).fill(undefined);
  }

  alloc(bytes: number): number {
    this.#blocks[this.#next] = new Uint8Array(bytes);
    return this.#next++;
  }

  free(block: number): void {
    this.#blocks[block] = undefined;
  }
}

export const typedArray: Contender = {
  name: 'Uint8Array per block',
  sizesIn: 'bytes',
  placesAsReference: false,
  isPeer: true,
  create: ({ operations }: Workload) => ({ allocator: new TypedArrayPerBlock(operations.length) }),
};
