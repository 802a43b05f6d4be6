// How many elements of its metadata every single operation of a workload touches: a cost that is no machine's.

import { counting, replayCounting } from '../test/support/counting.ts';
import { buddy } from './contenders/buddy.ts';
import type { Contender } from './contenders/contender.ts';
import { operationsFor } from './contenders/runner.ts';
import { showProgress } from './progress.ts';
import type { Workload } from './workloads.ts';

/**
 * Different positions that each operation touches: int32 of this project's state, byte nodes of the reference's tree.
 * 0 for an operation that was left out, as nothing had been allocated.
 */
export function touchesOf(contender: Contender, workload: Workload): Float64Array {
  showProgress(`${workload.name}: ${contender.name}, counting`);
  const { made, counter } = counting(contender === buddy ? 'Int32Array' : 'Int8Array', [0], () => {
    return contender.create(workload).allocator;
  });
  const operations = operationsFor(contender, workload);
  const touched = new Float64Array(operations.length);
  replayCounting({ made, counter }, operations, (_, at) => {
    touched[at] = counter.positions;
  });
  return touched;
}
