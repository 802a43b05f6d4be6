// A heap as the workers of `npm run bench -- shared-heap` see it.

import type { Contender } from '../shared/contender.ts';

/** The calls that are measured. */
export interface Calls {
  /** The pointer of a block of `bytes` bytes; 0 if there is no room. */
  malloc(bytes: number): number;
  free(ptr: number): unknown;
}

/** One worker's end of a heap. */
export interface HeapEnd {
  readonly heap: Calls;
  /** The memory that the pointers point into. */
  readonly memory: ArrayBufferLike;
}

/** An allocator of bytes for many workers: sizes are bytes, of the heap's own state too if that lies in the memory. */
export type HeapContender = Contender<HeapEnd>;
