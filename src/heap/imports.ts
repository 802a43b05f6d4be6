// The C functions that a WebAssembly module imports, on a heap.

import type { AbstractHeap } from './abstract.ts';

/** {@link Heap.imports}. Pointers and sizes are int32 as WebAssembly passes them, their bits those of a uint32. */
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

/** Plain functions, which can be called without their object. */
export function importsOf(heap: AbstractHeap): HeapImports {
  return {
    malloc: (size) => heap.malloc(size >>> 0) | 0,
    free: (ptr) => heap.free(ptr >>> 0),
    calloc: (count, size) => heap.calloc(count >>> 0, size >>> 0) | 0,
    realloc: (ptr, size) => heap.realloc(ptr >>> 0, size >>> 0) | 0,
    aligned_alloc: (alignment, size) => heap.alignedAlloc(alignment >>> 0, size >>> 0) | 0,
  };
}
