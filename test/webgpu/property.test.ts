// Random sequences of operations, on the strict fake device, compared with the model.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BufferPool } from '../../src/webgpu.ts';
import { operations, Run, type World } from '../gpu/model.ts';
import { type FakeBuffer, FakeDevice, Usage } from './fake.ts';

function makeWorld(isUniform: boolean, firstBufferSize: number): World<FakeBuffer> {
  const device = new FakeDevice();
  const usage = (isUniform ? Usage.UNIFORM : Usage.VERTEX) | Usage.COPY_SRC | Usage.COPY_DST;
  const sizes = { bufferSize: 2048, firstBufferSize, maxBytes: 8192 };
  const pool = new BufferPool(device, { usage, ...sizes });
  return {
    device,
    pool,
    granule: isUniform ? 16 : 4,
    ...sizes,
    limit: sizes.maxBytes,
    defragment: (options) => {
      const encoder = device.createCommandEncoder();
      const moves = pool.defragment(encoder, options);
      device.queue.submit([encoder]);
      return moves;
    },
  };
}

it('no range overlaps another or is reused early, moves keep contents, and everything is free in the end', async () => {
  let moved = 0;
  let resized = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.constantFrom(512, 1024, 2048),
      operations,
      async (isUniform, first, all) => {
        const run = new Run(makeWorld(isUniform, first));
        for (const one of all) await run.do(one);
        await run.end();
        moved += run.moved;
        resized += run.resized;
      },
    ),
    { numRuns: 200 },
  );
  // Otherwise the test has shown nothing about moves.
  expect(Math.min(moved, resized)).toBeGreaterThan(50);
});
