// `npm run bench -- tail`: what single operations cost, in time and in elements touched. Percentiles and the
// worst one, ours against the reference, on the traces and on sequences made to be slow.

import Table from 'cli-table3';
import { ADVERSARIES } from '../test/support/adversarial.ts';
import { printReport } from './command.ts';
import { buddy } from './contenders/buddy.ts';
import type { Contender } from './contenders/contender.ts';
import { empty } from './contenders/empty.ts';
import { reference } from './contenders/reference.ts';
import { type Machine, machine } from './machine.ts';
import { showProgress } from './progress.ts';
import { quantile } from './statistics.ts';
import { PASSES, timesOf } from './tail-times.ts';
import { touchesOf } from './tail-touches.ts';
import { UNIT_BYTES, type Workload, workloadPlans } from './workloads.ts';

/** Arena of the adversarial sequences, in units. */
const ADVERSARIAL_CAPACITY = 2 ** 20;

/** How long the adversarial sequences prepare. */
const ADVERSARIAL_STEPS = 10_000;

/** Percentiles and the worst. */
interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** What the operations of one kind cost. */
interface Tail {
  readonly workload: string;
  readonly contender: string;
  readonly kind: 'alloc' | 'free';
  readonly operations: number;
  /** Nanoseconds, the clock's own cost included. */
  readonly ns: Spread;
  /** Different positions of the metadata touched; none of the empty driver. */
  readonly touched?: Spread;
  /** [i] counts the operations that took at least 2^i and less than 2^(i+1) ns; [0] those below 2 ns too. */
  readonly histogram: readonly number[];
}

interface Report {
  readonly machine: Machine;
  /** Of which the least time of each operation counts. */
  readonly passes: number;
  readonly tails: readonly Tail[];
}

function spreadOf(sorted: Float64Array): Spread {
  return {
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    p999: quantile(sorted, 0.999),
    max: sorted[sorted.length - 1],
  };
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

function tailsOf(contender: Contender, workload: Workload, ns: Float64Array): Tail[] {
  const touched = contender === empty ? undefined : touchesOf(contender, workload);
  return (['alloc', 'free'] as const).map((kind) => {
    const ofKind = (costs: Float64Array): Float64Array =>
      costs.filter((_, i) => workload.operations[i] >= 0 === (kind === 'alloc')).sort();
    const times = ofKind(ns);
    return {
      workload: workload.name,
      contender: contender.name,
      kind,
      operations: times.length,
      ns: spreadOf(times),
      ...(touched && { touched: spreadOf(ofKind(touched)) }),
      histogram: histogramOf(times),
    };
  });
}

function adversarialWorkloads(): Workload[] {
  return ADVERSARIES.map(({ name, operations }) => {
    const units = Int32Array.from(operations(ADVERSARIAL_CAPACITY, ADVERSARIAL_STEPS));
    return {
      name,
      capacity: ADVERSARIAL_CAPACITY,
      operations: units,
      bytes: units.map((x) => (x < 0 ? x : x * UNIT_BYTES)),
      steadyFrom: 0,
    };
  });
}

function format({ passes, tails }: Report): string {
  const columns = ['p50', 'p99', 'p99.9', 'max'];
  const table = new Table({
    head: [
      'workload',
      'contender',
      'kind',
      ...columns.map((p) => `${p} ns`),
      ...columns.map((p) => `${p} #`),
    ],
    colAligns: [
      'left',
      'left',
      'left',
      ...columns.map(() => 'right' as const),
      ...columns.map(() => 'right' as const),
    ],
    style: { head: [], border: [], compact: true },
  });
  const cells = (spread?: Spread): string[] => {
    return spread
      ? [spread.p50, spread.p99, spread.p999, spread.max].map((x) => x.toFixed(0))
      : columns.map(() => '');
  };
  for (const { workload, contender, kind, ns, touched } of tails) {
    table.push([workload, contender, kind, ...cells(ns), ...cells(touched)]);
  }
  return [
    `ns: least of ${passes} passes for every operation. Nothing is subtracted: the rows of the empty driver are the cost of`,
    'reading the clock, which all others contain.',
    '#: different elements of its metadata that an operation touches, int32 of the allocator, bytes of the reference.',
    `Below the traces: sequences made to be slow, on ${ADVERSARIAL_CAPACITY} units.`,
    table.toString(),
    '',
  ].join('\n');
}

async function bench(): Promise<Report> {
  const traces = workloadPlans().filter(({ isWholeTrace }) => isWholeTrace);
  const workloads = [...traces.map((plan) => plan.build()), ...adversarialWorkloads()];
  const timed: { contender: Contender; workload: Workload; ns: Float64Array }[] = [];
  for (const workload of workloads) {
    for (const contender of [buddy, reference, empty]) {
      timed.push({ contender, workload, ns: await timesOf(contender, workload) });
    }
  }
  // All counting comes after all timing: code that has met the counting arrays is slower from then on.
  const tails = timed.flatMap(({ contender, workload, ns }) => tailsOf(contender, workload, ns));
  showProgress('');
  return { machine: machine(), passes: PASSES, tails };
}

/** Measures and reports, as the command line says. */
export async function run(options: { readonly json?: true }): Promise<void> {
  printReport(await bench(), options, format);
}
