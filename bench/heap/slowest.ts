// The slowest single call of a workload, in a heap that begins small and grows.

import { collectGarbage } from '../garbage.ts';
import { loadHeapDriver } from '../load-driver.ts';
import { median } from '../statistics.ts';
import type { GrowingContender } from './contender.ts';
import type { HeapWorkload } from './workloads.ts';

/** Nanoseconds, the clock's own cost included. */
export interface Slowest {
  readonly name: string;
  /** The slowest call, where each call's time is the least of all passes: what interrupts add is gone, what the call does is not. */
  readonly least: number;
  /** The median, over the passes, of the slowest call of a pass. */
  readonly median: number;
}

/** Replays a workload `passes` times, each in a fresh heap. Call i does the same in each of them. */
export async function slowestOf(
  contender: GrowingContender,
  { operations, allocations, memoryBytes }: HeapWorkload,
  passes: number,
): Promise<Slowest> {
  const { replayTimingEach } = await loadHeapDriver();
  const pointers = new Int32Array(allocations);
  const least = new Float64Array(operations.length).fill(Number.POSITIVE_INFINITY);
  const slowest: number[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const { heap } = contender.createGrowing(memoryBytes);
    collectGarbage();
    slowest.push(replayTimingEach(heap, operations, pointers, least));
  }
  return {
    name: contender.name,
    least: least.reduce((most, ns) => Math.max(most, ns)),
    median: median(slowest),
  };
}
