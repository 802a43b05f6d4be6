// The packages of npm that allocate bytes, and JavaScript without an allocator.

import { MemPool } from '@thi.ng/malloc';
import Malloc from 'malloc';
import type { Contender } from './contender.ts';
import type { ByteHeap } from './driver.ts';

/** That package has no realloc: a new block, a copy, and a free. It copies what was asked for, which the caller knows. */
class CodemixHeap implements ByteHeap {
  readonly #heap: Malloc;
  readonly #bytes: Uint8Array;

  constructor(memory: ArrayBuffer) {
    this.#heap = new Malloc(memory);
    this.#bytes = new Uint8Array(memory);
  }

  malloc(bytes: number): number {
    return this.#heap.alloc(bytes);
  }

  realloc(ptr: number, bytes: number): number {
    const moved = this.#heap.alloc(bytes);
    if (moved === 0) return 0;
    this.#bytes.copyWithin(moved, ptr, ptr + ((bytes + 1) >> 1));
    this.#heap.free(ptr);
    return moved;
  }

  free(ptr: number): void {
    this.#heap.free(ptr);
  }
}

/**
 * A typed array for every block, left to the garbage collector when freed. A pointer is a number from 1 to `blocks`, and they
 * are used in turn: no replay has more allocations, and after each of them all blocks are free.
 */
class TypedArrayPerBlock implements ByteHeap {
  readonly #blocks: (Uint8Array | undefined)[];
  #last = 0;

  constructor(blocks: number) {
    this.#blocks = new Array<undefined>(blocks + 1).fill(undefined);
  }

  malloc(bytes: number): number {
    this.#last = this.#last === this.#blocks.length - 1 ? 1 : this.#last + 1;
    this.#blocks[this.#last] = new Uint8Array(bytes);
    return this.#last;
  }

  realloc(ptr: number, bytes: number): number {
    const block = new Uint8Array(bytes);
    block.set(this.#blocks[ptr] as Uint8Array);
    this.#blocks[ptr] = block;
    return ptr;
  }

  free(ptr: number): void {
    this.#blocks[ptr] = undefined;
  }
}

export const packages: readonly Contender[] = [
  {
    name: '@thi.ng/malloc',
    create: ({ memoryBytes }) => {
      const memory = new ArrayBuffer(memoryBytes);
      return { heap: new MemPool({ buf: memory }), memory };
    },
  },
  {
    name: 'malloc (codemix)',
    create: ({ memoryBytes }) => {
      const memory = new ArrayBuffer(memoryBytes);
      return { heap: new CodemixHeap(memory), memory };
    },
  },
  {
    name: 'Uint8Array per block',
    create: ({ allocations }) => ({ heap: new TypedArrayPerBlock(allocations) }),
  },
];
