// One client of a replicated arena: what each call does, and what it refuses.

import { beforeEach, describe, expect, it } from 'vitest';
import { type Allocation, MemoryLog, ReplicatedArena } from '../../src/replicated.ts';
import { codeOf } from './code-of.ts';

let now = 0;
let log: MemoryLog;
let arena: ReplicatedArena;

beforeEach(async () => {
  now = 1_800_000_000_000;
  log = new MemoryLog(() => now);
  arena = await ReplicatedArena.open(log, 'pool', { capacity: 64 });
});

/** An allocation that must have room. */
async function got(call: Promise<Allocation | null>): Promise<Allocation> {
  const block = await call;
  if (block === null) throw new Error('there is no room');
  return block;
}

describe('blocks', () => {
  it('lie where BuddyAllocator puts them, and are numbered', async () => {
    expect(await arena.alloc(5, { key: 'k', owner: 'me', meta: 'for\u0000 x', ttl: 1000 })).toEqual({
      offset: 0,
      size: 8,
      token: 1,
      number: 1,
      key: 'k',
      owner: 'me',
      meta: 'for\u0000 x',
      expires: now + 1000,
      cooling: false,
      replayed: false,
    });
    expect(await arena.allocRange(5, { alignment: 5 })).toMatchObject({
      offset: 10,
      size: 5,
      token: 2,
      key: null,
    });
    expect(await arena.reserve(9, 1)).toMatchObject({ offset: 9, size: 1, token: 3, expires: null });
    expect(await arena.reserve(8, 2)).toBeNull();
    expect(await arena.alloc(64)).toBeNull();
    expect(arena.number).toBe(5);
    expect(arena.snapshot().freeUnits).toBe(64 - 8 - 5 - 1);
  });

  it('can be freed, all of them, however they were made', async () => {
    const blocks = [
      await got(arena.alloc(5)),
      await got(arena.allocRange(13)),
      await got(arena.reserve(40, 11)),
      await got(arena.alloc(1)),
    ];
    expect(await arena.check()).toEqual([]);
    for (const block of blocks) expect(await arena.free(block)).toBe(block.size);
    expect(arena.snapshot().largestFree).toBe(64);
    expect(arena.list()).toEqual([]);
    expect(await arena.check()).toEqual([]);
  });

  it('are found by their units, keys and owners', async () => {
    const a = await got(arena.allocRange(13, { owner: 'me', key: 'a' }));
    const b = await got(arena.alloc(1, { owner: 'you' }));
    const { number, replayed, ...held } = a;
    for (const unit of [0, 7, 12]) expect(arena.blockOf(unit)).toEqual(held);
    expect(arena.blockOf(13)).toMatchObject({ token: b.token });
    expect(arena.blockOf(14)).toBeNull();
    expect(arena.find('a')).toEqual(held);
    expect(arena.find('b')).toBeNull();
    expect(arena.list({ owner: 'me' })).toEqual([held]);
    expect(arena.list().map(({ offset }) => offset)).toEqual([0, 13]);
    expect([number, replayed]).toEqual([1, false]);
  });

  it('that are shown are copies', async () => {
    await arena.alloc(1, { key: 'a' });
    Object.assign(arena.find('a') ?? {}, { offset: 7 });
    Object.assign(arena.list()[0], { token: 7 });
    Object.assign((await arena.events(0))[0].block, { token: 7 });
    expect(arena.find('a')).toMatchObject({ offset: 0, token: 1 });
    expect((await arena.events(0))[0].block).toMatchObject({ token: 1 });
    expect(await arena.check()).toEqual([]);
  });

  it('are counted', async () => {
    await arena.allocRange(3);
    await arena.free(await got(arena.alloc(4)), { cooldown: 5 });
    expect(arena.stats()).toMatchObject({
      capacity: 64,
      usedUnits: 7,
      number: 3,
      heldBlocks: 2,
      coolingBlocks: 1,
      liveBlocks: 3,
      snapshotError: null,
    });
  });
});

describe('a request key', () => {
  it('gets the same block again', async () => {
    const first = await got(arena.alloc(5, { key: 'a', owner: 'me' }));
    const again = await got(arena.alloc(5, { key: 'a', owner: 'me', meta: 'ignored', ttl: 5 }));
    expect(again).toEqual({ ...first, number: 2, replayed: true });
    expect(arena.list()).toHaveLength(1);
  });

  it('gets nothing once its block was given back', async () => {
    const block = await got(arena.alloc(5, { key: 'a' }));
    await arena.free(block, { cooldown: 10 });
    expect(await codeOf(arena.alloc(5, { key: 'a' }))).toBe('GONE');
    expect(arena.find('a')).toBeNull();
    now += 10;
    await arena.reap();
    expect(await codeOf(arena.alloc(5, { key: 'a' }))).toBe('GONE');
    expect(await codeOf(arena.alloc(6, { key: 'a' }))).toBe('GONE');
  });

  it.each([
    ['another size', () => arena.alloc(6, { key: 'a' })],
    ['another owner', () => arena.alloc(5, { key: 'a', owner: 'you' })],
    ['another kind', () => arena.allocRange(5, { key: 'a' })],
    ['another kind', () => arena.reserve(0, 5, { key: 'a' })],
  ])('belongs to its arguments: %s', async (_, other) => {
    await arena.alloc(5, { key: 'a' });
    expect(await codeOf(other())).toBe('KEY_MISMATCH');
  });

  it('belongs to the alignment and to the offset', async () => {
    await arena.allocRange(5, { key: 'a', alignment: 2 });
    await arena.reserve(20, 5, { key: 'b' });
    expect(await codeOf(arena.allocRange(5, { key: 'a', alignment: 4 }))).toBe('KEY_MISMATCH');
    expect(await codeOf(arena.reserve(21, 5, { key: 'b' }))).toBe('KEY_MISMATCH');
    expect(await codeOf(arena.reserve(20, 5, { key: 'b' }))).toBe('none');
  });

  it('is not taken by a request without room', async () => {
    const all = await got(arena.alloc(64));
    expect(await arena.alloc(1, { key: 'a' })).toBeNull();
    await arena.free(all);
    expect(await arena.alloc(2, { key: 'a' })).toMatchObject({ offset: 0, replayed: false });
  });

  it('is forgotten after 16,384 others', async () => {
    const mine = await got(arena.alloc(1, { key: 'mine' }));
    await arena.free(mine);
    const cycle = async () => arena.free(await got(arena.alloc(1)));
    for (let done = 0; done < 2 ** 14 - 1; done += 64) {
      await Promise.all(Array.from({ length: Math.min(64, 2 ** 14 - 1 - done) }, cycle));
    }
    expect(await codeOf(arena.alloc(1, { key: 'mine' }))).toBe('GONE');
    expect(await arena.free(mine)).toBe(0);
    await cycle();
    expect(await codeOf(arena.free(mine))).toBe('NOT_HOLDER');
    expect(await codeOf(arena.alloc(1, { key: 'mine' }))).toBe('none');
  });
});

describe('a token', () => {
  it('frees once, and a second free says so', async () => {
    const block = await got(arena.alloc(5));
    expect(await arena.free(block)).toBe(8);
    expect(await arena.free(block)).toBe(0);
  });

  it('of a former holder does nothing to the next one', async () => {
    const former = await got(arena.alloc(5, { ttl: 10 }));
    now += 10;
    await arena.reap();
    const next = await got(arena.alloc(5));
    expect(next.offset).toBe(former.offset);
    expect(await codeOf(arena.free(former))).toBe('NOT_HOLDER');
    expect(await codeOf(arena.renew(former, { ttl: 10 }))).toBe('NOT_HOLDER');
    expect(arena.blockOf(0)).toMatchObject({ token: next.token });
  });

  it('belongs to its offset', async () => {
    const a = await got(arena.alloc(1));
    const b = await got(arena.alloc(1));
    expect(await codeOf(arena.free({ offset: a.offset, token: b.token }))).toBe('NOT_HOLDER');
    expect(await codeOf(arena.free({ offset: 63, token: a.token }))).toBe('NOT_HOLDER');
    await arena.free(a);
    expect(await codeOf(arena.free({ offset: b.offset, token: a.token }))).toBe('NOT_HOLDER');
    expect(await codeOf(arena.renew(a))).toBe('NOT_HOLDER');
  });
});

describe('a lease', () => {
  it('that has ended is good until the block is wanted', async () => {
    const block = await got(arena.alloc(64, { ttl: 10 }));
    now += 1000;
    expect(await arena.renew(block, { ttl: 20 })).toBe(now + 20);
    expect(await arena.alloc(1)).toBeNull();
    now += 19;
    expect(await arena.alloc(1)).toBeNull();
    now += 1;
    expect(await arena.alloc(1)).toMatchObject({ offset: 0 });
    expect((await arena.events(0)).map(({ type, number }) => [type, number])).toEqual([
      ['alloc', 1],
      ['renew', 2],
      ['expire', 5],
      ['alloc', 5],
    ]);
  });

  it('can be made endless', async () => {
    const block = await got(arena.alloc(64, { ttl: 10 }));
    expect(await arena.renew(block)).toBeNull();
    now += 1000;
    expect(await arena.reap()).toBe(0);
  });

  it('makes room for ranges and for reservations, too', async () => {
    await arena.alloc(64, { ttl: 10 });
    now += 10;
    expect(await arena.reserve(3, 5, { ttl: 10 })).toMatchObject({ offset: 3 });
    now += 10;
    expect(await arena.allocRange(64)).toMatchObject({ offset: 0 });
  });

  it('goes by the clock of the log, which never goes back', async () => {
    const block = await got(arena.alloc(1, { ttl: 10 }));
    now -= 5000;
    expect(await arena.renew(block, { ttl: 10 })).toBe(block.expires);
  });

  it('of many blocks ends one after another', async () => {
    for (let i = 0; i < 8; i++) await arena.alloc(8, { ttl: 10 * (i + 1) });
    now += 35;
    expect(await arena.reap()).toBe(3);
    expect(await arena.reap()).toBe(0);
    now += 45;
    expect(await arena.alloc(64)).toMatchObject({ offset: 0 });
  });
});

describe('a cooldown', () => {
  it('keeps the units from everybody until it is over', async () => {
    const block = await got(arena.alloc(32, { owner: 'me', key: 'a', meta: 'x' }));
    expect(await arena.free(block, { cooldown: 10 })).toBe(32);
    expect(arena.blockOf(0)).toMatchObject({
      cooling: true,
      owner: null,
      key: null,
      meta: null,
      expires: now + 10,
    });
    expect(await arena.free(block)).toBe(0);
    expect(await codeOf(arena.renew(block, { ttl: 5 }))).toBe('NOT_HOLDER');
    expect(await arena.alloc(32)).toMatchObject({ offset: 32 });
    expect(await arena.alloc(1)).toBeNull();
    now += 10;
    expect(await arena.alloc(1)).toMatchObject({ offset: 0 });
    expect((await arena.events(5)).map(({ type }) => type)).toEqual(['cooled', 'alloc']);
  });
});

describe('arguments', () => {
  const bad: readonly unknown[] = [Number.NaN, 1.5, -1, 0, Number.POSITIVE_INFINITY, '1', 1n, null, {}, true];

  it.each(bad)('%o is not a size', async (value) => {
    const size = value as number;
    const code = typeof value === 'number' ? 'RangeError' : 'TypeError';
    expect(await codeOf(arena.alloc(size))).toBe(code);
    expect(await codeOf(arena.allocRange(size))).toBe(code);
    expect(await codeOf(arena.allocRange(1, { alignment: size ?? 1.5 }))).toBe(
      value === null ? 'RangeError' : code,
    );
    expect(await codeOf(arena.reserve(0, size))).toBe(code);
    expect(await codeOf(arena.alloc(1, { ttl: size }))).toBe(code);
    expect(await codeOf(arena.free({ offset: 0, token: size }))).toBe(code);
    expect(await codeOf(arena.free({ offset: 0, token: 1 }, { cooldown: size }))).toBe(code);
    expect(await codeOf(arena.renew({ offset: 0, token: 1 }, { ttl: size }))).toBe(code);
    expect(await codeOf(ReplicatedArena.open(log, 'other', { capacity: size }))).toBe(code);
    expect(arena.number).toBe(0);
  });

  it.each([...bad.filter((value) => value !== 0), 64, 2 ** 32])('%o is not an offset', async (value) => {
    const offset = value as number;
    const code = typeof value === 'number' ? 'RangeError' : 'TypeError';
    expect(await codeOf(arena.reserve(offset, 1))).toBe(code);
    expect(await codeOf(arena.free({ offset, token: 1 }))).toBe(code);
    expect(() => arena.blockOf(offset)).toThrow(code === 'RangeError' ? RangeError : TypeError);
    expect(arena.number).toBe(0);
  });

  it.each([
    ['1', 1],
    ['null', null],
    ['an object', {}],
    ['a text of 201 characters', 'x'.repeat(201)],
    ['a text of 4,001 characters', 'x'.repeat(4001)],
  ])('%s is not a name', async (_, value) => {
    const text = value as string;
    const code = typeof value === 'string' ? 'RangeError' : 'TypeError';
    expect(await codeOf(arena.alloc(1, { key: text }))).toBe(code);
    expect(await codeOf(arena.alloc(1, { owner: text }))).toBe(code);
    expect(await codeOf(ReplicatedArena.open(log, text))).toBe(code);
    expect(() => arena.find(text)).toThrow(code === 'RangeError' ? RangeError : TypeError);
    expect(await codeOf(arena.alloc(1, { meta: text }))).toBe(text?.length === 201 ? 'none' : code);
  });

  it('that are no options', async () => {
    for (const value of [null, 5, 'x'] as unknown[]) {
      const options = value as object;
      expect(await codeOf(arena.alloc(1, options))).toBe('TypeError');
      expect(await codeOf(arena.free({ offset: 0, token: 1 }, options))).toBe('TypeError');
      expect(await codeOf(arena.renew({ offset: 0, token: 1 }, options))).toBe('TypeError');
      expect(await codeOf(ReplicatedArena.open(log, 'pool', options))).toBe('TypeError');
      expect(() => arena.list(options)).toThrow(TypeError);
    }
    expect(await codeOf(ReplicatedArena.open(null as unknown as MemoryLog, 'pool'))).toBe('TypeError');
    expect(await codeOf(ReplicatedArena.open(log, 'pool', { patience: -1 }))).toBe('RangeError');
    expect(await codeOf(arena.events(-1))).toBe('RangeError');
  });

  it('of a size that no arena has', async () => {
    for (const size of [65, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 53, 1e300]) {
      expect(await arena.alloc(size)).toBeNull();
      expect(await arena.allocRange(size)).toBeNull();
      expect(await arena.allocRange(1, { alignment: size })).toMatchObject({ offset: 0 });
      await arena.free({ offset: 0, token: arena.number });
    }
    expect(await arena.check()).toEqual([]);
  });
});

describe('opening', () => {
  it('needs a capacity where there is no arena, and takes no other where there is one', async () => {
    expect(await codeOf(ReplicatedArena.open(log, 'none'))).toBe('FOREIGN');
    expect(await codeOf(ReplicatedArena.open(log, 'pool', { capacity: 65 }))).toBe('RangeError');
    expect((await ReplicatedArena.open(log, 'pool')).capacity).toBe(64);
  });

  it('keeps arenas of one log apart', async () => {
    const other = await ReplicatedArena.open(log, 'other', { capacity: 32 });
    await arena.alloc(64);
    expect(await other.alloc(32)).toMatchObject({ offset: 0, token: 1 });
  });

  it('shows itself', async () => {
    await arena.alloc(8);
    const shown = (arena as unknown as Record<symbol, () => string>)[
      Symbol.for('nodejs.util.inspect.custom')
    ]();
    expect(shown).toBe('ReplicatedArena { "pool", 56 of 64 units free at operation 1 }');
  });

  it('of a log in memory promises nothing', async () => {
    expect(await arena.durability()).toEqual({ crash: false, failover: false, settings: {} });
  });
});
