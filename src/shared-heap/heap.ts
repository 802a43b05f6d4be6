// SharedHeap: malloc and its family over shared memory, for up to 253 workers at once, without locks.

import { checkInteger, checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import { type Block, statsOf } from '../base/blocks.ts';
import { BuddyError } from '../base/errors.ts';
import { AbstractHeap, type HeapStats } from '../heap/abstract.ts';
import { ADDRESSABLE, bytesOf } from '../heap/memory.ts';
import { Engine } from '../shared/engine.ts';
import { blockOf, blocksOf, sizeAt } from '../shared/inspect.ts';
import { ORDERS_PER_LEVEL } from '../shared/layout.ts';
import { checkDead, recover } from '../shared/recover.ts';
import { resize } from '../shared/resize.ts';
import { attachWorker, checkWorkerId, workerIdOf, workerIdsOf } from '../shared/slots.ts';
import type { SharedHeapHandle, SharedHeapOptions } from './options.ts';
import { SharedRegion } from './region.ts';

/** Figures of a shared heap. Exact when no other worker is in a call, approximate otherwise. */
export interface SharedHeapStats extends HeapStats {
  /** Workers that are attached, dead ones that nobody has recovered included. */
  readonly workers: number;
}

/** What {@link SharedHeap.recover} has taken back. */
export interface SharedHeapRecovered {
  /** Live blocks that the dead worker owned. */
  readonly blocks: number;
  /** Their bytes, rounding up included. */
  readonly bytes: number;
  /**
   * False when another worker is recovering the same one, or was at work on what a dead worker had half-done: call again
   * later, when any others who have died have been recovered as well. The place stays taken until then.
   */
  readonly complete: boolean;
}

/**
 * A heap in a SharedArrayBuffer or a shared WebAssembly.Memory, for up to 253 workers at once: malloc, calloc, realloc and free
 * as C has them. No call takes a lock or waits for another worker: one that is stopped or killed at any point stops nobody
 * else. Any worker may free what another has allocated.
 *
 * Each worker, the creator included, has an instance of its own, attached to the same memory. An instance cannot be posted; its
 * {@link handle} can. All of the heap's state lies in the memory, at the start of its region.
 *
 * A pointer is the offset of a byte from the start of the memory, the same for all workers, and 0 is the null pointer. Requests
 * are rounded up to a power of two of at least a unit; a block's address is a multiple of its size. Sizes and pointers are
 * bytes. A call that throws has changed nothing, and neither has one that had no room. The heap keeps apart the blocks, not the
 * accesses to one block: a worker that hands a block to another must do so by Atomics or by posting a message.
 */
export class SharedHeap extends AbstractHeap {
  readonly #region: SharedRegion;
  /** The frontier as last seen. */
  #frontier: number;
  #engine: Engine | null;

  private constructor(region: SharedRegion, worker: number) {
    super();
    this.#region = region;
    this.#engine = new Engine(region.cells, region.layout.g, worker);
    this.#frontier = region.frontier;
  }

  /**
   * A heap in which nothing is allocated, with the caller attached to it. O(bytes of state that the memory had before),
   * O(log maximum) in fresh memory.
   *
   * @throws TypeError when an option has the wrong type, the memory is not shared, neither or both of `memory` and `size` are
   * given, or a WebAssembly.Memory without `maximum`.
   * @throws RangeError when a number is out of range, or the region too small to hold anything.
   */
  static create(options: SharedHeapOptions): SharedHeap {
    const region = SharedRegion.create(options);
    return new SharedHeap(region, joinAt(region));
  }

  /**
   * Attaches the calling worker to the heap at `handle`, which another has created. O(workers + log maximum).
   *
   * @returns null when as many workers are attached as the heap has been made for.
   * @throws TypeError, RangeError when an argument is of the wrong type or out of range.
   * @throws BuddyError `FOREIGN` when there is no shared heap; `VERSION`, `TRUNCATED` or `CORRUPT`, judged by the header alone, as
   * others may be changing the rest.
   */
  static attach(handle: SharedHeapHandle): SharedHeap | null {
    const region = SharedRegion.attach(handle);
    const worker = joinAt(region);
    return worker === 0 ? null : new SharedHeap(region, worker);
  }

  /** What to post to other workers, for them to {@link attach}. */
  get handle(): SharedHeapHandle {
    const { memory, start } = this.#region;
    return { memory, start };
  }

  /** The present buffer. For a WebAssembly memory it is another object after each growth, and the former ones stay valid. */
  get buffer(): SharedArrayBuffer {
    return this.#attached().region.buffer;
  }

  /** The least block, and what every pointer is a multiple of. */
  get unit(): number {
    return this.#region.layout.unit;
  }

  /** The first byte that the heap may use. */
  get start(): number {
    return this.#region.start;
  }

  /** The byte behind the last one that the heap uses; it moves as any worker makes the heap grow. */
  get end(): number {
    return this.#region.end;
  }

  /** The end beyond which the heap never grows. */
  get maximum(): number {
    return this.#region.layout.base + this.#region.layout.g.capacity * this.unit;
  }

  /** Whether the owner of each block is noted. */
  get trackOwners(): boolean {
    return this.#region.layout.g.tracked;
  }

  /** This worker's number: what {@link recover} takes should it die. No two workers of a heap have the same (within 2^22 in one place). */
  get workerId(): number {
    const { cells, g, slot } = this.#attached().engine;
    return workerIdOf(cells, g, slot);
  }

  /** The numbers of all workers that are attached, and of those that have died and are not recovered. O(workers). */
  workerIds(): number[] {
    const { cells, g } = this.#attached().engine;
    return workerIdsOf(cells, g);
  }

  /**
   * Allocates `bytes` bytes, which hold whatever was there. `malloc(0)` gives a block like any other. Lock-free; alone, O(1)
   * mostly. Where there is no room it looks at every word of the state, O(end / unit / 16), before the heap grows.
   *
   * @returns the pointer; 0 when there is no room and the heap cannot grow. A block counts as not free while another worker
   * is about to split or to coalesce it, or is adding it to the heap.
   * @throws TypeError when `bytes` is not a number.
   * @throws RangeError when it is not an integer from 0 up.
   * @throws BuddyError `DETACHED` after {@link detach}, as every method does.
   */
  malloc(bytes: number): number {
    const engine = this.#engine;
    if (engine === null || (bytes | 0) !== bytes || bytes <= 0) return this.#mallocUnusual(bytes);
    const region = this.#region;
    const order = 32 - Math.clz32((bytes - 1) >> region.shift);
    const offset = engine.allocate(order);
    return offset < 0 ? this.#mallocGrowing(order) : region.pointerTo(offset);
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
    if (ptr !== 0) this.#region.bytesTo(ptr + bytes).fill(0, ptr, ptr + bytes);
    return ptr;
  }

  /**
   * Gives the block at `ptr` room for `bytes` bytes. It stays where it is when its size in powers of two stays, and when the
   * change is one of a single word of the state: often, not always. Otherwise it moves, with its bytes, for which both must have
   * room; a block that is to become smaller stays as it is when there is none. `realloc(0, bytes)` is `malloc(bytes)`,
   * and `realloc(ptr, 0)` leaves one unit at least. O(1) mostly in place, O(bytes) when it moves.
   *
   * @returns the pointer, the same or another; 0 when there is no room, and then the block is as it was.
   * @throws TypeError, RangeError as {@link malloc}, and what {@link free} throws.
   */
  realloc(ptr: number, bytes: number): number {
    if (ptr === 0) return this.malloc(bytes);
    const { engine, region } = this.#attached();
    const { cells, g } = engine;
    const unit = this.#unitOf(ptr);
    const before = sizeAt(cells, g, unit);
    if (before === 0) throw this.#misuse(ptr);
    const order = this.#orderFor(bytes);
    if (resize(cells, g, unit, order)) return ptr;
    const shrinks = 2 ** order < before;
    let moved = engine.allocate(order);
    if (moved < 0) {
      // A look that found no room has closed all empty words, one of which may have been in the block's way.
      if (shrinks || resize(cells, g, unit, order)) return ptr;
      moved = this.#allocateGrowing(order);
      if (moved < 0) return 0;
    }
    const to = region.pointerTo(moved);
    const length = Math.min(before, 2 ** order) * this.unit;
    region.bytesTo(Math.max(ptr, to) + length).copyWithin(to, ptr, ptr + length);
    if (engine.free(unit) === 0) throw this.#misuse(ptr);
    return to;
  }

  /**
   * Allocates `bytes` bytes at a multiple of `alignment`. Every block lies at a multiple of its own size as it is; beyond
   * that this takes a block of `alignment` bytes and gives back of it what {@link realloc} can in place, which may be nothing.
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
    if (ptr !== 0) {
      const { cells, layout } = this.#region;
      // The lowest order of the level that the block is of, if the one that would do is of a lower level.
      const least = this.#orderFor(alignment) & -ORDERS_PER_LEVEL;
      resize(cells, layout.g, this.#unitOf(ptr), Math.max(least, this.#orderFor(bytes)));
    }
    return ptr;
  }

  /**
   * Frees the block at `ptr`, whoever allocated it, or the one that begins where a view on the heap's memory does, even if that
   * view was posted here. `free(0)` does nothing. Lock-free; alone, O(1) mostly, O(log maximum) at worst.
   *
   * @throws TypeError when `ptr` is neither a number nor a view.
   * @throws RangeError when it is not an integer, or outside the heap.
   * @throws BuddyError `NOT_ALLOCATED` when the byte is in no live block: a double free, or never allocated; `INTERIOR`
   * when it is inside one; `FOREIGN` when the view is one on other memory. Of several workers who free the same block one
   * succeeds, unless it has been allocated again in between.
   */
  free(ptr: number | ArrayBufferView): void {
    if (typeof ptr !== 'number') ptr = this.pointerOf(ptr);
    const engine = this.#engine;
    const region = this.#region;
    const unit = region.unitAt(ptr);
    if (engine === null || this.#isOutside(unit) || region.pointerTo(unit) !== ptr) {
      this.#attached();
      if (ptr === 0) return;
      throw this.#misuse(ptr);
    }
    if (engine.free(unit) === 0) throw this.#misuse(ptr);
  }

  /**
   * Makes this worker the owner of the live block at `ptr`, or where a view begins, which another has handed over: should the former
   * owner die, the block stays, and should this one die, {@link recover} takes it back. Nothing changes where owners are not
   * tracked. Lock-free.
   *
   * With `from`, the number of the worker who has handed it over, the block must be that one's, or nobody's as that one has left. If
   * the giver can have died and been recovered meanwhile, and the block's place have been allocated again, only this
   * tells the new block from the one that was handed over.
   *
   * @throws what {@link free} throws; BuddyError `NOT_ALLOCATED` also when the block is not that of `from`.
   * @throws TypeError, RangeError when `from` is given and can be no worker's number.
   */
  adopt(ptr: number | ArrayBufferView, from?: number): void {
    const address = typeof ptr === 'number' ? ptr : this.pointerOf(ptr);
    const { engine } = this.#attached();
    const { cells, g } = engine;
    if (from !== undefined) checkWorkerId(g, 'from', from);
    const unit = this.#unitOf(address);
    if (engine.adopt(unit, from ?? 0)) return;
    throw sizeAt(cells, g, unit) === 0
      ? this.#misuse(address)
      : new BuddyError('NOT_ALLOCATED', `the block at ${address} is not worker ${from}'s any more`);
  }

  /**
   * Bytes of the block at `ptr`: what was asked for, rounded up. O(log maximum).
   *
   * @throws what {@link free} throws.
   */
  usableSize(ptr: number): number {
    const { engine } = this.#attached();
    const units = sizeAt(engine.cells, engine.g, this.#unitOf(ptr));
    if (units === 0) throw this.#misuse(ptr);
    return units * this.unit;
  }

  /**
   * Whether a live block starts at `ptr`, so that {@link free} would take it. O(log maximum).
   *
   * @throws TypeError when `ptr` is not a number.
   * @throws RangeError when it is not an integer, or outside the heap.
   */
  isAllocated(ptr: number): boolean {
    const { engine, region } = this.#attached();
    checkWithin('pointer', ptr, 0, region.end - 1);
    const unit = region.unitAt(ptr);
    if (this.#isOutside(unit) || region.pointerTo(unit) !== ptr) return false;
    return sizeAt(engine.cells, engine.g, unit) !== 0;
  }

  /** Counts blocks and bytes. Exact when no other worker is in a call, approximate otherwise. O(end / unit). */
  stats(): SharedHeapStats {
    const { engine, region } = this.#attached();
    const { cells, g } = engine;
    const { unit } = this;
    const { freeUnits, usedUnits, largestFree, liveBlocks, externalFragmentation } = statsOf(
      region.frontier - region.first,
      this.#blocks(),
    );
    return {
      capacity: (freeUnits + usedUnits) * unit,
      used: usedUnits * unit,
      free: freeUnits * unit,
      largestFree: largestFree * unit,
      liveBlocks,
      externalFragmentation,
      metadataBytes: region.layout.end - region.layout.header,
      workers: workerIdsOf(cells, g).length,
    };
  }

  /**
   * Takes back what `worker` had when it died: its place, and, where owners are tracked, its blocks and what it had half-done.
   * Others may go on meanwhile. Without tracking its blocks stay allocated, and so may one block that it was splitting, coalescing
   * or adding to the heap. O(maximum / unit). Does nothing when the worker has been recovered or has detached itself.
   *
   * The worker must be dead: terminated, or never to call again.
   *
   * @throws TypeError when `worker` is not a number.
   * @throws RangeError when it is no number that a worker of this heap can have, or the caller's own.
   */
  recover(worker: number): SharedHeapRecovered {
    const { engine, region } = this.#attached();
    checkDead(engine, worker);
    region.passClaimed();
    const { blocks, units, complete } = recover(engine, worker);
    return { blocks, bytes: units * this.unit, complete };
  }

  /**
   * Gives back this worker's place. Its blocks stay allocated; where owners are tracked they are nobody's until somebody adopts them.
   * Every later call throws, but a second `detach`. O(1), or O(maximum / unit) where owners are tracked.
   */
  detach(): void {
    const engine = this.#engine;
    this.#engine = null;
    engine?.detach();
  }

  /**
   * Verifies every invariant of the heap's state. Returns what is violated, in words; nothing when it is sound. Only meaningful
   * when no other worker is in a call and the dead are recovered. O(maximum / unit).
   */
  check(): string[] {
    return this.#attached().region.check();
  }

  protected pointerOf(view: ArrayBufferView): number {
    if (!ArrayBuffer.isView(view)) {
      throw new TypeError(`a pointer must be a number or a view, not a ${typeof view}`);
    }
    const { engine, region } = this.#attached();
    if (!region.holds(view.buffer, engine.slot)) {
      throw new BuddyError('FOREIGN', "the view is not one on the heap's memory");
    }
    // Byte 0 is no block, though a pointer of 0 may be freed.
    if (view.byteOffset === 0) throw this.#misuse(0);
    return view.byteOffset;
  }

  protected endOfBlock(ptr: number): number {
    const { engine, region } = this.#attached();
    const unit = region.unitAt(ptr);
    const owner = this.#isOutside(unit) ? -1 : blockOf(engine.cells, engine.g, unit);
    const size = owner < 0 ? 0 : sizeAt(engine.cells, engine.g, owner);
    if (size === 0) throw this.#misuse(ptr);
    return region.pointerTo(owner) + size * this.unit;
  }

  #attached(): { engine: Engine; region: SharedRegion } {
    const engine = this.#engine;
    if (engine === null) throw new BuddyError('DETACHED', 'this worker has detached itself');
    return { engine, region: this.#region };
  }

  /** `malloc` of what is not a positive int32. */
  #mallocUnusual(bytes: number): number {
    const { engine, region } = this.#attached();
    const order = this.#orderFor(bytes);
    const offset = engine.allocate(order);
    return offset < 0 ? this.#mallocGrowing(order) : region.pointerTo(offset);
  }

  /** `malloc` when there is no room. */
  #mallocGrowing(order: number): number {
    const offset = this.#allocateGrowing(order);
    return offset < 0 ? 0 : this.#region.pointerTo(offset);
  }

  /** Offset of a block of 2^order units, when there was no room before the frontier that was last seen; -1 when the heap cannot grow. */
  #allocateGrowing(order: number): number {
    const { engine, region } = this.#attached();
    for (;;) {
      // Where others have made the heap grow since that look, there may be room; and to grow from an outdated frontier could be
      // to grow in vain.
      const isNews = region.frontier !== this.#frontier;
      if (!isNews && !region.growFor(engine, 2 ** order, this.#frontier)) return -1;
      this.#frontier = region.frontier;
      const offset = engine.allocate(order);
      if (offset >= 0) return offset;
    }
  }

  /** log2 of the units that a block of `bytes` bytes takes. */
  #orderFor(bytes: number): number {
    return Math.ceil(Math.log2(Math.max(1, Math.ceil(checkInteger('size', bytes) / this.unit))));
  }

  /** Whether `unit` is none that the heap hands out. */
  #isOutside(unit: number): boolean {
    const { first } = this.#region;
    if (unit >= first && unit < this.#frontier) return false;
    // Another worker may have made the heap grow.
    this.#frontier = this.#region.frontier;
    return unit < first || unit >= this.#frontier;
  }

  /** The unit at which the block at `ptr` would begin. */
  #unitOf(ptr: number): number {
    const region = this.#region;
    const unit = region.unitAt(ptr);
    if (typeof ptr !== 'number' || this.#isOutside(unit) || region.pointerTo(unit) !== ptr) {
      throw this.#misuse(ptr);
    }
    return unit;
  }

  /** The blocks that the heap hands out, live and free. */
  *#blocks(): Generator<Block, void, undefined> {
    const { first, frontier, cells, layout } = this.#region;
    for (const block of blocksOf(cells, layout.g)) {
      if (block.offset >= first && block.offset < frontier) yield block;
    }
  }

  /** Why no block can be had at `ptr`. */
  #misuse(ptr: number): Error {
    const { engine, region } = this.#attached();
    checkWithin('pointer', ptr, 0, region.end - 1);
    const unit = region.unitAt(ptr);
    if (this.#isOutside(unit)) {
      return new BuddyError('NOT_ALLOCATED', `byte ${ptr} is none that the heap hands out`);
    }
    const owner = blockOf(engine.cells, engine.g, unit);
    return owner < 0 || region.pointerTo(owner) === ptr
      ? new BuddyError('NOT_ALLOCATED', `byte ${ptr} is free: freed already, or never allocated`)
      : new BuddyError('INTERIOR', `byte ${ptr} is inside the block at ${region.pointerTo(owner)}`);
  }
}

/** Takes a place for a worker, with its hints in what is memory at present. */
function joinAt({ cells, layout, first, frontier }: SharedRegion): number {
  return attachWorker(cells, layout.g, first, frontier);
}
