// How large an arena a trace needs.

import { MAX_CAPACITY } from '../../base/arguments.ts';
import { orderOf } from '../../base/word.ts';
import { int32s, uint8s } from '../memory.ts';
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
  const offsets = int32s(trace.allocations);
  let capacity = 2 ** Math.ceil(Math.log2(peakUnits(trace, ops)));
  while (capacity < MAX_CAPACITY && !fits(new Pass(ops, offsets, capacity), ops.length, onProgress))
    capacity *= 2;
  return Math.min(capacity, MAX_CAPACITY);
}

/** The peak of the units in live blocks, if all of them found room. It may exceed every capacity. */
function peakUnits(trace: Trace, ops: Int32Array): number {
  const orders = uint8s(trace.allocations);
  let id = 0;
  let live = 0;
  let peak = 0;
  for (const op of ops) {
    if (op < 0) live -= 2 ** orders[~op];
    else {
      orders[id] = orderOf(op);
      live += 2 ** orders[id++];
      peak = Math.max(peak, live);
    }
  }
  return peak;
}

/** Whether every allocation of a pass of `operations` finds room. Ends at the first slice with a failure. */
function fits(pass: Pass, operations: number, onProgress: Progress | undefined): boolean {
  for (const done of pass.run(operations)) {
    if (pass.failures > 0) return false;
    onProgress?.(done, operations);
  }
  return true;
}
