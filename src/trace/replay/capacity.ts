// How large an arena a trace needs.

import { MAX_CAPACITY } from '../../base/arguments.ts';
import type { Trace } from '../trace.ts';
import { opsInUnits, orderOf, Pass, type Progress } from './pass.ts';

/**
 * The smallest power-of-two capacity, in units of `unit` bytes, in which every allocation of the trace finds room.
 * Blocks are powers of two, so the search starts at the peak of the live blocks' sizes rounded up, below which
 * nothing fits, and doubles while fragmentation makes an allocation fail. At most 2^30; when even that does not do,
 * 2^30 is returned and a replay shows the failures. O(n log n) a try; nearly always one or two tries.
 *
 * @param onProgress called every 65,536 operations; every try counts from 0 again.
 * @throws {TypeError} or {RangeError} when `unit` is no integer of at least 1 byte.
 */
export function fitCapacity(trace: Trace, unit: number, onProgress?: Progress): number {
  const ops = opsInUnits(trace, unit);
  let capacity = 2 ** Math.ceil(Math.log2(peakUnits(trace, ops)));
  while (capacity < MAX_CAPACITY && !fits(trace, ops, capacity, onProgress)) capacity *= 2;
  return Math.min(capacity, MAX_CAPACITY);
}

// The peak of the units in live blocks, if all of them found room.
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

function fits(trace: Trace, ops: Int32Array, capacity: number, onProgress: Progress | undefined): boolean {
  const pass = new Pass(trace, ops, capacity);
  for (const done of pass.run(ops.length)) {
    if (pass.failures > 0) return false;
    onProgress?.(done, ops.length);
  }
  return true;
}
