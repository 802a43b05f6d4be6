// SharedBuddyAllocator: many workers on one SharedArrayBuffer, offsets in units. The checks that stand before the
// engine.

import {
  checkBoolean,
  checkCapacity,
  checkObject,
  checkOffset,
  checkPowerOfTwo,
  checkSize,
  MAX_CAPACITY,
} from '../base/arguments.ts';
import { assert, DEV } from '../base/assert.ts';
import { type Block, type BuddyStats, type LiveBlock, statsOf } from '../base/blocks.ts';
import { isSharedArrayBuffer, requireSharedMemory } from '../base/buffers.ts';
import { BuddyError } from '../base/errors.ts';
import { expectLength } from '../base/format.ts';
import { orderOf } from '../base/word.ts';
import { AtomicCells } from './cells.ts';
import { check } from './check.ts';
import { Engine } from './engine.ts';
import { blockOf, blocksOf, misuse, sizeAt } from './inspect.ts';
import { type Geometry, geometryOf } from './layout.ts';
import { rebuild } from './rebuild.ts';
import { checkDead, type Recovered, recover } from './recover.ts';
import { attachWorker, checkMaxWorkers, checkWorkerId, workerIdOf, workerIdsOf } from './slots.ts';
import { geometryIn, writeEmpty } from './state.ts';

/** Options of {@link SharedBuddyAllocator.create}. */
export interface SharedBuddyOptions {
  /** Units in the arena: an integer from 1 to 2^30, a power of two or not. */
  readonly capacity: number;
  /** The most workers that can be attached at once, 1 to 253; default 32. Each takes 64 to 192 bytes of the state. */
  readonly maxWorkers?: number;
  /**
   * Whether to note the owner of each block, so that {@link SharedBuddyAllocator.recover} can take back the blocks of
   * a dead worker; default false. Takes one byte per unit.
   */
  readonly trackOwners?: boolean;
}

/** Figures of a shared arena. */
export interface SharedBuddyStats extends BuddyStats {
  /** Workers that are attached, and those that have died and are not recovered. */
  readonly workers: number;
}

/**
 * A binary buddy allocator whose whole state lies in a SharedArrayBuffer, for up to 253 workers at once. No call
 * takes a lock or waits for another worker: a worker that is stopped or killed at any point stops no other. Any
 * worker may free the blocks of any other.
 *
 * Each worker, the creator included, attaches an instance of its own to the buffer. An instance cannot be posted; its
 * {@link buffer} can.
 *
 * A request is rounded up to a power of two and gets a block at a multiple of its size. A worker looks for room near
 * its last blocks first, and comes back to low addresses, so placement depends on the worker. The tree of words follows
 * BuddyAllocator's; doing without locks follows NBBS (Marotta et al., CLUSTER 2018) and LLFree (Wrenger et al., USENIX
 * ATC 2023). docs/concurrency.md explains the protocol.
 *
 * After {@link detach}, {@link buffer}, {@link capacity}, {@link trackOwners} and {@link maxWorkers} still work, and
 * a second `detach` does nothing. Everything else throws a {@link BuddyError} `DETACHED`.
 */
export class SharedBuddyAllocator {
  readonly #buffer: SharedArrayBuffer;
  readonly #g: Geometry;
  readonly #capacity: number;
  #engine: Engine | null;

  private constructor(buffer: SharedArrayBuffer, engine: Engine) {
    if (DEV) assert(buffer.byteLength >= engine.g.length * 4, 'the buffer has room for the state');
    this.#buffer = buffer;
    this.#g = engine.g;
    this.#capacity = engine.g.capacity;
    this.#engine = engine;
  }

  /**
   * A new arena, all free, with the caller attached to it. O(log capacity), plus the time in which the runtime zeroes
   * the state.
   *
   * @throws TypeError if an option is of the wrong type.
   * @throws RangeError if an option is out of range, or the runtime has no memory for the state.
   */
  static create(options: SharedBuddyOptions): SharedBuddyAllocator {
    requireSharedMemory();
    const g = geometryOfOptions(options);
    const buffer = new SharedArrayBuffer(g.length * 4);
    const cells = new AtomicCells(new Int32Array(buffer));
    writeEmpty(cells, g);
    return new SharedBuddyAllocator(buffer, new Engine(cells, g, attachWorker(cells, g, 0, g.capacity)));
  }

  /**
   * Attaches the calling worker to an arena that another worker has created. O(maxWorkers + log capacity); O(capacity)
   * if it gets the slot of a worker that has left blocks, which it does only if no other slot is free.
   *
   * @param source the arena's {@link buffer}, or a view that covers the whole of it.
   * @returns null if as many workers are attached as the arena has room for. A worker in the middle of {@link adopt},
   * or one that has died there and is not recovered, may keep a further slot: that of a `from` which is gone.
   * @throws TypeError if `source` is not a SharedArrayBuffer or a view of one, or if it is a view of a part: a copy
   * of the part would not be shared.
   * @throws BuddyError `FOREIGN`, `VERSION`, `TRUNCATED` or `CORRUPT`. Only the header and the length are checked,
   * because other workers may be changing the rest.
   */
  static attach(source: SharedArrayBuffer | ArrayBufferView): SharedBuddyAllocator | null {
    const buffer = sharedBufferOf(source);
    const s = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
    const g = geometryIn(s);
    expectExactLength(s.byteLength, g.length * 4);
    const cells = new AtomicCells(s);
    const slot = attachWorker(cells, g, 0, g.capacity);
    return slot === 0 ? null : new SharedBuddyAllocator(buffer, new Engine(cells, g, slot));
  }

  /**
   * Bytes of the buffer that {@link create} would make: about 0.3 per unit, 1.3 if owners are tracked.
   *
   * @throws TypeError, RangeError as {@link create}.
   */
  static bytesFor(options: SharedBuddyOptions): number {
    return geometryOfOptions(options).length * 4;
  }

  /** The buffer that holds the whole state: post it to other workers, which {@link attach} to it. */
  get buffer(): SharedArrayBuffer {
    return this.#buffer;
  }

  /** Units in the arena. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Whether the owner of each block is noted. */
  get trackOwners(): boolean {
    return this.#g.tracked;
  }

  /** The most workers that can be attached at once. */
  get maxWorkers(): number {
    return this.#g.slots;
  }

  /**
   * Units that are in no live block. Exact if no other worker is in a call. Otherwise the units are counted while
   * they change: the sum may be one that the arena had at no moment, and units that a worker is splitting or
   * coalescing count as used. O(capacity), unlike BuddyAllocator's.
   */
  get freeUnits(): number {
    return this.#sums().freeUnits;
  }

  /**
   * Size of the largest free block, and so of the largest request that has room: a power of two, or 0 if nothing is
   * free. Exact if no other worker is in a call. Otherwise it is a hint: the block may be gone, or a larger one free,
   * by the time this returns. O(capacity), unlike BuddyAllocator's.
   */
  get largestFree(): number {
    return this.#sums().largestFree;
  }

  /**
   * This worker's id, which {@link recover} takes if the worker dies. No two workers of an arena have the same id,
   * except after 2^21 turns of one slot.
   */
  get workerId(): number {
    const { cells, g, slot } = this.#attached();
    return workerIdOf(cells, g, slot);
  }

  /**
   * The ids of all workers that are attached, and of those that have died and are not recovered. An id that belongs
   * to no living worker is a dead one's. O(maxWorkers).
   */
  workerIds(): number[] {
    const { cells, g } = this.#attached();
    return workerIdsOf(cells, g);
  }

  /**
   * Allocates a block of `size` units rounded up to a power of two. Lock-free; alone, O(1) mostly.
   *
   * @returns the offset, a multiple of the rounded size; -1 if there is no room. That takes a look at each open word,
   * O(capacity / 16) at worst, and means that no block that fits was free from the beginning of the call to its end. A
   * block counts as not free while another worker is about to split or coalesce it.
   * @throws TypeError if `size` is not a number.
   * @throws RangeError if it is not a positive integer.
   * @throws BuddyError `DETACHED` after {@link detach}.
   */
  alloc(size: number): number {
    const engine = this.#engine;
    if (engine === null || (size | 0) !== size || size <= 0) return this.#allocUnusual(size);
    if (size > this.#capacity) return -1;
    return engine.allocate(orderOf(size));
  }

  /**
   * Frees the live block at `offset`, whichever worker allocated it, and coalesces it with its buddies as long as
   * they are free. Lock-free; alone, O(1) mostly, O(log capacity) at worst.
   *
   * @returns the units given back.
   * @throws TypeError if `offset` is not a number.
   * @throws RangeError if it is not an integer in the arena.
   * @throws BuddyError `NOT_ALLOCATED` if the unit is free: a double free, or never allocated; `INTERIOR` if it is
   * inside a live block. Of several workers that free the same block one succeeds, unless it has been allocated again
   * in between.
   */
  free(offset: number): number {
    const engine = this.#engine;
    if (engine === null || (offset | 0) !== offset || offset < 0 || offset >= this.#capacity) {
      throw this.#misuse(offset);
    }
    const freed = engine.free(offset);
    if (freed === 0) throw this.#misuse(offset);
    return freed;
  }

  /**
   * Size of the live block at `offset`: the requested size, rounded up. O(log capacity).
   *
   * @throws what {@link free} throws.
   */
  sizeOf(offset: number): number {
    const { cells, g } = this.#attached();
    checkOffset('offset', offset, g.capacity);
    const size = sizeAt(cells, g, offset);
    if (size === 0) throw misuse(cells, g, offset);
    return size;
  }

  /**
   * Whether a live block starts at `offset`, so that {@link free} would take it. O(log capacity).
   *
   * @throws TypeError, RangeError as {@link free}.
   */
  isAllocated(offset: number): boolean {
    const { cells, g } = this.#attached();
    checkOffset('offset', offset, g.capacity);
    return sizeAt(cells, g, offset) !== 0;
  }

  /**
   * The offset of the live block that holds `unit`, whichever worker allocated it; -1 if the unit is free. O(log
   * capacity).
   *
   * @throws TypeError, RangeError as {@link free}.
   */
  blockOf(unit: number): number {
    const { cells, g } = this.#attached();
    checkOffset('unit', unit, g.capacity);
    return blockOf(cells, g, unit);
  }

  /**
   * Makes this worker the owner of the live block at `offset`, which another worker has handed over. If the former
   * owner dies, the block stays; if this one dies, {@link recover} takes it back. Does nothing if owners are not
   * tracked. Lock-free.
   *
   * With `from`, the id of the worker that has handed the block over, the block must belong to that worker, or have
   * been left by it when it detached itself. The giver can have died and been recovered meanwhile, and the same units
   * been allocated again: only `from` tells the new block from the one that was handed over.
   *
   * A worker that dies in this call owns the block or does not: it never costs another worker a block.
   *
   * @throws what {@link free} throws; BuddyError `NOT_ALLOCATED` also if the block does not belong to `from`, or
   * belongs to nobody because `from` has left and another worker has needed its slot.
   * @throws TypeError, RangeError if `from` is given and can be no worker's id.
   */
  adopt(offset: number, from?: number): void {
    const engine = this.#attached();
    const { cells, g } = engine;
    checkOffset('offset', offset, g.capacity);
    if (from !== undefined) checkWorkerId(g, 'from', from);
    if (engine.adopt(offset, from ?? 0)) return;
    throw sizeAt(cells, g, offset) === 0
      ? misuse(cells, g, offset)
      : new BuddyError('NOT_ALLOCATED', `the block at ${offset} is not worker ${from}'s`);
  }

  /** Counts blocks and units. Exact if no other worker is in a call, approximate otherwise. O(capacity). */
  stats(): SharedBuddyStats {
    const { cells, g } = this.#attached();
    return { ...this.#sums(), workers: workerIdsOf(cells, g).length };
  }

  /**
   * All blocks, live and free, in address order, free ones as large as coalescing makes them. A block that a worker
   * is splitting or coalescing shows as live. Exact if no other worker is in a call, and this one changes nothing
   * until it has taken the last block; otherwise a block may show that never existed. O(log capacity) per block.
   */
  blocks(): Generator<Block, void, undefined> {
    const { cells, g } = this.#attached();
    return blocksOf(cells, g);
  }

  /**
   * Takes back the slot of a dead worker and, if owners are tracked, its blocks and whatever its last call left
   * unfinished. Other workers may go on meanwhile. Without tracking, its blocks stay allocated, and so may a block
   * that it was splitting or coalescing, at worst the whole arena: {@link rebuild} takes them back. O(capacity). Does
   * nothing if the worker has been recovered or has detached itself.
   *
   * The worker must be dead: terminated, or certain not to call again.
   *
   * @param worker the id of the dead worker.
   * @throws TypeError if `worker` is not a number.
   * @throws RangeError if it can be no worker's id in this arena, or is the caller's own.
   */
  recover(worker: number): Recovered {
    const engine = this.#attached();
    checkDead(engine, worker);
    return recover(engine, worker);
  }

  /**
   * Makes `live` the live blocks of the arena and everything else free, whatever its state. A block of `live` that
   * no attached worker owns becomes this worker's. No other worker may be in a call. Dead workers must have been
   * recovered before, for their slots. O(capacity).
   *
   * @throws TypeError if `live` is not iterable, or an offset or a size in it is not a number.
   * @throws RangeError if an offset is not an integer in the arena, a size is not a power of two, an offset is not a
   * multiple of its size, or two blocks overlap.
   */
  rebuild(live: Iterable<LiveBlock>): void {
    const { cells, g, slot } = this.#attached();
    rebuild(cells, g, slot, checkLive(live, g.capacity));
  }

  /**
   * Gives back this worker's slot. Its blocks stay allocated, until any worker frees them. If owners are tracked, they
   * stay known as left by this worker, and another worker can {@link adopt} them with or without `from`. Once no other
   * slot is free and a worker attaches in this one, they belong to nobody, and can be adopted without `from` only.
   *
   * A worker that dies in this call has left all its blocks or none: {@link recover} takes them back in that case.
   * Every later call throws, except `detach`. O(1), or O(capacity) if owners are tracked.
   */
  detach(): void {
    const engine = this.#engine;
    this.#engine = null;
    engine?.detach();
  }

  /**
   * Verifies every invariant. Returns the violated ones, in words; nothing if the state is sound. Meaningful only if
   * no other worker is in a call and the dead are recovered. O(capacity).
   */
  check(): string[] {
    const { cells, g } = this.#attached();
    return check(cells, g);
  }

  /** The engine. Throws DETACHED after `detach`. */
  #attached(): Engine {
    if (this.#engine === null) throw new BuddyError('DETACHED', 'this worker has detached itself');
    return this.#engine;
  }

  /** Slow path of `alloc`: `size` is not a positive int32, so it is a mistake, or more than any arena has. */
  #allocUnusual(size: number): number {
    this.#attached();
    checkSize(size);
    return -1;
  }

  /** The sums over all blocks. O(capacity). */
  #sums(): BuddyStats {
    const { cells, g } = this.#attached();
    return statsOf(g.capacity, blocksOf(cells, g));
  }

  /**
   * The error of a call that wants a live block at `offset`, where none starts. Throws if `offset` is not a unit at
   * all.
   */
  #misuse(offset: number): BuddyError {
    const { cells, g } = this.#attached();
    checkOffset('offset', offset, g.capacity);
    return misuse(cells, g, offset);
  }
}

function geometryOfOptions(options: SharedBuddyOptions): Geometry {
  const { capacity, maxWorkers = 32, trackOwners = false } = checkObject('options', options);
  checkCapacity(capacity);
  checkMaxWorkers(maxWorkers);
  checkBoolean('trackOwners', trackOwners);
  return geometryOf(capacity, maxWorkers, trackOwners);
}

function sharedBufferOf(source: SharedArrayBuffer | ArrayBufferView): SharedArrayBuffer {
  const buffer: unknown = ArrayBuffer.isView(source) ? source.buffer : source;
  requireSharedMemory();
  if (!isSharedArrayBuffer(buffer)) {
    throw new TypeError('attach takes a SharedArrayBuffer, or a view of the whole of one');
  }
  if (source.byteLength !== buffer.byteLength) {
    throw new TypeError(
      `the view shows ${source.byteLength} of the ${buffer.byteLength} bytes of its SharedArrayBuffer: ` +
        'attach takes a view of the whole, because a copy of a part would not be shared',
    );
  }
  return buffer;
}

/** Throws a BuddyError `TRUNCATED` if the `present` bytes are not exactly the `taken` ones. */
function expectExactLength(present: number, taken: number): void {
  expectLength('a shared arena', present, taken);
  if (present > taken) {
    throw new BuddyError('TRUNCATED', `the buffer has ${present} bytes; its arena takes ${taken} of them`);
  }
}

function checkLive(live: Iterable<LiveBlock>, capacity: number): LiveBlock[] {
  if (typeof live !== 'object' || live === null || typeof live[Symbol.iterator] !== 'function') {
    throw new TypeError('rebuild takes an iterable of the live blocks');
  }
  const sorted = Array.from(live, ({ offset, size }) => {
    checkOffset('offset', offset, capacity);
    checkPowerOfTwo('size', size, 1, MAX_CAPACITY);
    if (offset % size !== 0 || offset + size > capacity) {
      throw new RangeError(`a block of ${size} units cannot lie at ${offset}`);
    }
    return { offset, size };
  }).sort((a, b) => a.offset - b.offset);
  sorted.forEach(({ offset }, i) => {
    if (i > 0 && sorted[i - 1].offset + sorted[i - 1].size > offset) {
      throw new RangeError(`the block at ${offset} overlaps the one before it`);
    }
  });
  return sorted;
}
