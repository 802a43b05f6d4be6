// The allocators in words.

import type { AllocatorName } from './contender.ts';

/** What to call an allocator in a sentence and in a table. */
export const NAMES: Readonly<Record<AllocatorName, string>> = {
  buddy: 'blocks of the buddy',
  ranges: 'ranges',
  heap: 'Heap',
  shared: 'SharedHeap, one worker',
};
