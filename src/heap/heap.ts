// Heap: malloc and its family over real memory. A thin layer over slabs: it checks, grows, copies and explains misuse.

import { checkInteger, checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import { AT_ROOT } from '../slab/layout.ts';
import { AbstractHeap } from './abstract.ts';
import { blockSize, checkFreedSize, misuse, pointerOf } from './bookkeeping.ts';
import { ADDRESSABLE, type HeapHandle, type HeapMemory } from './memory.ts';
import type { HeapOptions } from './options.ts';
import { Region } from './region.ts';

/** The region of `heap`. For the parts of this package that extend a heap; the package does not export it. */
export let regionOf: (heap: Heap<ArrayBufferLike>) => Region;

/**
 * A heap in an ArrayBuffer, a SharedArrayBuffer or a WebAssembly.Memory: malloc, calloc, realloc and free as C has
 * them.
 *
 * A pointer is the offset of a byte from the start of the memory's buffer, and 0 is the null pointer. Small blocks are
 * slots of slabs (Bonwick 1994), rounded up by an eighth at most; blocks of more than 8 KiB are runs of whole pages of
 * 1 KiB. Every block lies at a multiple of the unit. Sizes and pointers are bytes. A call that throws has changed
 * nothing, and neither has one that had no room. One heap belongs to one thread at a time, even in shared memory.
 * Every method throws a {@link BuddyError} `DETACHED` once the memory has been transferred away.
 */
export class Heap<B extends ArrayBufferLike = ArrayBuffer> extends AbstractHeap<B> {
  readonly #region: Region;

  static {
    regionOf = (heap) => heap.#region;
  }

  /**
   * A heap in which nothing is allocated. O(size classes), but for the zeroing of its state.
   *
   * @throws TypeError if an option has the wrong type, neither or both of `memory` and `size` are given, or both of
   * `end` and `maximum`.
   * @throws RangeError if a number is out of range, or the region is too small to hold anything.
   */
  constructor(options: HeapOptions<B>) {
    // `attach` passes a Region, which callers cannot have.
    const region = options instanceof Region ? options : Region.create(options);
    super(region);
    this.#region = region;
  }

  /**
   * Takes on an embedded heap from its memory, or a copy of that, as it was. The memory may be of another kind or
   * larger than the one in which the heap was made. It is used as it is; but a view of a part of an ArrayBuffer, such
   * as a small file in one of Node's Buffers, is copied. O(size): all of the state is verified first.
   *
   * @throws TypeError, RangeError if an argument is of the wrong type or out of range; TypeError for a view of a part
   * of a SharedArrayBuffer.
   * @throws BuddyError `FOREIGN` if there is no heap at `start`; `VERSION`, `TRUNCATED` or `CORRUPT`.
   */
  static attach<B extends ArrayBufferLike>(handle: HeapHandle<HeapMemory<B> | ArrayBufferView<B>>): Heap<B> {
    return new Heap<B>(Region.attach(handle) as HeapOptions<B>);
  }

  /**
   * Bytes of the state of a heap that is made with `options`: `stats().metadataBytes` of it while it is new. They lie
   * in the heap's memory if it is embedded, in a buffer of their own otherwise. The state grows with the heap: for its
   * size at the `maximum`, ask with that as the `size`. Allocates nothing. O(log size).
   *
   * @throws TypeError, RangeError as the constructor.
   */
  static bytesFor(options: HeapOptions): number {
    return Region.bytesFor(options);
  }

  /** Bytes in live blocks, rounding up included. O(1): the number of size classes. */
  get usedBytes(): number {
    return this.#region.attached().used;
  }

  /** Bytes that are not in live blocks, in slabs and in free pages. O(1), as {@link usedBytes}. */
  get freeBytes(): number {
    return this.#region.attached().free;
  }

  /** Size of the largest request that has room without growth. O(log size), and O(1) for each empty slab. */
  get largestFree(): number {
    return this.#region.attached().largestFree;
  }

  /**
   * A word for the program's own use, a uint32, 0 at first: mostly the pointer from which whoever attaches to an
   * embedded heap finds its data.
   *
   * @throws TypeError if it is set to what is not a number.
   * @throws RangeError if that is not an integer from 0 to 2^32 - 1.
   */
  get root(): number {
    return this.#region.attached().slabs.b[AT_ROOT] >>> 0;
  }

  set root(value: number) {
    this.#region.attached().slabs.b[AT_ROOT] = checkWithin('root', value, 0, ADDRESSABLE - 1);
  }

  /**
   * Allocates `bytes` bytes with arbitrary content. `malloc(0)` gives a block like any other. O(1) mostly, the cost of
   * a run of pages for a new slab or a large block, and that of {@link HeapOptions.growth} if the heap must grow.
   *
   * @returns the pointer; 0 if there is no room and the heap cannot grow.
   * @throws TypeError if `bytes` is not a number.
   * @throws RangeError if it is not an integer from 0 up.
   * @throws BuddyError `NO_ROOM` instead of returning 0, if the heap was made with `throwNoRoom`.
   */
  malloc(bytes: number): number {
    const region = this.#region.attached();
    // The test of the type keeps `|` from asking an object for its value, which may throw.
    if (typeof bytes !== 'number' || (bytes | 0) !== bytes || bytes <= 0) {
      return this.#alloc(checkInteger('size', bytes), 1);
    }
    const ptr = region.slabs.malloc(bytes);
    return ptr === 0 || region.rests !== undefined ? this.#finish(ptr, bytes, 1) : ptr;
  }

  /**
   * Allocates `bytes` bytes at a multiple of `alignment`. As {@link malloc}.
   *
   * @returns the pointer; 0 if there is no room and the heap cannot grow.
   * @throws TypeError if an argument is not a number.
   * @throws RangeError if `alignment` is not a power of two up to 2^32, or `bytes` is not an integer from 0 up.
   */
  alignedAlloc(alignment: number, bytes: number): number {
    checkPowerOfTwo('alignment', alignment, 1, ADDRESSABLE);
    this.#region.attached();
    return this.#alloc(checkInteger('bytes', bytes), alignment);
  }

  /**
   * Gives the block at `ptr` room for `bytes` bytes. It stays where it is if it has that room and would not be left more
   * than half empty; a large block also if the pages behind it are free. Otherwise it moves, with its bytes.
   * `realloc(0, bytes)` is `malloc(bytes)`, and `realloc(ptr, 0)` leaves a block of one byte. O(1) or O(log size) in
   * place, O(bytes) if it moves.
   *
   * @returns the pointer, the same or another; 0 if there is no room, and then the block is as it was.
   * @throws TypeError, RangeError as {@link malloc}, and what {@link free} throws.
   */
  realloc(ptr: number, bytes: number): number {
    if (ptr === 0) return this.malloc(bytes);
    const region = this.#region.attached();
    const { slabs } = region;
    if (
      typeof bytes === 'number' &&
      (bytes | 0) === bytes &&
      bytes > 0 &&
      bytes <= region.largestSlot &&
      typeof ptr === 'number' &&
      region.rests === undefined
    ) {
      const to = slabs.resizeSlot(ptr, bytes);
      if (to !== 0) {
        if (to !== ptr) region.copy(to, ptr, Math.min(slabs.resized, bytes));
        return to;
      }
    }
    return this.#reallocUnusual(ptr, bytes);
  }

  /**
   * Frees the block at `ptr`, or the block at which a view on the heap's memory begins. `free(0)` does nothing. O(1)
   * mostly, O(log size) for a large block.
   *
   * @throws TypeError if `ptr` is neither a number nor a view.
   * @throws RangeError if it is not an integer, or outside the heap; if `size` is given, also if that is not what the
   * block may have been allocated with.
   * @throws BuddyError `NOT_ALLOCATED` if the byte is not in a live block: a double free, or never allocated;
   * `INTERIOR` if it is inside one; `DETACHED` if the view has lost its memory, `FOREIGN` if it is on other memory.
   */
  free(ptr: number | ArrayBufferView, size?: number): void {
    const region = this.#region.attached();
    if (typeof ptr !== 'number') ptr = pointerOf(region, ptr);
    if (size !== undefined) checkFreedSize(region, ptr, size, region.rests === undefined ? undefined : this);
    if (!region.slabs.free(ptr) && ptr !== 0) throw misuse(region, ptr);
  }

  /**
   * Bytes that were asked for when the block at `ptr` was allocated or resized. O(1).
   *
   * @throws TypeError if the heap was not made with `keepSizes`.
   * @throws what {@link free} throws.
   */
  lengthOf(ptr: number): number {
    const region = this.#region.attached();
    const { rests } = region;
    if (rests === undefined) throw new TypeError('the heap was not made with keepSizes');
    return blockSize(region, ptr) - rests[region.unitAt(ptr)];
  }

  /**
   * Reduces the memory, and the heap with it, to the part in use. Only a resizable ArrayBuffer can shrink, and only if
   * the heap has no fixed `end`. The heap grows again when it must. O(size).
   *
   * @returns the bytes given back.
   */
  trim(): number {
    return this.#region.trim();
  }

  /** Frees all blocks. The heap, its memory and its {@link root} stay as they are otherwise. O(size). */
  clear(): void {
    this.#region.clear();
  }

  /** `realloc` in every case. */
  #reallocUnusual(ptr: number, bytes: number): number {
    const region = this.#region;
    const { slabs, largestSlot } = region;
    const before = typeof ptr === 'number' ? slabs.sizeAt(ptr) : 0;
    if (before === 0) throw misuse(region, ptr);
    const size = Math.max(1, checkInteger('size', bytes));
    const isLarge = before > largestSlot;
    if (isLarge && size > largestSlot) {
      const pages = Math.ceil(size / region.page);
      if (pages * region.page === before || slabs.resizeLarge(ptr, pages)) return this.#note(ptr, size);
    } else if (size <= before && size > before / 2) return this.#note(ptr, size);
    // A block that shrinks may stay: the memory does not grow for it.
    const to = size <= before ? this.#place(size, 1) : this.#tryAlloc(size, 1);
    if (to !== 0) {
      region.copy(to, ptr, Math.min(before, size));
      slabs.free(ptr);
      return this.#note(to, size);
    }
    if (size <= before) {
      if (isLarge) slabs.resizeLarge(ptr, Math.ceil(size / region.page));
      return this.#note(ptr, size);
    }
    // It may be that the memory behind the block can grow, if not for another block; or with the block itself out of the way
    // there may be room.
    const missing = Math.ceil(size / region.page) - before / region.page;
    if (
      isLarge &&
      region.growBehind(ptr + before, missing) &&
      slabs.resizeLarge(ptr, missing + before / region.page)
    ) {
      return this.#note(ptr, size);
    }
    const moved = isLarge ? slabs.moveLarge(ptr, Math.ceil(size / region.page)) : 0;
    if (moved === 0) return this.#noRoom(size);
    region.bytes.copyWithin(moved, ptr, ptr + before);
    return this.#note(moved, size);
  }

  /** `alignedAlloc` of checked arguments. */
  #alloc(bytes: number, alignment: number): number {
    return this.#finish(this.#place(bytes, alignment), bytes, alignment);
  }

  /** As `#alloc`; 0 if there is no room, in every heap. */
  #tryAlloc(bytes: number, alignment: number): number {
    const ptr = this.#place(bytes, alignment);
    return ptr === 0 ? this.#growing(bytes, alignment) : ptr;
  }

  /** The rest of an allocation for which `ptr` was found, or 0 if there was no room. */
  #finish(ptr: number, bytes: number, alignment: number): number {
    const to = ptr === 0 ? this.#growing(bytes, alignment) : ptr;
    return to === 0 ? this.#noRoom(bytes) : this.#note(to, bytes);
  }

  /** Where there is room at present; 0 if there is none. */
  #place(bytes: number, alignment: number): number {
    const { slabs, page, largestSlot } = this.#region;
    const size = this.#sizeFor(bytes, alignment);
    if (size > ADDRESSABLE) return 0;
    // A slot of a multiple of the alignment lies at one: its slab starts at a page.
    if (size <= largestSlot && alignment <= page) return slabs.malloc(size);
    return slabs.mallocLarge(Math.ceil(size / page), Math.max(1, alignment / page));
  }

  /** As `#place`, after the heap has grown; 0 if it cannot grow, or that did not help. */
  #growing(bytes: number, alignment: number): number {
    const region = this.#region;
    const { slabs } = region;
    const size = this.#sizeFor(bytes, alignment);
    if (size > ADDRESSABLE) return 0;
    if (region.growFor(slabs.pagesFor(size), Math.max(alignment, region.page))) {
      const ptr = this.#place(bytes, alignment);
      if (ptr !== 0) return ptr;
    }
    return slabs.flush(true) ? this.#place(bytes, alignment) : 0;
  }

  /** Bytes to allocate for `bytes` bytes at a multiple of `alignment`: one at least, and up to a page whole multiples. */
  #sizeFor(bytes: number, alignment: number): number {
    const { unit, page } = this.#region;
    const multiple = alignment > unit && alignment <= page ? alignment : 1;
    return Math.ceil(Math.max(1, bytes) / multiple) * multiple;
  }

  /** The answer to a request of `bytes` bytes without room. */
  #noRoom(bytes: number): 0 {
    const { throwNoRoom } = this.#region.manners;
    if (throwNoRoom) throw new BuddyError('NO_ROOM', `the heap has no room for ${bytes} bytes`);
    return 0;
  }

  /** Keeps the size of the live block at `ptr`, if the heap does. Returns `ptr`. */
  #note(ptr: number, bytes: number): number {
    const region = this.#region;
    if (region.rests !== undefined) region.rests[region.unitAt(ptr)] = region.slabs.sizeAt(ptr) - bytes;
    return ptr;
  }
}
