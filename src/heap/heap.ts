// Heap: malloc and its family over real memory. A thin layer that turns bytes into the units of a BuddyAllocator.

import { resizeFrom, tryFree } from '../core/allocator.ts';
import { AbstractHeap } from './abstract.ts';
import { blockOffset, misuse, pointerOf, unitsFor } from './bookkeeping.ts';
import { ADDRESSABLE, type HeapHandle, type HeapMemory } from './memory.ts';
import type { HeapOptions } from './options.ts';
import { Region } from './region.ts';

/** The region of `heap`. For the parts of this package that extend a heap; the package does not export it. */
export let regionOf: (heap: Heap) => Region;

/**
 * A heap in an ArrayBuffer, a SharedArrayBuffer or a WebAssembly.Memory: malloc, calloc, realloc and free as C has
 * them.
 *
 * A pointer is the offset of a byte from the start of the memory's buffer, and 0 is the null pointer. A request is
 * rounded up to a power of two of at least a unit. It gets the lowest free block that fits; the block's address is a
 * multiple of its size. Sizes and pointers are bytes. A call that throws has changed nothing, and neither has one that
 * had no room. One heap belongs to one thread at a time, even in shared memory. Every method throws a
 * {@link BuddyError} `DETACHED` once the memory has been transferred away.
 */
export class Heap extends AbstractHeap {
  readonly #region: Region;

  static {
    regionOf = (heap) => heap.#region;
  }

  /**
   * A heap in which nothing is allocated. O(log size), but for the zeroing of its state.
   *
   * @throws TypeError if an option has the wrong type, neither or both of `memory` and `size` are given, or both of
   * `end` and `maximum`.
   * @throws RangeError if a number is out of range, or the region is too small to hold anything.
   */
  constructor(options: HeapOptions) {
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
  static attach(handle: HeapHandle<HeapMemory | ArrayBufferView>): Heap {
    return new Heap(Region.attach(handle));
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

  /**
   * Allocates `bytes` bytes with arbitrary content. `malloc(0)` gives a block like any other. O(1) mostly, O(log size)
   * at worst, unless the heap must grow, which takes O(live blocks * log size).
   *
   * @returns the pointer; 0 if there is no room and the heap cannot grow.
   * @throws TypeError if `bytes` is not a number.
   * @throws RangeError if it is not an integer from 0 up.
   */
  malloc(bytes: number): number {
    // The test of the type keeps `|` from asking an object for its value, which may throw.
    if (typeof bytes !== 'number' || (bytes | 0) !== bytes || bytes <= 0) return this.#mallocUnusual(bytes);
    const region = this.#region.attached();
    const units = ((bytes - 1) >> region.shift) + 1;
    const offset = region.allocator.alloc(units);
    return offset < 0 ? this.#mallocGrowing(units) : region.pointerTo(offset);
  }

  /**
   * Gives the block at `ptr` room for `bytes` bytes. It stays where it is if its size in powers of two stays, becomes
   * smaller, or the units above it are free; otherwise it moves, with its bytes. `realloc(0, bytes)` is
   * `malloc(bytes)`, and `realloc(ptr, 0)` leaves one unit. O(log size) in place, O(bytes) if it moves.
   *
   * @returns the pointer, the same or another; 0 if there is no room, and then the block is as it was.
   * @throws TypeError, RangeError as {@link malloc}, and what {@link free} throws.
   */
  realloc(ptr: number, bytes: number): number {
    if (ptr === 0) return this.malloc(bytes);
    const region = this.#region.attached();
    const { allocator } = region;
    const offset = blockOffset(region, ptr);
    const units = unitsFor(region, bytes);
    const before = region.sizeAt(offset);
    if (before === 0) throw misuse(region, ptr);
    if (resizeFrom(allocator, offset, before, units)) return ptr;
    if (units > ADDRESSABLE / region.unit) return 0;
    // With the block itself out of the way there may be room where there was none, or a lower place.
    allocator.free(offset);
    let moved = allocator.alloc(units);
    if (moved < 0) {
      allocator.reserve(offset, before);
      if (!region.growFor(units)) return 0;
      moved = allocator.alloc(units);
      allocator.free(offset);
    }
    const to = region.pointerTo(moved);
    region.copy(to, ptr, before * region.unit);
    return to;
  }

  /**
   * Frees the block at `ptr`, or the block at which a view on the heap's memory begins. `free(0)` does nothing. O(1)
   * mostly, O(log size) at worst.
   *
   * @throws TypeError if `ptr` is neither a number nor a view.
   * @throws RangeError if it is not an integer, or outside the heap.
   * @throws BuddyError `NOT_ALLOCATED` if the byte is not in a live block: a double free, or never allocated;
   * `INTERIOR` if it is inside one; `DETACHED` if the view has lost its memory, `FOREIGN` if it is on other memory.
   */
  free(ptr: number | ArrayBufferView): void {
    const region = this.#region.attached();
    if (typeof ptr !== 'number') ptr = pointerOf(region, ptr);
    const offset = region.offsetAt(ptr);
    if (
      region.pointerTo(offset) !== ptr ||
      region.isReserved(offset) ||
      tryFree(region.allocator, offset) === 0
    ) {
      if (ptr !== 0) throw misuse(region, ptr);
    }
  }

  /**
   * Reduces the memory, and the heap with it, to the part in use. Only a resizable ArrayBuffer can shrink, and only if
   * the heap has no fixed `end`. The heap grows again when it must. O(live blocks * log size).
   *
   * @returns the bytes given back.
   */
  trim(): number {
    return this.#region.trim();
  }

  /** Frees all blocks. The heap and its memory stay as they are otherwise. O(size): the allocator's state is zeroed. */
  clear(): void {
    this.#region.clear();
  }

  /** `malloc` of a size that is not a positive int32. */
  #mallocUnusual(bytes: number): number {
    const region = this.#region.attached();
    const units = unitsFor(region, bytes);
    if (units > ADDRESSABLE / region.unit) return 0;
    const offset = region.allocator.alloc(units);
    return offset < 0 ? this.#mallocGrowing(units) : region.pointerTo(offset);
  }

  /** `malloc` when there is no room. */
  #mallocGrowing(units: number): number {
    const region = this.#region;
    return region.growFor(units) ? region.pointerTo(region.allocator.alloc(units)) : 0;
  }
}
