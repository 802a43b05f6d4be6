// SharedBuddyAllocator: offsets in units, many workers on one SharedArrayBuffer. The checks before the engine.

import { checkBoolean, checkCapacity, checkOffset, checkSize, checkWithin } from '../base/arguments.ts';
import { type Block, type BuddyStats, type LiveBlock, statsOf } from '../base/blocks.ts';
import { BuddyError } from '../base/errors.ts';
import { AtomicCells, isShared } from './cells.ts';
import { check } from './check.ts';
import { Engine } from './engine.ts';
import { blockOf, blocksOf, misuse, sizeAt } from './inspect.ts';
import {
  AT_CAPACITY,
  AT_MAGIC,
  AT_SLOTS,
  AT_TRACKED,
  AT_VERSION,
  type Geometry,
  geometryOf,
  MAGIC,
  MAX_SLOTS,
  VERSION,
} from './layout.ts';
import { rebuild } from './rebuild.ts';
import { checkDead, type Recovered, recover } from './recover.ts';
import { attachWorker, checkWorkerId, detachWorker, workerIdOf, workerIdsOf } from './slots.ts';
import { writeEmpty } from './state.ts';

/** What a shared arena is made with. */
export interface SharedBuddyOptions {
  /** Units in the arena: an integer from 1 to 2^30, a power of two or not. */
  readonly capacity: number;
  /** Workers that can be attached at once, 1 to 253; 32 unless told. Each takes 64 to 192 bytes of the state. */
  readonly maxWorkers?: number;
  /** Whether to note the owner of each block, so that {@link SharedBuddyAllocator.recover} can take back those of a dead worker. A byte a unit. */
  readonly trackOwners?: boolean;
}

/** Figures of a shared arena. */
export interface SharedBuddyStats extends BuddyStats {
  /** Workers that are attached, dead ones that nobody has recovered included. */
  readonly workers: number;
}

/**
 * A binary buddy allocator whose whole state lies in a SharedArrayBuffer, for up to 253 workers at once. No call takes a lock or
 * waits for another worker: one that is stopped or killed at any point stops nobody else. Any worker may free what another
 * has allocated.
 *
 * Each worker, the creator included, has an instance of its own, attached to the same buffer. An instance cannot be posted; its {@link buffer} can.
 *
 * A request is rounded up to a power of two and gets a block at a multiple of its size; which of those that fit depends
 * on the worker, who looks near its last blocks first. The tree of words follows BuddyAllocator's; doing without locks is
 * after NBBS (Marotta et al., CLUSTER 2018) and LLFree (Wrenger et al., USENIX ATC 2023). docs/concurrency.md tells the protocol.
 */
export class SharedBuddyAllocator {
  readonly #buffer: SharedArrayBuffer;
  readonly #capacity: number;
  #engine: Engine | null;

  private constructor(buffer: SharedArrayBuffer, engine: Engine) {
    this.#buffer = buffer;
    this.#engine = engine;
    this.#capacity = engine.g.capacity;
  }

  /**
   * A new arena, all free, with the caller attached to it. O(log capacity), but for the zeroing of the state by the runtime.
   *
   * @throws TypeError when an option is of the wrong type.
   * @throws RangeError when one is out of range, or the runtime has no memory for the state.
   */
  static create(options: SharedBuddyOptions): SharedBuddyAllocator {
    const g = geometryOfOptions(options);
    const buffer = new SharedArrayBuffer(g.length * 4);
    const cells = new AtomicCells(new Int32Array(buffer));
    writeEmpty(cells, g);
    return new SharedBuddyAllocator(buffer, new Engine(cells, g, attachWorker(cells, g, 0, g.capacity)));
  }

  /**
   * Attaches the calling worker to the arena in `buffer`, which another has created. O(workers + log capacity).
   *
   * @returns null when as many workers are attached as the arena has been made for.
   * @throws TypeError when `buffer` is not a SharedArrayBuffer.
   * @throws BuddyError `FOREIGN`, `VERSION`, `TRUNCATED` or `CORRUPT`, judged by the header and the length alone, as others may
   * be changing the rest.
   */
  static attach(buffer: SharedArrayBuffer): SharedBuddyAllocator | null {
    const s = viewOf(buffer);
    const g = geometryOfState(s);
    const cells = new AtomicCells(s);
    const worker = attachWorker(cells, g, 0, g.capacity);
    return worker === 0 ? null : new SharedBuddyAllocator(buffer, new Engine(cells, g, worker));
  }

  /** Bytes of the buffer that {@link create} makes: about 0.3 a unit, 1.3 where owners are tracked. Throws as that does. */
  static bytesFor(options: SharedBuddyOptions): number {
    return geometryOfOptions(options).length * 4;
  }

  /** The buffer that holds all of the state: post it to other workers, for them to {@link attach}. */
  get buffer(): SharedArrayBuffer {
    return this.#buffer;
  }

  /** Units in the arena. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Whether the owner of each block is noted. */
  get trackOwners(): boolean {
    return this.#attached().g.tracked;
  }

  /** This worker's number: what {@link recover} takes should it die. No two workers of an arena have the same (within 2^22 in one place). */
  get workerId(): number {
    const { cells, g, worker } = this.#attached();
    return workerIdOf(cells, g, worker);
  }

  /**
   * The numbers of all workers that are attached, and of those that have died and are not recovered: for those who have to
   * find out whom they did not hear from. O(workers).
   */
  workerIds(): number[] {
    const { cells, g } = this.#attached();
    return workerIdsOf(cells, g);
  }

  /**
   * Allocates a block of `size` units rounded up to a power of two. Lock-free; alone, O(1) mostly.
   *
   * @returns the offset, a multiple of the rounded size; -1 when there is no room. It says so only after a look
   * at every word, O(capacity / 16), and when no block that fits was free from the beginning of the call to the end. A block counts
   * as not free while another worker is about to split or to coalesce it.
   * @throws TypeError when `size` is not a number.
   * @throws RangeError when it is not a positive integer.
   * @throws BuddyError `DETACHED` after {@link detach}, as every method and all properties but `buffer` and `capacity` do.
   */
  alloc(size: number): number {
    const engine = this.#engine;
    if (engine === null || (size | 0) !== size || size <= 0) return this.#allocUnusual(size);
    if (size > this.#capacity) return -1;
    return engine.allocate(32 - Math.clz32(size - 1));
  }

  /**
   * Frees the live block at `offset`, whoever allocated it, and coalesces it with its buddies as far as those are free.
   * Lock-free; alone, O(1) mostly, O(log capacity) at worst.
   *
   * @returns the units given back.
   * @throws TypeError when `offset` is not a number.
   * @throws RangeError when it is not an integer in the arena.
   * @throws BuddyError `NOT_ALLOCATED` when the unit is free: a double free, or never allocated; `INTERIOR` when it is
   * inside a live block. Of several workers who free the same block one succeeds, unless it has been allocated again in between.
   */
  free(offset: number): number {
    const engine = this.#engine;
    if (engine === null || (offset | 0) !== offset || offset < 0 || offset >= this.#capacity) {
      throw this.#misuse(offset);
    }
    return engine.free(offset);
  }

  /**
   * Size of the live block at `offset`, which is the size that was asked for rounded up. O(log capacity).
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
   * The offset of the live block that holds `unit`, whichever worker's it is; -1 when the unit is free. O(log capacity).
   *
   * @throws TypeError, RangeError as {@link free}.
   */
  blockOf(unit: number): number {
    const { cells, g } = this.#attached();
    checkOffset('unit', unit, g.capacity);
    return blockOf(cells, g, unit);
  }

  /**
   * Makes this worker the owner of the live block at `offset`, which another has handed over: should the former owner die, the
   * block stays, and should this one die, {@link recover} takes it back. Nothing changes where owners are not tracked. Lock-free.
   *
   * With `from`, the number of the worker who has handed it over, the block must be that one's, or nobody's as that one has left. If
   * the giver can have died and been recovered meanwhile, and the block's place have been allocated again, only this
   * tells the new block from the one that was handed over.
   *
   * @throws what {@link free} throws; BuddyError `NOT_ALLOCATED` also when the block is not that of `from`.
   * @throws TypeError, RangeError when `from` is given and can be no worker's number.
   */
  adopt(offset: number, from?: number): void {
    const engine = this.#attached();
    const { cells, g } = engine;
    checkOffset('offset', offset, g.capacity);
    if (from !== undefined) checkWorkerId(g, 'from', from);
    if (engine.adopt(offset, from ?? 0)) return;
    throw sizeAt(cells, g, offset) === 0
      ? misuse(cells, g, offset)
      : new BuddyError('NOT_ALLOCATED', `the block at ${offset} is not worker ${from}'s any more`);
  }

  /** Counts blocks and units. Exact when no other worker is in a call, approximate otherwise. O(capacity). */
  stats(): SharedBuddyStats {
    const { cells, g } = this.#attached();
    return { ...statsOf(g.capacity, blocksOf(cells, g)), workers: workerIdsOf(cells, g).length };
  }

  /**
   * All blocks, live and free, in address order, free ones as large as coalescing makes them. What a worker is splitting or
   * coalescing at the moment shows as live. Exact when no other worker is in a call, and this one changes nothing until the last
   * block has been taken; else a block may show that never was. O(log capacity) each.
   */
  blocks(): Generator<Block, void, undefined> {
    const { cells, g } = this.#attached();
    return blocksOf(cells, g);
  }

  /**
   * Takes back what `worker` had when it died: its place, and, where owners are tracked, the blocks that it owned and what it had
   * half-done. Others may go on meanwhile. Without tracking the blocks stay allocated, and so may a block that it was splitting
   * or coalescing, which at worst is the whole arena; recover those by the other form. O(capacity). Does nothing when the worker
   * has been recovered or has detached itself.
   *
   * The worker must be dead: terminated, or never to call again.
   *
   * @throws TypeError when `worker` is not a number.
   * @throws RangeError when it is no number that a worker of this arena can have, or the caller's own.
   */
  recover(worker: number): Recovered;
  /**
   * Makes `live` the live blocks of the arena and everything else free, whatever its state. Those that no attached worker owns
   * become this one's. No other worker may be in a call, and those that have died must have been recovered by number, for their
   * places. O(capacity).
   *
   * @throws TypeError when `live` is not iterable, or an offset or size in it not a number.
   * @throws RangeError when one is no integer in the arena, a size no power of two, an offset no multiple of it, or two overlap.
   */
  recover(live: Iterable<LiveBlock>): void;
  recover(what: number | Iterable<LiveBlock>): Recovered | undefined {
    const engine = this.#attached();
    const { cells, g } = engine;
    if (typeof what === 'number') {
      checkDead(engine, what);
      return recover(engine, what);
    }
    if (typeof what !== 'object' || what === null || typeof what[Symbol.iterator] !== 'function') {
      throw new TypeError("recover takes a worker's number or the live blocks");
    }
    const live = checkLive(what, g.capacity);
    rebuild(cells, g, engine.worker, live);
    return undefined;
  }

  /**
   * Gives back this worker's place. Its blocks stay allocated; where owners are tracked they are nobody's until somebody adopts them.
   * Every later call throws, but a second `detach`. O(1), or O(capacity) where owners are tracked.
   */
  detach(): void {
    const engine = this.#engine;
    this.#engine = null;
    if (engine !== null) detachWorker(engine);
  }

  /**
   * Verifies every invariant. Returns what is violated, in words; nothing when all is sound. Only meaningful when no other
   * worker is in a call and the dead are recovered. O(capacity).
   */
  check(): string[] {
    const { cells, g } = this.#attached();
    return check(cells, g);
  }

  #attached(): Engine {
    if (this.#engine === null) throw new BuddyError('DETACHED', 'this worker has detached itself');
    return this.#engine;
  }

  /** `alloc` of what is not a positive int32: a mistake, or more than any arena has. */
  #allocUnusual(size: number): number {
    this.#attached();
    checkSize(size);
    return -1;
  }

  #misuse(offset: number): Error {
    const { cells, g } = this.#attached();
    checkOffset('offset', offset, g.capacity);
    return misuse(cells, g, offset);
  }
}

function geometryOfOptions({ capacity, maxWorkers = 32, trackOwners = false }: SharedBuddyOptions): Geometry {
  checkCapacity(capacity);
  checkWithin('maxWorkers', maxWorkers, 1, MAX_SLOTS);
  checkBoolean('trackOwners', trackOwners);
  return geometryOf(capacity, maxWorkers, trackOwners);
}

function viewOf(buffer: SharedArrayBuffer): Int32Array {
  if (!isShared(buffer)) throw new TypeError('the buffer must be a SharedArrayBuffer');
  return new Int32Array(buffer, 0, buffer.byteLength >>> 2);
}

function geometryOfState(s: Int32Array): Geometry {
  if (s.length <= AT_TRACKED || Atomics.load(s, AT_MAGIC) !== MAGIC) {
    throw new BuddyError('FOREIGN', 'the buffer does not hold a shared arena');
  }
  if (s[AT_VERSION] !== VERSION) {
    throw new BuddyError(
      'VERSION',
      `the arena has format version ${s[AT_VERSION]}; this code reads ${VERSION}`,
    );
  }
  const options = { capacity: s[AT_CAPACITY], maxWorkers: s[AT_SLOTS], trackOwners: s[AT_TRACKED] === 1 };
  let g: Geometry;
  try {
    g = geometryOfOptions(options);
  } catch (error) {
    throw new BuddyError('CORRUPT', `the arena's header: ${(error as Error).message}`);
  }
  if (g.length * 4 !== s.byteLength) {
    throw new BuddyError(
      'TRUNCATED',
      `the buffer has ${s.byteLength} bytes; its arena takes ${g.length * 4}`,
    );
  }
  return g;
}

function checkLive(live: Iterable<LiveBlock>, capacity: number): LiveBlock[] {
  const sorted = Array.from(live, ({ offset, size }) => {
    checkOffset('offset', offset, capacity);
    checkSize(size);
    if (2 ** Math.round(Math.log2(size)) !== size || offset % size !== 0 || offset + size > capacity) {
      throw new RangeError(`no block of ${size} units can lie at ${offset}`);
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
