// Real workers that free the same block at the same time: one of them succeeds, and the block is free once.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { SharedHeap } from '../../src/shared.ts';

const ROUNDS = 200;
const BLOCKS = 500;

interface Totals {
  /** Blocks that no worker, one, or several said they have freed. */
  readonly none: number;
  readonly once: number;
  readonly more: number;
  readonly errors: readonly string[];
  /** [racer]: the blocks that it freed. */
  readonly won: readonly number[];
}

async function race(heap: SharedHeap, racers: readonly number[], workers: number): Promise<Totals> {
  const shared = {
    handle: heap.handle,
    control: new SharedArrayBuffer(64),
    outcomes: new SharedArrayBuffer(workers * BLOCKS),
    pointers: new SharedArrayBuffer(4 * BLOCKS),
    workers,
    racers,
    rounds: ROUNDS,
    blocks: BLOCKS,
  };
  const script = new URL('../support/shared-racer.mjs', import.meta.url);
  // They attach one after another: the owner of the slab has the first slot.
  const all: Worker[] = [];
  for (let me = 0; me < workers; me++) {
    const worker = new Worker(script, { workerData: { ...shared, me } });
    await once(worker, 'message');
    all.push(worker);
  }
  const [[totals]] = await Promise.all(all.map((worker) => once(worker, 'message')));
  await Promise.all(all.map((worker) => (worker.threadId < 0 ? undefined : once(worker, 'exit'))));
  return totals as Totals;
}

describe.each([
  false,
  true,
])('of two workers that free a block at once one succeeds; owners tracked: %s', (trackOwners) => {
  it.each([
    ['neither is the owner of the slab', [1, 2], 3],
    ['one is the owner of the slab, in which others have freed before', [0, 1], 2],
  ] as const)('%s', async (_, racers, workers) => {
    // Pages of 4 KiB: 512 slots.
    const heap = SharedHeap.create({ size: 2 ** 24, unit: 8, trackOwners });
    const { won, ...totals } = await race(heap, racers, workers);
    expect(totals).toEqual({ none: 0, once: ROUNDS * BLOCKS, more: 0, errors: [] });
    for (const count of won) expect(count).toBeGreaterThan(0);
    expect(heap.usedBytes).toBe(0);
    expect(heap.stats()).toMatchObject({ used: 0, liveBlocks: 0, workers: 1 });
    expect(heap.check()).toEqual([]);
  });
});
