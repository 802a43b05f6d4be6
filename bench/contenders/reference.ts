// The reference allocator, transcribed to JavaScript.

import { ReferenceAllocator } from '../../test/spec/reference.ts';
import type { Contender } from './contender.ts';

/** Bytes of metadata for an arena of `capacity` units: a tree of one byte a node, and its order. */
export const referenceMetadataBytes = (capacity: number): number => 2 * capacity;

export const reference: Contender = {
  name: 'reference (JS)',
  sizesIn: 'units',
  placesAsReference: true,
  isPeer: false,
  create: ({ capacity }) => ({ allocator: new ReferenceAllocator(capacity) }),
};
