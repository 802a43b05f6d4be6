// Records real histories of worker threads on one arena. They begin each round together. Between rounds no worker is
// in a call.

import { Worker } from 'node:worker_threads';
import { SharedBuddyAllocator } from '../../src/shared.ts';
import type { Arena, Call, Live } from './shared-linear.ts';

export interface HistorySetting extends Arena {
  readonly workers: number;
  readonly rounds: number;
  /** Calls of each worker in a round. */
  readonly calls: number;
  /** Highest order of a request. */
  readonly most: number;
  readonly seed: number;
}

export interface Recorded {
  /** [round]: the calls, in the order in which they began. */
  readonly rounds: Call[][];
  /** The blocks that are live at the end. */
  readonly live: Live[];
  /** The violated invariants at the end. */
  readonly wrong: string[];
}

const CODES = { fields: 5, alloc: 0, free: 1, NOT_ALLOCATED: -1, INTERIOR: -2 };

const AT = { clock: 0, arrived: 16, generation: 32, awake: 48, length: 64 };

function sharedCells(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * length));
}

function decode(worker: number, [kind, argument, result, called, returned]: Int32Array): Call {
  const times = { worker, argument, called, returned };
  if (kind === CODES.alloc) return { ...times, kind: 'alloc', result };
  if (result > 0) return { ...times, kind: 'free', result };
  return { ...times, kind: 'free', result: result === CODES.INTERIOR ? 'INTERIOR' : 'NOT_ALLOCATED' };
}

/** Runs the workers on an empty arena, and resolves to their history. */
export async function record(setting: HistorySetting): Promise<Recorded> {
  const { capacity, trackOwners, workers, rounds, calls } = setting;
  const arena = SharedBuddyAllocator.create({ capacity, trackOwners, maxWorkers: workers + 1 });
  const log = sharedCells(workers * rounds * calls * CODES.fields);
  const shared = {
    buffer: arena.buffer,
    cells: sharedCells(AT.length),
    known: sharedCells(1 + capacity),
    log,
  };
  await Promise.all(
    Array.from(
      { length: workers },
      (_, writer) =>
        new Promise<void>((resolve, reject) => {
          const workerData = { ...setting, ...shared, writer, codes: CODES, at: AT };
          const worker = new Worker(new URL('./shared-history.mjs', import.meta.url), { workerData });
          worker.on('error', reject);
          worker.on('exit', () => resolve());
        }),
    ),
  );
  const history = Array.from({ length: rounds }, (_, round) =>
    Array.from({ length: workers * calls }, (_, i) => {
      const worker = Math.floor(i / calls);
      const position = ((worker * rounds + round) * calls + (i % calls)) * CODES.fields;
      return decode(worker, log.subarray(position, position + CODES.fields));
    }).sort((a, b) => a.called - b.called),
  );
  const live = [...arena.blocks()].filter(({ free }) => !free).map(({ offset, size }) => ({ offset, size }));
  return { rounds: history, live, wrong: arena.check() };
}
