// From bytes and pointers of a shared heap to the units of its arena.

import { checkInteger } from '../base/arguments.ts';
import { misuse } from '../heap/bookkeeping.ts';
import type { SharedRegion } from './region.ts';

/** Units that a block of `bytes` bytes takes, one at least. Throws a TypeError or a RangeError. */
export function unitsFor({ unit }: SharedRegion, bytes: number): number {
  return Math.max(1, Math.ceil(checkInteger('size', bytes) / unit));
}

/** The offset at which a block at `ptr` would start. Throws if no block can start there. */
export function blockOffset(region: SharedRegion, ptr: number): number {
  const offset = typeof ptr === 'number' ? region.offsetAt(ptr) : -1; // arithmetic asks an object for its value
  if (region.isReserved(offset) || region.pointerTo(offset) !== ptr) throw misuse(region, ptr);
  return offset;
}
