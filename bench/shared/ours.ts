// SharedBuddyAllocator.

import { SharedBuddyAllocator } from '../../src/shared.ts';
import type { SharedContender } from './contender.ts';

export const contender: SharedContender = {
  create: (units, workers) =>
    SharedBuddyAllocator.create({ capacity: units, maxWorkers: workers + 1 }).buffer,
  attach: (arena) => {
    const attached = SharedBuddyAllocator.attach(arena as SharedArrayBuffer);
    if (attached === null) throw new Error('no slot for another worker');
    return attached;
  },
};
