// The structures on a SharedHeap that grows.

import { SharedHeap, type SharedHeapHandle } from '../../../src/shared.ts';
import type { StructureContender } from './contender.ts';
import { SharedHeapMemory } from './memory.ts';

/** Bytes that the heap begins with. */
const FIRST = 2 ** 16;

/** The structures on a heap with or without owners of its blocks. */
export const contenderOf = (trackOwners: boolean): StructureContender => ({
  create: (maximum, workers) =>
    SharedHeap.create({ size: FIRST, maximum, maxWorkers: workers + 1, trackOwners }).handle,
  attach: (handle) => {
    const heap = SharedHeap.attach(handle as SharedHeapHandle);
    if (heap === null) throw new Error('no slot for another worker');
    return new SharedHeapMemory(heap);
  },
});

export const contender = contenderOf(false);
