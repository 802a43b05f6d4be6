// That our MemPool stands where TypeScript expects that of @thi.ng/malloc: the compiler is the test.

import type {
  IMemPool,
  IMemPoolArray,
  MemPoolOpts as TheirOpts,
  MemPool as TheirPool,
  MemPoolStats as TheirStats,
} from '@thi.ng/malloc';
import { expect, expectTypeOf, it } from 'vitest';
import { MemPool, type MemPoolOpts, type MemPoolStats } from '../../src/mempool.ts';

/** The public part of the class of @thi.ng/malloc; no other class can have the rest. */
type TheirMembers = Pick<TheirPool, keyof TheirPool>;

/** A function as its users have it. */
function sum(pool: IMemPool & IMemPoolArray, values: readonly number[]): number {
  const array = pool.mallocAs('f64', values.length);
  if (array === undefined) return Number.NaN;
  array.set(values);
  const total = array.reduce((a, b) => a + b, 0);
  return pool.free(array) && pool.release() ? total : Number.NaN;
}

it('is assignable to the types of @thi.ng/malloc', () => {
  expectTypeOf<MemPool>().toExtend<TheirMembers>();
  expectTypeOf<MemPool>().toExtend<IMemPool>();
  expectTypeOf<MemPool>().toExtend<IMemPoolArray>();
  expectTypeOf<MemPoolStats>().toEqualTypeOf<TheirStats>();
  expectTypeOf<Partial<TheirOpts>>().toExtend<MemPoolOpts>();
  expectTypeOf<keyof MemPoolOpts>().toEqualTypeOf<keyof TheirOpts>();
  expectTypeOf<keyof MemPool>().toEqualTypeOf<keyof TheirPool>();
  expect(sum(new MemPool(), [1, 2, 3])).toBe(6);
});

it('has the kinds of arrays that their names say', () => {
  const pool = new MemPool();
  expectTypeOf(pool.mallocAs('f32', 1)).toEqualTypeOf<Float32Array | undefined>();
  expectTypeOf(pool.callocAs('u8c', 1)).toEqualTypeOf<Uint8ClampedArray | undefined>();
  expectTypeOf(pool.reallocArray(new Int16Array(1), 2)).toExtend<Int16Array | undefined>();
  // @ts-expect-error: no such type
  expect(() => pool.mallocAs('f16', 1)).toThrow(TypeError);
});
