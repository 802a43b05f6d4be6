// Damaged states. They are refused at a cost that does not depend on the number of their faults. (The case
// from-corrupt.mjs: a string for each violation ended the process, though only the first is told.) And no call of a
// heap whose state is zeroed while it is in use goes on for ever. (The case resizable-state.mjs.)

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { Heap } from '../../src/heap.ts';

/** Memories with heaps in them of whose pages nothing is true any more: 100,000 faults each. */
const DAMAGED = `
  import { parentPort } from 'node:worker_threads';
  import { BuddyAllocator } from './dist/index.js';
  import { Heap } from './dist/heap.js';
  import { MemPool } from './dist/mempool.js';
  const size = 2 ** 27;
  const pages = size / 1024;
  const arenaBytes = BuddyAllocator.bytesFor(pages);
  const codeOf = (act) => { try { act(); } catch (error) { return error.code; } };
  const make = (Kind) => {
    const memory = new ArrayBuffer(size);
    const heap = Kind === Heap ? new Heap({ memory, embed: true, unit: 8 }) : new MemPool({ buf: memory });
    const [, , unit, , state] = new Uint32Array(memory, 0, 5);
    return { heap, memory, at: state * unit, length: Heap.bytesFor({ size, embed: true, unit: 8 }) };
  };
  /** All of the page map, which lies before the arena, or all of the arena but its header. */
  const ways = [
    ({ memory, at, length }) => new Int32Array(memory, at + length - arenaBytes - 4 * pages, pages).fill(1),
    ({ memory, at, length }) => new Int32Array(memory, at + length - arenaBytes + 4 * 112, arenaBytes / 4 - 112).fill(-1),
  ];
  const answers = ways.flatMap((damage) => [Heap, MemPool].map((Kind) => {
    const { heap, memory, at, length } = make(Kind);
    const isSound = codeOf(() => Heap.attach({ memory })) === undefined;
    damage({ memory, at, length });
    const code = codeOf(() => Kind === Heap
      ? Heap.attach({ memory })
      : new MemPool({ buf: memory, skipInitialization: true }));
    return [isSound, code, Kind === Heap ? heap.check().length : 100];
  }));
  parentPort.postMessage(answers);
`;

it('a state full of faults is refused within a few megabytes', async () => {
  const worker = new Worker(DAMAGED, {
    eval: true,
    execArgv: ['--input-type=module'],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  });
  const [answers] = (await once(worker, 'message')) as [[boolean, string, number][]];
  expect(answers.length).toBe(4);
  for (const [isSound, code, listed] of answers) {
    expect([isSound, code]).toEqual([true, 'CORRUPT']);
    expect(listed).toBeGreaterThanOrEqual(100);
    expect(listed).toBeLessThanOrEqual(101);
  }
});

/**
 * Every call of an embedded heap, after each part of its state has been zeroed: from its start on, in the middle, or by
 * its buffer's owner, who has cut the buffer there and enlarged it again.
 */
const ZEROED = `
  import { parentPort } from 'node:worker_threads';
  import { Heap } from './dist/heap.js';
  const calls = [
    (h) => h.malloc(1), (h) => h.malloc(1000), (h) => h.malloc(1e6), (h) => h.alignedAlloc(4096, 20),
    (h, p) => h.free(p[0]), (h, p) => h.free(p[1]), (h, p) => h.free(p[2]), (h, p) => h.free(p[0] + 8),
    (h, p) => h.usableSize(p[0]), (h, p) => h.isAllocated(p[1]), (h, p) => h.view(p[2] + 32, Uint8Array),
    (h, p) => h.realloc(p[0], 3000), (h, p) => h.realloc(p[2], 30), (h) => h.allocArray(Uint8Array, 100),
    (h) => h.stats(), (h) => [...h.blocks()], (h) => h.check(), (h) => h.trim(), (h) => h.clear(),
  ];
  let count = 0;
  for (const size of [2048, 65_536, 2 ** 20]) {
    const length = Heap.bytesFor({ size, embed: true });
    const step = 4 * Math.ceil(length / 600);
    const ways = [
      (memory, state, at) => new Uint8Array(memory, state, at).fill(0),
      (memory, state, at) => new Uint8Array(memory, state + at, Math.min(64, length - at)).fill(0),
      (memory, state, at) => { memory.resize(state + at); memory.resize(size); },
    ];
    for (let at = 4; at < length; at += step)
      for (const zero of ways)
        for (const call of calls) {
          const memory = new ArrayBuffer(size, { maxByteLength: 2 ** 22 });
          const heap = new Heap({ memory, embed: true });
          const blocks = [20, 200, size / 4, 1].map((bytes) => heap.malloc(bytes));
          const [, , unit, , state] = new Uint32Array(memory, 0, 5);
          zero(memory, unit * state, at);
          try { call(heap, blocks); } catch {}
          count++;
        }
  }
  parentPort.postMessage(count);
`;

it('no call on a zeroed state goes on for ever', async () => {
  const worker = new Worker(ZEROED, { eval: true, execArgv: ['--input-type=module'] });
  try {
    const [count] = await once(worker, 'message', { signal: AbortSignal.timeout(60_000) });
    expect(count).toBeGreaterThan(20_000);
  } finally {
    await worker.terminate();
  }
}, 90_000);

it('the growth of a heap whose state was overwritten says so', () => {
  const heap = new Heap({ size: 65_536, maximum: 2 ** 20, embed: true });
  const before = new Uint8Array(heap.buffer).slice();
  const [, , unit, , state] = new Uint32Array(heap.buffer, 0, 5);
  new Uint8Array(heap.buffer, unit * state, 64).fill(0);
  for (const act of [() => heap.malloc(100_000), () => heap.trim(), () => heap.clear()]) {
    expect(act).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  }
  new Uint8Array(heap.buffer).set(before);
  expect(heap.malloc(100_000)).toBeGreaterThan(0);
});
