// By how much a heap grows when it has no room.

import { checkNumber, checkObject, checkWithin } from '../base/arguments.ts';
import { ADDRESSABLE } from './memory.ts';

/** How a heap grows; see {@link HeapOptions.growth}. */
export interface GrowthOptions {
  /** The heap becomes this many times as large: from 1 to 16; 1.125 unless given. */
  readonly factor?: number;
  /** Least bytes to grow by; unless given, as many as the heap has, up to 64 KiB. */
  readonly step?: number;
  /** Most bytes to grow by, unless a request takes more; unless given, there is no such bound. */
  readonly cap?: number;
}

const LARGEST_FACTOR = 16;
const LARGEST_STEP = 2 ** 16;

/** Checks growth options. Throws a TypeError or a RangeError. */
export function checkGrowth(growth: GrowthOptions): void {
  const { factor = 1, step = 0, cap = 0 } = checkObject('growth', growth);
  if (!(checkNumber('growth.factor', factor) >= 1 && factor <= LARGEST_FACTOR))
    throw new RangeError(`growth.factor must be from 1 to ${LARGEST_FACTOR}, not ${factor}`);
  checkWithin('growth.step', step, 0, ADDRESSABLE);
  checkWithin('growth.cap', cap, 0, ADDRESSABLE);
}

/** Bytes by which a heap of `bytes` bytes grows, if it may. */
export function growthOf({ factor = 1.125, step, cap = ADDRESSABLE }: GrowthOptions, bytes: number): number {
  const least = step ?? Math.min(bytes, LARGEST_STEP);
  return Math.min(cap, Math.max(least, Math.floor(bytes * (factor - 1))));
}
