// What a process measures in its turn.

import type { Runner, Sample } from '../measure.ts';
import { median } from '../statistics.ts';
import type { Workload } from '../workloads.ts';

/** What came of the replays of one process. */
export interface Turn {
  /** Processor time per operation, in nanoseconds: the median of the replays after those that warm up. */
  readonly ns: number;
  /** The least of them. */
  readonly leastNs: number;
  readonly failures: number;
  readonly hash: number;
}

/** Replays of a turn that only warm up. */
const WARM_UP = 5;

/** Makes `replays` replays, after some to warm up. */
export async function turnOf(runner: Runner, workload: Workload, replays: number): Promise<Turn> {
  const samples: Sample[] = [];
  for (let i = 0; i < WARM_UP + replays; i++) samples.push(await runner.replay());
  const operations = workload.operations.length - workload.steadyFrom;
  const times = samples.slice(WARM_UP).map(({ cpuNs = Number.NaN }) => cpuNs / operations);
  const [{ failures, hash }] = samples;
  return { ns: median(times), leastNs: Math.min(...times), failures, hash };
}
