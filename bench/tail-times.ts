// How long every single operation of a workload takes.

import type { Contender } from './contenders/contender.ts';
import { operationsFor, warmArena } from './contenders/runner.ts';
import { loadDriver } from './load-driver.ts';
import { showProgress } from './progress.ts';
import type { Workload } from './workloads.ts';

/**
 * Passes over each workload. Operation i does the same work in every pass, so the least of its times is free of what
 * happened to the machine meanwhile; what stays is the allocator's doing.
 */
export const PASSES = 9;

/** Whole nanoseconds that each operation took, the clock's own cost included. */
export async function timesOf(contender: Contender, workload: Workload): Promise<Float64Array> {
  const { replayTimingEach } = await loadDriver();
  const operations = operationsFor(contender, workload);
  const handles = new Int32Array(operations.length);
  const least = new Float64Array(operations.length).fill(Number.POSITIVE_INFINITY);
  for (let pass = 1; pass <= PASSES; pass++) {
    showProgress(`${workload.name}: ${contender.name}, pass ${pass}`);
    replayTimingEach(warmArena(contender, workload).allocator, operations, handles, least);
  }
  // The clock counts whole nanoseconds; their difference in fractions of a millisecond is rounded back.
  return least.map(Math.round);
}
