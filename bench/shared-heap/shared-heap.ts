// SharedHeap.

import { SharedHeap, type SharedHeapHandle } from '../../src/shared.ts';
import type { HeapContender } from './contender.ts';

export const contender: HeapContender = {
  create: (size, workers) => SharedHeap.create({ size, maxWorkers: workers + 1 }).handle,
  attach: (handle) => {
    const heap = SharedHeap.attach(handle as SharedHeapHandle);
    if (heap === null) throw new Error('no slot for another worker');
    return { heap, memory: heap.buffer };
  },
};
