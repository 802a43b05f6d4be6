// The C functions of a heap, as a WebAssembly module imports them.

import type { MallocFamily } from './malloc.ts';

/** {@link Heap.imports}. Pointers and sizes are uint32; WebAssembly passes their bits as int32. */
export interface HeapImports {
  /** As {@link Heap.malloc}. */
  readonly malloc: (size: number) => number;
  /** As {@link Heap.free}. */
  readonly free: (ptr: number) => void;
  /** As {@link Heap.calloc}. */
  readonly calloc: (count: number, size: number) => number;
  /** As {@link Heap.realloc}. */
  readonly realloc: (ptr: number, size: number) => number;
  /** As {@link Heap.alignedAlloc}. */
  readonly aligned_alloc: (alignment: number, size: number) => number;
}

/** The functions of `heap`. They can be called without an object. */
export function importsOf(heap: MallocFamily): HeapImports {
  return {
    malloc: (size) => heap.malloc(size >>> 0) | 0,
    free: (ptr) => heap.free(ptr >>> 0),
    calloc: (count, size) => heap.calloc(count >>> 0, size >>> 0) | 0,
    realloc: (ptr, size) => heap.realloc(ptr >>> 0, size >>> 0) | 0,
    aligned_alloc: (alignment, size) => heap.alignedAlloc(alignment >>> 0, size >>> 0) | 0,
  };
}
