// BuddyAllocator, for one worker: what the shared one is measured by.

import { BuddyAllocator } from '../../src/index.ts';
import type { SharedContender } from './contender.ts';

export const contender: SharedContender = {
  create: (units) => units,
  attach: (units) => new BuddyAllocator({ capacity: units as number }),
};
