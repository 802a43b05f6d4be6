// Workers on a tracked SharedHeap, terminated wherever they are, and recovered, while others go on.

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SharedHeap, type SharedHeapOptions } from '../../src/shared.ts';

/** Positions in the cells with which the main thread and the workers communicate; after those come the dead, by tag. */
const AT = { seats: 0, stride: 8, workerId: 0, done: 1, adopted: 2, slowest: 3 };
const SURVIVORS = 2;
const MORTALS = 3;
const SEATS = SURVIVORS + MORTALS;
const LETTERS = 16;

export interface HeapDeaths {
  readonly kills: number;
  /** Blocks and slabs that recoveries took back. */
  readonly recovered: number;
  readonly operations: number;
  readonly adopted: number;
  /** Slowest call of a worker that lived on, in milliseconds, interruptions by the system included. */
  readonly slowestCall: number;
  /** Slowest recovery, likewise. */
  readonly slowestRecovery: number;
}

/**
 * Terminates `kills` workers. Throws if two blocks overlap, or if blocks are left at the end, when all workers are dead and
 * recovered.
 */
export async function heapDeaths(
  options: SharedHeapOptions,
  kills: number,
  seed: number,
  onProgress: (kills: number) => void = () => {},
): Promise<HeapDeaths> {
  const heap = SharedHeap.create({ ...options, trackOwners: true });
  const tags = new Int32Array(new SharedArrayBuffer((4 * heap.maximum) / heap.unit));
  const dead = AT.seats + AT.stride * SEATS;
  const cells = new Int32Array(new SharedArrayBuffer(4 * (dead + kills + SEATS + 1)));
  const letters = new Int32Array(new SharedArrayBuffer(8 * LETTERS));
  const workers: Worker[] = [];
  const tagOf: number[] = [];
  let failure: Error | null = null;
  let tag = 0;
  const figures = { kills: 0, recovered: 0, operations: 0, adopted: 0, slowestCall: 0, slowestRecovery: 0 };
  const at = (seat: number, field: number): number => AT.seats + seat * AT.stride + field;

  const start = (seat: number): void => {
    cells.fill(0, at(seat, 0), at(seat + 1, 0));
    tagOf[seat] = ++tag;
    const worker = new Worker(new URL('./heap-mortal.mjs', import.meta.url), {
      workerData: {
        ...{ handle: heap.handle, tags, cells, letters, seat, tag, survivor: seat < SURVIVORS, fill: 400 },
        ...{ seed: seed * 1_000_003 + tag, at: { ...AT, dead } },
      },
    });
    workers[seat] = worker;
    worker.on('error', (error) => {
      failure ??= error;
    });
  };
  const end = async (seat: number): Promise<void> => {
    await workers[seat].terminate();
    if (failure !== null) throw failure;
    const id = cells[at(seat, AT.workerId)];
    figures.operations += cells[at(seat, AT.done)];
    figures.adopted += cells[at(seat, AT.adopted)];
    Atomics.store(cells, dead + tagOf[seat], 1);
    const before = performance.now();
    // One that died while it attached itself is found by its id, which no living worker has.
    const ids = id !== 0 ? [id] : [];
    for (const one of ids) {
      for (let complete = false; !complete; ) {
        const recovered = heap.recover(one);
        figures.recovered += recovered.blocks;
        complete = recovered.complete;
      }
    }
    figures.slowestRecovery = Math.max(figures.slowestRecovery, performance.now() - before);
  };

  try {
    for (let seat = 0; seat < SEATS; seat++) start(seat);
    const ready = (): boolean => workers.every((_, seat) => cells[at(seat, AT.workerId)] !== 0);
    for (; figures.kills < kills; figures.kills++) {
      const seat = SURVIVORS + (figures.kills % MORTALS);
      while (!ready() && failure === null) await sleep(1);
      const done = cells[at(seat, AT.done)];
      while (cells[at(seat, AT.done)] === done && failure === null) await sleep(0);
      await end(seat);
      start(seat);
      onProgress(figures.kills + 1);
    }
    while (!ready() && failure === null) await sleep(1);
    for (let seat = 0; seat < SURVIVORS; seat++)
      figures.slowestCall = Math.max(figures.slowestCall, cells[at(seat, AT.slowest)] / 1000);
    for (let seat = 0; seat < SEATS; seat++) await end(seat);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  const { liveBlocks, workers: attached } = heap.stats();
  const wrong = heap.check();
  if (liveBlocks !== 0 || attached !== 1 || wrong.length > 0)
    throw new Error(`${liveBlocks} blocks are lost, ${attached} workers are attached; ${wrong.join('; ')}`);
  return figures;
}
