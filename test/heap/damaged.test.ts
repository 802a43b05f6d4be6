// Damaged states are refused at a cost that does not depend on the number of their faults. (The case from-corrupt.mjs: a
// string for each violation ended the process, though only the first is told.)

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';

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
