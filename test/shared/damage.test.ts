// Arenas whose memory was damaged: not supported, but no call hangs, and none throws what the docs do not say.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';

/** Milliseconds after which a worker that has not answered hangs. It takes two seconds. */
const PATIENCE = 60_000;

it('random numbers anywhere behind the header make no call hang or throw another error than a BuddyError', async () => {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { seed: 1, runs: 150, calls: 1000, progress };
  const worker = new Worker(new URL('../support/shared-damage.mjs', import.meta.url), { workerData });
  const timer = setTimeout(() => worker.terminate(), PATIENCE);
  const answer = await Promise.race([
    once(worker, 'message').then(([wrong]) => wrong),
    once(worker, 'exit').then(() => `a call on the arena of seed ${progress[0]} does not return`),
  ]);
  clearTimeout(timer);
  await worker.terminate();
  expect(answer).toEqual([]);
});
