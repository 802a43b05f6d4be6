// BuddyAllocator: offsets in units, one thread. The hot paths, and the checks that stand before them.

import { checkCapacity, checkOffset, checkRange, checkSize } from '../base/arguments.ts';
import { type Block, type BuddyStats, statsOf } from '../base/blocks.ts';
import { BuddyError, detachedError } from '../base/errors.ts';
import {
  blockLength,
  FANOUT_BITS,
  levelOfOrder,
  longestRunOrder,
  lowestBit,
  runMask,
  runStarts,
} from '../base/word.ts';
import { attachState } from './attach.ts';
import { check } from './check.ts';
import * as inspect from './inspect.ts';
import {
  AT_ABOVE,
  AT_CAPACITY,
  AT_FREE,
  AT_HINT,
  AT_LEVELS,
  AT_WORDS,
  HEADER,
  layoutOf,
  NO_ADDRESS,
} from './layout.ts';
import { copyBlocks, isRangeFree, markRangeLive } from './ranges.ts';
import { hasRunBit, setRunBits } from './run-index.ts';
import { emptyState, writeEmpty } from './state.ts';
import { closeWord, findLowest, lowerBounds, markLive, resizeInWord } from './tree.ts';

/** What a {@link BuddyAllocator} is made with. */
export interface BuddyOptions {
  /** Units in the arena: an integer from 1 to 2^30, a power of two or not. What a unit is, is the caller's affair. */
  readonly capacity: number;
}

/** The state of `allocator`. For the parts of this package that keep it in a larger buffer; the package does not export it. */
export let stateOf: (allocator: BuddyAllocator) => Int32Array;

/** Makes `s`, a sound state that may lie in any kind of buffer, the state of `allocator`. As internal as {@link stateOf}. */
export let setState: (allocator: BuddyAllocator, s: Int32Array) => void;

/**
 * A binary buddy allocator over an arena of `capacity` units (Knowlton 1965; Knuth, TAOCP vol. 1, 2.5).
 *
 * It hands out offsets and touches no memory but its own state, so it can manage anything that is counted in units:
 * bytes of a buffer, pages, slots, ranges of a GPU buffer. A request is rounded up to a power of two and gets the
 * lowest-addressed free block that fits, its offset a multiple of its size; a freed block merges with its buddy
 * for as long as that is free.
 *
 * An arena whose capacity is no power of two is that of the next one with its tail always in use.
 *
 * Sizes, offsets and capacities are in units. When a call throws, nothing has changed. Every method throws a
 * {@link BuddyError} `DETACHED` once the state's buffer has been transferred away.
 */
export class BuddyAllocator {
  #s: Int32Array;

  static {
    stateOf = (allocator) => allocator.#state();
    setState = (allocator, s) => {
      allocator.#s = s;
    };
  }

  /**
   * An arena of `capacity` units, all free. O(log capacity), but for the zeroing of its state by the runtime.
   *
   * @throws TypeError when `capacity` is not a number.
   * @throws RangeError when it is not an integer from 1 to 2^30, or the runtime has no memory for the state.
   */
  constructor(options: BuddyOptions) {
    this.#s = emptyState(checkCapacity(options.capacity));
  }

  /**
   * Size in bytes of the state of an arena of `capacity` units: about 0.28 bytes a unit. O(log capacity).
   *
   * @throws TypeError, RangeError as the constructor.
   */
  static bytesFor(capacity: number): number {
    return layoutOf(checkCapacity(capacity)).length * 4;
  }

  /**
   * Takes on an arena from its state, as {@link BuddyAllocator.state} gave it or a copy of that. The buffer is used,
   * not copied. O(capacity): every invariant is verified first.
   *
   * @throws TypeError when `state` is not an ArrayBuffer.
   * @throws BuddyError `FOREIGN`, `VERSION`, `TRUNCATED`, `CORRUPT` or `DETACHED`, as the code says.
   */
  static attach(state: ArrayBuffer): BuddyAllocator {
    const s = attachState(state);
    const allocator = new BuddyAllocator({ capacity: 1 });
    allocator.#s = s;
    return allocator;
  }

  /**
   * The buffer that holds all of the allocator's state; a copy of it is a copy of the allocator. {@link grow} and
   * {@link shrink} replace it by another.
   */
  get state(): ArrayBuffer {
    return this.#state().buffer as ArrayBuffer;
  }

  /** Units in the arena. */
  get capacity(): number {
    return this.#state()[AT_CAPACITY];
  }

  /** Units that are in no live block. O(1). */
  get freeUnits(): number {
    return this.#state()[AT_FREE];
  }

  /** Size of the largest request that has room: a power of two, or 0 when nothing is free. O(log capacity). */
  get largestFree(): number {
    return inspect.largestFree(this.#state());
  }

  /**
   * Allocates a block of `size` units rounded up to a power of two, at the lowest address at which one is free.
   * O(1) mostly, O(log capacity) at worst.
   *
   * @returns the offset of the block, a multiple of the rounded size; -1 when there is no room.
   * @throws TypeError when `size` is not a number.
   * @throws RangeError when it is not a positive integer.
   */
  alloc(size: number): number {
    // Equal to its own int32 is no string, object, NaN or fraction; and a BigInt or a symbol makes `|` throw a TypeError.
    if ((size | 0) !== size || size <= 0) return this.#allocUnusual(size);
    const s = this.#s;
    const order = 32 - Math.clz32(size - 1);
    if (order >= FANOUT_BITS) return this.#allocHigher(order);
    // Level 0, where most requests go, is written out: its words lie at a constant position, and no child of it is
    // subdivided, so that `used` tells all. Measured: 6 to 9 % of the whole.
    const word = s[AT_HINT + order];
    const at = HEADER + (word << 1);
    const used = s[at];
    // A word in which nothing is used is closed: the hint is only a lower bound, and the block is one of a level above.
    if (used !== 0) {
      const fits = runStarts(~used, order);
      if (fits !== 0) {
        const c = lowestBit(fits);
        const offset = (word << 5) | c;
        if (offset < s[AT_ABOVE]) {
          s[at] = used | (runMask(order) << c);
          s[at + 1] |= (runMask(order) ^ 1) << c;
          s[AT_FREE] -= 1 << order;
          return offset;
        }
      }
    }
    return this.#allocSearching(0, order);
  }

  /** `alloc` of what belongs to a higher level. */
  #allocHigher(order: number): number {
    const s = this.#s;
    const level = levelOfOrder(order);
    const r = order - FANOUT_BITS * level;
    const word = s[AT_HINT + order];
    const at = s[AT_WORDS + level] + (word << 1);
    const used = s[at];
    const cont = s[at + 1];
    const free = ~(used | cont);
    if (free !== -1) {
      const fits = runStarts(free, r);
      if (fits !== 0) {
        const c = lowestBit(fits);
        const offset = ((word << 5) | c) << (FANOUT_BITS * level);
        if (offset < s[AT_ABOVE + level]) {
          s[at] = used | (runMask(r) << c);
          s[at + 1] = cont | ((runMask(r) ^ 1) << c);
          s[AT_FREE] -= 1 << order;
          return offset;
        }
      }
    }
    return this.#allocSearching(level, r);
  }

  /** The rest of `alloc`, when the word at the hint has no room or a higher level may have some further down. */
  #allocSearching(level: number, r: number): number {
    const s = this.#state();
    if (level >= s[AT_LEVELS]) return -1;
    const offset = findLowest(s, level, r);
    if (offset === NO_ADDRESS) return -1;
    markLive(s, offset, level, r);
    return offset;
  }

  /** `alloc` of what is not a positive int32: a mistake, or more than any arena has. */
  #allocUnusual(size: number): number {
    this.#state();
    checkSize(size);
    return -1;
  }

  /**
   * Frees the live block at `offset` and coalesces it with its buddies for as long as they are free.
   * O(1) mostly, O(log capacity) at worst.
   *
   * @returns the units given back.
   * @throws TypeError when `offset` is not a number.
   * @throws RangeError when it is not an integer in the arena.
   * @throws BuddyError `NOT_ALLOCATED` when the unit is free: a double free, or never allocated; `INTERIOR` when it
   * is inside a live block.
   */
  free(offset: number): number {
    const s = this.#s;
    if ((offset | 0) !== offset || offset < 0 || !(offset < s[AT_CAPACITY])) {
      throw this.#misuse(offset);
    }
    // Level 0 is written out, as in `alloc`.
    const word = offset >>> 5;
    const at = HEADER + (word << 1);
    const used = s[at];
    if (used === 0) return this.#freeHigher(offset);
    const cont = s[at + 1];
    if ((((used & ~cont) >>> offset) & 1) === 0) throw this.#misuse(offset);
    const size = blockLength(used, cont, offset);
    const keep = ~(((2 << (size - 1)) - 1) << offset);
    const busy = used & keep;
    s[at] = busy;
    s[at + 1] = cont & keep;
    s[AT_FREE] += size;
    if (busy === 0) closeWord(s, 0, word);
    else {
      const longest = longestRunOrder(~busy);
      if (!hasRunBit(s, 0, word, longest)) setRunBits(s, 0, word, longest);
    }
    return size;
  }

  /** `free` of what no word of level 0 tells of: those words are closed, and a block, if there is one, is noted above. */
  #freeHigher(offset: number): number {
    const s = this.#s;
    let level = 0;
    let child = offset;
    let at = 0;
    let busy = 0;
    do {
      // A block of a level starts with a word of the level below.
      if ((child & 31) !== 0) throw this.#misuse(offset);
      child >>>= 5;
      level++;
      at = s[AT_WORDS + level] + ((child >>> 5) << 1);
      busy = s[at] | s[at + 1];
    } while (busy === 0);
    const used = s[at];
    const cont = s[at + 1];
    if ((((used & ~cont) >>> child) & 1) === 0) throw this.#misuse(offset);
    const run = blockLength(used, cont, child);
    const keep = ~(((2 << (run - 1)) - 1) << child);
    busy &= keep;
    s[at] = used & keep;
    s[at + 1] = cont & keep;
    const size = run << (FANOUT_BITS * level);
    s[AT_FREE] += size;
    if (busy === 0) closeWord(s, level, child >>> 5);
    else {
      lowerBounds(s, level, offset);
      setRunBits(s, level, child >>> 5, longestRunOrder(~busy));
    }
    return size;
  }

  /**
   * Changes the size of the live block at `offset` to `size` units rounded up to a power of two, without moving it. A
   * smaller one frees what lies above; a larger one takes it, for which it must be free and `offset` a multiple of the
   * new size. O(log² capacity).
   *
   * @returns false when the block cannot grow where it is; nothing has changed then.
   * @throws what {@link free} throws, and TypeError or RangeError when `size` is not a positive integer.
   */
  resize(offset: number, size: number): boolean {
    const before = this.sizeOf(offset);
    checkSize(size);
    const s = this.#s;
    if (size > s[AT_CAPACITY]) return false;
    const order = 32 - Math.clz32(size - 1);
    const after = 1 << order;
    if (after === before) return true;
    // What lies beyond the capacity counts as in use.
    if (after > before && (offset & (after - 1)) !== 0) return false;
    const level = levelOfOrder(order);
    if (level === levelOfOrder(31 - Math.clz32(before))) return resizeInWord(s, offset, level, before, after);
    const end = offset + after;
    if (after > before && !isRangeFree(s, offset + before, end)) return false;
    this.free(offset);
    markRangeLive(s, offset, end);
    return true;
  }

  /**
   * Size of the live block at `offset`, which is the size that was asked for rounded up. O(log capacity).
   *
   * @throws what {@link free} throws.
   */
  sizeOf(offset: number): number {
    const size = this.#sizeAt(offset);
    if (size === 0) throw this.#misuse(offset);
    return size;
  }

  /**
   * Whether a live block starts at `offset`, so that {@link free} would take it. O(log capacity).
   *
   * @throws TypeError, RangeError as {@link free}.
   */
  isAllocated(offset: number): boolean {
    return this.#sizeAt(offset) !== 0;
  }

  /**
   * The offset of the live block that holds `unit`; -1 when the unit is free. O(log capacity).
   *
   * @throws TypeError, RangeError as {@link free}.
   */
  blockOf(unit: number): number {
    const s = this.#state();
    checkOffset('unit', unit, s[AT_CAPACITY]);
    return inspect.blockOf(s, unit);
  }

  /**
   * Takes exactly the `size` units from `offset` on, which need be no power of two: for what is in use already when
   * the allocator takes over. The range becomes live blocks, the largest aligned ones from left to right that tile
   * it; give it back by {@link release}, or block by block. O(log² capacity).
   *
   * @returns false when a unit of the range is in use; nothing has changed then.
   * @throws TypeError when an argument is not a number.
   * @throws RangeError when `offset` is not in the arena, or `size` is not an integer from 1 to what lies behind it.
   */
  reserve(offset: number, size: number): boolean {
    const s = this.#state();
    const end = checkRange(offset, size, s[AT_CAPACITY]);
    if (!isRangeFree(s, offset, end)) return false;
    markRangeLive(s, offset, end);
    return true;
  }

  /**
   * Frees all live blocks in the `size` units from `offset` on; they must tile that range, however they were made.
   * O(log capacity) a block.
   *
   * @throws TypeError, RangeError as {@link reserve}.
   * @throws BuddyError `NOT_ALLOCATED` when a unit of the range is free; `INTERIOR` when the range begins or ends inside
   * a block.
   */
  release(offset: number, size: number): void {
    const s = this.#state();
    const end = checkRange(offset, size, s[AT_CAPACITY]);
    for (let at = offset; at < end; ) {
      if (!this.isAllocated(at)) throw this.#misuse(at);
      at += 1 << inspect.orderAt(s, at);
      if (at > end) throw this.#misuse(end);
    }
    for (let at = offset; at < end; ) at += this.free(at);
  }

  /** Counts blocks and units. O(blocks * log capacity). */
  stats(): BuddyStats {
    return statsOf(this.capacity, this.blocks());
  }

  /**
   * All blocks, live and free, in address order; they tile the arena. O(log capacity) each. The allocator must not be
   * changed while one iterates.
   */
  blocks(): Generator<Block, void, undefined> {
    return inspect.blocks(this.#state());
  }

  /** Frees everything. O(capacity): the state is zeroed. */
  clear(): void {
    const s = this.#state();
    const capacity = s[AT_CAPACITY];
    s.fill(0);
    writeEmpty(s, capacity);
  }

  /**
   * Enlarges the arena to `capacity` units; live blocks stay where they are. The state moves to a new buffer.
   * O(live blocks * log capacity).
   *
   * @throws TypeError when `capacity` is not a number.
   * @throws RangeError when it is not an integer from the present capacity to 2^30, or the runtime has no memory.
   */
  grow(capacity: number): void {
    const s = this.#state();
    if (checkCapacity(capacity) < s[AT_CAPACITY]) {
      throw new RangeError(`cannot grow from ${s[AT_CAPACITY]} units to ${capacity}`);
    }
    const grown = emptyState(capacity);
    copyBlocks(s, grown, s[AT_CAPACITY]);
    this.#s = grown;
  }

  /**
   * Reduces the arena to `capacity` units. The state moves to a new buffer. O(live blocks * log capacity).
   *
   * @returns false when a live block reaches beyond `capacity`; nothing has changed then.
   * @throws TypeError when `capacity` is not a number.
   * @throws RangeError when it is not an integer from 1 to the present capacity.
   */
  shrink(capacity: number): boolean {
    const s = this.#state();
    if (checkCapacity(capacity) > s[AT_CAPACITY]) {
      throw new RangeError(`cannot shrink from ${s[AT_CAPACITY]} units to ${capacity}`);
    }
    if (!isRangeFree(s, capacity, s[AT_CAPACITY])) return false;
    const shrunk = emptyState(capacity);
    copyBlocks(s, shrunk, capacity);
    this.#s = shrunk;
    return true;
  }

  /** Verifies every invariant of the state. Returns what is violated, in words; nothing when it is sound. O(capacity). */
  check(): string[] {
    return check(this.#state());
  }

  /** The state, if there still is one. The hot paths find a detached one by its giving no sensible answer. */
  #state(): Int32Array {
    if (inspect.isDetached(this.#s)) throw detachedError();
    return this.#s;
  }

  /** Size of the live block that starts at `offset`; 0 when none does. */
  #sizeAt(offset: number): number {
    const s = this.#state();
    checkOffset('offset', offset, s[AT_CAPACITY]);
    return inspect.sizeAt(s, offset);
  }

  /** Why no live block can be had at `offset`. */
  #misuse(offset: number): Error {
    const s = this.#state();
    checkOffset('offset', offset, s[AT_CAPACITY]);
    const owner = inspect.blockOf(s, offset);
    return owner < 0
      ? new BuddyError('NOT_ALLOCATED', `unit ${offset} is free: freed already, or never allocated`)
      : new BuddyError('INTERIOR', `unit ${offset} is inside the block at ${owner}`);
  }
}
