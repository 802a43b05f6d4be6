// This project's Heap, as built and shipped.

import type { Contender } from '../contenders/contender.ts';
import { UNIT_BYTES, type Workload } from '../workloads.ts';

// The types come from the sources and the code from the build, as in ../contenders/buddy.ts.
const built = new URL('../../dist/heap.js', import.meta.url).href;
const { Heap }: typeof import('../../src/heap.ts') = await import(built);
type Heap = InstanceType<typeof Heap>;

class HeapAllocator {
  readonly #heap: Heap;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  alloc(bytes: number): number {
    return this.#heap.malloc(bytes) || -1;
  }

  free(ptr: number): void {
    this.#heap.free(ptr);
  }
}

/** A heap big enough for the workload. Clearing it writes to all of its state, which lies outside of its memory. */
export function makeHeap({ capacity }: Workload): Heap {
  const made = new Heap({ size: capacity * UNIT_BYTES, unit: UNIT_BYTES });
  made.clear();
  return made;
}

export const heap: Contender = {
  name: 'Heap',
  sizesIn: 'bytes',
  placesAsReference: false,
  isPeer: false,
  create: (workload) => {
    const made = makeHeap(workload);
    return { allocator: new HeapAllocator(made), untouched: made.buffer };
  },
};
