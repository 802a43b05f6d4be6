// BufferPool on a strict fake device: placement, reuse, buffers, moves, misuse.

import { describe, expect, it, vi } from 'vitest';
import {
  type BufferAllocation,
  BufferPool,
  type BufferPoolOptions,
  type DefragmentOptions,
} from '../../src/webgpu.ts';
import { codeOf } from '../gpu/code-of.ts';
import { type FakeBuffer, FakeDevice, FakeEncoder, FakeGpuError, Usage } from './fake.ts';

const { COPY_SRC, COPY_DST, INDEX, MAP_READ, MAP_WRITE, QUERY_RESOLVE, STORAGE, UNIFORM, VERTEX } = Usage;

type Allocation = BufferAllocation<FakeBuffer>;

function make(options: Partial<BufferPoolOptions<FakeBuffer>> = {}) {
  const device = new FakeDevice();
  const usage = STORAGE | COPY_SRC | COPY_DST;
  return { device, pool: new BufferPool(device, { usage, bufferSize: 4096, ...options }) };
}

/** An allocation that must have room. */
function take(pool: BufferPool<FakeBuffer>, bytes: number, alignment?: number): Allocation {
  const allocation = pool.alloc(bytes, alignment === undefined ? {} : { alignment });
  if (allocation === null) throw new Error(`no room for ${bytes} bytes`);
  return allocation;
}

async function freeNow(device: FakeDevice, pool: BufferPool<FakeBuffer>, ...allocations: Allocation[]) {
  for (const allocation of allocations) pool.free(allocation);
  pool.flush();
  await device.finish();
}

function fill(device: FakeDevice, { buffer, offset, size }: Allocation, value: number): void {
  device.queue.writeBuffer(buffer, offset, new Uint8Array(size).fill(value));
}

function contents({ buffer, offset, size }: Allocation): number[] {
  return [...new Set(buffer.bytes.subarray(offset, offset + size))];
}

describe('the fake device', () => {
  it('refuses what the standard refuses', () => {
    const device = new FakeDevice();
    const a = device.createBuffer({ size: 256, usage: COPY_SRC | COPY_DST });
    const b = device.createBuffer({ size: 256, usage: COPY_SRC });
    const encoder = device.createCommandEncoder();
    expect(() => encoder.copyBufferToBuffer(a, 0, a, 128, 64)).toThrow('same buffer');
    expect(() => encoder.copyBufferToBuffer(a, 0, b, 0, 64)).toThrow('lacks COPY_DST');
    expect(() => encoder.copyBufferToBuffer(b, 2, a, 0, 64)).toThrow('offset 2');
    expect(() => encoder.copyBufferToBuffer(b, 0, a, 0, 63)).toThrow('size 63');
    expect(() => encoder.copyBufferToBuffer(b, 0, a, 252, 8)).toThrow('beyond');
    expect(() => encoder.dispatch({ buffer: a, offset: 0, size: 4 }, 'UNIFORM')).toThrow(FakeGpuError);
    expect(() => device.createBuffer({ size: 2 ** 21, usage: STORAGE })).toThrow('limit');
    expect(() => device.createBuffer({ size: 256, usage: MAP_READ | STORAGE })).toThrow('MAP_READ');
    encoder.copyBufferToBuffer(b, 0, a, 0, 64);
    b.destroy();
    expect(() => device.queue.submit([encoder])).toThrow('destroyed');
  });
});

describe('alloc', () => {
  it('hands out the lowest range of the first buffer that has room, with a size that is a multiple of 4', () => {
    const { device, pool } = make();
    expect(device.buffers).toEqual([]);
    const [a, b, c] = [take(pool, 1), take(pool, 300), take(pool, 128)];
    expect([a, b, c].map(({ offset, size }) => [offset, size])).toEqual([
      [0, 4],
      [128, 300],
      [512, 128],
    ]);
    expect(device.buffers).toMatchObject([{ size: 4096, usage: STORAGE | COPY_SRC | COPY_DST }]);
    expect(a.buffer).toBe(device.buffers[0]);
  });

  it.each([
    ['uniform', UNIFORM, 256],
    ['storage', STORAGE, 128],
    ['uniform and storage', UNIFORM | STORAGE, 256],
    ['query results', QUERY_RESOLVE, 256],
    ['vertices and indices', VERTEX | INDEX, 4],
  ])('aligns ranges for %s as the device requires', (_, usage, unit) => {
    const { device, pool } = make({ usage });
    expect(pool.unit).toBe(unit);
    const offsets = Array.from({ length: 4 }, () => take(pool, 4).offset);
    expect(offsets).toEqual([0, unit, 2 * unit, 3 * unit]);
    expect(device.buffers).toHaveLength(1);
  });

  it('takes the limits of its device', () => {
    const device = new FakeDevice();
    device.limits.minUniformBufferOffsetAlignment = 64;
    expect(new BufferPool(device, { usage: UNIFORM }).unit).toBe(64);
  });

  it('has ranges of exactly the bytes asked for, rounded up to 4', () => {
    const { pool } = make({ usage: VERTEX });
    const sizes = [5, 4, 3, 17, 1001];
    const all = sizes.map((bytes) => take(pool, bytes));
    expect(all.map(({ offset, size }) => [offset, size])).toEqual([
      [0, 8],
      [8, 4],
      [12, 4],
      [16, 20],
      [36, 1004],
    ]);
    expect(pool.stats()).toMatchObject({ requested: 1040, used: 1040, largestFree: 4096 - 1040 });
    expect(take(pool, 4096 - 1040).offset).toBe(1040);
  });

  it('rounds uniforms up to 16, as the size of a struct is, and every range up to the unit', () => {
    const { pool } = make({ usage: UNIFORM | VERTEX });
    const [a, b] = [take(pool, 4), take(pool, 260)];
    expect([a.size, b.size, b.offset]).toEqual([16, 272, 256]);
    expect(pool.stats()).toMatchObject({ requested: 288, used: 256 + 512 });
    const coarse = make({ usage: VERTEX, unit: 64 }).pool;
    expect([take(coarse, 5), take(coarse, 5)].map(({ offset, size }) => [offset, size])).toEqual([
      [0, 8],
      [64, 8],
    ]);
  });

  it('aligns a small range without using up anything beyond it', () => {
    const { pool } = make();
    take(pool, 128);
    const aligned = take(pool, 100, 1024);
    expect(aligned.offset).toBe(1024);
    expect(take(pool, 900, 4).offset).toBe(1152);
    expect([take(pool, 512).offset, take(pool, 512).offset]).toEqual([128, 2176]);
    expect(take(pool, 384).offset).toBe(640);
    expect(pool.stats().used).toBe(128 + 128 + 1024 + 512 + 512 + 384);
  });

  it.each([
    12, 20, 24, 36, 48,
  ])('aligns to a stride of %i, so that baseVertex can express the offset', (stride) => {
    const { pool } = make({ usage: VERTEX, bufferSize: 65536 });
    const all = Array.from({ length: 50 }, (_, i) => {
      take(pool, 4 * (1 + (i % 3)));
      return take(pool, stride * (7 + (i % 10)), stride);
    });
    expect(all.filter(({ offset }) => offset % stride !== 0)).toEqual([]);
    expect(pool.stats().buffers).toBe(1);
  });

  it.each([
    [VERTEX, 6, 12],
    [VERTEX, 7, 28],
    [STORAGE, 12, 384],
    [UNIFORM, 4096, 4096],
    [UNIFORM, 160, 1280],
  ])('of usage %i, aligns to %i as well as to what the device requires', (usage, alignment, multiple) => {
    const { pool } = make({ usage });
    expect(take(pool, 4).offset).toBe(0);
    const { buffer, offset } = take(pool, 4, alignment);
    expect([buffer.size, offset]).toEqual([4096, multiple % 4096]);
  });

  it('makes further buffers up to the limit, then has no room', () => {
    const { device, pool } = make({ maxBytes: 3 * 4096 - 1, label: 'particles' });
    const [a, b] = [take(pool, 4096), take(pool, 4000)];
    expect(b.buffer).not.toBe(a.buffer);
    expect(pool.alloc(128)).toBeNull();
    expect(device.buffers.map(({ label }) => label)).toEqual(['particles', 'particles']);
    expect(pool.stats()).toMatchObject({ buffers: 2, bytes: 8192, free: 0, liveBlocks: 2 });
  });

  it('prefers earlier buffers', async () => {
    const { device, pool } = make();
    const [a, b] = [take(pool, 4096), take(pool, 128)];
    await freeNow(device, pool, a);
    expect(take(pool, 128).buffer).toBe(device.buffers[0]);
    expect(b.buffer).toBe(device.buffers[1]);
  });
});

describe('requests larger than a buffer', () => {
  it('have a buffer of just their size, which is destroyed with them', async () => {
    const { device, pool } = make();
    const large = take(pool, 5001);
    expect(large).toMatchObject({ offset: 0, size: 5004 });
    expect(large.buffer.size).toBe(5004);
    expect(pool.stats()).toMatchObject({ buffers: 1, dedicatedBuffers: 1, used: 5004, largestFree: 0 });
    pool.free(large);
    pool.flush();
    expect(device.undestroyed).toHaveLength(1);
    await device.finish();
    expect(device.undestroyed).toEqual([]);
    expect(pool.stats()).toMatchObject({ buffers: 0, bytes: 0 });
  });

  it('have no room beyond the limits of the device and of the pool', () => {
    const { pool } = make({ maxBytes: 10_000 });
    expect(pool.alloc(10_001)).toBeNull();
    take(pool, 5000);
    expect(pool.alloc(5001)).toBeNull();
    expect(pool.alloc(5000)).not.toBeNull();
    expect(make({ usage: VERTEX }).pool.alloc(2 ** 20 + 1)).toBeNull();
    expect(make({ usage: VERTEX }).pool.alloc(Number.MAX_SAFE_INTEGER)).toBeNull();
  });

  it('replace the empty buffer that is kept, if that makes room for them', async () => {
    const { device, pool } = make({ maxBytes: 10_000 });
    await freeNow(device, pool, take(pool, 4096));
    expect(pool.alloc(10_001)).toBeNull();
    expect(device.undestroyed).toHaveLength(1);
    expect(take(pool, 5000).buffer).not.toBe(device.buffers[0]);
    expect(device.undestroyed).toHaveLength(2);
    expect(take(pool, 5000).buffer.size).toBe(5000);
    expect(device.undestroyed.map(({ size }) => size)).toEqual([5000, 5000]);
  });
});

describe('free and flush', () => {
  it('do not let a range be reused before the GPU is done with everything submitted by the flush', async () => {
    const { device, pool } = make({ maxBytes: 4096 });
    const whole = take(pool, 4096);
    const encoder = device.createCommandEncoder();
    encoder.dispatch(whole, 'STORAGE');
    pool.free(whole);
    await device.finish();
    expect(pool.alloc(4)).toBeNull(); // no flush
    device.queue.submit([encoder]);
    const flushed = pool.flush();
    expect(pool.alloc(4)).toBeNull(); // not done
    expect(pool.stats()).toMatchObject({ used: 0, pending: 4096, free: 0, liveBlocks: 0 });
    await device.finish();
    await flushed;
    expect(pool.alloc(4096)).not.toBeNull();
    expect(pool.stats()).toMatchObject({ used: 4096, pending: 0 });
  });

  it('let a flush free only the ranges that were freed before it', async () => {
    const { device, pool } = make({ maxBytes: 4096 });
    const [a, b] = [take(pool, 2048), take(pool, 2048)];
    pool.free(a);
    pool.flush();
    pool.free(b);
    await device.finish();
    expect(pool.stats()).toMatchObject({ pending: 2048, free: 2048 });
    pool.flush();
    await device.finish();
    expect(pool.stats()).toMatchObject({ pending: 0, free: 4096 });
  });

  it('ask the queue only if a range waits', async () => {
    const { device, pool } = make();
    await pool.flush();
    pool.free(take(pool, 4));
    const first = pool.flush();
    expect(device.inFlight).toBe(1);
    let done = false;
    const second = pool.flush().then(() => {
      done = true;
    });
    expect(device.inFlight).toBe(1);
    await Promise.resolve();
    expect(done).toBe(false);
    await device.finish();
    await Promise.all([first, second]);
  });

  it('keep one empty buffer and destroy the others', async () => {
    const { device, pool } = make();
    const all = [take(pool, 4096), take(pool, 4096), take(pool, 4096)];
    await freeNow(device, pool, all[2], all[1]);
    expect(device.undestroyed).toEqual([device.buffers[0], device.buffers[1]]);
    await freeNow(device, pool, all[0]);
    expect(device.undestroyed).toEqual([device.buffers[0]]);
    take(pool, 1);
    expect(device.buffers).toHaveLength(3);
  });

  it('reuse nothing if the queue fails to report that it is done', async () => {
    const { device, pool } = make({ maxBytes: 4096 });
    vi.spyOn(device.queue, 'onSubmittedWorkDone').mockRejectedValueOnce(new Error('lost'));
    pool.free(take(pool, 4096));
    await pool.flush();
    expect(pool.alloc(4)).toBeNull();
    pool.flush();
    await device.finish();
    expect(pool.alloc(4)).not.toBeNull();
  });
});

describe('ranges for shaders', () => {
  it.each([
    ['uniforms', UNIFORM, 'maxUniformBufferBindingSize', 2 ** 16],
    ['storage', STORAGE | VERTEX, 'maxStorageBufferBindingSize', 2 ** 19],
    ['uniforms and storage', UNIFORM | STORAGE, 'maxStorageBufferBindingSize', 2 ** 19],
  ])('are not larger than the device can bind: %s', (_, usage, limit, most) => {
    const { device, pool } = make({ usage, bufferSize: 2 ** 17 });
    for (const call of [() => pool.alloc(most + 1), () => pool.alloc(most + 1, { dedicated: true })]) {
      expect(call).toThrow(RangeError);
      expect(call).toThrow(`${limit}, ${most}`);
    }
    expect(device.buffers).toEqual([]);
    const range = take(pool, most);
    expect(() => pool.resize(range, most + 1)).toThrow(limit);
    expect(range.size).toBe(most);
  });
});

describe('firstBufferSize', () => {
  it('doubles from buffer to buffer up to bufferSize', () => {
    const { device, pool } = make({ firstBufferSize: 512 });
    for (let i = 0; i < 64; i++) take(pool, 256);
    expect(device.buffers.map(({ size }) => size)).toEqual([512, 1024, 2048, 4096, 4096, 4096, 4096]);
    expect(pool.stats()).toMatchObject({ buffers: 7, bytes: 19968 });
  });

  it('makes a buffer as large as the request needs', () => {
    const { device, pool } = make({ firstBufferSize: 512 });
    take(pool, 1025);
    take(pool, 4096);
    take(pool, 4097);
    expect(device.buffers.map(({ size }) => size)).toEqual([2048, 4096, 4100]);
  });

  it('makes a smaller one if maxBytes leaves no room for more', () => {
    const { device, pool } = make({ firstBufferSize: 512, maxBytes: 512 + 1024 + 1536 });
    for (let i = 0; i < 10; i++) take(pool, 256);
    expect(device.buffers.map(({ size }) => size)).toEqual([512, 1024, 1024]);
    expect(pool.alloc(513)).toBeNull();
    take(pool, 256);
    take(pool, 256);
    expect(device.buffers.map(({ size }) => size)).toEqual([512, 1024, 1024, 512]);
  });

  it('keeps the largest of the empty buffers', async () => {
    const { device, pool } = make({ firstBufferSize: 512 });
    const all = Array.from({ length: 14 }, () => take(pool, 256));
    await freeNow(device, pool, ...all);
    expect(device.undestroyed.map(({ size }) => size)).toEqual([2048]);
    expect(pool.stats()).toMatchObject({ buffers: 1, bytes: 2048, largestFree: 2048 });
  });
});

describe('a dedicated allocation', () => {
  it('has a buffer of just its size, whatever that is, which is destroyed with it', async () => {
    const { device, pool } = make();
    const shared = take(pool, 128);
    const own = pool.alloc(130, { dedicated: true }) as Allocation;
    expect(own).toMatchObject({ offset: 0, size: 132 });
    expect(own.buffer.size).toBe(132);
    expect(own.buffer).not.toBe(shared.buffer);
    expect(pool.stats()).toMatchObject({ buffers: 2, dedicatedBuffers: 1, used: 128 + 132 });
    await freeNow(device, pool, own);
    expect(device.undestroyed).toEqual([shared.buffer]);
  });

  it('shrinks, and grows again up to its buffer, which stays as it is', () => {
    const { pool } = make();
    const own = pool.alloc(1000, { dedicated: true }) as Allocation;
    expect([pool.resize(own, 500), own.size]).toEqual([true, 500]);
    expect([pool.resize(own, 1000), own.size]).toEqual([true, 1000]);
    expect([pool.resize(own, 1001), own.size]).toEqual([false, 1000]);
    expect([own.buffer.size, pool.stats().pending]).toEqual([1000, 0]);
  });
});

describe('label, userData and ranges', () => {
  it('stay with the range', async () => {
    const { device, pool } = make();
    const userData = { mesh: 7 };
    const a = pool.alloc(4, { label: 'a', userData }) as Allocation;
    const b = take(pool, 4);
    expect([a.label, a.userData, b.label, b.userData]).toEqual(['a', userData, '', undefined]);
    const c = pool.alloc(5000, { label: 'c' }) as Allocation;
    expect([...pool.ranges()]).toEqual([a, b, c]);
    await freeNow(device, pool, b);
    expect([...pool.ranges()].map(({ label }) => label)).toEqual(['a', 'c']);
  });

  it('lets ranges be freed on the way', () => {
    const { pool } = make();
    const all = Array.from({ length: 6 }, () => take(pool, 4));
    const seen: Allocation[] = [];
    for (const one of pool.ranges()) {
      seen.push(one);
      pool.free(one);
      if (one === all[1]) pool.free(all[3]);
    }
    expect(seen).toEqual(all.filter((_, i) => i !== 3));
    expect(pool.stats().liveBlocks).toBe(0);
  });
});

describe('onLeak', () => {
  it('hears of live ranges by label, once the pool is destroyed', () => {
    const onLeak = vi.fn();
    const { device, pool } = make({ onLeak, label: 'scene' });
    const make1 = (bytes: number, label: string) => pool.alloc(bytes, { label }) as Allocation;
    const leaks = [make1(100, 'mesh'), make1(8, 'light'), make1(60, 'mesh'), take(pool, 4)];
    pool.free(take(pool, 4));
    onLeak.mockImplementation(() => expect(device.undestroyed).toEqual([]));
    pool.destroy();
    pool.destroy();
    expect(onLeak.mock.calls).toEqual([
      [
        'the pool "scene" is destroyed with 4 ranges not freed: ' +
          '"mesh": 2 ranges, 160 bytes; "light": 1 range, 8 bytes; without a label: 1 range, 4 bytes',
        leaks,
      ],
    ]);
    expect(leaks[0].label).toBe('mesh');
  });

  it('hears of a pool that has no label', () => {
    const onLeak = vi.fn();
    const { pool } = make({ onLeak });
    take(pool, 4);
    pool.destroy();
    expect(onLeak.mock.calls[0][0]).toBe(
      'a pool is destroyed with 1 range not freed: without a label: 1 range, 4 bytes',
    );
  });

  it('hears nothing if no range is live, or if the device is lost', async () => {
    const onLeak = vi.fn();
    const { pool } = make({ onLeak });
    pool.free(take(pool, 4));
    pool.destroy();
    const other = make({ onLeak });
    take(other.pool, 4);
    other.device.lose('gone');
    await other.device.lost;
    other.pool.destroy();
    make().pool.destroy();
    expect(onLeak).not.toHaveBeenCalled();
  });
});

describe('write', () => {
  const bytesOf = ({ buffer, offset, size }: Allocation) => [...buffer.bytes.subarray(offset, offset + size)];

  it('fills odd lengths up with zeros, inside the range', () => {
    const { device, pool } = make({ usage: VERTEX | COPY_DST });
    const [before, range, after] = [take(pool, 4), take(pool, 11), take(pool, 4)];
    for (const one of [before, range, after]) fill(device, one, 9);
    pool.write(range, Uint8Array.of(1, 2, 3, 4, 5));
    expect(bytesOf(range)).toEqual([1, 2, 3, 4, 5, 0, 0, 0, 9, 9, 9, 9]);
    pool.write(range, Uint8Array.of(7), 8);
    expect(bytesOf(range)).toEqual([1, 2, 3, 4, 5, 0, 0, 0, 7, 0, 0, 0]);
    expect([contents(before), contents(after)]).toEqual([[9], [9]]);
  });

  it('takes buffers and all views', () => {
    const { pool } = make();
    const range = take(pool, 8);
    pool.write(range, Uint16Array.of(1, 2, 3, 4).subarray(1, 3));
    expect(bytesOf(range)).toEqual([2, 0, 3, 0, 0, 0, 0, 0]);
    pool.write(range, Uint8Array.of(5, 6, 7, 8).buffer, 4);
    expect(bytesOf(range)).toEqual([2, 0, 3, 0, 5, 6, 7, 8]);
    pool.write(range, new DataView(new SharedArrayBuffer(8)));
    pool.write(range, new SharedArrayBuffer(0), 8);
    pool.write(range, new Uint8Array(0));
    expect(bytesOf(range)).toEqual(Array(8).fill(0));
  });

  it('refuses what does not fit, and what the usage does not allow', () => {
    const { pool } = make();
    const range = take(pool, 8);
    take(pool, 8);
    expect(() => pool.write(range, new Uint8Array(9))).toThrow(RangeError);
    expect(() => pool.write(range, new Uint8Array(5), 4)).toThrow('5 bytes from 4 on');
    for (const offset of [2, -4, 12, 0.5, Number.NaN]) {
      expect(() => pool.write(range, new Uint8Array(1), offset)).toThrow(RangeError);
    }
    expect(() => pool.write(range, new Uint8Array(1), '0' as unknown as number)).toThrow(TypeError);
    for (const data of [[1, 2], null, 'abcd', 4]) {
      expect(() => pool.write(range, data as unknown as Uint8Array)).toThrow(TypeError);
    }
    expect(contents(range)).toEqual([0]);
    const { pool: readOnly } = make({ usage: STORAGE });
    const one = take(readOnly, 8);
    expect(() => readOnly.write(one, new Uint8Array(4))).toThrow('COPY_DST');
  });
});

describe('resize', () => {
  it('grows into free bytes only, and shrinks always', () => {
    const { pool } = make({ usage: VERTEX });
    const [a, b] = [take(pool, 100), take(pool, 100)];
    expect([pool.resize(a, 101), a.size]).toEqual([false, 100]);
    expect([pool.resize(b, 1001), b.size, b.offset]).toEqual([true, 1004, 100]);
    expect([pool.resize(b, 3996), pool.resize(b, 3997)]).toEqual([true, false]);
    expect([pool.resize(a, 50), a.size, a.offset]).toEqual([true, 52, 0]);
    expect(pool.stats()).toMatchObject({ requested: 52 + 3996, used: 52 + 3996, pending: 48, free: 0 });
  });

  it('defers the reuse of what a range loses, as free does', async () => {
    const { device, pool } = make({ usage: VERTEX, maxBytes: 4096 });
    const range = take(pool, 4096);
    expect(pool.resize(range, 96)).toBe(true);
    expect(pool.alloc(4)).toBeNull();
    expect(pool.resize(range, 100)).toBe(false);
    pool.flush();
    expect(pool.alloc(4)).toBeNull();
    await device.finish();
    expect(take(pool, 4000).offset).toBe(96);
    expect(pool.stats()).toMatchObject({ used: 4096, pending: 0, free: 0 });
    await freeNow(device, pool, range);
    expect(take(pool, 96).offset).toBe(0);
  });

  it('within a unit changes the size only', () => {
    const { pool } = make();
    const range = take(pool, 100);
    expect([pool.resize(range, 128), range.size, pool.resize(range, 4), range.size]).toEqual([
      true,
      128,
      true,
      4,
    ]);
    expect(pool.stats()).toMatchObject({ requested: 4, used: 128, pending: 0 });
  });

  it.each([0, -4, 1.5, Number.NaN])('refuses %s bytes', (bytes) => {
    const { pool } = make();
    const range = take(pool, 100);
    expect(() => pool.resize(range, bytes)).toThrow(RangeError);
    expect(() => pool.resize(range, String(bytes) as unknown as number)).toThrow(TypeError);
    expect([range.size, pool.stats().used]).toEqual([100, 128]);
  });
});

// More than the number of arguments that a function can take.
const MANY = 150_000;

describe('very many ranges', () => {
  it('are kept if the queue fails to report that it is done', async () => {
    const { device, pool } = make({ usage: VERTEX, bufferSize: 2 ** 20, unit: 16 });
    for (let i = 0; i < MANY; i++) pool.free(take(pool, 16));
    vi.spyOn(device.queue, 'onSubmittedWorkDone').mockRejectedValueOnce(new Error('lost'));
    await pool.flush();
    expect(pool.stats().pending).toBe(16 * MANY);
    pool.flush();
    await device.finish();
    expect(pool.stats()).toMatchObject({ pending: 0, used: 0 });
  });

  it('are moved by one defragmentation', async () => {
    const device = new FakeDevice();
    Object.assign(device.limits, { maxBufferSize: 2 ** 24 });
    const pool = new BufferPool(device, {
      usage: VERTEX | COPY_SRC | COPY_DST,
      bufferSize: 2 ** 24,
      unit: 16,
    });
    const all = Array.from({ length: 4 * MANY }, () => take(pool, 16));
    for (let i = 1; i < all.length; i += 2) pool.free(all[i]);
    pool.flush();
    await device.finish();
    const moves = pool.defragment(device.createCommandEncoder());
    expect(moves.length).toBeGreaterThan(MANY * 0.9);
    pool.flush();
    await device.finish();
    expect(pool.stats().used).toBe(2 * MANY * 16);
  });
});

describe('defragment', () => {
  /** Ranges of 512 bytes, each filled with its index. All are freed but those for which `keep` is true. */
  async function fragmented(count: number, keep: (i: number) => boolean, options = {}) {
    const { device, pool } = make(options);
    const all = Array.from({ length: count }, () => take(pool, 512));
    for (const [i, allocation] of all.entries()) fill(device, allocation, i);
    await freeNow(device, pool, ...all.filter((_, i) => !keep(i)));
    const kept = [...all.entries()].filter(([i]) => keep(i));
    return { device, pool, kept };
  }

  function run(
    device: FakeDevice,
    pool: BufferPool<FakeBuffer>,
    options: DefragmentOptions<FakeBuffer> = {},
  ) {
    const encoder = device.createCommandEncoder();
    const moves = pool.defragment(encoder, options);
    const copies = encoder.commands.length;
    device.queue.submit([encoder]);
    pool.flush();
    return { moves, copies };
  }

  it('empties buffers with one copy per range, and returns the moves', async () => {
    const { device, pool, kept } = await fragmented(24, (i) => i % 4 === 0);
    const old = kept.map(([, { buffer, offset, size }]) => ({ buffer, offset, size }));
    const { moves, copies } = run(device, pool);
    for (const [i, allocation] of kept) expect(contents(allocation)).toEqual([i]);
    expect(copies).toBe(moves.length);
    for (const { allocation, source, destination } of moves) {
      const { buffer, offset, size } = allocation;
      expect(destination).toEqual({ buffer, offset, size });
      expect(source).toEqual(old[kept.findIndex(([, one]) => one === allocation)]);
    }
    expect(new Set(kept.map(([, { buffer }]) => buffer))).toEqual(new Set([device.buffers[0]]));
    expect(pool.stats()).toMatchObject({ buffers: 3, pending: 4 * 512 });
    await device.finish();
    expect(pool.stats()).toMatchObject({ buffers: 2, pending: 0, used: 6 * 512 });
  });

  it('makes room within a buffer, through a temporary one', async () => {
    const { device, pool, kept } = await fragmented(8, (i) => i % 2 === 1);
    expect(pool.stats().largestFree).toBe(512);
    const { moves, copies } = run(device, pool);
    expect(copies).toBe(2 * moves.length);
    for (const [i, allocation] of kept) expect(contents(allocation)).toEqual([i]);
    expect(device.undestroyed.map(({ size, usage }) => [size, usage])).toEqual([
      [4096, STORAGE | COPY_SRC | COPY_DST],
      [512, COPY_SRC | COPY_DST],
    ]);
    await device.finish();
    expect(device.undestroyed).toHaveLength(1);
    expect(pool.stats()).toMatchObject({ largestFree: 2048, dedicatedBuffers: 0 });
  });

  it('does not reuse the old ranges before the copies are done', async () => {
    const { device, pool } = await fragmented(8, (i) => i % 2 === 1, { maxBytes: 4096 });
    run(device, pool);
    expect(pool.alloc(1024)).toBeNull();
    await device.finish();
    expect(pool.alloc(2048)).not.toBeNull();
  });

  it('empties a buffer even if no free block grows', async () => {
    const { device, pool } = make();
    const [a, b, c] = [take(pool, 2048), take(pool, 2048), take(pool, 2048)];
    await freeNow(device, pool, a);
    expect(run(device, pool).moves.map(({ allocation }) => allocation)).toEqual([c]);
    expect(c.buffer).toBe(b.buffer);
    await device.finish();
    expect(pool.stats().largestFree).toBe(4096);
  });

  it('keeps large holes for large ranges', async () => {
    const { device, pool } = make();
    const first = [1024, 1024, 512, 512, 1024].map((bytes) => take(pool, bytes));
    const [small, large] = [take(pool, 512), take(pool, 1024)];
    expect(large.buffer).not.toBe(first[0].buffer);
    await freeNow(device, pool, first[0], first[2]);
    run(device, pool);
    expect([large, small].map(({ buffer, offset }) => [buffer, offset])).toEqual([
      [device.buffers[0], 0],
      [device.buffers[0], 2048],
    ]);
  });

  it('keeps the buffers of the copies while an earlier flush ends', async () => {
    const { device, pool, kept } = await fragmented(8, (i) => i % 2 === 1);
    pool.free(take(pool, 128));
    pool.flush();
    const encoder = device.createCommandEncoder();
    expect(pool.defragment(encoder)).not.toEqual([]);
    await device.finish();
    device.queue.submit([encoder]);
    for (const [i, allocation] of kept) expect(contents(allocation)).toEqual([i]);
  });

  it('keeps alignments', async () => {
    const { device, pool } = make();
    const low = take(pool, 1024);
    const hole = take(pool, 128);
    take(pool, 128);
    const aligned = take(pool, 128, 1024);
    expect(aligned.offset).toBe(2048);
    await freeNow(device, pool, low, hole);
    fill(device, aligned, 9);
    const { moves } = run(device, pool);
    expect(moves.map(({ allocation }) => allocation)).toContain(aligned);
    expect(aligned.offset % 1024).toBe(0);
    expect(contents(aligned)).toEqual([9]);
  });

  it('moves nothing if there is nothing to gain', async () => {
    const { device, pool } = await fragmented(8, (i) => i < 3 || i > 3); // one hole, in a full buffer
    take(pool, 5000);
    expect(run(device, pool).moves).toEqual([]);
    expect(device.undestroyed).toHaveLength(2);
    // It does not move ranges into an empty buffer either.
    const other = make();
    const [a, b] = [take(other.pool, 4096), take(other.pool, 2048)];
    await freeNow(other.device, other.pool, a);
    expect(run(other.device, other.pool).moves).toEqual([]);
    expect(b.buffer).toBe(other.device.buffers[1]);
  });

  it('ends after a few rounds', async () => {
    const { device, pool } = await fragmented(40, (i) => i % 3 === 0);
    for (let rounds = 0; run(device, pool).moves.length > 0; rounds++) {
      expect(rounds).toBeLessThan(5);
      await device.finish();
    }
    expect(pool.stats().buffers).toBeLessThanOrEqual(3);
  });

  it('goes step by step, within its limits, to the same end', async () => {
    const whole = await fragmented(24, (i) => i % 4 === 0);
    run(whole.device, whole.pool);
    await whole.device.finish();
    for (const limits of [{ maxMoves: 1 }, { maxBytes: 1100 }, { maxMoves: 3, maxBytes: 512 }]) {
      const { device, pool, kept } = await fragmented(24, (i) => i % 4 === 0);
      let steps = 0;
      for (;;) {
        const { moves } = run(device, pool, limits);
        if (moves.length === 0) break;
        steps++;
        expect(moves.length).toBeLessThanOrEqual(limits.maxMoves ?? 2);
        await device.finish();
        for (const [i, allocation] of kept) expect(contents(allocation)).toEqual([i]);
      }
      expect(steps).toBeGreaterThan(1);
      expect(pool.stats()).toEqual(whole.pool.stats());
    }
  });

  it('leaves ranges larger than maxBytes where they are, and moves others', async () => {
    const { device, pool } = make();
    const [freed, stays, large, small] = [1280, 2800, 896, 128].map((bytes) => take(pool, bytes));
    expect(large.buffer).not.toBe(stays.buffer);
    await freeNow(device, pool, freed);
    const movedBy = (options: DefragmentOptions<FakeBuffer>) =>
      run(device, pool, options).moves.map(({ allocation }) => allocation);
    const moved = new Set<Allocation>();
    for (let some = movedBy({ maxBytes: 895 }); some.length > 0; some = movedBy({ maxBytes: 895 })) {
      for (const one of some) moved.add(one);
      await device.finish();
    }
    expect(moved).toEqual(new Set([small]));
    expect(small.buffer).toBe(stays.buffer);
    expect(movedBy({ maxBytes: 896 })).toEqual([large]);
  });

  it('leaves ranges that the filter refuses where they are', async () => {
    const { device, pool, kept } = await fragmented(24, (i) => i % 4 === 0);
    for (const [i, allocation] of kept) allocation.userData = { pinned: i === 20 };
    const seen: Allocation[] = [];
    const { moves } = run(device, pool, {
      filter: (allocation) => {
        seen.push(allocation);
        return !(allocation.userData as { pinned: boolean }).pinned;
      },
    });
    expect(seen).toEqual(kept.map(([, allocation]) => allocation));
    const pinned = seen[5];
    expect(moves.map(({ allocation }) => allocation)).not.toContain(pinned);
    expect(pinned.buffer).toBe(device.buffers[2]);
    expect(run(device, pool, { filter: () => false }).moves).toEqual([]);
  });

  it('has a filter that may use the pool', async () => {
    const { device, pool, kept } = await fragmented(24, (i) => i % 4 === 0);
    const [, last] = kept[kept.length - 1];
    const { moves } = run(device, pool, {
      filter: (allocation) => {
        if (allocation === last) pool.free(allocation);
        else take(pool, 128);
        return true;
      },
    });
    expect(moves.map(({ allocation }) => allocation)).not.toContain(last);
    for (const [i, allocation] of kept.slice(0, -1)) expect(contents(allocation)).toEqual([i]);
    const filter = () => {
      pool.destroy();
      return true;
    };
    expect(pool.defragment(device.createCommandEncoder(), { filter })).toEqual([]);
  });

  it.each([
    [{ maxMoves: 0 }, RangeError],
    [{ maxBytes: 1.5 }, RangeError],
    [{ maxMoves: '1' as unknown as number }, TypeError],
    [{ filter: 7 as unknown as () => boolean }, TypeError],
  ])('refuses %j', async (options, error) => {
    const { device, pool } = await fragmented(8, (i) => i % 2 === 1);
    expect(() => pool.defragment(device.createCommandEncoder(), options)).toThrow(error);
  });

  it('changes nothing when the encoder fails or the usage does not allow copies', async () => {
    const { device, pool, kept } = await fragmented(8, (i) => i % 2 === 1);
    const before = [pool.stats(), kept.map(([, { offset }]) => offset)];
    const encoder = new FakeEncoder(new FakeDevice());
    expect(() => pool.defragment(encoder)).toThrow(FakeGpuError);
    expect([pool.stats(), kept.map(([, { offset }]) => offset)]).toEqual(before);
    expect(device.undestroyed).toHaveLength(1);
    expect(run(device, pool).moves.length).toBeGreaterThan(0);
    for (const usage of [STORAGE | COPY_SRC, STORAGE | COPY_DST]) {
      expect(() => make({ usage }).pool.defragment(encoder)).toThrow(RangeError);
    }
  });
});

describe('destroy', () => {
  it('destroys all buffers; then every method but stats and destroy is an error', async () => {
    const { device, pool } = make();
    const [a] = [take(pool, 4), take(pool, 5000)];
    const pending = take(pool, 4096);
    pool.free(pending);
    const flushed = pool.flush();
    pool.destroy();
    pool.destroy();
    expect(device.undestroyed).toEqual([]);
    for (const action of [
      () => pool.alloc(4),
      () => pool.free(a),
      () => pool.flush(),
      () => pool.resize(a, 4),
      () => pool.write(a, new Uint8Array(4)),
      () => pool.ranges(),
      () => pool.defragment(device.createCommandEncoder()),
      () => a.buffer,
      () => a.offset,
    ]) {
      expect(codeOf(action)).toBe('DETACHED');
    }
    await device.finish();
    await flushed;
    expect(pool.stats()).toEqual({
      buffers: 0,
      dedicatedBuffers: 0,
      bytes: 0,
      liveBlocks: 0,
      requested: 0,
      used: 0,
      pending: 0,
      free: 0,
      largestFree: 0,
    });
  });

  it.each([false, true])('leaves no temporary buffer behind (flushed before: %s)', async (flush) => {
    const { device, pool } = make();
    const all = Array.from({ length: 8 }, () => take(pool, 512));
    await freeNow(device, pool, all[0], all[2]);
    expect(pool.defragment(device.createCommandEncoder())).not.toEqual([]);
    if (flush) pool.flush();
    pool.destroy();
    await device.finish();
    expect(device.undestroyed).toEqual([]);
  });
});

describe('misuse', () => {
  it('of an allocation has a code and changes nothing', () => {
    const { pool } = make();
    const other = make().pool;
    const [a, b] = [take(pool, 4), take(other, 4)];
    pool.free(a);
    const before = pool.stats();
    expect(codeOf(() => pool.free(a))).toBe('NOT_ALLOCATED');
    expect(codeOf(() => pool.free(b))).toBe('FOREIGN');
    for (const act of [
      (one: Allocation) => pool.resize(one, 4),
      (one: Allocation) => pool.write(one, new Uint8Array(4)),
    ]) {
      expect(codeOf(() => act(a))).toBe('NOT_ALLOCATED');
      expect(codeOf(() => act(b))).toBe('FOREIGN');
      expect(() => act({} as Allocation)).toThrow(TypeError);
    }
    expect(codeOf(() => a.buffer)).toBe('NOT_ALLOCATED');
    expect(codeOf(() => a.offset)).toBe('NOT_ALLOCATED');
    for (const wrong of [null, undefined, 7, { buffer: b.buffer, offset: 0, size: 4 }]) {
      expect(() => pool.free(wrong as unknown as Allocation)).toThrow(TypeError);
    }
    expect(pool.stats()).toEqual(before);
    expect(contents(b)).toEqual([0]);
  });

  it('of a lost device has a code', async () => {
    const { device, pool } = make();
    const a = take(pool, 4);
    device.lose('driver update');
    await device.lost;
    for (const action of [
      () => pool.alloc(4),
      () => pool.free(a),
      () => pool.flush(),
      () => pool.resize(a, 4),
      () => pool.write(a, new Uint8Array(4)),
      () => pool.ranges(),
      () => pool.defragment(device.createCommandEncoder()),
    ]) {
      expect(codeOf(action)).toBe('DEVICE_LOST');
      expect(action).toThrow('driver update');
    }
    expect(pool.stats().liveBlocks).toBe(1);
    pool.destroy();
    expect(codeOf(() => pool.alloc(4))).toBe('DETACHED');
  });

  it.each<[string, unknown]>([
    ['bytes', 0],
    ['bytes', -4],
    ['bytes', 1.5],
    ['bytes', Number.NaN],
    ['alignment', 0],
    ['alignment', -16],
    ['alignment', 2.5],
    ['alignment', 4097],
  ])('alloc refuses %s of %s', (name, value) => {
    const { device, pool } = make();
    const number = value as number;
    const call = () => (name === 'bytes' ? pool.alloc(number) : pool.alloc(4, { alignment: number }));
    expect(call).toThrow(RangeError);
    expect(device.buffers).toEqual([]);
  });

  it('of the type of an argument is a TypeError', () => {
    const { device, pool } = make();
    expect(() => pool.alloc('4' as unknown as number)).toThrow(TypeError);
    expect(() => pool.alloc(4, { alignment: '4' as unknown as number })).toThrow(TypeError);
    expect(() => pool.alloc(4, { label: 4 as unknown as string })).toThrow(TypeError);
    expect(() => pool.alloc(4, { dedicated: 1 as unknown as boolean })).toThrow(TypeError);
    expect(device.buffers).toEqual([]);
    expect(() => new BufferPool(device, { usage: '4' as unknown as number })).toThrow(TypeError);
    expect(() => new BufferPool(device, { usage: 4, label: 5 as unknown as string })).toThrow(
      new TypeError('label must be of type string, not number'),
    );
    expect(() => pool.alloc(4, null as unknown as object)).toThrow(
      new TypeError('options must be of type object, not null'),
    );
    expect(() => make({ label: 4 as unknown as string })).toThrow(TypeError);
    expect(() => make({ onLeak: 'warn' as unknown as () => void })).toThrow(TypeError);
  });

  it.each<[string, Partial<BufferPoolOptions<FakeBuffer>>]>([
    ['no usage', { usage: 0 }],
    ['an unknown usage', { usage: 0x400 }],
    ['MAP_READ', { usage: MAP_READ | COPY_DST }],
    ['MAP_WRITE', { usage: MAP_WRITE | COPY_SRC }],
    ['a unit below the alignment that the device requires', { unit: 64 }],
    ['a unit that is not a power of two', { unit: 384 }],
    ['a unit larger than a buffer', { unit: 8192 }],
    ['buffers whose size is not a power of two', { bufferSize: 5000 }],
    ['buffers larger than the device allows', { bufferSize: 2 ** 21 }],
    ['a first buffer whose size is not a power of two', { firstBufferSize: 384 }],
    ['a first buffer smaller than the unit', { firstBufferSize: 64 }],
    ['a first buffer larger than the others', { firstBufferSize: 8192 }],
    ['no bytes', { maxBytes: 0 }],
  ])('a pool refuses %s', (_, options) => {
    expect(() => make(options)).toThrow(RangeError);
  });

  it('a pool on a device of small buffers takes the largest power of two', () => {
    const device = new FakeDevice();
    device.limits.maxBufferSize = 3 * 2 ** 18;
    const pool = new BufferPool(device, { usage: VERTEX });
    expect(take(pool, 4).buffer.size).toBe(2 ** 19);
    expect(take(pool, 2 ** 19 + 4).buffer.size).toBe(2 ** 19 + 4);
  });
});
