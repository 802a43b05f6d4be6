// MemPool: the interface of @thi.ng/malloc's class of that name over an embedded Heap.

import { checkBoolean, checkNumber, checkObject, checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import { isArrayBuffer, isSharedArrayBuffer } from '../base/buffers.ts';
import { Extent, pageFor } from '../heap/extent.ts';
import { LARGEST_UNIT, LEAST_UNIT } from '../heap/header.ts';
import { Heap } from '../heap/heap.ts';
import { ADDRESSABLE } from '../heap/memory.ts';
import { type MemPoolStats, statistics } from './statistics.ts';
import {
  arrayLike,
  constructorOf,
  fill,
  lengthOf,
  type MemPoolArray,
  type MemPoolType,
  type TypedArrays,
} from './types.ts';

/** What a {@link MemPool} is made with. All numbers are bytes. */
export interface MemPoolOpts {
  /** The memory to manage. Unless given, the pool makes an ArrayBuffer of `size` bytes. */
  buf?: ArrayBufferLike;
  /** Length of the ArrayBuffer that the pool makes if there is no `buf`; 4096 unless given. */
  size?: number;
  /** First byte that the pool may use; 0 unless given. Its state begins here, at the next multiple of 8. */
  start?: number;
  /** End of the bytes that the pool may use: the end of the buffer, unless a lower one is given. */
  end?: number;
  /** The least block, and what every address is a multiple of: a power of two from 8 to 65536; 8 unless given. */
  align?: number;
  /** Without effect: free pages always merge. */
  compact?: boolean;
  /** Without effect: a large block takes no more pages than it needs. */
  split?: boolean;
  /** Without effect, as `split`. */
  minSplit?: number;
  /**
   * Takes on the pool that lies in `buf` at `start`, instead of making an empty one. It keeps the `align` and `end`
   * with which it was made.
   */
  skipInitialization?: boolean;
}

/**
 * A pool of memory in an ArrayBuffer or SharedArrayBuffer, its state included: a copy of the buffer is a copy of the
 * pool, and a new MemPool on the buffer can take the pool on. It never grows.
 *
 * Members, arguments and returns are those of the class of the same name in @thi.ng/malloc; addresses and overhead are
 * not. An address is the offset of a byte from the start of the buffer, never 0. Requests are rounded up as by
 * {@link Heap}, with `align` as its unit. Several pools may be made on one buffer, but not be used at the same time.
 *
 * All methods but {@link release} throw a TypeError once the pool was released, and a {@link BuddyError} `DETACHED`
 * once its buffer has been transferred away.
 */
export class MemPool {
  #heap: Heap<ArrayBufferLike> | undefined;

  /**
   * An empty pool, or with `skipInitialization` the one in `buf`, which is checked first. O(end).
   *
   * The pool's state lies in the buffer: 20 bytes for each page of 1 KiB and some 4 KB, less if there are less than 32 KiB.
   * A pool of which it would take more than half, one of less than some 2.8 KiB, keeps it outside, all pages but the one at
   * address 0 being for blocks. Then the buffer alone is not the pool, and `skipInitialization` does not find one in it.
   *
   * @throws TypeError if an option has the wrong type, or `skipInitialization` is given without `buf`.
   * @throws RangeError if a number is out of range, or there is no room for a single block.
   * @throws BuddyError `FOREIGN`, `VERSION`, `TRUNCATED` or `CORRUPT` if there is no sound pool to take on.
   */
  constructor(opts: MemPoolOpts = {}) {
    checkObject('opts', opts);
    const { buf, size = 0x1000, start = 0, end = ADDRESSABLE, align = 8, skipInitialization = false } = opts;
    if (buf !== undefined && !isArrayBuffer(buf) && !isSharedArrayBuffer(buf)) {
      throw new TypeError('buf must be an ArrayBuffer or a SharedArrayBuffer');
    }
    if (checkBoolean('skipInitialization', skipInitialization)) {
      if (buf === undefined) throw new TypeError('skipInitialization takes a buf');
      this.#heap = Heap.attach({ memory: buf, start });
    } else {
      checkPowerOfTwo('align', align, LEAST_UNIT, LARGEST_UNIT);
      const memory = buf ?? new ArrayBuffer(checkWithin('size', size, 1, ADDRESSABLE));
      const last = Math.min(checkNumber('end', end), memory.byteLength, ADDRESSABLE);
      const bounds = { unit: align, start: checkWithin('start', start, 0, last), end: last };
      this.#heap = new Heap({ memory, ...bounds, embed: canEmbed(bounds) });
    }
  }

  /** The buffer that holds the pool. */
  get buf(): ArrayBufferLike {
    return this.#attachedHeap().buffer;
  }

  /**
   * Allocates `size` bytes with arbitrary content. A fraction is rounded up. As {@link Heap.malloc}.
   *
   * @returns the address; 0 if there is no room, or `size` is not above 0.
   */
  malloc(size: number): number {
    const heap = this.#attachedHeap();
    return isSize(size) ? heap.malloc(Math.ceil(size)) : 0;
  }

  /**
   * Allocates an array of `num` elements of the kind that `type` names, with arbitrary content. As {@link malloc}.
   *
   * @returns the array; undefined if there is no room, or `num` is less than 1.
   * @throws TypeError if `type` does not name a kind of array.
   */
  mallocAs<T extends MemPoolType>(type: T, num: number): TypedArrays[T] | undefined {
    const View = constructorOf(type);
    const length = lengthOf(num);
    const heap = this.#attachedHeap();
    const bytes = length * View.BYTES_PER_ELEMENT;
    if (!isSize(bytes)) return undefined;
    // TypeScript cannot tell that the heap's view of a kind is the pool's array of that kind.
    const array: unknown = heap.allocArray(View as unknown as Uint8ArrayConstructor, length) ?? undefined;
    return array as TypedArrays[T] | undefined;
  }

  /**
   * {@link malloc}, with all `size` bytes set to `fill` as the elements of a Uint8Array are. O(size).
   *
   * @throws TypeError if `fill` is a bigint, a symbol or the like; nothing is allocated then.
   */
  calloc(size: number, fill = 0): number {
    const heap = this.#attachedHeap();
    const array = isSize(size) ? heap.allocArray(Uint8Array, Math.ceil(size)) : null;
    if (array === null) return 0;
    this.#fill(array, fill);
    return array.byteOffset;
  }

  /**
   * {@link mallocAs}, with all elements set to `value`. O(num).
   *
   * @throws TypeError, RangeError if `value` cannot be an element, such as a fraction in an array of bigints; nothing
   * is allocated then.
   */
  callocAs<T extends MemPoolType>(type: T, num: number, value = 0): TypedArrays[T] | undefined {
    const array = this.mallocAs(type, num);
    if (array !== undefined) this.#fill(array, value);
    return array;
  }

  /**
   * Gives the block at `ptr` room for `size` bytes. It stays where it is, or moves with its bytes, as by
   * {@link Heap.realloc}.
   *
   * @returns the address, the same or another; 0 if there is no room, no live block begins at `ptr`, or `size` is not
   * above 0, and then nothing has changed.
   */
  realloc(ptr: number, size: number): number {
    const heap = this.#attachedHeap();
    return isSize(size) && owns(heap, ptr) ? heap.realloc(ptr, Math.ceil(size)) : 0;
  }

  /**
   * {@link realloc} of the block at which `array` begins, for `num` elements. The old array must not be used any more.
   *
   * @returns an array of the same kind; undefined if there is no room, `array` does not begin where a live block of
   * this pool begins, or `num` is less than 1, and then nothing has changed.
   */
  reallocArray<A extends MemPoolArray>(array: A, num: number): A | undefined {
    const before = this.#pointerOf(array);
    if (before === 0) return undefined;
    const length = lengthOf(num);
    const ptr = this.realloc(before, length * array.BYTES_PER_ELEMENT);
    return ptr === 0 ? undefined : arrayLike(array, this.buf, ptr, length);
  }

  /**
   * Frees the block that begins at an address, or where an array on the pool's buffer begins. As {@link Heap.free}.
   *
   * @returns false if there is no live block: freed already, never allocated, or of another pool.
   */
  free(ptrOrArray: number | MemPoolArray): boolean {
    const heap = this.#attachedHeap();
    const ptr = typeof ptrOrArray === 'number' ? ptrOrArray : this.#pointerOf(ptrOrArray);
    if (!owns(heap, ptr)) return false;
    heap.free(ptr);
    return true;
  }

  /** Frees all blocks. O(size) of the pool's state, which is zeroed. */
  freeAll(): void {
    this.#attachedHeap().clear();
  }

  /**
   * Ends the pool's hold on its buffer. Nothing in the buffer changes: another pool can take it on.
   *
   * @returns true, also if it was released before.
   */
  release(): boolean {
    this.#heap = undefined;
    return true;
  }

  /** Counts blocks and bytes. O(size). */
  stats(): MemPoolStats {
    return statistics(this.#attachedHeap());
  }

  #attachedHeap(): Heap<ArrayBufferLike> {
    if (this.#heap === undefined) throw new TypeError('the pool was released');
    return this.#heap;
  }

  /** Sets all elements of a fresh array, or frees it. */
  #fill(array: MemPoolArray, value: number): void {
    try {
      fill(array, value);
    } catch (error) {
      this.free(array);
      throw error;
    }
  }

  /** The address at which `array` begins; 0, where no block is, if it is not on this pool's buffer. */
  #pointerOf(array: MemPoolArray): number {
    return ArrayBuffer.isView(array) && array.buffer === this.buf ? array.byteOffset : 0;
  }
}

/** Whether a region of `bounds` has room for the state of its own allocator, and as much for blocks. */
function canEmbed(bounds: { readonly unit: number; readonly start: number; readonly end: number }): boolean {
  const all = { ...bounds, maximum: 0, embed: true, keepSizes: false };
  const extent = new Extent(all, pageFor(all, 0));
  const pages = extent.pagesAt(bounds.end);
  return extent.hasRoom(bounds.end) && 2 * extent.ownPages(pages) <= pages;
}

/** Whether a request for `size` bytes can have room anywhere. */
function isSize(size: number): boolean {
  return typeof size === 'number' && size > 0 && size <= ADDRESSABLE;
}

/** Whether a live block of `heap` begins at `ptr`. */
function owns(heap: Heap<ArrayBufferLike>, ptr: number): boolean {
  return Number.isInteger(ptr) && ptr > 0 && heap.isAllocated(ptr);
}
