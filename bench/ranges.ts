// `npm run bench -- ranges`: ranges of exact sizes beside blocks, OffsetAllocator's bins and plain first fit: footprint, time,
// and requests refused in a buffer that is nearly full.

import Table from 'cli-table3';
import { FirstFit } from '../test/spec/first-fit.ts';
import { ALL_TRACES, loadTrace, TRACE_CAPACITY } from '../test/support/traces.ts';
import { printReport } from './command.ts';
import { type EffortOptions, effortOf } from './effort.ts';
import { type Machine, machine } from './machine.ts';
import { showProgress } from './progress.ts';
import { OffsetAllocator } from './ranges/offset-allocator.ts';
import { meshes, sizesLikeGpu } from './ranges/workloads.ts';
import { summarise } from './statistics.ts';

const built = new URL('../dist/index.js', import.meta.url).href;
const { BuddyAllocator }: typeof import('../src/index.ts') = await import(built);

/** An allocator as this benchmark sees it. What `alloc` returns is -1, or what `free` and `endOf` take. */
interface Placer {
  alloc(size: number): number;
  free(handle: number, size: number): void;
  /** End of the units that are in use for a request of `size` units. */
  endOf(handle: number, size: number): number;
}

const CONTENDERS: Readonly<Record<string, (capacity: number) => Placer>> = {
  allocRange: (capacity) => {
    const arena = new BuddyAllocator({ capacity });
    return {
      alloc: (size) => arena.allocRange(size),
      free: (offset, size) => arena.release(offset, size),
      endOf: (offset, size) => offset + size,
    };
  },
  'alloc (blocks)': (capacity) => {
    const arena = new BuddyAllocator({ capacity });
    return {
      alloc: (size) => arena.alloc(size),
      free: (offset) => arena.free(offset),
      endOf: (offset, size) => offset + 2 ** Math.ceil(Math.log2(size)),
    };
  },
  OffsetAllocator: (capacity) => {
    const bins = new OffsetAllocator(capacity, 2 ** 20);
    return {
      alloc: (size) => bins.alloc(size),
      free: (record) => bins.free(record),
      endOf: (record, size) => bins.offsetOf(record) + size,
    };
  },
  'first fit': (capacity) => {
    const gaps = new FirstFit(capacity);
    return {
      alloc: (size) => gaps.alloc(size),
      free: (offset, size) => gaps.free(offset, size),
      endOf: (offset, size) => offset + size,
    };
  },
};

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
}

interface Report {
  readonly machine: Machine;
  readonly results: readonly Result[];
}

function measure(workload: string, operations: Int32Array, capacity: number, rounds: number): Result[] {
  const requests = operations.reduce((sum, size) => sum + (size > 0 ? 1 : 0), 0);
  const sizes = operations.filter((size) => size > 0);
  const handles = new Int32Array(requests);
  return Object.entries(CONTENDERS).map(([contender, create]) => {
    showProgress(`${workload}: ${contender}`);
    const times: number[] = [];
    let highest = 0;
    let refused = 0;
    let peak = 0;
    for (let round = 0; round <= rounds; round++) {
      const placer = create(capacity);
      let id = 0;
      const start = performance.now();
      for (const size of operations) {
        if (size > 0) handles[id++] = placer.alloc(size);
        else if (handles[~size] >= 0) placer.free(handles[~size], sizes[~size]);
      }
      times.push(((performance.now() - start) * 1e6) / operations.length);
      if (round > 0) continue;
      times.length = 0; // The first round warms up, and another one counts.
      const counted = create(capacity);
      let live = 0;
      id = 0;
      for (const size of operations) {
        if (size > 0) {
          const handle = counted.alloc(size);
          handles[id++] = handle;
          if (handle < 0) refused++;
          else {
            highest = Math.max(highest, counted.endOf(handle, size));
            live += size;
            peak = Math.max(peak, live);
          }
        } else if (handles[~size] >= 0) {
          counted.free(handles[~size], sizes[~size]);
          live -= sizes[~size];
        }
      }
    }
    return {
      workload,
      contender,
      footprint: refused === 0 ? highest / peak : null,
      refused: refused / requests,
      nsPerOperation: summarise(times).median,
    };
  });
}

function format({ results }: Report): string {
  const table = new Table({
    head: ['workload', 'allocator', 'footprint', 'refused', 'ns per operation'],
    colAligns: ['left', 'left', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { workload, contender, footprint, refused, nsPerOperation } of results) {
    table.push([
      workload,
      contender,
      footprint === null ? '' : footprint.toFixed(3),
      refused === 0 ? '' : `${(100 * refused).toFixed(2)} %`,
      nsPerOperation.toFixed(0),
    ]);
  }
  return `${table}\nfootprint: highest address ever in use / most units live at once. Lower is better in every column.\n`;
}

interface Options extends EffortOptions {
  readonly json?: true;
}

/** Runs the benchmark. */
export function run(options: Options): void {
  const rounds = Math.max(1, Math.min(effortOf(options).rounds, 5));
  const replaced = options.quick ? 5_000 : 100_000;
  const results = [
    ...ALL_TRACES.flatMap((name) => {
      const all = loadTrace(name);
      return measure(name, options.quick ? all.subarray(0, 50_000) : all, TRACE_CAPACITY, rounds);
    }),
    ...measure('GPU-like, log-normal', sizesLikeGpu({ live: 1500, replaced }), 2 ** 19, rounds),
    ...FILLS.flatMap((fill) =>
      measure(
        `meshes, ${100 * fill} % full`,
        meshes({ capacity: MESH_CAPACITY, fill, requests: replaced }),
        MESH_CAPACITY,
        rounds,
      ),
    ),
  ];
  printReport({ machine: machine(), results }, options, format);
}
