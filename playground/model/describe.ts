// Describes the last operation in a sentence.

import { AT_CAPACITY } from '../../src/core/layout.ts';
import { count, units } from '../format.ts';
import type { Last } from './timeline.ts';
import { blockOf } from './words.ts';

export function describe(
  { units: asked, offset, before }: Last,
  after: Int32Array,
  largestFree: number,
): string {
  if (asked > 0 && offset < 0) {
    return `No room for ${units(asked)}: the largest free block has ${units(largestFree)}.`;
  }
  if (offset < 0) return 'Skipped: this frees a block that had found no room.';
  if (asked > 0) {
    const { size } = blockOf(after, offset);
    return `Allocated ${units(asked)}: ${size === asked ? 'a block' : `a block of ${count(size)}`} at ${count(offset)}.`;
  }
  const { size } = blockOf(before, offset);
  const merged = blockOf(after, offset);
  if (size === after[AT_CAPACITY]) return `Freed ${units(size)} at ${count(offset)}, the whole arena.`;
  return merged.size === size
    ? `Freed ${units(size)} at ${count(offset)}; the buddy is in use, so nothing coalesces.`
    : `Freed ${units(size)} at ${count(offset)}; coalesced with its free buddies to ${units(merged.size)} at ${count(merged.offset)}.`;
}
