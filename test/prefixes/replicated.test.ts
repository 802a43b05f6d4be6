// CIDR prefixes out of a pool that many processes share.

import { beforeEach, expect, it } from 'vitest';
import { capacityFor, ReplicatedPrefixes } from '../../src/prefixes.ts';
import { MemoryLog, ReplicatedArena } from '../../src/replicated.ts';
import { codeOf } from '../replicated/code-of.ts';

const POOL = { pool: '10.0.0.0/16', longest: 28 } as const;

const open = async (log: MemoryLog) =>
  new ReplicatedPrefixes({
    ...POOL,
    arena: await ReplicatedArena.open(log, 'pool', { capacity: capacityFor(POOL) }),
  });

let log: MemoryLog;
let prefixes: Awaited<ReturnType<typeof open>>;

beforeEach(async () => {
  log = new MemoryLog();
  prefixes = await open(log);
});

it('gives prefixes with keys, owners, leases and tokens', async () => {
  const block = await prefixes.alloc(24, { key: 'k', owner: 'me', ttl: 1000 });
  expect(block).toMatchObject({ prefix: '10.0.0.0/24', token: 1, owner: 'me', replayed: false });
  const other = await open(log);
  expect(await other.alloc(24, { key: 'k', owner: 'me' })).toMatchObject({
    prefix: '10.0.0.0/24',
    replayed: true,
  });
  expect(await other.alloc(28)).toMatchObject({ prefix: '10.0.1.0/28' });
  await prefixes.arena.reserve(512, 16);
  expect(prefixes.find('k')).toMatchObject({ prefix: '10.0.0.0/24' });
  expect(prefixes.find('l')).toBeNull();
  expect(prefixes.at('10.0.0.255')).toMatchObject({ prefix: '10.0.0.0/24', token: 1 });
  expect(prefixes.at('10.0.1.16')).toBeNull();
  expect(prefixes.list().map(({ prefix }) => prefix)).toEqual(['10.0.0.0/24', '10.0.1.0/28', '10.0.32.0/24']);
  expect(prefixes.list({ owner: 'me' })).toHaveLength(1);
  expect(prefixes.largestFree).toBe(17);
  expect([prefixes.pool, prefixes.longest]).toEqual(['10.0.0.0/16', 28]);
});

it('reserves and frees', async () => {
  const block = await prefixes.reserve('10.0.4.0/22', { owner: 'me' });
  expect(block).toMatchObject({ prefix: '10.0.4.0/22', size: 64 });
  expect(await prefixes.reserve('10.0.5.0/24')).toBeNull();
  const token = block?.token as number;
  expect(await codeOf(prefixes.free({ prefix: '10.0.4.0/23', token }))).toBe('INTERIOR');
  expect(await codeOf(prefixes.free({ prefix: '10.0.4.0/22', token: 9 }))).toBe('NOT_HOLDER');
  expect(await codeOf(prefixes.free({ prefix: '10.1.4.0/22', token }))).toBe('RangeError');
  expect(await codeOf(prefixes.free(null as unknown as { prefix: string; token: number }))).toBe('TypeError');
  expect(await prefixes.free({ prefix: '10.0.4.0/22', token }, { cooldown: 60_000 })).toBe(64);
  expect(await prefixes.free({ prefix: '10.0.4.0/22', token })).toBe(0);
  expect(prefixes.at('10.0.4.1')).toMatchObject({ cooling: true });
});

it('needs an arena of the right capacity', async () => {
  const arena = await ReplicatedArena.open(log, 'other', { capacity: 16 });
  expect(() => new ReplicatedPrefixes({ ...POOL, arena })).toThrow(RangeError);
  expect(() => new ReplicatedPrefixes({ ...POOL, arena: null as unknown as ReplicatedArena })).toThrow(
    TypeError,
  );
  expect(await codeOf(prefixes.alloc(29))).toBe('RangeError');
  expect(capacityFor({ pool: '2001:db8::/32', longest: 62 })).toBe(2 ** 30);
});
