// Ranges of WebGL buffers, on a fake context without a GPU.

import { BufferPool } from '../../../dist/webgl.js';
import { equal, hash, holds, throws } from '../verdict.mjs';

const ARRAY_BUFFER = 0x8892;
const ALREADY_SIGNALED = 0x911a;
const TIMEOUT_EXPIRED = 0x911b;

/** The part of a WebGL2RenderingContext that a pool uses. `finish()` lets the GPU pass all fences. */
function fakeContext() {
  const bound = new Map();
  const fences = [];
  const at = (target) => bound.get(target);
  return {
    canvas: { addEventListener() {}, removeEventListener() {} },
    buffers: [],
    lost: false,
    isContextLost() {
      return this.lost;
    },
    createBuffer() {
      const buffer = { bytes: null, deleted: false };
      this.buffers.push(buffer);
      return buffer;
    },
    deleteBuffer(buffer) {
      buffer.deleted = true;
    },
    // The parameters for the binding points of copies have the values of these points.
    getParameter: (name) => bound.get(name) ?? null,
    bindBuffer: (target, buffer) => bound.set(target, buffer),
    bufferData(target, size) {
      at(target).bytes = new Uint8Array(size);
    },
    bufferSubData: (target, offset, data) => at(target).bytes.set(data, offset),
    copyBufferSubData(source, destination, from, to, size) {
      at(destination).bytes.set(at(source).bytes.subarray(from, from + size), to);
    },
    getBufferParameter: (target) => at(target).bytes.length,
    fenceSync() {
      const fence = { passed: false };
      fences.push(fence);
      return fence;
    },
    clientWaitSync: ({ passed }) => (passed ? ALREADY_SIGNALED : TIMEOUT_EXPIRED),
    deleteSync() {},
    flush() {},
    finish() {
      for (const fence of fences) fence.passed = true;
    },
  };
}

export const webgl = {
  async 'reuses a range only when the GPU has passed the fence'() {
    const gl = fakeContext();
    const pool = new BufferPool(gl, { target: ARRAY_BUFFER, bufferSize: 65536, maxBytes: 65536 });
    const old = pool.alloc(65536);
    pool.free(old);
    const flushed = pool.flush();
    equal([pool.alloc(256), pool.stats().pending], [null, 65536], 'before the GPU is done');
    gl.finish();
    await flushed;
    holds(pool.alloc(256) !== null, 'there is no room once the GPU is done');
    throws(() => pool.free(old), 'NOT_ALLOCATED', 'a double free');
  },

  async 'writes ranges and moves them together, with their bytes'(note) {
    const gl = fakeContext();
    const pool = new BufferPool(gl, { target: ARRAY_BUFFER, bufferSize: 4096 });
    const all = Array.from({ length: 60 }, (_, i) => pool.alloc(100 + i, { alignment: 12 }));
    for (const [i, allocation] of all.entries())
      pool.write(allocation, new Uint8Array(allocation.size).fill(i));
    for (const [i, allocation] of all.entries()) if (i % 3 !== 0) pool.free(allocation);
    const finishFlush = async () => {
      const flushed = pool.flush();
      gl.finish();
      await flushed;
    };
    await finishFlush();
    let moved = 0;
    for (
      let moves = pool.defragment({ maxMoves: 4 });
      moves.length > 0;
      moves = pool.defragment({ maxMoves: 4 })
    ) {
      moved += moves.length;
      await finishFlush();
    }
    holds(moved > 4, 'too little moved');
    const kept = [...pool.ranges()];
    for (const allocation of kept) {
      const { buffer, offset, size } = allocation;
      const i = all.indexOf(allocation);
      const bytes = buffer.bytes.subarray(offset, offset + size);
      holds(offset % 12 === 0 && bytes.every((byte) => byte === i), `the bytes of range ${i}`);
    }
    note(hash(kept.map(({ offset }) => offset)));
  },

  'reports that it was destroyed, or its context lost'() {
    const gl = fakeContext();
    const [lost, destroyed] = [1, 2].map(() => new BufferPool(gl, { target: ARRAY_BUFFER }));
    const allocation = destroyed.alloc(100);
    destroyed.destroy();
    holds(gl.buffers[0].deleted, 'its buffer is not deleted');
    throws(() => allocation.offset, 'DETACHED', 'the offset of its allocation');
    gl.lost = true;
    throws(() => lost.alloc(4), 'DEVICE_LOST', 'alloc');
  },
};
