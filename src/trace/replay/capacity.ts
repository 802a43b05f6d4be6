// How large an arena a trace needs.

import { MAX_CAPACITY } from '../../base/arguments.ts';
import { orderOf } from '../../base/word.ts';
import type { Trace } from '../trace.ts';
import { opsInUnits, Pass, type Progress } from './pass.ts';

/**
 * The smallest capacity, a power of two in units of `unit` bytes, in which every allocation of the trace finds
 * room.
 *
 * Blocks are powers of two, so no capacity below the peak of the live blocks' sizes can do. The search starts
 * there, and doubles the capacity while an allocation fails because of fragmentation. It ends at 2^30 units: if the
 * trace does not fit even there, 2^30 is returned, and a replay shows the failures. O(n log n) per try; nearly
 * always one or two tries.
 *
 * @param onProgress called every 65,536 operations; every try counts from 0 again.
 * @throws TypeError if `unit` is not a number.
 * @throws RangeError if `unit` is not a positive integer.
 */
export function fitCapacity(trace: Trace, unit: number, onProgress?: Progress): number {
  const ops = opsInUnits(trace, unit);
  let capacity = 2 ** Math.ceil(Math.log2(peakUnits(trace, ops)));
  while (capacity < MAX_CAPACITY && !fits(trace, ops, capacity, onProgress)) capacity *= 2;
  return Math.min(capacity, MAX_CAPACITY);
}

/** The peak of the units in live blocks, if all of them found room. It may exceed every capacity. */
function peakUnits(trace: Trace, ops: Int32Array): number {
  const sizes = new Float64Array(trace.allocations);
  let id = 0;
  let live = 0;
  let peak = 0;
  for (const op of ops) {
    if (op < 0) live -= sizes[~op];
    else {
      const size = 2 ** orderOf(op);
      sizes[id++] = size;
      live += size;
      peak = Math.max(peak, live);
    }
  }
  return peak;
}

/** Whether every allocation finds room in `capacity` units. Ends at the first slice with a failure. */
function fits(trace: Trace, ops: Int32Array, capacity: number, onProgress: Progress | undefined): boolean {
  const pass = new Pass(trace, ops, capacity);
  for (const done of pass.run(ops.length)) {
    if (pass.failures > 0) return false;
    onProgress?.(done, ops.length);
  }
  return true;
}
