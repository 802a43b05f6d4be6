// What the comparison of designs needs to know beyond what every contender tells.

import type { Contender } from '../contenders/contender.ts';

/** One way to build the allocator. */
export interface Design extends Contender {
  /** What it is, in a few words. */
  readonly summary: string;
  /** Bytes of metadata for an arena of `capacity` units, a power of two. */
  metadataBytes(capacity: number): number;
}
