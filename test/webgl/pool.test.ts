// BufferPool over WebGL on a strict fake context: what differs from WebGPU. Placement, moves and the rest, which both
// share, are tested there and by the property tests.

import { afterEach, describe, expect, it, vi } from 'vitest';
import { type BufferAllocation, BufferPool, type BufferPoolOptions } from '../../src/webgl.ts';
import { codeOf } from '../gpu/code-of.ts';
import { FakeContext, type FakeGlBuffer, FakeGlError, Gl } from './fake.ts';

type Allocation = BufferAllocation<FakeGlBuffer>;

function make(options: Partial<BufferPoolOptions<FakeGlBuffer>> = {}) {
  const gl = new FakeContext();
  return { gl, pool: new BufferPool(gl, { target: Gl.ARRAY_BUFFER, bufferSize: 4096, ...options }) };
}

function take(pool: BufferPool<FakeGlBuffer>, bytes: number, alignment = 1): Allocation {
  const allocation = pool.alloc(bytes, { alignment });
  if (allocation === null) throw new Error(`no room for ${bytes} bytes`);
  return allocation;
}

const bytesOf = ({ buffer, offset, size }: Allocation) => [...buffer.bytes.subarray(offset, offset + size)];

describe('the fake context', () => {
  it('refuses what the standard refuses', () => {
    const gl = new FakeContext();
    const [indices, data] = [gl.createBuffer(), gl.createBuffer()];
    gl.bindBuffer(Gl.ELEMENT_ARRAY_BUFFER, indices);
    gl.bindBuffer(Gl.COPY_READ_BUFFER, indices);
    gl.bindBuffer(Gl.COPY_WRITE_BUFFER, data);
    expect(() => gl.bindBuffer(Gl.ARRAY_BUFFER, indices)).toThrow('indices');
    expect(() => gl.bindBuffer(Gl.ELEMENT_ARRAY_BUFFER, data)).toThrow('indices');
    expect(() => gl.bufferSubData(Gl.COPY_WRITE_BUFFER, 0, new Uint8Array(1))).toThrow('beyond');
    expect(() => gl.bufferData(Gl.ARRAY_BUFFER, 4, Gl.STATIC_DRAW)).toThrow('nothing is bound');
    gl.bufferData(Gl.COPY_WRITE_BUFFER, 64, Gl.STATIC_DRAW);
    gl.bufferData(Gl.COPY_READ_BUFFER, 64, Gl.STATIC_DRAW);
    const copy = (from: number, to: number) =>
      gl.copyBufferSubData(Gl.COPY_READ_BUFFER, Gl.COPY_WRITE_BUFFER, from, to, 16);
    expect(() => copy(0, 0)).toThrow('indices');
    gl.bindBuffer(Gl.COPY_READ_BUFFER, data);
    expect(() => copy(0, 15)).toThrow('onto itself');
    expect(() => copy(60, 0)).toThrow('beyond');
    gl.deleteBuffer(data);
    expect(() => gl.bindBuffer(Gl.COPY_READ_BUFFER, data)).toThrow(FakeGlError);
    expect(() => gl.clientWaitSync({ passed: true, flushed: false, deleted: false } as never)).toThrow(
      'sent',
    );
  });
});

describe('buffers', () => {
  it.each([
    ['vertices', Gl.ARRAY_BUFFER, 4, 4, false],
    ['indices', Gl.ELEMENT_ARRAY_BUFFER, 4, 4, true],
    ['uniforms', Gl.UNIFORM_BUFFER, 64, 16, false],
    ['texels', Gl.PIXEL_UNPACK_BUFFER, 4, 4, false],
    ['transform feedback', Gl.TRANSFORM_FEEDBACK_BUFFER, 4, 4, false],
  ])('for %s can be bound as such, and ranges are aligned to it', (_, target, unit, size, isElement) => {
    const { gl, pool } = make({ target, usage: Gl.DYNAMIC_DRAW });
    const [a, b] = [take(pool, 1), take(pool, 1)];
    expect([pool.unit, a.size, a.offset, b.offset]).toEqual([unit, size, 0, unit]);
    expect(a.buffer).toMatchObject({ size: 4096, usage: Gl.DYNAMIC_DRAW, isElement });
    gl.bindBuffer(target, a.buffer);
  });

  it('are for static drawing unless given', () => {
    expect(take(make().pool, 1).buffer.usage).toBe(Gl.STATIC_DRAW);
  });

  it('leave no trace if there is no memory for them', () => {
    const { gl, pool } = make();
    gl.memory = 6096;
    take(pool, 4096);
    const before = pool.stats();
    expect([pool.alloc(4), pool.alloc(5000)]).toEqual([null, null]);
    expect(pool.stats()).toEqual(before);
    expect(pool.alloc(2000, { dedicated: true })).not.toBeNull();
    expect(gl.undestroyed.map(({ size }) => size)).toEqual([4096, 2000]);
    expect(pool.stats()).toMatchObject({ buffers: 2, bytes: 6096 });
  });

  it('have no room beyond 2 GiB', () => {
    const { gl, pool } = make();
    expect(pool.alloc(2 ** 31 - 3)).toBeNull();
    expect(gl.buffers).toEqual([]);
  });

  it('of a uniform pool have no range larger than a block can be', () => {
    const { pool } = make({ target: Gl.UNIFORM_BUFFER, bufferSize: 65536 });
    expect(() => pool.alloc(16385)).toThrow('MAX_UNIFORM_BLOCK_SIZE, 16384');
    expect(take(pool, 16384).size).toBe(16384);
  });
});

describe('bindings', () => {
  it.each([Gl.ARRAY_BUFFER, Gl.ELEMENT_ARRAY_BUFFER])('of the program stay (pool for %i)', async (target) => {
    const { gl, pool } = make({ target });
    for (const [name, point] of Object.entries(Gl)) {
      if (name.endsWith('_BUFFER') && name !== 'PIXEL_PACK_BUFFER') gl.bindBuffer(point, gl.createBuffer());
    }
    gl.bindBuffer(Gl.UNIFORM_BUFFER, null);
    const before = new Map(gl.bound);
    const all = Array.from({ length: 16 }, () => take(pool, 512));
    for (const one of all) pool.write(one, new Uint8Array(512));
    for (let i = 0; i < 16; i += 2) pool.free(all[i]);
    pool.flush();
    await gl.finish();
    expect(pool.defragment().length).toBeGreaterThan(0);
    pool.flush();
    await gl.finish();
    expect(gl.bound).toEqual(before);
    pool.destroy();
    expect(gl.bound).toEqual(before);
  });

  it('stay if a call fails', () => {
    const { gl, pool } = make();
    const range = take(pool, 16);
    gl.bindBuffer(Gl.COPY_WRITE_BUFFER, gl.createBuffer());
    const before = new Map(gl.bound);
    vi.spyOn(gl, 'bufferSubData').mockImplementation(() => {
      throw new FakeGlError('on purpose');
    });
    expect(() => pool.write(range, new Uint8Array(4))).toThrow('on purpose');
    expect(gl.bound).toEqual(before);
  });
});

describe('write', () => {
  it('writes odd lengths as they are', () => {
    const { pool } = make();
    const range = take(pool, 8);
    pool.write(range, new Uint8Array(8).fill(9));
    pool.write(range, Uint8Array.of(1, 2, 3), 4);
    expect(bytesOf(range)).toEqual([9, 9, 9, 9, 1, 2, 3, 9]);
    expect(() => pool.write(range, new Uint8Array(9))).toThrow(RangeError);
    expect(() => pool.write(range, new Uint8Array(1), 3)).toThrow(RangeError);
  });
});

describe('flush', () => {
  it('lets ranges be reused when the GPU has passed the fence', async () => {
    const { gl, pool } = make({ maxBytes: 4096 });
    pool.free(take(pool, 4096));
    await gl.finish();
    expect([pool.alloc(4), gl.syncs]).toEqual([null, []]);
    const flushed = pool.flush();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pool.alloc(4)).toBeNull();
    await gl.finish();
    await flushed;
    expect(pool.alloc(4)).not.toBeNull();
    expect(gl.syncs.map(({ deleted }) => deleted)).toEqual([true]);
  });

  it('ends in the order of the flushes', async () => {
    const { gl, pool } = make();
    const [a, b] = [take(pool, 2048), take(pool, 2048)];
    pool.free(a);
    pool.flush();
    pool.free(b);
    pool.flush();
    await gl.finish(1);
    expect(pool.stats()).toMatchObject({ pending: 2048, free: 2048 });
    await gl.finish(1);
    expect(pool.stats()).toMatchObject({ pending: 0, free: 4096 });
  });

  it('stops asking when the pool is destroyed', async () => {
    const { gl, pool } = make();
    pool.free(take(pool, 4));
    const flushed = pool.flush();
    pool.destroy();
    await flushed;
    expect(gl.syncs.map(({ deleted }) => deleted)).toEqual([true]);
    const asked = vi.spyOn(gl, 'clientWaitSync');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('defragment', () => {
  it('copies at once, within a buffer too, without a temporary one', async () => {
    const { gl, pool } = make();
    const all = Array.from({ length: 8 }, () => take(pool, 512));
    for (const [i, one] of all.entries()) pool.write(one, new Uint8Array(512).fill(i));
    for (let i = 0; i < 8; i += 2) pool.free(all[i]);
    pool.flush();
    await gl.finish();
    const copied = vi.spyOn(gl, 'copyBufferSubData');
    const moves = pool.defragment();
    expect(moves.length).toBeGreaterThan(0);
    expect(copied).toHaveBeenCalledTimes(moves.length);
    for (const [i, one] of all.entries())
      if (i % 2 === 1) expect(new Set(bytesOf(one))).toEqual(new Set([i]));
    expect(gl.buffers).toHaveLength(1);
    pool.flush();
    await gl.finish();
    expect(pool.stats().largestFree).toBe(2048);
  });
});

describe('a lost context', () => {
  const lost = (pool: BufferPool<FakeGlBuffer>, a: Allocation) => {
    for (const action of [
      () => pool.alloc(4),
      () => pool.free(a),
      () => pool.write(a, new Uint8Array(4)),
      () => pool.flush(),
      () => pool.defragment(),
    ]) {
      expect(codeOf(action)).toBe('DEVICE_LOST');
    }
  };

  it('is noticed at once', () => {
    const { gl, pool } = make();
    const a = take(pool, 4);
    gl.lose();
    lost(pool, a);
    pool.destroy();
    expect(codeOf(() => pool.alloc(4))).toBe('DETACHED');
  });

  it('stays lost for its pools when it is restored, whether they were used meanwhile or not', () => {
    const { gl, pool } = make();
    const a = take(pool, 4);
    gl.lose();
    gl.restore();
    lost(pool, a);
    const after = new BufferPool(gl, { target: Gl.ARRAY_BUFFER });
    expect(after.alloc(4)).not.toBeNull();
  });

  it('leaves the ranges pending that wait for it', async () => {
    const { gl, pool } = make();
    pool.free(take(pool, 4));
    const flushed = pool.flush();
    gl.lose();
    await flushed;
    expect(pool.stats().pending).toBe(4);
  });

  it('that no call has shown yet gives no range and no fence', async () => {
    const { gl, pool } = make();
    vi.spyOn(gl, 'isContextLost').mockReturnValue(false);
    pool.free(take(pool, 4));
    gl.lose();
    await pool.flush();
    expect(pool.stats().pending).toBe(4);
    expect(pool.alloc(5000)).toBeNull();
  });

  it('is listened for until the pool is destroyed', () => {
    const gl = new FakeContext();
    const [add, remove] = [
      vi.spyOn(gl.canvas, 'addEventListener'),
      vi.spyOn(gl.canvas, 'removeEventListener'),
    ];
    expect(() => new BufferPool(gl, { target: Gl.ARRAY_BUFFER, bufferSize: 5 })).toThrow(RangeError);
    expect(add).not.toHaveBeenCalled();
    new BufferPool(gl, { target: Gl.ARRAY_BUFFER }).destroy();
    expect(remove.mock.calls).toEqual(add.mock.calls);
    expect(add).toHaveBeenCalledTimes(1);
  });
});

describe('misuse', () => {
  it.each<[string, object, new () => Error]>([
    ['no target', { target: 0 }, RangeError],
    ['a target that is no buffer', { target: 0x0de1 }, RangeError],
    ['a target of the wrong type', { target: 'ARRAY_BUFFER' }, TypeError],
    ['an unknown usage', { usage: 0x88e3 }, RangeError],
    ['a usage of the wrong type', { usage: '0' }, TypeError],
    ['a unit below the alignment', { target: Gl.UNIFORM_BUFFER, unit: 32 }, RangeError],
  ])('a pool refuses %s', (_, options, error) => {
    expect(() => make(options)).toThrow(error);
  });

  it('of an allocation of another pool has a code', () => {
    const [one, other] = [make().pool, make().pool];
    const range = take(one, 4);
    expect(codeOf(() => other.free(range))).toBe('FOREIGN');
    one.free(range);
    expect(codeOf(() => one.free(range))).toBe('NOT_ALLOCATED');
    expect(codeOf(() => range.buffer)).toBe('NOT_ALLOCATED');
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});
