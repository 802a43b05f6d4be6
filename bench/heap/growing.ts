// The same allocators with other work: each block is first asked for at half its size, and then resized to the whole.

import { MemPool } from '@thi.ng/malloc';
import Malloc from 'malloc';
import type { Contender } from '../contenders/contender.ts';
import { UNIT_BYTES, type Workload } from '../workloads.ts';
import { heap, makeHeap } from './heap.ts';
import { instantiate, type WasiLibc, wasiLibc } from './wasi-libc.ts';

/** What a block of `bytes` bytes is at first. */
const halfOf = (bytes: number): number => (bytes + 1) >> 1;

class GrowingHeap {
  readonly #heap: ReturnType<typeof makeHeap>;

  constructor(made: ReturnType<typeof makeHeap>) {
    this.#heap = made;
  }

  alloc(bytes: number): number {
    return this.#heap.realloc(this.#heap.malloc(halfOf(bytes)), bytes) || -1;
  }

  free(ptr: number): void {
    this.#heap.free(ptr);
  }
}

class GrowingWasiLibc {
  readonly #malloc: WasiLibc['malloc'];
  readonly #realloc: WasiLibc['realloc'];
  readonly #free: WasiLibc['free'];

  constructor({ malloc, realloc, free }: WasiLibc) {
    this.#malloc = malloc;
    this.#realloc = realloc;
    this.#free = free;
  }

  alloc(bytes: number): number {
    return this.#realloc(this.#malloc(halfOf(bytes)), bytes) || -1;
  }

  free(ptr: number): void {
    this.#free(ptr);
  }
}

class GrowingMemPool {
  readonly #pool: MemPool;

  constructor(memory: ArrayBuffer) {
    this.#pool = new MemPool({ buf: memory });
  }

  alloc(bytes: number): number {
    return this.#pool.realloc(this.#pool.malloc(halfOf(bytes)), bytes) || -1;
  }

  free(address: number): void {
    this.#pool.free(address);
  }
}

/** That package has no realloc: a new block, a copy, and a free. */
class GrowingCodemix {
  readonly #heap: Malloc;
  readonly #bytes: Uint8Array;

  constructor(memory: ArrayBuffer) {
    this.#heap = new Malloc(memory);
    this.#bytes = new Uint8Array(memory);
  }

  alloc(bytes: number): number {
    const half = this.#heap.alloc(halfOf(bytes));
    const address = this.#heap.alloc(bytes);
    if (address === 0) return -1;
    this.#bytes.copyWithin(address, half, half + halfOf(bytes));
    this.#heap.free(half);
    return address;
  }

  free(address: number): void {
    this.#heap.free(address);
  }
}

class GrowingTypedArray {
  readonly #blocks: (Uint8Array | undefined)[];
  #next = 0;

  constructor(blocks: number) {
    this.#blocks = new Array<undefined>(blocks).fill(undefined);
  }

  alloc(bytes: number): number {
    const half = new Uint8Array(halfOf(bytes));
    const block = new Uint8Array(bytes);
    block.set(half);
    this.#blocks[this.#next] = block;
    return this.#next++;
  }

  free(block: number): void {
    this.#blocks[block] = undefined;
  }
}

const memoryFor = ({ capacity }: Workload): ArrayBuffer => new ArrayBuffer(capacity * UNIT_BYTES);

export const growingHeap: Contender = {
  ...heap,
  create: (workload) => {
    const made = makeHeap(workload);
    return { allocator: new GrowingHeap(made), untouched: made.buffer };
  },
};

export const growingWasiLibc: Contender = {
  ...wasiLibc,
  create: (workload) => {
    const { libc, memory } = instantiate(workload);
    return { allocator: new GrowingWasiLibc(libc), untouched: memory };
  },
};

const peer = (name: string, create: Contender['create']): Contender => {
  return { name, sizesIn: 'bytes', placesAsReference: false, isPeer: true, create };
};

/** Those that replay only the beginning of a trace. */
export const growingPeers: readonly Contender[] = [
  peer('@thi.ng/malloc', (workload) => {
    const memory = memoryFor(workload);
    return { allocator: new GrowingMemPool(memory), untouched: memory };
  }),
  peer('malloc (codemix)', (workload) => {
    const memory = memoryFor(workload);
    return { allocator: new GrowingCodemix(memory), untouched: memory };
  }),
  peer('Uint8Array per block', ({ operations }) => {
    return { allocator: new GrowingTypedArray(operations.length) };
  }),
];
