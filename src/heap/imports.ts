// The C functions of a heap, as a WebAssembly module imports them.

import { checkWithin, isPowerOfTwo } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import type { MallocFamily } from './malloc.ts';
import { ADDRESSABLE, bytesOf } from './memory.ts';

/**
 * {@link Heap.imports}. Pointers and sizes are uint32; WebAssembly passes their bits as int32. A module with a 64-bit
 * memory passes them as BigInts, and gets BigInts. No function sets `errno`, which is the module's own. A request without
 * room gives a null pointer or ENOMEM, also from a heap that was made with `throwNoRoom`.
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
  /** {@link realloc} for `count * size` bytes; a null pointer, and the block as it was, if no memory has so many. */
  readonly reallocarray: (ptr: number, count: number, size: number) => number;
  /** As {@link Heap.alignedAlloc}; a null pointer also for an alignment that this refuses. */
  readonly aligned_alloc: (alignment: number, size: number) => number;
  /** The older name of {@link aligned_alloc}. */
  readonly memalign: (alignment: number, size: number) => number;
  /**
   * As {@link Heap.alignedAlloc}, and writes the pointer to the memory at `out`, which an error leaves as it was.
   *
   * @returns an error number as wasi-libc has it: 0 if all is well; 28 (EINVAL) if `alignment` is not a power of two
   * from the size of a pointer up; 48 (ENOMEM) if there is no room.
   * @throws RangeError if the memory has no room for a pointer at `out`; nothing is allocated.
   */
  readonly posix_memalign: (out: number, alignment: number, size: number) => number;
  /** As {@link Heap.usableSize}; 0 for a null pointer. */
  readonly malloc_usable_size: (ptr: number) => number;
  /** {@link malloc} as the C library's own files name it. */
  readonly __libc_malloc: (size: number) => number;
  /** {@link free} as the C library's own files name it. */
  readonly __libc_free: (ptr: number) => void;
  /** {@link calloc} as the C library's own files name it. */
  readonly __libc_calloc: (count: number, size: number) => number;
  /** {@link realloc} as the C library's own files name it. */
  readonly __libc_realloc: (ptr: number, size: number) => number;
}

/**
 * The functions of `heap`. They can be called without an object. `bytesTo` returns a view of the memory up to a byte, or as far
 * as that reaches.
 */
export function importsOf(heap: MallocFamily, bytesTo: (end: number) => Uint8Array): HeapImports {
  const malloc = (size: Passed): number => {
    try {
      return returned(size, heap.malloc(unsigned(size)));
    } catch (error) {
      return returned(size, nullOf(error));
    }
  };
  const free = (ptr: Passed): void => heap.free(unsigned(ptr));
  const calloc = (count: Passed, size: Passed): number => {
    try {
      return returned(size, heap.calloc(unsigned(count), unsigned(size)));
    } catch (error) {
      return returned(size, nullOf(error));
    }
  };
  const realloc = (ptr: Passed, size: Passed): number =>
    returned(size, reallocate(heap, unsigned(ptr), unsigned(size)));
  const aligned_alloc = (alignment: Passed, size: Passed): number =>
    returned(size, alignedAlloc(heap, unsigned(alignment), unsigned(size)));
  return {
    malloc,
    free,
    calloc,
    realloc,
    reallocarray: (ptr: Passed, count: Passed, size: Passed) =>
      returned(size, reallocate(heap, unsigned(ptr), bytesOf(unsigned(count), unsigned(size)))),
    aligned_alloc,
    memalign: aligned_alloc,
    posix_memalign: (out: Passed, alignment: Passed, size: Passed) =>
      posixMemalign(heap, bytesTo, out, unsigned(alignment), unsigned(size)),
    malloc_usable_size: (ptr: Passed) => returned(ptr, ptr ? heap.usableSize(unsigned(ptr)) : 0),
    __libc_malloc: malloc,
    __libc_free: free,
    __libc_calloc: calloc,
    __libc_realloc: realloc,
  };
}

/** The null pointer for the error of a heap that throws if there is no room, as C knows no such error. Throws all others. */
function nullOf(error: unknown): 0 {
  if (error instanceof BuddyError && error.code === 'NO_ROOM') return 0;
  throw error;
}

function reallocate(heap: MallocFamily, ptr: number, size: number): number {
  try {
    return heap.realloc(ptr, size);
  } catch (error) {
    return nullOf(error);
  }
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
  if (!isPowerOfTwo(alignment, 1, ADDRESSABLE)) return 0;
  try {
    return heap.alignedAlloc(alignment, size);
  } catch (error) {
    return nullOf(error);
  }
}

/** Error numbers of wasi-libc. */
const EINVAL = 28;
const ENOMEM = 48;

function posixMemalign(
  heap: MallocFamily,
  bytesTo: (end: number) => Uint8Array,
  out: Passed,
  alignment: number,
  size: number,
): number {
  const pointerBytes = typeof out === 'bigint' ? 8 : 4;
  if (!isPowerOfTwo(alignment, pointerBytes, 2 ** 63)) return EINVAL;
  const at = unsigned(out);
  checkWithin('pointer', at, 0, bytesTo(at + pointerBytes).length - pointerBytes);
  const ptr = alignedAlloc(heap, alignment, size);
  if (ptr === 0) return ENOMEM;
  // Made after the allocation, which may have made the memory grow.
  const view = new DataView(bytesTo(at + pointerBytes).buffer, at, pointerBytes);
  if (typeof out === 'bigint') view.setBigUint64(0, BigInt(ptr), true);
  else view.setUint32(0, ptr, true);
  return 0;
}
