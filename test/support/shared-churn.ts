// Runs workers that allocate, free and pass blocks on in one shared arena, and checks the arena when they are done.

import { Worker } from 'node:worker_threads';
import { SharedBuddyAllocator } from '../../src/shared.ts';

export interface ChurnSetting {
  readonly capacity: number;
  readonly trackOwners: boolean;
  readonly workers: number;
  /** Of each worker. */
  readonly operations: number;
  /** Highest order of a request. */
  readonly most: number;
  /** Part of the arena that all workers together aim to hold; with more than 1 it is full most of the time. */
  readonly fill: number;
  readonly seed: number;
}

export interface ChurnTally {
  /** Requests that got a block. */
  allocations: number;
  /** Requests that found no room. */
  full: number;
  frees: number;
  /** Exchanges by way of a mailbox. */
  passed: number;
  /** Frees of blocks that another worker had allocated. */
  foreign: number;
  /** Frees of the inside of a block, all refused. */
  refused: number;
}

const MAILBOXES = 16;

function sharedCells(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * length));
}

/** What is wrong, in words, with an arena in which no worker holds a block: it must be one free block again. */
export function notEmpty(arena: SharedBuddyAllocator): string[] {
  const wrong = arena.check();
  const { usedUnits, liveBlocks, freeUnits } = arena.stats();
  if (usedUnits !== 0 || liveBlocks !== 0 || freeUnits !== arena.capacity) {
    wrong.push(`${usedUnits} units in ${liveBlocks} blocks are left`);
  }
  const largest = 2 ** Math.floor(Math.log2(arena.capacity));
  const offset = arena.alloc(largest);
  if (offset < 0) wrong.push(`the whole of ${largest} units cannot be had`);
  else arena.free(offset);
  wrong.push(...arena.check());
  return wrong;
}

/**
 * Resolves to a tally of the workers' operations. Rejects if a block has changed, or if the arena is not sound at the
 * end.
 */
export async function churn(setting: ChurnSetting, progress?: (done: number) => void): Promise<ChurnTally> {
  const { capacity, trackOwners, workers, operations, most, fill, seed } = setting;
  const arena = SharedBuddyAllocator.create({ capacity, trackOwners, maxWorkers: workers + 1 });
  const data = sharedCells(capacity);
  const mail = sharedCells(MAILBOXES);
  const positions = { barrier: 0, done: 16, inside: 64 };
  const cells = sharedCells(128);
  const running: Worker[] = [];
  const total: ChurnTally = { allocations: 0, full: 0, frees: 0, passed: 0, foreign: 0, refused: 0 };
  const start = (writer: number) =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL('./shared-churn.mjs', import.meta.url), {
        workerData: {
          ...{ buffer: arena.buffer, data, cells, mail, positions, writer, workers, operations, most, fill },
          seed: seed * 64 + writer,
        },
      });
      running.push(worker);
      worker.on('message', (tally: ChurnTally) => {
        for (const key of Object.keys(total) as (keyof ChurnTally)[]) total[key] += tally[key];
      });
      worker.on('error', reject);
      worker.on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`worker ${writer} exits with ${code}`)),
      );
    });
  const ticker = setInterval(() => {
    progress?.(
      cells.slice(positions.done, positions.done + workers + 1).reduce((sum, count) => sum + count, 0),
    );
  }, 1000);
  try {
    await Promise.all(Array.from({ length: workers }, (_, i) => start(i + 1)));
  } finally {
    clearInterval(ticker);
    await Promise.all(running.map((worker) => worker.terminate()));
  }
  for (const letter of mail) {
    if (letter === 0) continue;
    const block = data.subarray(letter - 1, letter - 1 + arena.free(letter - 1));
    if (block.some((tag) => tag !== block[0]))
      throw new Error(`the block at ${letter - 1} has been written to`);
  }
  const wrong = notEmpty(arena);
  if (arena.stats().workers !== 1) wrong.push(`${arena.stats().workers} workers are still attached`);
  if (wrong.length > 0) throw new Error(`${JSON.stringify(setting)}: ${wrong.join('; ')}`);
  return total;
}
