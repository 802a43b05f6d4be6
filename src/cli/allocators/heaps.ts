// Heap and SharedHeap, in memory that grows.

import { Heap } from '../../heap/heap.ts';
import { SharedHeap } from '../../shared-heap/heap.ts';
import type { Create } from './contender.ts';

const WASM_PAGE = 2 ** 16;

/** A Heap, whose state lies outside its memory. */
export const heap: Create = ({ unit, mostBytes }) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: Math.ceil(mostBytes / WASM_PAGE) });
  const made = new Heap({ memory, unit });
  return {
    allocate: (bytes) => made.malloc(bytes) || -1,
    free: (address) => made.free(address),
    blockBytes: (address) => made.usableSize(address),
    stateBytes: () => made.stats().metadataBytes,
  };
};

/**
 * A SharedHeap that one worker uses. Its state lies in its memory, before the blocks; it is as large as the maximum
 * takes.
 */
export const shared: Create = ({ unit, mostBytes: maximum }) => {
  const made = SharedHeap.create({ size: Math.min(WASM_PAGE, maximum), maximum, unit, maxWorkers: 1 });
  return {
    allocate: (bytes) => made.malloc(bytes) || -1,
    free: (address) => made.free(address),
    blockBytes: (address) => made.usableSize(address),
    stateBytes: () => 0,
  };
};
