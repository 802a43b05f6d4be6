// A shared heap under real threads: patterns survive, growth happens meanwhile, and what a killed worker held comes
// back.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { SharedHeap, type SharedHeapOptions } from '../../src/shared.ts';

const PAGE = 65_536;
const MAXIMUM = 64 * PAGE;

const SETTINGS: [string, () => SharedHeapOptions][] = [
  ['a SharedArrayBuffer', () => ({ size: MAXIMUM })],
  ['a growable SharedArrayBuffer', () => ({ size: PAGE, maximum: MAXIMUM })],
  [
    'a shared WebAssembly.Memory',
    () => ({ memory: new WebAssembly.Memory({ initial: 1, maximum: 64, shared: true }), maximum: MAXIMUM }),
  ],
];

interface Job {
  readonly operations: number;
  readonly most: number;
  readonly frees: number;
  readonly enough?: number;
}

interface Crew {
  readonly workers: readonly Worker[];
  /** Their numbers. */
  readonly numbers: readonly number[];
  /** [0]: 1 from the start on; [1]: 1 when a worker has done enough to be killed. */
  readonly flags: Int32Array;
  readonly letters: Int32Array;
}

async function crew(heap: SharedHeap, jobs: readonly Job[], letters: number): Promise<Crew> {
  const control = new SharedArrayBuffer(8);
  const mailbox = new SharedArrayBuffer(4 * letters);
  const script = new URL('../support/shared-heap-worker.mjs', import.meta.url);
  const workers = jobs.map(
    (job, seed) =>
      new Worker(script, { workerData: { handle: heap.handle, control, mailbox, seed, ...job } }),
  );
  const numbers = await Promise.all(
    workers.map(async (worker) => (await once(worker, 'message'))[0] as number),
  );
  return { workers, numbers, flags: new Int32Array(control), letters: new Int32Array(mailbox) };
}

function begin({ flags }: Crew): void {
  Atomics.store(flags, 0, 1);
  Atomics.notify(flags, 0);
}

async function result(worker: Worker): Promise<{ refused: number; received: number; moved: number }> {
  const [message] = await once(worker, 'message');
  return message;
}

/** Expects that nothing is allocated, only the caller is attached, and `check` finds nothing. */
function expectEmpty(heap: SharedHeap): void {
  expect(heap.stats()).toMatchObject({ used: 0, liveBlocks: 0, workers: 1 });
  expect(heap.check()).toEqual([]);
}

describe.each(SETTINGS)('workers on %s', (_, options) => {
  it.each([
    false,
    true,
  ])('keep their blocks apart and pass them on; owners tracked: %s', async (trackOwners) => {
    const heap = SharedHeap.create({ ...options(), trackOwners });
    const job = { operations: 40_000, most: 500, frees: 3 };
    const team = await crew(heap, [job, job, job], 16);
    expect(heap.workerIds().filter((number) => number !== heap.workerId)).toEqual(
      team.numbers.toSorted((a, b) => a - b),
    );
    const { end } = heap;
    const results = team.workers.map(result);
    begin(team);
    for (const { refused, received, moved } of await Promise.all(results)) {
      expect(refused).toBe(0);
      expect(received).toBeGreaterThan(0);
      expect(moved).toBeGreaterThan(0);
    }
    if (heap.maximum > end) expect(heap.end).toBeGreaterThan(end);
    for (const ptr of team.letters) heap.free(ptr >>> 0);
    expectEmpty(heap);
  });

  it('one that is killed harms nobody, and what it held comes back', async () => {
    const heap = SharedHeap.create({ ...options(), trackOwners: true });
    const job = { operations: 40_000, most: 500, frees: 3 };
    const endless = { operations: Number.POSITIVE_INFINITY, most: 500, frees: 3, enough: 5000 };
    const team = await crew(heap, [endless, job, job], 0);
    const [victim, ...others] = team.workers;
    const results = others.map(result);
    begin(team);
    while (Atomics.load(team.flags, 1) === 0) await new Promise((done) => setTimeout(done, 5));
    await victim.terminate();
    let blocks = 0;
    for (let complete = false; !complete; ) {
      const recovered = heap.recover(team.numbers[0]);
      blocks += recovered.blocks;
      complete = recovered.complete;
    }
    expect(blocks).toBeGreaterThan(0);
    for (const { refused } of await Promise.all(results)) expect(refused).toBe(0);
    expectEmpty(heap);
  });

  it('one that gets a pointer beyond what it has seen of the memory', async () => {
    const heap = SharedHeap.create(options());
    const control = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(
      `const { handle, control } = require('node:worker_threads').workerData;
      import(${JSON.stringify(new URL('../../dist/shared.js', import.meta.url).href)}).then(({ SharedHeap }) => {
        const heap = SharedHeap.attach(handle);
        Atomics.store(control, 0, -1);
        // Without a return to the event loop, in which the runtime might tell of the growth.
        while (Atomics.load(control, 0) === -1);
        const ptr = Atomics.load(control, 0) >>> 0;
        const bytes = heap.view(ptr, Uint8Array, 1000);
        Atomics.store(control, 1, bytes[999]);
        heap.free(bytes);
        heap.detach();
      });`,
      { eval: true, workerData: { handle: heap.handle, control } },
    );
    const exit = once(worker, 'exit');
    while (Atomics.load(control, 0) === 0) await new Promise((done) => setTimeout(done, 5));
    const ptr = heap.malloc(heap.maximum / 4);
    heap.view(ptr, Uint8Array)[999] = 77;
    Atomics.store(control, 0, ptr);
    await exit;
    expect(control[1]).toBe(77);
    expectEmpty(heap);
  });
});

it('workers that all need the last of the memory at once get no byte twice, and grow it no further', async () => {
  const heap = SharedHeap.create({ size: PAGE, maximum: 8 * PAGE });
  const job = { operations: 10_000, most: 10_000, frees: 1 };
  const team = await crew(heap, [job, job, job], 0);
  const results = team.workers.map(result);
  begin(team);
  for (const { refused } of await Promise.all(results)) expect(refused).toBeGreaterThan(0);
  expect(heap.end).toBe(8 * PAGE);
  expectEmpty(heap);
});
