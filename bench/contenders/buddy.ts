// This project's allocator, as built and shipped.

import type { Contender } from './contender.ts';

// The types come from the sources and the code from the build, so that what is measured is what is published and the
// type check needs no build first.
const built = new URL('../../dist/index.js', import.meta.url).href;
const { BuddyAllocator }: typeof import('../../src/index.ts') = await import(built);

/** Bytes of metadata for an arena of `capacity` units. */
export const buddyMetadataBytes = (capacity: number): number => BuddyAllocator.bytesFor(capacity);

export const buddy: Contender = {
  name: 'buddy-allocator',
  sizesIn: 'units',
  placesAsReference: true,
  isPeer: false,
  create: ({ capacity }) => {
    const allocator = new BuddyAllocator({ capacity });
    return { allocator, untouched: allocator.state };
  },
};
