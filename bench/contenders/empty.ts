// An allocator that does nothing: what the driver's loop costs by itself.

import type { Contender } from './contender.ts';

class EmptyAllocator {
  /** The size is a handle that varies, so that the loop has the same work with handles as for the others. */
  alloc(size: number): number {
    return size;
  }

  free(): void {}
}

export const empty: Contender = {
  name: 'empty driver',
  sizesIn: 'units',
  placesAsReference: false,
  isPeer: false,
  create: () => ({ allocator: new EmptyAllocator() }),
};
