// NativePool: the class of that name in @thi.ng/malloc, for programs that take either kind of pool.

import {
  arrayLike,
  constructorOf,
  fill,
  lengthOf,
  type MemPoolArray,
  type MemPoolType,
  type TypedArrays,
} from './types.ts';

/**
 * A pool that is none: each array has an ArrayBuffer of its own, which the garbage collector takes. It stands in for a
 * {@link MemPool} where a program is to run without one. Members, arguments and returns are those of the class of the
 * same name in @thi.ng/malloc.
 */
export class NativePool {
  /**
   * Makes an array of `num` elements of the kind that `type` names, all zero. O(num).
   *
   * @returns the array; undefined if `num` is less than 1.
   * @throws TypeError if `type` does not name a kind of array.
   * @throws RangeError if the runtime has no memory for it.
   */
  mallocAs<T extends MemPoolType>(type: T, num: number): TypedArrays[T] | undefined {
    const View = constructorOf(type);
    const length = lengthOf(num);
    return length >= 1 ? new View(new ArrayBuffer(length * View.BYTES_PER_ELEMENT), 0, length) : undefined;
  }

  /**
   * {@link mallocAs}, with all elements set to `value`. O(num).
   *
   * @throws TypeError, RangeError if `value` cannot be an element, such as a fraction in an array of bigints.
   */
  callocAs<T extends MemPoolType>(type: T, num: number, value = 0): TypedArrays[T] | undefined {
    const array = this.mallocAs(type, num);
    if (array !== undefined) fill(array, value);
    return array;
  }

  /**
   * An array of the same kind with `num` elements: the first ones of `array`, then zeros; `array` itself if it has as
   * many. O(num).
   *
   * @returns undefined if `num` is less than 1.
   */
  reallocArray<A extends MemPoolArray>(array: A, num: number): A | undefined {
    const length = lengthOf(num);
    if (length === array.length) return array;
    if (!(length >= 1)) return undefined;
    const bytes = new Uint8Array(length * array.BYTES_PER_ELEMENT);
    const kept = Math.min(bytes.length, array.byteLength);
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, kept));
    return arrayLike(array, bytes.buffer, 0, length);
  }

  /** Does nothing. Returns true. */
  free(_array: number | MemPoolArray): boolean {
    return true;
  }

  /** Does nothing. */
  freeAll(): void {}

  /** Does nothing. Returns true. */
  release(): boolean {
    return true;
  }
}
