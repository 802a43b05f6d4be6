// Damaged states. They are refused at a cost that does not depend on the number of their faults. (The case
// from-corrupt.mjs: a string for each violation ended the process, though only the first is told.) And no call of a
// heap whose state is zeroed while it is in use goes on for ever. (The case resizable-state.mjs.)

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { Heap } from '../../src/heap.ts';

/** Bytes of a memory with a heap in it, all of whose words and bits are set: 500,000 faults. */
const DAMAGED = `
  import { parentPort } from 'node:worker_threads';
  import { Heap } from './dist/heap.js';
  import { MemPool } from './dist/mempool.js';
  const size = 2 ** 27;
  const codeOf = (act) => { try { act(); } catch (error) { return error.code; } };
  const damage = (memory, state) => new Int32Array(memory, 32 + 4 * 112, state / 4 - 112).fill(-1);
  const heap = new Heap({ size, embed: true, unit: 8 });
  damage(heap.buffer, heap.stats().metadataBytes);
  const { buf } = new MemPool({ size });
  damage(buf, heap.stats().metadataBytes);
  const codes = [
    codeOf(() => Heap.attach({ memory: heap.buffer })),
    codeOf(() => new MemPool({ buf, skipInitialization: true })),
  ];
  parentPort.postMessage([codes, heap.check().length]);
`;

it('a state full of faults is refused within a few megabytes', async () => {
  const worker = new Worker(DAMAGED, {
    eval: true,
    execArgv: ['--input-type=module'],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  });
  const [[codes, listed]] = await once(worker, 'message');
  expect(codes).toEqual(['CORRUPT', 'CORRUPT']);
  expect(listed).toBeLessThanOrEqual(101);
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
  const STATE = 32;
  let count = 0;
  for (const size of [2048, 65_536, 2 ** 20]) {
    const length = Heap.bytesFor({ size });
    const step = 4 * Math.ceil(length / 600);
    const ways = [
      (memory, at) => new Uint8Array(memory, STATE, at).fill(0),
      (memory, at) => new Uint8Array(memory, STATE + at, Math.min(64, length - at)).fill(0),
      (memory, at) => { memory.resize(STATE + at); memory.resize(size); },
    ];
    for (let at = 4; at < length; at += step)
      for (const zero of ways)
        for (const call of calls) {
          const memory = new ArrayBuffer(size, { maxByteLength: 2 ** 22 });
          const heap = new Heap({ memory, embed: true });
          const blocks = [20, 200, size / 4, 1].map((bytes) => heap.malloc(bytes));
          zero(memory, at);
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
  new Uint8Array(heap.buffer, 32, 64).fill(0);
  for (const act of [() => heap.malloc(100_000), () => heap.trim(), () => heap.clear()]) {
    expect(act).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  }
  new Uint8Array(heap.buffer).set(before);
  expect(heap.malloc(100_000)).toBeGreaterThan(0);
});
