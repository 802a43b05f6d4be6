// The C functions of a heap, as a WebAssembly module imports them.

import { isPowerOfTwo } from '../base/arguments.ts';
import type { MallocFamily } from './malloc.ts';
import { ADDRESSABLE } from './memory.ts';

/**
 * {@link Heap.imports}. Pointers and sizes are uint32; WebAssembly passes their bits as int32. A module with a 64-bit
 * memory passes them as BigInts, and gets BigInts.
 */
export interface HeapImports {
  /** As {@link Heap.malloc}. */
  readonly malloc: (size: number) => number;
  /** As {@link Heap.free}. */
  readonly free: (ptr: number) => void;
  /** As {@link Heap.calloc}. */
  readonly calloc: (count: number, size: number) => number;
  /** As {@link Heap.realloc}. */
  readonly realloc: (ptr: number, size: number) => number;
  /** As {@link Heap.alignedAlloc}; a null pointer also for an alignment that this refuses. */
  readonly aligned_alloc: (alignment: number, size: number) => number;
}

/** The functions of `heap`. They can be called without an object. */
export function importsOf(heap: MallocFamily): HeapImports {
  return {
    malloc: (size) => returned(size, heap.malloc(unsigned(size))),
    free: (ptr) => heap.free(unsigned(ptr)),
    calloc: (count, size) => returned(size, heap.calloc(unsigned(count), unsigned(size))),
    realloc: (ptr, size) => returned(size, heap.realloc(unsigned(ptr), unsigned(size))),
    aligned_alloc: (alignment, size) =>
      returned(size, alignedAlloc(heap, unsigned(alignment), unsigned(size))),
  };
}

/** What WebAssembly passes as an i32, or as an i64 of a 64-bit module. */
type Passed = number | bigint;

/** The uint32 or uint64 that was passed. A uint64 beyond 2^53 is rounded, and more than any heap has. */
function unsigned(passed: Passed): number {
  return typeof passed === 'bigint' ? Number(BigInt.asUintN(64, passed)) : passed >>> 0;
}

/** `ptr` as the module that passed `like` takes it: an int32, or a BigInt. */
function returned(like: Passed, ptr: number): number {
  return typeof like === 'bigint' ? (BigInt(ptr) as unknown as number) : ptr | 0;
}

/** In C, an alignment that is not supported gives a null pointer (C11 after defect report 460). */
function alignedAlloc(heap: MallocFamily, alignment: number, size: number): number {
  return isPowerOfTwo(alignment, 1, ADDRESSABLE) ? heap.alignedAlloc(alignment, size) : 0;
}
