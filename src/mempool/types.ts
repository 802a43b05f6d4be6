// The names of the kinds of typed arrays, as users of MemPool know them.

import { makeView, typeOf } from '../heap/views.ts';

/**
 * The typed arrays that a pool makes, by the names of @thi.ng/api: its `Type`, its `BigType` and, as numbers, the WebGL
 * constants of its `GLType`.
 */
export interface TypedArrays {
  u8: Uint8Array;
  u8c: Uint8ClampedArray;
  i8: Int8Array;
  u16: Uint16Array;
  i16: Int16Array;
  u32: Uint32Array;
  i32: Int32Array;
  f32: Float32Array;
  f64: Float64Array;
  i64: BigInt64Array;
  u64: BigUint64Array;
  5120: Int8Array;
  5121: Uint8Array;
  5122: Int16Array;
  5123: Uint16Array;
  5124: Int32Array;
  5125: Uint32Array;
  5126: Float32Array;
}

/** A name of a kind of typed array. */
export type MemPoolType = keyof TypedArrays;

/** Any typed array that a pool makes. */
export type MemPoolArray = TypedArrays[MemPoolType];

/** The constructor of `A`, as far as a pool uses it. */
interface Constructor<A> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
}

const CONSTRUCTORS: { readonly [T in MemPoolType]: Constructor<TypedArrays[T]> } = {
  u8: Uint8Array,
  u8c: Uint8ClampedArray,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  5120: Int8Array,
  5121: Uint8Array,
  5122: Int16Array,
  5123: Uint16Array,
  5124: Int32Array,
  5125: Uint32Array,
  5126: Float32Array,
};

/** The constructor of the arrays that `type` names. Throws a TypeError if it is not a name of a kind of array. */
export function constructorOf<T extends MemPoolType>(type: T): Constructor<TypedArrays[T]> {
  if (!Object.hasOwn(CONSTRUCTORS, type)) throw new TypeError(`no typed array has the name ${type}`);
  return CONSTRUCTORS[type];
}

/** Sets all elements of `array`, one at least, to `value`. */
export function fill(array: MemPoolArray, value: number): void {
  if (typeof array[0] === 'bigint') (array as BigInt64Array).fill(BigInt(value));
  else (array as Uint8Array).fill(value);
}

/** A number of elements, without its fraction; NaN if `num` is not a number. */
export function lengthOf(num: number): number {
  return typeof num === 'number' ? Math.trunc(num) : Number.NaN;
}

/** An array of the same kind as `array`, of `length` elements from `byteOffset` of `buffer` on. */
export function arrayLike<A extends MemPoolArray>(
  array: A,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): A {
  return makeView(typeOf(array), buffer as ArrayBuffer, byteOffset, length) as A;
}
