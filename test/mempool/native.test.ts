// NativePool of @thi.ng/malloc and ours, and the subpaths by which packages import the two classes.

import { readFileSync } from 'node:fs';
import { type IMemPoolArray, NativePool as Theirs, type NativePool as TheirType } from '@thi.ng/malloc';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { NativePool as Ours } from '../../src/mempool.ts';

const TYPES = ['u8', 'u8c', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64'] as const;

describe.each([
  ['buddy-allocator/mempool', Ours],
  ['@thi.ng/malloc', Theirs as unknown as typeof Ours],
])('%s', (_name, NativePool) => {
  it.each(TYPES)('makes arrays of the kind %s', (type) => {
    const pool = new NativePool();
    const array = pool.callocAs(type, 3, 2);
    if (array === undefined) throw new Error('no array');
    expect([...array]).toEqual([2, 2, 2]);
    expect([...(pool.mallocAs(type, 2) ?? [])]).toEqual([0, 0]);
    const larger = pool.reallocArray(array, 5);
    expect(larger?.constructor).toBe(array.constructor);
    expect([...(larger ?? [])]).toEqual([2, 2, 2, 0, 0]);
    expect([...(pool.reallocArray(array.subarray(1) as typeof array, 1) ?? [])]).toEqual([2]);
    expect(pool.reallocArray(array, 3)).toBe(array);
    expect([pool.free(array), pool.freeAll(), pool.release()]).toEqual([true, undefined, true]);
  });
});

it('makes arrays of bigints, and none of no length', () => {
  const pool = new Ours();
  expect(pool.callocAs('i64', 2, -3)).toEqual(BigInt64Array.of(-3n, -3n));
  expect(pool.reallocArray(BigUint64Array.of(5n), 2)).toEqual(BigUint64Array.of(5n, 0n));
  expect([pool.mallocAs('u8', 0), pool.callocAs('u8', -1), pool.mallocAs('u8', Number.NaN)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(pool.reallocArray(Uint8Array.of(1), 0)).toBeUndefined();
  expect(() => pool.mallocAs('f16' as 'f32', 1)).toThrow(new TypeError('no typed array has the name f16'));
});

it('is assignable to the types of @thi.ng/malloc', () => {
  expectTypeOf<Ours>().toExtend<IMemPoolArray>();
  expectTypeOf<Ours>().toExtend<TheirType>();
});

it.each(['pool', 'native'])('buddy-allocator/mempool/%s is the same module', async (name) => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    exports: Record<string, unknown>;
  };
  expect(exports[`./mempool/${name}`]).toEqual(exports['./mempool']);
  const specifier = `buddy-allocator/mempool/${name}`;
  const { MemPool, NativePool } = (await import(/* @vite-ignore */ specifier)) as Record<
    string,
    new () => object
  >;
  expect([new MemPool(), new NativePool()]).toHaveLength(2);
});
