// What takes part in a benchmark, and how it is set up.

import type { Allocator } from '../driver.ts';
import type { Workload } from '../workloads.ts';

/** An allocator over a fresh arena. */
export interface Arena {
  readonly allocator: Allocator;
  /** The memory that the allocator works in, when it has not written to all of it itself yet. */
  readonly untouched?: ArrayBufferLike;
}

/** An allocator that takes part. */
export interface Contender {
  readonly name: string;
  /** Whether sizes are given to it in units or in bytes. */
  readonly sizesIn: 'units' | 'bytes';
  /** Whether its handles are the offsets that the reference allocator returns. */
  readonly placesAsReference: boolean;
  /** Whether its operations take time linear in the live or free blocks, or produce garbage. */
  readonly isPeer: boolean;
  /** Makes an arena big enough for the workload. */
  create(workload: Workload): Arena;
}
