// The structures on the heap that they come with: the first of its buffers has all of the memory.

import { MemoryHeap, type MemoryHeapMemory } from '../../shared/peer.mjs';
import type { StructureContender } from './contender.ts';

export const contender: StructureContender = {
  create: (bytes) => new MemoryHeap({ bufferSize: bytes }).getSharedMemory(),
  attach: (memory) => new MemoryHeap(memory as MemoryHeapMemory),
};
