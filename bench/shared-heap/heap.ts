// A Heap for each worker, with a share of the memory: with one worker the sequential heap, with more what could be reached
// at best. Blocks cannot change hands.

import { Heap } from '../../src/heap.ts';
import type { HeapContender } from './contender.ts';

export const contender: HeapContender = {
  create: (bytes, workers) => bytes / workers,
  attach: (size) => {
    const heap = new Heap({ size: size as number });
    return { heap, memory: heap.buffer };
  },
};
