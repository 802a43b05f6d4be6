// `npm run bench -- heap`: Heap beside other allocators of bytes: time, memory, and the slowest call.

import type { Command } from 'commander';
import { printReport } from './command.ts';
import { type EffortOptions, effortOf } from './effort.ts';
import type { Contender, GrowingContender } from './heap/contender.ts';
import { firstFitFootprint, footprintOf } from './heap/footprint.ts';
import { heap } from './heap/heap.ts';
import { NATIVE_NAMES, type NativeHeap, startNative } from './heap/native.ts';
import { packages } from './heap/packages.ts';
import {
  type FootprintResult,
  formatReport,
  type Report,
  type SlowestResult,
  type TimeResult,
} from './heap/report.ts';
import { slowestOf } from './heap/slowest.ts';
import { runnerFor } from './heap/time.ts';
import { wasmContenders } from './heap/wasm.ts';
import { type HeapWorkload, heapBeginnings, heapWorkloads, millionBlocks } from './heap/workloads.ts';
import { machine } from './machine.ts';
import { type Effort, measure, type Runner } from './measure.ts';
import { showProgress } from './progress.ts';

/** Operations of a trace that the packages replay: some of them take time linear in the number of blocks. */
const CUT = 50_000;
/** The packages are many times slower than Heap: they need no precision. */
const FEW: Effort = { rounds: 3, warmupRounds: 3 };
/** Most passes in which the slowest call is looked for. */
const MOST_PASSES = 5;

interface Options extends EffortOptions {
  readonly against?: readonly string[];
  readonly only?: 'time' | 'footprint' | 'slowest';
  readonly json?: true;
}

/** Who takes part beside Heap. */
interface Selection {
  readonly wasm: readonly GrowingContender[];
  readonly packages: readonly Contender[];
  readonly native: readonly string[];
}

/** All others, or those whose name contains one of `against`. */
function select({ against }: Options, command: Command): Selection {
  const names = [...wasmContenders, ...packages].map(({ name }) => name).concat(NATIVE_NAMES);
  const unknown = against?.find((text) => !names.some((name) => name.includes(text)));
  if (unknown !== undefined) command.error(`error: no contender is called ${unknown}`);
  const has = (name: string): boolean => against?.some((text) => name.includes(text)) ?? true;
  return {
    wasm: wasmContenders.filter(({ name }) => has(name)),
    packages: packages.filter(({ name }) => has(name)),
    native: NATIVE_NAMES.filter(has),
  };
}

/** What is timed together. */
interface Contest {
  readonly workloads: readonly HeapWorkload[];
  /** Beside Heap. */
  readonly others: readonly Contender[];
  readonly native: readonly NativeHeap[];
  readonly effort: Effort;
  /** Whether every replay has a heap of its own. */
  readonly fresh: boolean;
  /** What the name of the work ends with. */
  readonly remark: string;
}

/** Times of Heap and of others on some workloads, without and with realloc. */
async function timesOf({ workloads, others, native, effort, fresh, remark }: Contest): Promise<TimeResult[]> {
  const results: TimeResult[] = [];
  if (others.length + native.length === 0) return results;
  for (const resizing of [false, true]) {
    const work = `malloc, ${resizing ? 'realloc, ' : ''}free${remark}`;
    for (const workload of workloads) {
      const runners: Runner[] = [];
      for (const contender of [heap, ...others]) {
        runners.push(await runnerFor(contender, workload, { resizing, fresh }));
      }
      for (const one of native) runners.push(await one.runnerFor(workload, resizing));
      const { length } = workload.operations;
      const measurements = await measure(runners, length, effort, (phase, number) =>
        showProgress(`${work}: ${workload.name}: ${phase} ${number}`),
      );
      results.push({ work, workload: workload.name, operations: length, measurements });
    }
  }
  return results;
}

async function times(
  workloads: readonly HeapWorkload[],
  { wasm, packages }: Selection,
  native: readonly NativeHeap[],
  effort: Effort,
): Promise<TimeResult[]> {
  return [
    ...(await timesOf({ workloads, others: wasm, native, effort, fresh: false, remark: '' })),
    // A package's heap that is kept gets slower from round to round, and emptying it takes longer than the work.
    ...(await timesOf({
      workloads: heapBeginnings(CUT),
      others: packages,
      native: [],
      effort: FEW,
      fresh: true,
      remark: `, first ${CUT / 1000}k`,
    })),
  ];
}

function footprints(
  workloads: readonly HeapWorkload[],
  wasm: readonly GrowingContender[],
): FootprintResult[] {
  return workloads.map((workload) => {
    showProgress(`footprint: ${workload.name}`);
    return {
      workload: workload.name,
      peak: workload.peakBytes,
      firstFit: firstFitFootprint(workload),
      footprints: [heap, ...wasm].map((contender) => footprintOf(contender, workload)),
    };
  });
}

async function slowest(
  workloads: readonly HeapWorkload[],
  wasm: readonly GrowingContender[],
  passes: number,
): Promise<SlowestResult[]> {
  const results: SlowestResult[] = [];
  for (const workload of workloads) {
    showProgress(`slowest call: ${workload.name}`);
    const found = [];
    for (const contender of [heap, ...wasm]) found.push(await slowestOf(contender, workload, passes));
    results.push({ workload: workload.name, slowest: found });
  }
  return results;
}

async function bench(options: Options, command: Command): Promise<Report> {
  const selection = select(options, command);
  const { wasm } = selection;
  const effort = effortOf(options);
  const wants = (part: Options['only']): boolean => options.only === undefined || options.only === part;
  const workloads = heapWorkloads();
  const native = await startNative(wants('time') ? selection.native : []);
  try {
    return {
      machine: machine(),
      native: native.description,
      effort,
      times: wants('time') ? await times(workloads, selection, native.heaps, effort) : [],
      footprints: wants('footprint') ? footprints(workloads, wasm) : [],
      slowest: wants('slowest')
        ? await slowest([...workloads, millionBlocks()], wasm, Math.min(MOST_PASSES, effort.rounds))
        : [],
    };
  } finally {
    showProgress('');
    for (const one of native.heaps) one.close();
  }
}

/** Measures and reports, as the command line says. */
export async function run(options: Options, command: Command): Promise<void> {
  printReport(await bench(options, command), options, formatReport);
}
