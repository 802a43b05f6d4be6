// Heap and SharedHeap, in memory that grows.

import { Heap } from '../../heap/heap.ts';
import { SharedHeap } from '../../shared-heap/heap.ts';
import type { Create } from './contender.ts';

const WASM_PAGE = 2 ** 16;

/** 4 GiB. */
const MOST_PAGES = 2 ** 16;

/** Memory that a heap may take for each byte that is asked for. */
const ROOM = 4;

/** Pages of the largest memory that a heap may take. Only those are there that it uses. */
function pagesFor(peakLiveBytes: number): number {
  return Math.min(MOST_PAGES, 64 + Math.ceil((ROOM * peakLiveBytes) / WASM_PAGE));
}

/** A Heap, whose state lies outside its memory. */
export const heap: Create = ({ unit, peakLiveBytes }) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: pagesFor(peakLiveBytes) });
  const made = new Heap({ memory, unit });
  return {
    allocate: (bytes) => made.malloc(bytes) || -1,
    free: (address) => made.free(address),
    blockBytes: (address) => made.usableSize(address),
    stateBytes: () => made.stats().metadataBytes,
  };
};

/** A SharedHeap that one worker uses. Its state lies in its memory, before the blocks. */
export const shared: Create = ({ unit, peakLiveBytes }) => {
  const maximum = pagesFor(peakLiveBytes) * WASM_PAGE;
  const made = SharedHeap.create({ size: WASM_PAGE, maximum, unit, maxWorkers: 1 });
  return {
    allocate: (bytes) => made.malloc(bytes) || -1,
    free: (address) => made.free(address),
    blockBytes: (address) => made.usableSize(address),
    stateBytes: () => 0,
  };
};
