// SharedHeap that notes the owner of every block.

import { SharedHeap } from '../../src/shared.ts';
import type { HeapContender } from './contender.ts';
import { contender as plain } from './shared-heap.ts';

export const contender: HeapContender = {
  create: (size, workers) => SharedHeap.create({ size, maxWorkers: workers + 1, trackOwners: true }).handle,
  attach: plain.attach,
};
