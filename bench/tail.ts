// How long single operations take: percentiles and the slowest one, ours against the reference, on the traces.

import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { buddy } from './contenders/buddy.ts';
import type { Contender } from './contenders/contender.ts';
import { empty } from './contenders/empty.ts';
import { reference } from './contenders/reference.ts';
import { operationsFor, warmArena } from './contenders/runner.ts';
import { loadDriver } from './load-driver.ts';
import { machine } from './machine.ts';
import { showProgress } from './progress.ts';
import { quantile } from './statistics.ts';
import { type Workload, workloadPlans } from './workloads.ts';

/**
 * Passes over each trace. Operation i does the same work in every pass, so the least of its times is free of what
 * happened to the machine meanwhile; what stays is the allocator's doing.
 */
const PASSES = 9;

/** Nanoseconds that operations of one kind took, the clock's own cost included. */
interface Tail {
  readonly workload: string;
  readonly contender: string;
  readonly kind: 'alloc' | 'free';
  readonly operations: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** [i] counts the operations that took at least 2^i and less than 2^(i+1) ns; [0] those below 2 ns too. */
  readonly histogram: readonly number[];
}

function histogramOf(times: Float64Array): number[] {
  const counts: number[] = [];
  for (const ns of times) {
    const bucket = ns < 2 ? 0 : Math.floor(Math.log2(ns));
    while (counts.length <= bucket) counts.push(0);
    counts[bucket]++;
  }
  return counts;
}

async function tailsOf(contender: Contender, workload: Workload): Promise<Tail[]> {
  const { replayTimingEach } = await loadDriver();
  const operations = operationsFor(contender, workload);
  const handles = new Int32Array(operations.length);
  const least = new Float64Array(operations.length).fill(Number.POSITIVE_INFINITY);
  for (let pass = 1; pass <= PASSES; pass++) {
    showProgress(`${workload.name}: ${contender.name}, pass ${pass}`);
    replayTimingEach(warmArena(contender, workload).allocator, operations, handles, least);
  }
  return (['alloc', 'free'] as const).map((kind) => {
    // The clock counts whole nanoseconds; their difference in fractions of a millisecond is rounded back.
    const times = least
      .filter((_, i) => operations[i] >= 0 === (kind === 'alloc'))
      .map(Math.round)
      .sort();
    return {
      workload: workload.name,
      contender: contender.name,
      kind,
      operations: times.length,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      p999: quantile(times, 0.999),
      max: times[times.length - 1],
      histogram: histogramOf(times),
    };
  });
}

function format(tails: readonly Tail[]): string {
  const table = new Table({
    head: ['trace', 'contender', 'operation', 'p50 ns', 'p99 ns', 'p99.9 ns', 'max ns'],
    colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { workload, contender, kind, p50, p99, p999, max } of tails) {
    table.push([workload, contender, kind, ...[p50, p99, p999, max].map((ns) => ns.toFixed(0))]);
  }
  return [
    `Least of ${PASSES} passes for every operation. Nothing is subtracted: the rows of the empty driver are the cost of`,
    'reading the clock, which all others contain.',
    table.toString(),
    '',
  ].join('\n');
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const tails: Tail[] = [];
for (const plan of workloadPlans().filter(({ isWholeTrace }) => isWholeTrace)) {
  const workload = plan.build();
  for (const contender of [buddy, reference, empty]) tails.push(...(await tailsOf(contender, workload)));
}
showProgress('');
process.stdout.write(
  values.json ? `${JSON.stringify({ machine: machine(), passes: PASSES, tails }, null, 2)}\n` : format(tails),
);
