// What our MemPool does where @thi.ng/malloc promises nothing, or where the two differ on purpose.

import { describe, expect, it } from 'vitest';
import { BuddyError, MemPool, type MemPoolOpts } from '../../src/mempool.ts';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof BuddyError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

describe('constructor', () => {
  it.each([0, 12, 24, 1 << 17])('refuses alignment %i', (align) => {
    expect(() => new MemPool({ align })).toThrow(RangeError);
  });

  it('refuses memory that has no room for a block', () => {
    expect(() => new MemPool({ size: 8 })).toThrow(RangeError);
    expect(() => new MemPool({ start: 4090 })).toThrow(RangeError);
    // One page before the blocks, and one for them.
    expect(() => new MemPool({ size: 127 })).toThrow(RangeError);
    expect(new MemPool({ size: 128 }).malloc(64)).toBe(64);
    expect(new MemPool({ size: 2048 }).malloc(256)).toBe(128);
  });

  // The case minimal.mjs: pools of 256 bytes are what @thi.ng/malloc has in its own tests.
  it.each([
    { size: 256 },
    { buf: new SharedArrayBuffer(1024), start: 520 },
    { size: 512, align: 16 },
    { size: 1536, align: 64 },
  ])('keeps the state of a small pool outside of it: $size bytes', (opts) => {
    const pool = new MemPool(opts);
    const end = pool.buf.byteLength;
    const blocks: number[] = [];
    for (let ptr = pool.malloc(8); ptr !== 0; ptr = pool.malloc(8)) blocks.push(ptr);
    const align = opts.align ?? 8;
    const first = 64 * Math.ceil(Math.max(align, opts.start ?? 0) / 64);
    expect([blocks[0], blocks.length]).toEqual([first, (end - first) / align]);
    for (const ptr of blocks) new Uint8Array(pool.buf, ptr, align).fill(ptr);
    expect(blocks.every((ptr) => new Uint8Array(pool.buf)[ptr + 7] === (ptr & 0xff))).toBe(true);
    expect(pool.stats()).toMatchObject({
      available: 0,
      top: end,
      total: end,
      used: { count: blocks.length },
    });
    expect(pool.free(blocks[3])).toBe(true);
    expect(pool.malloc(1)).toBe(blocks[3]);
    pool.freeAll();
    expect(pool.mallocAs('f64', 4)).toHaveLength(4);
    expect(codeOf(() => new MemPool({ ...opts, buf: pool.buf, skipInitialization: true }))).toMatch(
      /FOREIGN|TRUNCATED/,
    );
  });

  it('refuses options of the wrong type', () => {
    const wrong: [object, ErrorConstructor][] = [
      [{ buf: new Uint8Array(4096) }, TypeError],
      [{ buf: new WebAssembly.Memory({ initial: 1 }) }, TypeError],
      [{ buf: null }, TypeError],
      [{ buf: new Uint8Array(4096), skipInitialization: true }, TypeError],
      [{ buf: new ArrayBuffer(4096), skipInitialization: 'no' }, TypeError],
      [{ size: '4096' }, TypeError],
      [{ size: -1 }, RangeError],
      [{ size: 0.5 }, RangeError],
      [{ start: '8' }, TypeError],
      [{ start: -8 }, RangeError],
      [{ start: 5000 }, RangeError],
      [{ end: '4096' }, TypeError],
      [{ end: Number.NaN }, RangeError],
      [{ start: 2000, end: 1000 }, RangeError],
      [{ align: '8' }, TypeError],
    ];
    for (const [opts, error] of wrong) {
      expect(() => new MemPool(opts as MemPoolOpts), JSON.stringify(opts)).toThrow(error);
      expect(() => new MemPool(opts as MemPoolOpts)).toThrow(/ must be /);
    }
  });

  it('leaves a resizable buffer as long as it is', () => {
    const buf: ArrayBuffer = Reflect.construct(ArrayBuffer, [4096, { maxByteLength: 1 << 20 }]);
    const pool = new MemPool({ buf });
    expect(pool.malloc(10_000)).toBe(0);
    expect(buf.byteLength).toBe(4096);
  });
});

describe('skipInitialization', () => {
  it('takes a buffer', () => {
    expect(() => new MemPool({ skipInitialization: true })).toThrow(
      new TypeError('skipInitialization takes a buf'),
    );
  });

  it('refuses a buffer without a pool, and one with a broken pool', () => {
    const buf = new ArrayBuffer(4096);
    expect(codeOf(() => new MemPool({ buf, skipInitialization: true }))).toBe('FOREIGN');
    new MemPool({ buf, start: 64 });
    expect(codeOf(() => new MemPool({ buf, skipInitialization: true }))).toBe('FOREIGN');
    expect(codeOf(() => new MemPool({ buf: buf.slice(0, 2048), start: 64, skipInitialization: true }))).toBe(
      'TRUNCATED',
    );
  });

  it('takes on the pool in a memory that has grown', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const pool = new MemPool({ buf: memory.buffer });
    const ptr = pool.calloc(1000, 3);
    memory.grow(1);
    expect(codeOf(() => pool.malloc(8))).toBe('DETACHED');
    expect(codeOf(() => pool.free(ptr))).toBe('DETACHED');
    const next = new MemPool({ buf: memory.buffer, skipInitialization: true });
    expect(new Uint8Array(next.buf, ptr, 1000).every((b) => b === 3)).toBe(true);
    expect(next.free(ptr)).toBe(true);
  });
});

describe('addresses', () => {
  it('are multiples of the alignment, and those of blocks that were freed come again', () => {
    const pool = new MemPool({ size: 0x10000 });
    for (const size of [8, 24, 100, 1000, 5000]) {
      const ptr = pool.malloc(size);
      expect(ptr % 8).toBe(0);
      pool.free(ptr);
      expect(pool.malloc(size)).toBe(ptr);
    }
  });

  it('above 2^31 are right', () => {
    const buf = new ArrayBuffer(2 ** 31 + 2 ** 25);
    const pool = new MemPool({ buf, start: 2 ** 31, align: 64 });
    const array = pool.mallocAs('f64', 100);
    if (array === undefined) throw new Error('there should have been room');
    expect(array.byteOffset).toBeGreaterThan(2 ** 31);
    array.fill(4);
    pool.malloc(64);
    const larger = pool.reallocArray(array, 100_000);
    expect(larger?.subarray(0, 100).every((x) => x === 4)).toBe(true);
    expect(pool.stats().top).toBeGreaterThan(2 ** 31);
    expect(pool.free(larger?.byteOffset ?? 0)).toBe(true);
    expect(pool.stats().used.count).toBe(1);
  });
});

it.each(['f16', 'toString', 5130])('no array has the type %s', (type) => {
  const pool = new MemPool();
  const error = new TypeError(`no typed array has the name ${type}`);
  expect(() => pool.mallocAs(type as 'f32', 1)).toThrow(error);
  expect(() => pool.callocAs(type as 'f32', 1)).toThrow(error);
  expect(pool.stats().used.count).toBe(0);
});

describe('sizes that are no integers', () => {
  it.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** 32,
    2 ** 32 + 16,
    2 ** 60,
  ])('find no room for %d', (size) => {
    const pool = new MemPool();
    const ptr = pool.malloc(16);
    const array = pool.mallocAs('u8', 1);
    const before = pool.stats();
    expect(pool.malloc(size)).toBe(0);
    expect(pool.calloc(size)).toBe(0);
    expect(pool.realloc(ptr, size)).toBe(0);
    expect(pool.mallocAs('u8', size)).toBeUndefined();
    expect(pool.callocAs('f32', size)).toBeUndefined();
    expect(array && pool.reallocArray(array, size)).toBeUndefined();
    expect(pool.stats()).toEqual(before);
  });

  it('are rounded up for bytes, down for elements', () => {
    const pool = new MemPool();
    const ptr = pool.calloc(16.5, 1);
    expect(new Uint8Array(pool.buf, ptr, 17).every((b) => b === 1)).toBe(true);
    expect(pool.stats().used.size).toBe(24);
    expect(pool.mallocAs('f32', 2.5)).toHaveLength(2);
    expect(pool.mallocAs('f32', 0.5)).toBeUndefined();
    expect(pool.realloc(ptr, 64.5)).toBeGreaterThan(0);
    expect(pool.stats().used.size).toBe(128 + 8);
  });
});

describe('calloc', () => {
  it('sets the bytes asked for and no others', () => {
    const pool = new MemPool();
    const all = pool.malloc(2048);
    new Uint8Array(pool.buf, all, 2048).fill(0xaa);
    const spare = pool.calloc(1);
    pool.free(all);
    const ptr = pool.calloc(1025, 7);
    expect(ptr).toBe(all);
    expect(new Uint8Array(pool.buf, ptr, 1025).every((b) => b === 7)).toBe(true);
    expect(new Uint8Array(pool.buf, ptr + 1025, 1023).every((b) => b === 0xaa)).toBe(true);
    expect(pool.free(spare)).toBe(true);
  });

  it('as 64-bit integers', () => {
    const pool = new MemPool();
    expect(pool.callocAs('i64', 2, -3)).toEqual(new BigInt64Array([-3n, -3n]));
    expect(pool.callocAs('u64', 2)).toEqual(new BigUint64Array(2));
  });
});

describe('realloc', () => {
  it('stays where it is while it is more than half full, and if the bytes behind are free', () => {
    const pool = new MemPool({ size: 0x10000 });
    const high = pool.malloc(0x8000);
    expect(pool.realloc(high, 0x3001)).toBe(high);
    expect(pool.realloc(high, 0x4000)).toBe(high);
    expect(pool.realloc(high, 0x7fff)).toBe(high);
    expect(pool.stats().used).toEqual({ count: 1, size: 0x8000 });
    pool.free(high);
    const small = pool.malloc(100);
    expect([90, 53, 104].map((size) => pool.realloc(small, size))).toEqual([small, small, small]);
    expect(pool.realloc(small, 52)).not.toBe(small);
    expect(pool.stats().used).toEqual({ count: 1, size: 56 });
  });

  it('frees the old block when it moves', () => {
    const pool = new MemPool();
    const [first] = [pool.malloc(8), pool.malloc(8)];
    const used = pool.stats().used.count;
    const moved = pool.realloc(first, 1024);
    expect(moved).not.toBe(first);
    expect(pool.stats().used.count).toBe(used);
    expect(pool.malloc(8)).toBe(first);
  });

  it('keeps the kind of an array of 64-bit integers', () => {
    const pool = new MemPool();
    const array = pool.callocAs('u64', 1, 5);
    expect(array && pool.reallocArray(array, 2)?.[0]).toBe(5n);
  });
});

describe('free', () => {
  it.each([
    null,
    undefined,
    'a',
    {},
    Number.NaN,
    0.5,
    Number.POSITIVE_INFINITY,
    2 ** 32 + 8,
  ])('is false for %s', (ptr) => {
    const pool = new MemPool();
    pool.malloc(64);
    expect(pool.free(ptr as number)).toBe(false);
    expect(pool.stats().used.count).toBe(1);
  });

  it('is false for the memory of the pool itself', () => {
    const buf = new ArrayBuffer(0x2000);
    const pool = new MemPool({ buf, start: 1028 });
    const first = pool.stats().top;
    for (let ptr = 0; ptr < first; ptr += 4) expect(pool.free(ptr)).toBe(false);
    expect(pool.stats().top).toBe(first);
  });

  it('is false for an array that has lost its memory', () => {
    const pool = new MemPool();
    const array = new Uint8Array(8);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    expect(pool.free(array)).toBe(false);
  });
});

describe('stats', () => {
  it('counts what blocks really take', () => {
    const pool = new MemPool();
    const { top, available } = pool.stats();
    const [, middle] = [pool.malloc(100), pool.malloc(1000), pool.malloc(100)];
    expect(pool.stats().used).toEqual({ count: 3, size: 128 + 1024 + 128 });
    expect(pool.stats().available).toBe(available - 1280);
    pool.free(middle);
    expect(pool.stats().top).toBeGreaterThan(top);
    expect(pool.stats().available).toBe(available - 256);
  });

  it('says where the first block can begin', () => {
    const pool = new MemPool();
    expect(pool.malloc(1)).toBe(new MemPool().stats().top);
  });

  it('leaves out what lies beyond a whole number of pages', () => {
    const { available, top } = new MemPool({ size: 4093 }).stats();
    expect(new MemPool({ size: 4093 - (4093 % 128) }).stats()).toMatchObject({ available, top });
    expect(new MemPool({ size: 4093 - (4093 % 128) - 1 }).stats().available).toBeLessThan(available);
  });
});

it('a released pool has no buffer, and leaves the one it had alone', () => {
  const pool = new MemPool();
  const { buf } = pool;
  const ptr = pool.malloc(8);
  pool.release();
  expect(() => pool.buf).toThrow(new TypeError('the pool was released'));
  expect(new MemPool({ buf, skipInitialization: true }).free(ptr)).toBe(true);
});

it('sizes that are no numbers have no room, and elements that are none allocate nothing', () => {
  const pool = new MemPool();
  for (const bad of ['100', true, [7], { valueOf: () => 8 }, 10n, Symbol('8'), null, undefined]) {
    const size = bad as number;
    expect([pool.malloc(size), pool.calloc(size)]).toEqual([0, 0]);
    expect([pool.mallocAs('u8', size), pool.callocAs('f64', size)]).toEqual([undefined, undefined]);
  }
  expect(pool.reallocArray(null as unknown as Uint8Array, 3)).toBeUndefined();
  expect(() => pool.callocAs('i64', 4, 1.5)).toThrow(RangeError);
  expect(() => pool.callocAs('f32', 4, 1n as unknown as number)).toThrow(TypeError);
  expect(() => pool.calloc(10, 1n as unknown as number)).toThrow(TypeError);
  expect(pool.stats().used).toEqual({ count: 0, size: 0 });
});
