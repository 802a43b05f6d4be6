// The last operation in a sentence.

import { AT_CAPACITY } from '../../src/core/layout.ts';
import type { Last } from './timeline.ts';
import { blockOf } from './words.ts';

const count = (n: number): string => n.toLocaleString('en');
const units = (n: number): string => `${count(n)} ${n === 1 ? 'unit' : 'units'}`;

export function describe(
  { units: asked, offset, before }: Last,
  after: Int32Array,
  largestFree: number,
): string {
  if (asked > 0 && offset < 0) {
    return `No room for ${units(asked)}: the largest free block has ${units(largestFree)}.`;
  }
  if (offset < 0) return 'Passed over: the free of a block that had found no room.';
  if (asked > 0) {
    const { size } = blockOf(after, offset);
    return `Allocated ${units(asked)}: ${size === asked ? 'a block' : `a block of ${count(size)}`} at ${count(offset)}.`;
  }
  const { size } = blockOf(before, offset);
  const merged = blockOf(after, offset);
  if (size === after[AT_CAPACITY]) return `Freed ${units(size)} at ${count(offset)}, which is all there is.`;
  return merged.size === size
    ? `Freed ${units(size)} at ${count(offset)}; the buddy is in use, so nothing coalesces.`
    : `Freed ${units(size)} at ${count(offset)}; coalesced with what was free beside it to ${units(merged.size)} at ${count(merged.offset)}.`;
}
