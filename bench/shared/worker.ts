// A worker thread of `npm run bench -- shared`: attaches to an arena, and works when told.

import { parentPort, workerData } from 'node:worker_threads';
import type { SharedContender } from './contender.ts';
import { CELLS_PER_WORKER, PATTERNS, type PatternName } from './patterns.ts';

/** The message of the main thread to all workers of a round. */
export interface Round {
  readonly arena: unknown;
  readonly pattern: PatternName;
  readonly me: number;
  readonly workers: number;
  readonly rounds: number;
  /** Cells that the pattern uses, and behind them the count of workers that are ready. */
  readonly shared: SharedArrayBuffer;
}

/** The answer of a worker. Times are in ns, of a clock that all threads share. */
export interface Done {
  readonly begin: bigint;
  readonly end: bigint;
  readonly operations: number;
}

/** The cell in which the workers that are ready are counted. */
export function readyCell(workers: number): number {
  return workers * CELLS_PER_WORKER;
}

const { contender } = (await import((workerData as { contender: string }).contender)) as {
  contender: SharedContender;
};

parentPort?.on('message', ({ arena, pattern, me, workers, rounds, shared }: Round) => {
  const cells = new Int32Array(shared);
  const task = { arena: contender.attach(arena), me, workers, rounds, shared: cells };
  // All begin together.
  const ready = readyCell(workers);
  if (Atomics.add(cells, ready, 1) === workers - 1) Atomics.notify(cells, ready);
  for (let n = Atomics.load(cells, ready); n < workers; n = Atomics.load(cells, ready)) {
    Atomics.wait(cells, ready, n, 10);
  }
  const begin = process.hrtime.bigint();
  const operations = PATTERNS[pattern](task);
  const done: Done = { begin, end: process.hrtime.bigint(), operations };
  parentPort?.postMessage(done);
});
