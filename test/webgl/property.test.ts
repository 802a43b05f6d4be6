// Random sequences of operations, on the strict fake context, compared with the model. Whatever the pool does, the
// bindings of the context stay as they are.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BufferPool } from '../../src/webgl.ts';
import { operations, Run, type World } from '../gpu/model.ts';
import { FakeContext, type FakeGlBuffer, Gl } from './fake.ts';

/** A buffer of the program's own at each binding point. */
function bindOwn(gl: FakeContext): void {
  for (const [name, target] of Object.entries(Gl)) {
    if (name.endsWith('_BUFFER')) gl.bindBuffer(target, gl.createBuffer());
  }
}

function makeWorld(target: number, firstBufferSize: number): World<FakeGlBuffer> & { gl: FakeContext } {
  const gl = new FakeContext();
  bindOwn(gl);
  const own = new Set(gl.buffers);
  const sizes = { bufferSize: 2048, firstBufferSize, maxBytes: 8192 };
  const pool = new BufferPool(gl, { target, ...sizes });
  return {
    gl,
    device: {
      get buffers() {
        return gl.buffers.filter((buffer) => !own.has(buffer));
      },
      get undestroyed() {
        return gl.undestroyed.filter((buffer) => !own.has(buffer));
      },
      get inFlight() {
        return gl.inFlight;
      },
      finish: (count) => gl.finish(count),
    },
    pool,
    granule: target === Gl.UNIFORM_BUFFER ? 16 : 4,
    ...sizes,
    limit: sizes.maxBytes,
    defragment: (options) => pool.defragment(options),
  };
}

it('no range overlaps another or is reused early, moves keep contents, and everything is free in the end', async () => {
  let moved = 0;
  let resized = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(Gl.ARRAY_BUFFER, Gl.ELEMENT_ARRAY_BUFFER, Gl.UNIFORM_BUFFER),
      fc.constantFrom(512, 1024, 2048),
      operations,
      async (target, first, all) => {
        const world = makeWorld(target, first);
        const bindings = new Map(world.gl.bound);
        const run = new Run(world);
        for (const one of all) {
          await run.do(one);
          expect(world.gl.bound).toEqual(bindings);
        }
        await run.end();
        expect(world.gl.bound).toEqual(bindings);
        moved += run.moved;
        resized += run.resized;
      },
    ),
    { numRuns: 100 },
  );
  // Otherwise the test has shown nothing about moves.
  expect(Math.min(moved, resized)).toBeGreaterThan(50);
});
