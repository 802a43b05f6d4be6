// SharedBuddyAllocator that notes the owner of every block.

import { SharedBuddyAllocator } from '../../src/shared.ts';
import type { SharedContender } from './contender.ts';
import { contender as ours } from './ours.ts';

export const contender: SharedContender = {
  create: (units, workers) =>
    SharedBuddyAllocator.create({ capacity: units, maxWorkers: workers + 1, trackOwners: true }).buffer,
  attach: ours.attach,
};
