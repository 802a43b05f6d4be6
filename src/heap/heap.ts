// Heap: malloc and its family over real memory. A thin layer that turns bytes into the units of a BuddyAllocator.

import { checkInteger, checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import { BuddyAllocator } from '../core/allocator.ts';
import { AbstractHeap, type HeapStats } from './abstract.ts';
import { ADDRESSABLE, bytesOf, type HeapMemory } from './memory.ts';
import { type HeapOptions, Region } from './region.ts';
import { offsetOf } from './views.ts';

/**
 * A heap in an ArrayBuffer, a SharedArrayBuffer or a WebAssembly.Memory: malloc, calloc, realloc and free as C has them.
 *
 * A pointer is the offset of a byte from the start of the memory's buffer, and 0 is the null pointer. Requests are
 * rounded up to a power of two of at least a unit; a block's address is a multiple of its size, the block the lowest that
 * fits. Sizes and pointers are bytes. A call that throws has changed nothing, and neither has one that had no room.
 * One heap belongs to one thread at a time, even in shared memory. Every method throws a {@link BuddyError} `DETACHED` once
 * the memory has been transferred away.
 */
export class Heap extends AbstractHeap {
  #region: Region;

  /**
   * A heap in which nothing is allocated. O(log size), but for the zeroing of its state.
   *
   * @throws TypeError when an option has the wrong type, neither or both of `memory` and `size` are given, or both of
   * `end` and `maximum`.
   * @throws RangeError when a number is out of range, or the region too small to hold anything.
   */
  constructor(options: HeapOptions) {
    super();
    this.#region = Region.create(options);
  }

  /**
   * Takes on an embedded heap from its memory, or a copy of that, as it was. The memory is used, not copied; it may be of
   * another kind or larger than the one that the heap was made in. `start` is the heap's own. O(size): all is verified first.
   *
   * @throws TypeError, RangeError when an argument is of the wrong type or out of range.
   * @throws BuddyError `FOREIGN` when there is no heap at `start`; `VERSION`, `TRUNCATED` or `CORRUPT`.
   */
  static attach(memory: HeapMemory, options: { readonly start?: number } = {}): Heap {
    const region = Region.attach(memory, options.start ?? 0);
    const heap = new Heap({ size: 64 });
    heap.#region = region;
    return heap;
  }

  /**
   * The present buffer. That of a WebAssembly memory is replaced by another whenever the heap makes it grow; when somebody else
   * does, the former one of a shared memory, which stays good, may still be what this is.
   */
  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#attachedRegion().bytes.buffer;
  }

  /** The least block, and what every pointer is a multiple of. */
  get unit(): number {
    return this.#region.unit;
  }

  /** The first byte that the heap may use. */
  get start(): number {
    return this.#region.start;
  }

  /** The byte behind the last one that the heap uses; it moves as the heap grows. */
  get end(): number {
    return this.#region.end;
  }

  /**
   * Allocates `bytes` bytes, which hold whatever was there. `malloc(0)` gives a block like any other.
   * O(1) mostly, O(log size) at worst, unless the heap must grow, which takes O(live blocks * log size).
   *
   * @returns the pointer; 0 when there is no room and the heap cannot grow.
   * @throws TypeError when `bytes` is not a number.
   * @throws RangeError when it is not an integer from 0 up.
   */
  malloc(bytes: number): number {
    // Equal to its own int32 is no string, object, NaN or fraction.
    if ((bytes | 0) !== bytes || bytes <= 0) return this.#mallocUnusual(bytes);
    const region = this.#region;
    if (region.bytes[0] === undefined) region.refresh();
    const units = ((bytes - 1) >> region.shift) + 1;
    const unit = region.allocator.alloc(units);
    return unit < 0 ? this.#mallocGrowing(units) : region.pointerTo(unit);
  }

  /**
   * Allocates `count * size` bytes, all zero. As {@link malloc}, and O(count * size).
   *
   * @returns the pointer; 0 when there is no room and the heap cannot grow, as for a product beyond all memory.
   * @throws TypeError when an argument is not a number.
   * @throws RangeError when one is not an integer from 0 up.
   */
  calloc(count: number, size: number): number {
    const bytes = bytesOf(checkInteger('count', count), checkInteger('size', size));
    const ptr = this.malloc(bytes);
    if (ptr !== 0) this.#region.bytes.fill(0, ptr, ptr + bytes);
    return ptr;
  }

  /**
   * Gives the block at `ptr` room for `bytes` bytes. It stays where it is when its size in powers of two stays, becomes
   * smaller, or what lies above is free; otherwise it moves, with its bytes. `realloc(0, bytes)` is `malloc(bytes)`, and
   * `realloc(ptr, 0)` leaves one unit. O(log size) in place, O(bytes) when it moves.
   *
   * @returns the pointer, the same or another; 0 when there is no room, and then the block is as it was.
   * @throws TypeError, RangeError as {@link malloc}, and what {@link free} throws.
   */
  realloc(ptr: number, bytes: number): number {
    if (ptr === 0) return this.malloc(bytes);
    const region = this.#attachedRegion();
    const { allocator } = region;
    const unit = this.#unitOf(ptr);
    const units = this.#unitsFor(bytes);
    try {
      if (allocator.resize(unit, units)) return ptr;
    } catch {
      throw this.#misuse(ptr);
    }
    if (units > ADDRESSABLE / this.unit) return 0;
    // With the block itself out of the way there may be room where there was none, or a lower place.
    const before = allocator.free(unit);
    let moved = allocator.alloc(units);
    if (moved < 0) {
      allocator.reserve(unit, before);
      if (!region.growFor(units)) return 0;
      moved = allocator.alloc(units);
      allocator.free(unit);
    }
    const to = region.pointerTo(moved);
    region.copy(to, ptr, before * region.unit);
    return to;
  }

  /**
   * Allocates `bytes` bytes at a multiple of `alignment`. Every block lies at a multiple of its own size as it is; beyond
   * that this takes a block of `alignment` bytes and gives back what is too much of it, so it needs one that is free.
   * As {@link malloc}.
   *
   * @returns the pointer; 0 when there is no room and the heap cannot grow.
   * @throws TypeError when an argument is not a number.
   * @throws RangeError when `alignment` is no power of two up to 2^32, or `bytes` is not an integer from 0 up.
   */
  alignedAlloc(alignment: number, bytes: number): number {
    checkPowerOfTwo('alignment', alignment, 1, ADDRESSABLE);
    if (checkInteger('bytes', bytes) >= alignment) return this.malloc(bytes);
    const ptr = this.malloc(alignment);
    if (ptr !== 0) this.#region.allocator.resize(this.#region.unitAt(ptr), this.#unitsFor(bytes));
    return ptr;
  }

  /**
   * Frees the block at `ptr`, or the one that begins where a view on the heap's memory does. `free(0)` does nothing.
   * O(1) mostly, O(log size) at worst.
   *
   * @throws TypeError when `ptr` is neither a number nor a view.
   * @throws RangeError when it is not an integer, or outside the heap.
   * @throws BuddyError `NOT_ALLOCATED` when the byte is in no live block: a double free, or never allocated; `INTERIOR`
   * when it is inside one; `DETACHED` when the view is no longer one on any memory, `FOREIGN` when it is one on other memory.
   */
  free(ptr: number | ArrayBufferView): void {
    if (typeof ptr !== 'number') ptr = this.pointerOf(ptr);
    const region = this.#region;
    if (region.bytes[0] === undefined) region.refresh();
    const unit = region.unitAt(ptr);
    if (region.pointerTo(unit) !== ptr || region.isReserved(unit)) {
      if (ptr === 0) return;
      throw this.#misuse(ptr);
    }
    try {
      region.allocator.free(unit);
    } catch {
      throw this.#misuse(ptr);
    }
  }

  /**
   * Bytes of the block at `ptr`: what was asked for, rounded up. O(log size).
   *
   * @throws what {@link free} throws.
   */
  usableSize(ptr: number): number {
    this.#attachedRegion();
    return this.#sizeAt(this.#unitOf(ptr), ptr) * this.unit;
  }

  /**
   * Whether a live block starts at `ptr`, so that {@link free} would take it. O(log size).
   *
   * @throws TypeError when `ptr` is not a number.
   * @throws RangeError when it is not an integer, or outside the heap.
   */
  isAllocated(ptr: number): boolean {
    const region = this.#attachedRegion();
    checkWithin('pointer', ptr, 0, region.end - 1);
    const unit = region.unitAt(ptr);
    return region.pointerTo(unit) === ptr && !region.isReserved(unit) && region.allocator.isAllocated(unit);
  }

  /**
   * Reduces the memory, and the heap with it, to what is in use, where the memory can shrink: a resizable ArrayBuffer, of
   * which the heap has no fixed `end`. The heap grows again when it must. O(live blocks * log size).
   *
   * @returns the bytes given back.
   */
  trim(): number {
    return this.#region.trim();
  }

  /** Frees everything. O(size): the allocator's state is zeroed. */
  clear(): void {
    this.#region.clear();
  }

  /** Counts blocks and bytes. O(blocks * log size). */
  stats(): HeapStats {
    const { allocator, unit, first, stateUnits, reservedBlocks } = this.#attachedRegion();
    const { capacity, freeUnits, usedUnits, largestFree, liveBlocks, externalFragmentation } =
      allocator.stats();
    const reserved = first + stateUnits;
    return {
      capacity: (capacity - reserved) * unit,
      used: (usedUnits - reserved) * unit,
      free: freeUnits * unit,
      largestFree: largestFree * unit,
      liveBlocks: liveBlocks - reservedBlocks,
      externalFragmentation,
      metadataBytes: BuddyAllocator.bytesFor(capacity),
    };
  }

  /** Verifies every invariant of the heap's state. Returns what is violated, in words; nothing when it is sound. O(size). */
  check(): string[] {
    return this.#attachedRegion().check();
  }

  protected override pointerOf(view: ArrayBufferView): number {
    if (!ArrayBuffer.isView(view)) {
      throw new TypeError(`a pointer must be a number or a view, not a ${typeof view}`);
    }
    const { buffer } = view;
    this.#attachedRegion();
    // Somebody else may have grown the memory.
    if (!this.#region.holds(buffer)) this.#region.refresh();
    if (!this.#region.holds(buffer)) {
      throw buffer.byteLength === 0
        ? new BuddyError('DETACHED', 'the view is detached, as by growth of its memory; use the pointer')
        : new BuddyError('FOREIGN', "the view is not one on the heap's memory");
    }
    const byteOffset = offsetOf(view);
    // No block is at 0, but that is where a view appears to be that a shrunken buffer has left without bytes.
    if (byteOffset === 0) throw this.#misuse(0);
    return byteOffset;
  }

  protected override endOfBlock(ptr: number): number {
    const region = this.#attachedRegion();
    const unit = region.unitAt(ptr);
    const owner = region.isReserved(unit) ? -1 : region.allocator.blockOf(unit);
    if (owner < 0) throw this.#misuse(ptr);
    return region.pointerTo(owner) + region.allocator.sizeOf(owner) * region.unit;
  }

  /** The region, with its state where the memory's bytes are now. */
  #attachedRegion(): Region {
    const region = this.#region;
    if (region.bytes[0] === undefined) region.refresh();
    return region;
  }

  /** `malloc` of what is not a positive int32. */
  #mallocUnusual(bytes: number): number {
    const region = this.#attachedRegion();
    const units = this.#unitsFor(bytes);
    if (units > ADDRESSABLE / region.unit) return 0;
    const unit = region.allocator.alloc(units);
    return unit < 0 ? this.#mallocGrowing(units) : region.pointerTo(unit);
  }

  /** `malloc` when there is no room. */
  #mallocGrowing(units: number): number {
    const region = this.#region;
    return region.growFor(units) ? region.pointerTo(region.allocator.alloc(units)) : 0;
  }

  /** Units that `bytes` bytes take, one at least. */
  #unitsFor(bytes: number): number {
    return Math.max(1, Math.ceil(checkInteger('size', bytes) / this.unit));
  }

  /** The unit at which the block at `ptr` would begin. */
  #unitOf(ptr: number): number {
    const region = this.#region;
    const unit = region.unitAt(ptr);
    if (typeof ptr !== 'number' || region.pointerTo(unit) !== ptr || region.isReserved(unit)) {
      throw this.#misuse(ptr);
    }
    return unit;
  }

  /** Units of the block at `unit`, which is `ptr`. */
  #sizeAt(unit: number, ptr: number): number {
    try {
      return this.#region.allocator.sizeOf(unit);
    } catch {
      throw this.#misuse(ptr);
    }
  }

  /** Why no block can be had at `ptr`. */
  #misuse(ptr: number): Error {
    const region = this.#attachedRegion();
    checkWithin('pointer', ptr, 0, region.end - 1);
    if (region.isReserved(region.unitAt(ptr))) {
      return new BuddyError('NOT_ALLOCATED', `byte ${ptr} is none that the heap hands out`);
    }
    const owner = region.allocator.blockOf(region.unitAt(ptr));
    return owner < 0
      ? new BuddyError('NOT_ALLOCATED', `byte ${ptr} is free: freed already, or never allocated`)
      : new BuddyError('INTERIOR', `byte ${ptr} is inside the block at ${region.pointerTo(owner)}`);
  }
}
