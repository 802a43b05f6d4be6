// SharedHeap: malloc and its family over shared memory, for up to 253 workers at once, without locks.

import { checkInteger, checkPowerOfTwo } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import { AbstractHeap, type HeapStats } from '../heap/abstract.ts';
import { misuse, pointerOf } from '../heap/bookkeeping.ts';
import { ADDRESSABLE, type HeapHandle } from '../heap/memory.ts';
import { checkDead, type Recovered, recover } from '../shared/recover.ts';
import { resize } from '../shared/resize.ts';
import { checkWorkerId, workerIdOf, workerIdsOf } from '../shared/slots.ts';
import type { SharedHeapHandle, SharedHeapMemory, SharedHeapOptions } from './options.ts';
import { SharedRegion } from './region.ts';
import { blockOffset, unitsFor } from './units.ts';

/** Figures of a shared heap. Exact if no other worker is in a call, approximate otherwise. */
export interface SharedHeapStats extends HeapStats {
  /** Workers that are attached, and dead ones that have not been recovered. */
  readonly workers: number;
}

/** What {@link SharedHeap.recover} has taken back: as {@link Recovered}, but heaps count in bytes. */
export interface SharedHeapRecovered extends Omit<Recovered, 'units'> {
  /** Bytes of the {@link blocks}, rounding up included. */
  readonly bytes: number;
}

/**
 * A heap in a SharedArrayBuffer or a shared WebAssembly.Memory, for up to 253 workers at once: malloc, calloc, realloc
 * and free as C has them. No call takes a lock or waits for another worker: a worker that is stopped or killed at any
 * point does not stop the others. Any worker may free a block that another has allocated.
 *
 * Each worker, the creator included, has an instance of its own, attached to the same memory. An instance cannot be
 * posted; its {@link handle} can. All of the heap's state lies in the memory, at the start of its region.
 *
 * A pointer is the offset of a byte from the start of the memory, the same for all workers, and 0 is the null pointer.
 * A request is rounded up to a power of two of at least a unit; a block's address is a multiple of its size. Sizes and
 * pointers are bytes. A call that throws has changed nothing, and neither has one that had no room. The heap keeps the
 * blocks apart, not the accesses to one block: a worker that hands a block to another must do so by Atomics or by
 * posting a message.
 *
 * After {@link detach}, the properties that say where the heap lies and what it was made with still work: `buffer`,
 * `handle`, `start`, `unit`, `maximum`, `maxWorkers`, `trackOwners`. All other members throw a {@link BuddyError}
 * `DETACHED`; of `imports` and `scope()`, the functions do.
 */
export class SharedHeap extends AbstractHeap<SharedArrayBuffer> {
  readonly #region: SharedRegion;

  private constructor(region: SharedRegion) {
    super(region);
    this.#region = region;
  }

  /**
   * A heap in which nothing is allocated, with the caller attached to it. O(bytes of state that the memory had before),
   * O(log maximum) in fresh memory.
   *
   * @throws TypeError if an option has the wrong type, the memory is not shared, neither or both of `memory` and `size`
   * are given, or a WebAssembly.Memory without `maximum`.
   * @throws RangeError if a number is out of range, or the region is too small to hold anything.
   */
  static create(options: SharedHeapOptions): SharedHeap {
    return new SharedHeap(SharedRegion.create(options));
  }

  /**
   * Attaches the calling worker to the heap that another worker has created: pass that heap's {@link handle}. O(workers
   * + log maximum).
   *
   * @returns null if as many workers are attached as the heap was made for.
   * @throws TypeError, RangeError if an argument is of the wrong type or out of range; TypeError for a view of a part
   * of the memory.
   * @throws BuddyError `FOREIGN` if there is no shared heap at `start`; `VERSION`, `TRUNCATED` or `CORRUPT`. Only the
   * header is verified, as other workers may be changing the rest.
   */
  static attach(handle: HeapHandle<SharedHeapMemory | ArrayBufferView>): SharedHeap | null {
    const region = SharedRegion.attach(handle);
    return region === null ? null : new SharedHeap(region);
  }

  /**
   * Bytes that a heap made with `options` keeps for itself: its header, the state for its `maximum`, and a cell for
   * each worker. They lie at the start of its region and never become more; `stats().metadataBytes` is the same.
   * Allocates nothing.
   *
   * @throws TypeError, RangeError as {@link create}.
   */
  static bytesFor(options: SharedHeapOptions): number {
    return SharedRegion.bytesFor(options);
  }

  /** Where the heap lies: post it to other workers, for them to {@link attach}. */
  get handle(): SharedHeapHandle {
    const { memory, start } = this.#region;
    return { memory, start };
  }

  /**
   * The present buffer. For a WebAssembly memory it is another object after each growth; the former ones stay valid.
   */
  override get buffer(): SharedArrayBuffer {
    return this.#region.buffer;
  }

  /** The byte behind the last one that the heap uses. It moves as any worker makes the heap grow. */
  override get end(): number {
    return this.#region.attached().end;
  }

  /** How many workers can be attached at once. */
  get maxWorkers(): number {
    return this.#region.layout.g.slots;
  }

  /** Whether the heap notes the owner of each block. */
  get trackOwners(): boolean {
    return this.#region.layout.g.tracked;
  }

  /**
   * This worker's id: what {@link recover} takes should the worker die. No two workers of a heap have the same, within
   * 2^22 in one slot.
   */
  get workerId(): number {
    const { cells, g, slot } = this.#region.requireEngine();
    return workerIdOf(cells, g, slot);
  }

  /** The ids of all attached workers, and of the dead ones that have not been recovered. O(workers). */
  workerIds(): number[] {
    const { cells, g } = this.#region.requireEngine();
    return workerIdsOf(cells, g);
  }

  /**
   * Allocates `bytes` bytes with arbitrary content. `malloc(0)` gives a block like any other. Lock-free; alone, O(1)
   * mostly. If there is no room it looks at every word of the state, O(end / unit / 16), before the heap grows.
   *
   * @returns the pointer; 0 if there is no room and the heap cannot grow. A block counts as not free while another
   * worker is about to split or to coalesce it, or is adding it to the heap.
   * @throws TypeError if `bytes` is not a number.
   * @throws RangeError if it is not an integer from 0 up.
   */
  malloc(bytes: number): number {
    const region = this.#region;
    const { engine } = region;
    // The test of the type keeps `|` from asking an object for its value, which may throw.
    if (engine === null || typeof bytes !== 'number' || (bytes | 0) !== bytes || bytes <= 0) {
      return this.#mallocUnusual(bytes);
    }
    const order = 32 - Math.clz32((bytes - 1) >> region.shift);
    const offset = engine.allocate(order);
    return offset < 0 ? this.#mallocGrowing(order) : region.pointerTo(offset);
  }

  /**
   * Allocates `bytes` bytes at a multiple of `alignment`. Every block lies at a multiple of its own size anyway. For a
   * larger alignment this takes a block of `alignment` bytes, for which there must be room, and gives back the rest of
   * it as far as {@link realloc} can in place. As {@link malloc}.
   *
   * @returns the pointer; 0 if there is no room and the heap cannot grow.
   * @throws TypeError if an argument is not a number.
   * @throws RangeError if `alignment` is not a power of two up to 2^32, or `bytes` is not an integer from 0 up.
   */
  alignedAlloc(alignment: number, bytes: number): number {
    checkPowerOfTwo('alignment', alignment, 1, ADDRESSABLE);
    if (checkInteger('bytes', bytes) >= alignment) return this.malloc(bytes);
    const ptr = this.malloc(alignment);
    const region = this.#region;
    if (ptr !== 0) region.shrink(region.offsetAt(ptr), unitsFor(region, bytes));
    return ptr;
  }

  /**
   * Gives the block at `ptr` room for `bytes` bytes. It stays where it is if its size in powers of two stays, and if
   * the change is one of a single word of the state: often, not always. Otherwise it moves, with its bytes, for which
   * both blocks must have room; a block that is to become smaller stays as it is if there is none. `realloc(0, bytes)`
   * is `malloc(bytes)`, and `realloc(ptr, 0)` leaves one unit at least. O(1) mostly in place, O(bytes) if it moves.
   *
   * @returns the pointer, the same or another; 0 if there is no room, and then the block is as it was.
   * @throws TypeError, RangeError as {@link malloc}, and what {@link free} throws.
   */
  realloc(ptr: number, bytes: number): number {
    if (ptr === 0) return this.malloc(bytes);
    const region = this.#region;
    const engine = region.requireEngine();
    const { cells, g } = engine;
    const offset = blockOffset(region, ptr);
    const before = region.sizeAt(offset);
    if (before === 0) throw misuse(region, ptr);
    const order = this.#orderFor(bytes);
    if (resize(cells, g, offset, order)) return ptr;
    const shrinks = 2 ** order < before;
    let moved = engine.allocate(order);
    if (moved < 0) {
      // A look that found no room has closed all empty words, one of which may have been in the block's way.
      if (shrinks || resize(cells, g, offset, order)) return ptr;
      moved = region.allocateGrowing(order);
      if (moved < 0) return 0;
    }
    const to = region.pointerTo(moved);
    const length = Math.min(before, 2 ** order) * region.unit;
    region.bytesTo(Math.max(ptr, to) + length).copyWithin(to, ptr, ptr + length);
    if (engine.free(offset) === 0) throw misuse(region, ptr); // another worker has freed it meanwhile
    return to;
  }

  /**
   * Frees the block at `ptr`, whichever worker allocated it, or the block at which a view on the heap's memory begins,
   * even if that view was posted here. `free(0)` does nothing. Lock-free; alone, O(1) mostly, O(log maximum) at worst.
   *
   * @throws TypeError if `ptr` is neither a number nor a view.
   * @throws RangeError if it is not an integer, or outside the heap.
   * @throws BuddyError `NOT_ALLOCATED` if the byte is not in a live block: a double free, or never allocated;
   * `INTERIOR` if it is inside one; `FOREIGN` if the view is on other memory. Of several workers that free the same
   * block one succeeds, unless it has been allocated again in between.
   */
  free(ptr: number | ArrayBufferView): void {
    const region = this.#region;
    if (typeof ptr !== 'number') ptr = pointerOf(region, ptr);
    const { engine } = region;
    const offset = region.offsetAt(ptr);
    if (engine === null || region.isReserved(offset) || region.pointerTo(offset) !== ptr) {
      region.attached();
      if (ptr === 0) return;
      throw misuse(region, ptr);
    }
    if (engine.free(offset) === 0) throw misuse(region, ptr);
  }

  /**
   * Makes this worker the owner of the live block at `ptr`, or of the block at which a view begins, which another
   * worker has handed over: if the former owner dies, the block stays, and if this one dies, {@link recover} takes it
   * back. Nothing changes if owners are not tracked. Lock-free.
   *
   * With `from`, the id of the worker that has handed it over, the block must belong to that worker, or to nobody if
   * that worker has detached. If the giver may have died and been recovered meanwhile, and its memory been allocated
   * again, only this tells the new block from the one that was handed over.
   *
   * @throws what {@link free} throws; BuddyError `NOT_ALLOCATED` also if the block does not belong to `from`.
   * @throws TypeError, RangeError if `from` is given and cannot be the id of a worker.
   */
  adopt(ptr: number | ArrayBufferView, from?: number): void {
    const region = this.#region;
    const address = typeof ptr === 'number' ? ptr : pointerOf(region, ptr);
    const engine = region.requireEngine();
    if (from !== undefined) checkWorkerId(engine.g, 'from', from);
    const offset = blockOffset(region, address);
    if (engine.adopt(offset, from ?? 0)) return;
    throw region.sizeAt(offset) === 0
      ? misuse(region, address)
      : new BuddyError('NOT_ALLOCATED', `the block at ${address} does not belong to worker ${from} any more`);
  }

  /** Counts blocks and bytes. Exact if no other worker is in a call, approximate otherwise. O(end / unit). */
  override stats(): SharedHeapStats {
    return { ...super.stats(), workers: this.workerIds().length };
  }

  /**
   * Takes back what the worker with the id `workerId` had when it died: its slot, and, if owners are tracked, its
   * blocks and its unfinished changes. Other workers may go on meanwhile. Without tracking its blocks stay allocated,
   * and so may one block that it was splitting, coalescing or adding to the heap. O(maximum / unit). Does nothing if
   * the worker has been recovered or has detached itself.
   *
   * The worker must be dead: terminated, or never to call again.
   *
   * @throws TypeError if `workerId` is not a number.
   * @throws RangeError if no worker of this heap can have that id, or it is the caller's own.
   */
  recover(workerId: number): SharedHeapRecovered {
    const region = this.#region;
    const engine = region.requireEngine();
    checkDead(engine, workerId);
    region.passClaimed();
    const { blocks, units, complete } = recover(engine, workerId);
    return { blocks, bytes: units * region.unit, complete };
  }

  /**
   * Gives back this worker's slot. Its blocks stay allocated; if owners are tracked they belong to nobody until a
   * worker adopts them. A second `detach` does nothing. O(1), or O(maximum / unit) if owners are tracked.
   */
  detach(): void {
    this.#region.giveBackSlot();
  }

  /** `malloc` of a size that is not a positive int32. */
  #mallocUnusual(bytes: number): number {
    const region = this.#region;
    const engine = region.requireEngine();
    const order = this.#orderFor(bytes);
    const offset = engine.allocate(order);
    return offset < 0 ? this.#mallocGrowing(order) : region.pointerTo(offset);
  }

  /** `malloc` when there is no room. */
  #mallocGrowing(order: number): number {
    const offset = this.#region.allocateGrowing(order);
    return offset < 0 ? 0 : this.#region.pointerTo(offset);
  }

  /** log2 of the units of a block of `bytes` bytes, however many those are. */
  #orderFor(bytes: number): number {
    return Math.ceil(Math.log2(unitsFor(this.#region, bytes)));
  }
}
