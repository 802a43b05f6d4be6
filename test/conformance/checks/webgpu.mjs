// Ranges of GPU buffers, on a fake device without a GPU.

import { BufferPool } from '../../../dist/webgpu.js';
import { equal, hash, holds, rejects, throws } from '../verdict.mjs';

const COPY_SRC = 4;
const COPY_DST = 8;
const STORAGE = 128;
const USAGE = COPY_SRC | COPY_DST | STORAGE;

/** The part of a GPUDevice that a pool uses. `finish()` reports that the submitted work is done. */
function fakeDevice() {
  const waiting = [];
  let lose;
  return {
    limits: {
      maxBufferSize: 2 ** 20,
      maxUniformBufferBindingSize: 2 ** 16,
      maxStorageBufferBindingSize: 2 ** 20,
      minUniformBufferOffsetAlignment: 256,
      minStorageBufferOffsetAlignment: 128,
    },
    lost: new Promise((resolve) => {
      lose = resolve;
    }),
    lose: (message) => lose({ message }),
    buffers: [],
    createBuffer({ size }) {
      const buffer = { size, bytes: new Uint8Array(size), destroyed: false };
      buffer.destroy = () => {
        buffer.destroyed = true;
      };
      this.buffers.push(buffer);
      return buffer;
    },
    queue: { onSubmittedWorkDone: () => new Promise((resolve) => waiting.push(resolve)) },
    finish() {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

/** An encoder that copies at once. */
const encoder = {
  copyBufferToBuffer(source, from, destination, to, size) {
    destination.bytes.set(source.bytes.subarray(from, from + size), to);
  },
};

export const webgpu = {
  async 'reuses a range only when the queue is done'() {
    const device = fakeDevice();
    const pool = new BufferPool(device, { usage: USAGE, bufferSize: 65536, maxBytes: 65536 });
    const old = pool.alloc(65536);
    pool.free(old);
    equal([pool.alloc(256), pool.stats().pending], [null, 65536], 'before the flush');
    const flushed = pool.flush();
    equal(pool.alloc(256), null, 'before the queue is done');
    device.finish();
    await flushed;
    holds(pool.alloc(256) !== null, 'there is no room once the queue is done');
    throws(() => pool.free(old), 'NOT_ALLOCATED', 'a double free');
  },

  async 'moves ranges together, with their bytes'(note) {
    const device = fakeDevice();
    const pool = new BufferPool(device, { usage: USAGE, bufferSize: 65536 });
    const all = Array.from({ length: 512 }, () => pool.alloc(256));
    equal(pool.stats().buffers, 2, 'buffers');
    const kept = all.filter((_, i) => i % 3 === 0);
    kept.forEach(({ buffer, offset, size }, i) => {
      buffer.bytes.fill(i, offset, offset + size);
    });
    for (const [i, allocation] of all.entries()) if (i % 3 !== 0) pool.free(allocation);
    const finishFlush = async () => {
      const flushed = pool.flush();
      device.finish();
      await flushed;
    };
    await finishFlush();
    const moves = pool.defragment(encoder);
    await finishFlush();
    holds(moves.length > 0, 'nothing moved');
    kept.forEach(({ buffer, offset, size }, i) => {
      const bytes = buffer.bytes.subarray(offset, offset + size);
      holds(
        bytes.every((byte) => byte === i % 256),
        `the bytes of range ${i}`,
      );
    });
    equal(pool.stats().largestFree, 65536, 'the largest free range');
    note(hash(kept.map(({ offset }) => offset)));
  },

  async 'reports that it was destroyed, or its device lost'() {
    const device = fakeDevice();
    const [lost, destroyed] = [1, 2].map(() => new BufferPool(device, { usage: USAGE }));
    const allocation = destroyed.alloc(100);
    destroyed.destroy();
    holds(device.buffers[0].destroyed, 'its buffer is not destroyed');
    throws(() => allocation.offset, 'DETACHED', 'the offset of its allocation');
    device.lose('unplugged');
    await device.lost;
    await Promise.resolve();
    throws(() => lost.alloc(4), 'DEVICE_LOST', 'alloc');
    await rejects((async () => lost.flush())(), 'DEVICE_LOST', 'flush');
  },
};
