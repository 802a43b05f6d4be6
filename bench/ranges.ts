// `npm run bench -- ranges`: ranges of exact sizes beside blocks, OffsetAllocator's bins and plain first fit: footprint, time,
// and requests refused in a buffer that is nearly full.

import Table from 'cli-table3';
import { loadTrace, TRACE_CAPACITY, TRACE_NAMES } from '../test/support/traces.ts';
import { printReport } from './command.ts';
import { type EffortOptions, effortOf } from './effort.ts';
import { loadDriver } from './load-driver.ts';
import { type Machine, machine } from './machine.ts';
import { type Effort, measure, type Runner, type Sample } from './measure.ts';
import { showProgress } from './progress.ts';
import { CONTENDERS, type Placer } from './ranges/contenders.ts';
import { meshes, sizesLikeGpu } from './ranges/workloads.ts';

const FILLS = [0.5, 0.6, 0.7];
/** Units of a buffer of 16 MiB in units of 4 bytes. */
const MESH_CAPACITY = 2 ** 22;

/** What one allocator made of one workload. */
interface Result {
  readonly workload: string;
  readonly contender: string;
  /** Highest address ever in use, divided by the most units that were live at once; null if requests were refused. */
  readonly footprint: number | null;
  /** The part of the requests that was refused. */
  readonly refused: number;
  /** Median over the rounds. */
  readonly nsPerOperation: number;
  /** Median over the rounds of the time divided by that of blocks in the same round. */
  readonly timesBlocks: number;
}

interface Report {
  readonly machine: Machine;
  readonly results: readonly Result[];
}

/** What is replayed. */
interface Workload {
  readonly name: string;
  readonly capacity: number;
  readonly operations: Int32Array;
  /** [id]: the size of the request. */
  readonly sizes: Int32Array;
}

/** A contender that replays in one arena again and again: after the first round, all its memory has been written to. */
async function runnerFor(name: string, placer: Placer, { operations, sizes }: Workload): Promise<Runner> {
  const { replayRanges } = await loadDriver();
  const handles = new Int32Array(sizes.length);
  /** What is left at the end. */
  const left = new Set(sizes.keys());
  for (const x of operations) if (x < 0) left.delete(~x);
  const replay = (): Sample => {
    const start = performance.now();
    const failures = replayRanges(placer, operations, sizes, handles);
    const replayNs = (performance.now() - start) * 1e6;
    for (const id of left) if (handles[id] >= 0) placer.free(handles[id], sizes[id]);
    return { replayNs, createNs: 0, failures, hash: 0 };
  };
  return { name, placesAsReference: false, replay: async () => replay() };
}

/** How far up a contender gets, and how often it refuses. */
function place(placer: Placer, { operations, sizes }: Workload): Pick<Result, 'footprint' | 'refused'> {
  const handles: number[] = [];
  let [highest, refused, live, peak] = [0, 0, 0, 0];
  for (const x of operations) {
    if (x > 0) {
      const handle = placer.alloc(x);
      handles.push(handle);
      if (handle < 0) refused++;
      else {
        highest = Math.max(highest, placer.endOf(handle, x));
        live += x;
        peak = Math.max(peak, live);
      }
    } else if (handles[~x] >= 0) {
      placer.free(handles[~x], sizes[~x]);
      live -= sizes[~x];
    }
  }
  return { footprint: refused === 0 ? highest / peak : null, refused: refused / sizes.length };
}

async function runWorkload(workload: Workload, effort: Effort): Promise<Result[]> {
  const runners: Runner[] = [];
  for (const [name, Contender] of Object.entries(CONTENDERS)) {
    runners.push(await runnerFor(name, new Contender(workload.capacity), workload));
  }
  const measurements = await measure(runners, workload.operations.length, effort, (phase, number) =>
    showProgress(`${workload.name}: ${phase} ${number}`),
  );
  return measurements.map(({ name, nsPerOperation, timesBase }) => ({
    workload: workload.name,
    contender: name,
    ...place(new CONTENDERS[name](workload.capacity), workload),
    nsPerOperation: nsPerOperation.median,
    timesBlocks: timesBase.median,
  }));
}

function format({ results }: Report): string {
  const table = new Table({
    head: ['workload', 'allocator', 'footprint', 'refused', 'ns per operation', 'times blocks'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { workload, contender, footprint, refused, nsPerOperation, timesBlocks } of results) {
    table.push([
      workload,
      contender,
      footprint === null ? '' : footprint.toFixed(3),
      refused === 0 ? '' : `${(100 * refused).toFixed(2)} %`,
      nsPerOperation.toFixed(0),
      timesBlocks.toFixed(2),
    ]);
  }
  return `${table}\nfootprint: highest address ever in use / most units live at once. Lower is better in every column.\n`;
}

interface Options extends EffortOptions {
  readonly json?: true;
}

/** The workloads, each made when it is its turn. */
function* workloads({ quick }: Options): Generator<Workload> {
  const workload = (name: string, capacity: number, operations: Int32Array): Workload => {
    return { name, capacity, operations, sizes: operations.filter((size) => size > 0) };
  };
  for (const name of TRACE_NAMES) {
    const all = loadTrace(name);
    yield workload(name, TRACE_CAPACITY, quick ? all.subarray(0, 50_000) : all);
  }
  const requests = quick ? 5_000 : 100_000;
  yield workload('GPU-like, log-normal', 2 ** 19, sizesLikeGpu({ live: 1500, replaced: requests }));
  for (const fill of FILLS) {
    const operations = meshes({ capacity: MESH_CAPACITY, fill, requests });
    yield workload(`meshes, ${100 * fill} % full`, MESH_CAPACITY, operations);
  }
}

/** Runs the benchmark. */
export async function run(options: Options): Promise<void> {
  const results: Result[] = [];
  for (const workload of workloads(options)) {
    results.push(...(await runWorkload(workload, effortOf(options))));
  }
  printReport({ machine: machine(), results }, options, format);
}
