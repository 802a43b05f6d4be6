// A worker thread of the benchmarks of shared memory: attaches to an arena, and works when told.

import { parentPort, workerData } from 'node:worker_threads';
import type { Contender } from './contender.ts';
import { MEETING_CELLS, meetingAt, type Outcome, type PatternModule } from './task.ts';

/** The modules of a worker, as URLs: its contender, and the patterns. */
export interface Modules {
  readonly contender: string;
  readonly patterns: string;
}

/** The message of the main thread to all workers of a round. */
export interface Round {
  readonly arena: unknown;
  readonly pattern: string;
  readonly me: number;
  readonly workers: number;
  readonly rounds: number;
  /** Cells that the pattern uses, and behind them {@link MEETING_CELLS} for the workers to meet. */
  readonly shared: SharedArrayBuffer;
}

/** The answer of a worker. */
export interface Done extends Outcome {
  readonly begin: Times;
  readonly end: Times;
}

/** Nanoseconds, the same for all threads. */
export interface Times {
  readonly clock: number;
  /** What all threads of the process have spent on a processor. */
  readonly cpu: number;
}

function now(): Times {
  const { user, system } = process.cpuUsage();
  return { clock: Number(process.hrtime.bigint()), cpu: 1000 * (user + system) };
}

// The lock of `@daneren2005/shared-memory-objects` asks a browser's global object whether it may wait.
Object.assign(globalThis, { self: { WorkerGlobalScope: true } });

const modules = workerData as Modules;
const { contender } = (await import(modules.contender)) as { contender: Contender<unknown> };
const { prepare } = (await import(modules.patterns)) as PatternModule<unknown>;

parentPort?.on('message', ({ arena, pattern, me, workers, rounds, shared }: Round) => {
  const cells = new Int32Array(shared);
  const meet = meetingAt(cells, cells.length - MEETING_CELLS / 2, workers);
  const work = prepare(pattern, { arena: contender.attach(arena), me, workers, rounds, shared: cells, meet });
  meet(); // all begin together
  const begin = now();
  const outcome = work();
  const done: Done = { ...outcome, begin, end: now() };
  parentPort?.postMessage(done);
});
