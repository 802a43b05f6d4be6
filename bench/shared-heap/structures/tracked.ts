// The structures on a SharedHeap that notes the owner of every block.

import { contenderOf } from './shared-heap.ts';

export const contender = contenderOf(true);
