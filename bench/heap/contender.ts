// What takes part in the benchmark of heaps.

import type { ByteHeap } from './driver.ts';
import type { HeapWorkload } from './workloads.ts';

/** A heap and the memory that it lies in, if it is one memory. */
export interface MadeHeap {
  readonly heap: ByteHeap;
  readonly memory?: ArrayBufferLike;
}

/** An allocator that takes part. */
export interface Contender {
  readonly name: string;
  /** Makes a heap that has all the memory that the workload gives. */
  create(workload: HeapWorkload): MadeHeap;
}

/** A heap whose addresses and memory can be looked at. */
export interface GrowingHeap {
  readonly heap: ByteHeap;
  /** Address below which nothing belongs to the heap. */
  readonly base: number;
  /** Bytes of the memory at present. */
  readonly memoryBytes: () => number;
  /** Bytes of state that lie outside the memory, at present. */
  readonly stateBytes: () => number;
}

/** An allocator whose heaps can begin small. */
export interface GrowingContender extends Contender {
  /** Makes a heap that begins as small as it can and grows up to `maximum` bytes. */
  createGrowing(maximum: number): GrowingHeap;
}
