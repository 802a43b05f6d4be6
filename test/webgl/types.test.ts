// The structural type takes the real one, that of TypeScript's own library.

import { expect, it } from 'vitest';
import { type BufferAllocation, BufferPool } from '../../src/webgl.ts';

it('WebGL2RenderingContext and WebGLBuffer fit', () => {
  function use(gl: WebGL2RenderingContext): void {
    const pool = new BufferPool(gl, {
      target: gl.UNIFORM_BUFFER,
      usage: gl.DYNAMIC_DRAW,
      onLeak: console.warn,
    });
    const allocation: BufferAllocation<WebGLBuffer> | null = pool.alloc(4);
    if (allocation === null) return;
    gl.bindBufferRange(gl.UNIFORM_BUFFER, 0, allocation.buffer, allocation.offset, allocation.size);
    pool.write(allocation, new Float32Array(1));
    const buffers: WebGLBuffer[] = pool.defragment({ maxMoves: 1 }).map(({ source }) => source.buffer);
    gl.deleteBuffer(buffers[0]);
    // @ts-expect-error: a WebGL context of version 1 has no copies
    new BufferPool({} as WebGLRenderingContext, { target: 0 });
  }
  expect(use).toBeTypeOf('function');
});
