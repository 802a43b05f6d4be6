// The lists, maps and vectors of `@daneren2005/shared-memory-objects` on one SharedHeap that grows, with real workers. The
// package checks bounds here, as it does in development.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundleOf } from '../../bench/shared/bundle.ts';
import type { Filled } from '../support/structures.ts';
import type { Job } from '../support/structures-worker.ts';

const MODULE = 'test/support/structures';
const WORKER = 'test/support/structures-worker';
const FIRST = 2 ** 16;

let bundle: Bundle;
let its: typeof import('../support/structures.ts');

beforeAll(async () => {
  bundle = await bundleOf([MODULE, WORKER], 'development');
  its = await import(bundle.url(MODULE));
});

afterAll(() => bundle?.remove());

/** What the workers answer that do `jobs` at the same time. */
async function answersOf<Answer>(
  handle: Job['handle'],
  jobs: readonly Pick<Job, 'me' | 'list' | 'count'>[],
): Promise<Answer[]> {
  const start = new Int32Array(new SharedArrayBuffer(4));
  const workers = jobs.map((job) => {
    const workerData: Job = { handle, start, ...job };
    return new Worker(new URL(bundle.url(WORKER)), { workerData });
  });
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const ends = workers.map((worker) => once(worker, 'exit'));
  const answers = workers.map(async (worker): Promise<Answer> => (await once(worker, 'message'))[0]);
  Atomics.store(start, 0, 1);
  Atomics.notify(start, 0);
  const all = await Promise.all(answers);
  await Promise.all(ends);
  return all;
}

describe.each([false, true])('owners tracked: %s', (trackOwners) => {
  const create = () => its.SharedHeap.create({ size: FIRST, maximum: its.REACH, trackOwners });

  it.each([1, 2])('%i at work on structures of their own, which another reads and frees', async (count) => {
    const heap = create();
    const memory = new its.SharedHeapMemory(heap);
    const jobs = Array.from({ length: count }, (_, me) => ({ me, count: 20_000 }));
    for (const filled of await answersOf<Filled>(heap.handle, jobs)) {
      const { listed, mapped, pushed } = filled;
      expect(listed.length + mapped.size + pushed.length).toBeGreaterThan(20);
      expect(its.readStructures(memory, filled)).toEqual({ listed, mapped, pushed });
      its.freeStructures(memory, filled);
    }
    expect(heap.stats()).toMatchObject({ liveBlocks: 0, used: 0, workers: 1 });
    expect(heap.check()).toEqual([]);
  });

  it.each([1, 2])('%i insert into the same list', async (count) => {
    const heap = create();
    const { end } = heap;
    const memory = new its.SharedHeapMemory(heap);
    const list = new its.SharedList(memory);
    const address = list.getSharedMemory();
    const each = 8000;
    const jobs = Array.from({ length: count }, (_, me) => ({ me, count: each, list: address }));
    await answersOf(heap.handle, jobs);
    const values: number[][] = jobs.map(() => []);
    for (const { data } of list) values[Math.floor(data[0] / each)].push(data[0]);
    expect(list.length).toBe(count * each);
    // What one worker inserts stays in its order.
    expect(values).toEqual(jobs.map(({ me }) => Array.from({ length: each }, (_, n) => me * each + n)));
    expect(heap.stats().liveBlocks).toBe(count * each + 1);
    expect(heap.end).toBeGreaterThan(end);
    list.free();
    expect(heap.stats()).toMatchObject({ liveBlocks: 0, used: 0 });
    expect(heap.check()).toEqual([]);
  });

  it('a map whose table grows with the heap', () => {
    const heap = create();
    const { end } = heap;
    const map = new its.SharedMap<number>(new its.SharedHeapMemory(heap));
    const keys = Array.from({ length: 2000 }, (_, n) => 7 * n);
    for (const [n, key] of keys.entries()) map.set(key, n);
    const beside = new its.SharedMap<number>(new its.SharedHeapMemory(heap), map.getSharedMemory());
    expect(keys.map((key) => beside.get(key))).toEqual(keys.map((_, n) => n));
    expect(heap.end).toBeGreaterThan(end);
    map.free();
    expect(heap.check()).toEqual([]);
  });
});

describe('memory for structures', () => {
  it('is all 0, as large as was asked for, and that of the heap', () => {
    const heap = its.SharedHeap.create({ size: FIRST });
    const memory = new its.SharedHeapMemory(heap);
    const ptr = heap.malloc(100);
    heap.view(ptr, Uint8Array).fill(255);
    heap.free(ptr);
    const { data } = memory.allocUI32(25);
    expect(data).toEqual(new Uint32Array(new SharedArrayBuffer(100)));
    expect([data.buffer, heap.isAllocated(data.byteOffset)]).toEqual([heap.buffer, true]);
    memory.buffers[0].free(data.byteOffset);
    expect(heap.stats().liveBlocks).toBe(0);
    expect(() => memory.buffers[0].free(data.byteOffset)).toThrow(
      expect.objectContaining({ code: 'NOT_ALLOCATED' }),
    );
  });

  it('runs out as the heap does', () => {
    const memory = new its.SharedHeapMemory(its.SharedHeap.create({ size: FIRST }));
    expect(() => memory.allocUI32(FIRST / 4)).toThrow(`no room for ${FIRST} bytes`);
  });

  it('is not given by a heap that may grow beyond what a pointer of the structures reaches', () => {
    const heap = its.SharedHeap.create({ size: FIRST, maximum: 2 * its.REACH });
    expect(() => new its.SharedHeapMemory(heap)).toThrow(RangeError);
  });
});
