// The drop-in for @thi.ng/malloc.

import { MemPool } from '../../../dist/mempool.js';
import { features, named } from '../features.mjs';
import { detach, equal, hash, needs, throws } from '../verdict.mjs';

const TYPES = ['u8', 'u8c', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64', 'i64', 'u64'];

export const mempool = {
  'allocates, resizes and frees'(note) {
    const pool = new MemPool({ size: 0x10000 });
    const ptr = pool.malloc(100);
    const vec = pool.mallocAs('f64', 4);
    vec.set([1, 2, 3, 4]);
    const longer = pool.reallocArray(vec, 500);
    equal(longer.subarray(0, 4), [1, 2, 3, 4], 'the elements after reallocArray');
    const moved = pool.realloc(ptr, 1000);
    note(hash([ptr, vec.byteOffset, longer.byteOffset, moved]));
    equal([pool.free(moved), pool.free(longer), pool.free(longer)], [true, true, false], 'free');
    equal(pool.stats().used.count, 0, 'blocks in use');
    equal([pool.malloc(1e6), pool.mallocAs('u8', 1e6)], [0, undefined], 'no room');
  },

  'makes typed arrays of all kinds'() {
    const pool = new MemPool({ size: 0x10000 });
    for (const type of TYPES) {
      const fill = type === 'i64' || type === 'u64' ? 7n : 7;
      const array = pool.callocAs(type, 3, fill);
      equal(array, [fill, fill, fill], `callocAs('${type}')`);
      equal(pool.free(array), true, `free of ${type}`);
    }
    equal(pool.stats().used.count, 0, 'blocks in use');
  },

  'takes a pool on again from its bytes'() {
    needs(features.sharedArrayBuffer, named.sharedArrayBuffer);
    const pool = new MemPool({ buf: new SharedArrayBuffer(0x10000), start: 64 });
    const vec = pool.callocAs('f32', 3, 1.5);
    const saved = new ArrayBuffer(0x10000);
    new Uint8Array(saved).set(new Uint8Array(pool.buf));
    const restored = new MemPool({ buf: saved, start: 64, skipInitialization: true });
    equal(new Float32Array(restored.buf, vec.byteOffset, 3), vec, 'the array');
    equal(restored.stats(), pool.stats(), 'the figures');
    equal(restored.free(vec.byteOffset), true, 'free');
    equal(pool.stats().used.count, 1, 'the original is untouched');
    throws(() => new MemPool({ buf: new ArrayBuffer(4096), skipInitialization: true }), 'FOREIGN', 'zeros');
  },

  'throws once its WebAssembly memory has grown, and is taken on again'() {
    needs(features.wasm, named.wasm);
    const memory = new WebAssembly.Memory({ initial: 1 });
    const pool = new MemPool({ buf: memory.buffer, start: 1024 });
    const ptr = pool.calloc(100, 7);
    memory.grow(1);
    throws(() => pool.malloc(10), 'DETACHED', 'malloc');
    throws(() => pool.free(ptr), 'DETACHED', 'free');
    const again = new MemPool({ buf: memory.buffer, start: 1024, skipInitialization: true });
    equal(new Uint8Array(again.buf)[ptr], 7, 'a byte');
    equal(again.free(ptr), true, 'free');
  },

  'throws once its buffer was transferred away'() {
    const pool = new MemPool({ size: 4096 });
    const ptr = pool.malloc(10);
    detach(pool.buf);
    throws(() => pool.malloc(10), 'DETACHED', 'malloc');
    throws(() => pool.free(ptr), 'DETACHED', 'free');
    throws(() => pool.stats(), 'DETACHED', 'stats');
  },
};
