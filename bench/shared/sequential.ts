// BuddyAllocator, for one worker: the measure for the shared allocator.

import { BuddyAllocator } from '../../src/index.ts';
import type { SharedContender } from './contender.ts';

export const contender: SharedContender = {
  create: (units) => units,
  attach: (units) => new BuddyAllocator({ capacity: units as number }),
};
