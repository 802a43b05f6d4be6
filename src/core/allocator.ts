// BuddyAllocator: offsets in units, one thread. The hot paths, and the checks that stand before them.
//
// The algorithm, in reading order: base/word.ts, layout.ts, run-index.ts, tree.ts, this file; for ranges of any size gaps.ts and
// gap-table.ts. state/ holds everything else that reads or writes a state.

import {
  checkCapacity,
  checkInteger,
  checkOffset,
  checkRange,
  checkSize,
  checkWithin,
  MAX_CAPACITY,
} from '../base/arguments.ts';
import { assert, DEV } from '../base/assert.ts';
import { type Block, type BuddyStats, statsOf } from '../base/blocks.ts';
import { BuddyError, detachedError } from '../base/errors.ts';
import {
  blockLength,
  FANOUT_BITS,
  levelOfOrder,
  longestRunOrder,
  lowestBit,
  maskOf,
  orderOf,
  runMask,
  runStarts,
} from '../base/word.ts';
import { type Gaps, gapsOf, lowestPlace, newGapTable, noteFree, noteTaken, STRETCH } from './gap-table.ts';
import {
  AT_ABOVE,
  AT_CAPACITY,
  AT_FREE,
  AT_HINT,
  AT_LEVELS,
  AT_MAXIMUM,
  HEADER,
  laidOutFor,
  layoutOf,
  MAX_LEVELS,
  NO_ADDRESS,
  pairAt,
} from './layout.ts';
import { hasRunBit, setRunBits } from './run-index.ts';
import { attachState } from './state/attach.ts';
import { setCapacity } from './state/capacity.ts';
import { check } from './state/check.ts';
import { copyState } from './state/copy.ts';
import { emptyState, writeEmpty } from './state/empty.ts';
import * as inspect from './state/inspect.ts';
import { freeRuns, isRangeFree, markRangeLive } from './state/ranges.ts';
import { closeWord, findLowest, freeRun, markLive } from './tree.ts';

/** What a {@link BuddyAllocator} is made with. */
export interface BuddyOptions {
  /** Units in the arena: an integer from 1 to 2^30, a power of two or not. The caller decides what a unit is. */
  readonly capacity: number;
  /**
   * The most units that the arena can grow to: an integer from `capacity` to 2^30. The state is then laid out for so many from
   * the beginning, so that {@link BuddyAllocator.grow} and {@link BuddyAllocator.shrink} take O(log maximum) and keep its buffer.
   */
  readonly maximum?: number;
}

/**
 * The state of `allocator`. This and {@link setState} are friends of the class, for the parts of this package that keep the
 * state in a larger buffer. The package exports neither.
 */
export let stateOf: (allocator: BuddyAllocator) => Int32Array;

/** Makes `s`, a sound state in any kind of buffer, the state of `allocator`. */
export let setState: (allocator: BuddyAllocator, s: Int32Array) => void;

/** An allocator that works on `s`, a sound state in any kind of buffer. */
export const allocatorOn = (s: Int32Array): BuddyAllocator => {
  const allocator = new BuddyAllocator({ capacity: 1 });
  setState(allocator, s);
  return allocator;
};

/**
 * `allocator.free(offset)` that returns 0 instead of throwing if no live block starts at `offset`. A friend, too: for callers
 * that explain misuse in terms of their own.
 */
export let tryFree: (allocator: BuddyAllocator, offset: number) => number;

/** `allocator.resize(offset, size)` of a block that is known to be live and of `before` units. A friend, too. */
export let resizeFrom: (allocator: BuddyAllocator, offset: number, before: number, size: number) => boolean;

/**
 * A binary buddy allocator over an arena of `capacity` units (Knowlton 1965; Knuth, TAOCP vol. 1, 2.5).
 *
 * It hands out offsets and touches no memory but its own state, so it can manage anything that is counted in units:
 * bytes of a buffer, pages, slots, ranges of a GPU buffer. A request is rounded up to a power of two and gets the
 * lowest-addressed free block that fits, its offset a multiple of its size; a freed block merges with its buddy
 * for as long as that is free.
 *
 * If the capacity is not a power of two, the arena is that of the next one, and its tail is always in use.
 *
 * Sizes, offsets and capacities are in units. When a call throws, nothing has changed. Every method throws a
 * {@link BuddyError} `DETACHED` once the state's buffer has been transferred away or cut.
 */
export class BuddyAllocator {
  #s: Int32Array;
  /** Position of the last sentinel, by which a state shows that its buffer is neither detached nor cut. */
  #sentinel: number;
  /** The gap table of the state, from the first search for a range on. */
  #gaps: Gaps;

  static {
    stateOf = (allocator) => allocator.#state();
    setState = (allocator, s) => {
      if (DEV) assert(s.length === layoutOf(laidOutFor(s)).length, 'a state has the length that it takes');
      allocator.#s = s;
      allocator.#sentinel = inspect.sentinelAt(s);
      allocator.#gaps = gapsOf(s);
    };
    tryFree = (allocator, offset) => allocator.#tryFree(offset);
    resizeFrom = (allocator, offset, before, size) => allocator.#resizeFrom(offset, before, size);
  }

  /**
   * An arena of `capacity` units, all free. O(log capacity), and the zeroing of its state by the runtime.
   *
   * @throws TypeError if `capacity` or `maximum` is not a number.
   * @throws RangeError if one is not an integer in its range, or the runtime has no memory for the state.
   */
  constructor(options: BuddyOptions) {
    const capacity = checkCapacity(options?.capacity);
    const { maximum } = options;
    if (maximum !== undefined) checkWithin('maximum', maximum, capacity, MAX_CAPACITY);
    this.#s = emptyState(capacity, maximum);
    this.#sentinel = inspect.sentinelAt(this.#s);
    this.#gaps = gapsOf(this.#s);
  }

  /**
   * Size in bytes of the state of an arena of `capacity` units: about 0.28 bytes per unit. If an arena has a maximum, that is
   * what counts. O(log capacity).
   *
   * @throws TypeError, RangeError as the constructor.
   */
  static bytesFor(capacity: number): number {
    return layoutOf(checkCapacity(capacity)).length * 4;
  }

  /**
   * Takes on an arena from its state, as {@link BuddyAllocator.state} gave it or a copy of that. A buffer is used, not
   * copied, and so is a view that shows its whole buffer. A view of a part, such as a Buffer that Node has read from a
   * file, is copied, whatever its alignment. O(capacity): every invariant is verified first.
   *
   * @throws TypeError if `state` is neither an ArrayBuffer nor a view of one.
   * @throws BuddyError `FOREIGN`, `VERSION`, `TRUNCATED`, `CORRUPT` or `DETACHED`, as the code says.
   */
  static attach(state: ArrayBuffer | ArrayBufferView): BuddyAllocator {
    return allocatorOn(attachState(state));
  }

  /**
   * The buffer that holds all of the allocator's state; a copy of it is a copy of the allocator. {@link grow} and
   * {@link shrink} replace it by another, unless the arena was made with a maximum.
   */
  get state(): ArrayBuffer {
    return this.#state().buffer as ArrayBuffer;
  }

  /** Units in the arena. */
  get capacity(): number {
    return this.#state()[AT_CAPACITY];
  }

  /** The most units that {@link grow} takes: the maximum that the arena was made with, or 2^30. */
  get maximum(): number {
    return this.#state()[AT_MAXIMUM] || MAX_CAPACITY;
  }

  /** Units that are in no live block. O(1). */
  get freeUnits(): number {
    return this.#state()[AT_FREE];
  }

  /** Size of the largest request that has room: a power of two, or 0 if nothing is free. O(log capacity). */
  get largestFree(): number {
    return inspect.largestFree(this.#state());
  }

  /**
   * Size of the largest request that {@link allocRange} has room for, without an alignment: the most units that are free in a
   * row, or 0 if nothing is free. The cost of 30 calls of `allocRange` at most.
   */
  get largestRange(): number {
    const s = this.#state();
    let size = 0;
    for (let step = 2 ** 30; step >= 1; step /= 2) {
      if (size + step <= s[AT_FREE] && lowestPlace(this.#table(), s, size + step, 1) >= 0) size += step;
    }
    return size;
  }

  /**
   * Allocates a block of `size` units rounded up to a power of two, at the lowest address at which one is free.
   * O(1) mostly, O(log capacity) at worst.
   *
   * @returns the offset of the block, a multiple of the rounded size; -1 if there is no room.
   * @throws TypeError if `size` is not a number.
   * @throws RangeError if it is not a positive integer.
   */
  alloc(size: number): number {
    // `(size | 0) === size` holds for int32 numbers only; for a BigInt or a symbol, `|` itself throws the TypeError.
    if ((size | 0) !== size || size <= 0) return this.#allocUnusual(size);
    const s = this.#s;
    const order = orderOf(size);
    if (order >= FANOUT_BITS) return this.#allocHigher(order);
    // Level 0, where most requests go, is written out: its words lie at a constant position, and none of its children is
    // subdivided, so `used` alone tells which are free. Measured: 6 to 9 % of the whole.
    const word = s[AT_HINT + order];
    const pos = HEADER + (word << 1);
    const used = s[pos];
    // A word in which nothing is used is closed: the hint is only a lower bound then, and the block is one of a higher level.
    if (used !== 0) {
      const starts = runStarts(~used, order);
      if (starts !== 0) {
        const c = lowestBit(starts);
        const offset = (word << FANOUT_BITS) | c;
        if (offset < s[AT_ABOVE]) {
          s[pos] = used | (runMask(order) << c);
          s[pos + 1] |= (runMask(order) ^ 1) << c;
          s[AT_FREE] -= 1 << order;
          return offset;
        }
      }
    }
    return this.#allocSearching(0, order);
  }

  /** `alloc` of a block that belongs to a higher level. */
  #allocHigher(order: number): number {
    const s = this.#s;
    const level = levelOfOrder(order);
    const r = order - FANOUT_BITS * level;
    const word = s[AT_HINT + order];
    const pos = pairAt(s, level, word);
    const used = s[pos];
    const cont = s[pos + 1];
    const free = ~(used | cont);
    if (free !== -1) {
      const starts = runStarts(free, r);
      if (starts !== 0) {
        const c = lowestBit(starts);
        const offset = ((word << FANOUT_BITS) | c) << (FANOUT_BITS * level);
        if (offset < s[AT_ABOVE + level]) {
          s[pos] = used | (runMask(r) << c);
          s[pos + 1] = cont | ((runMask(r) ^ 1) << c);
          s[AT_FREE] -= 1 << order;
          return offset;
        }
      }
    }
    return this.#allocSearching(level, r);
  }

  /** The rest of `alloc`, if the word at the hint has no room, or a higher level may have some at a lower address. */
  #allocSearching(level: number, r: number): number {
    const s = this.#s;
    const offset = level < s[AT_LEVELS] ? findLowest(s, level, r) : NO_ADDRESS;
    if (offset === NO_ADDRESS) {
      this.#state(); // That of a detached buffer has no room either.
      return -1;
    }
    markLive(s, offset, level, r);
    return offset;
  }

  /** `alloc` of a size that is not a positive int32: a mistake, or more than any arena has. */
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
   * @throws TypeError if `offset` is not a number.
   * @throws RangeError if it is not an integer in the arena.
   * @throws BuddyError `NOT_ALLOCATED` if the unit is free: a double free, or never allocated; `INTERIOR` if it
   * is inside a live block.
   */
  free(offset: number): number {
    const size = this.#tryFree(offset);
    if (size === 0) throw this.#misuse(offset);
    return size;
  }

  /** {@link free}, but 0 if no live block starts at `offset`. */
  #tryFree(offset: number): number {
    const s = this.#s;
    if ((offset | 0) !== offset || offset < 0 || !(offset < s[AT_CAPACITY])) return 0;
    // Level 0 is written out, as in `alloc`.
    const word = offset >>> FANOUT_BITS;
    const pos = HEADER + (word << 1);
    const used = s[pos];
    if (used === 0) return this.#freeHigher(offset);
    const cont = s[pos + 1];
    if ((((used & ~cont) >>> offset) & 1) === 0) return 0;
    const size = blockLength(used, cont, offset);
    const keep = ~maskOf(size, offset);
    const busy = used & keep;
    s[pos] = busy;
    s[pos + 1] = cont & keep;
    s[AT_FREE] += size;
    if (busy === 0) closeWord(s, 0, word);
    else {
      const longest = longestRunOrder(~busy);
      if (!hasRunBit(s, 0, word, longest)) setRunBits(s, 0, word, longest);
    }
    if (this.#gaps.table !== undefined) this.#noteFree(offset, offset + size);
    return size;
  }

  /** Slow path of `#tryFree`: the word at level 0 is closed, so the block, if there is one, is recorded on a higher level. */
  #freeHigher(offset: number): number {
    const s = this.#s;
    let level = 0;
    let child = offset;
    let pos = 0;
    let busy = 0;
    do {
      // A block of a level starts with a word of the level below. A state whose buffer was cut has no busy word at all.
      if ((child & 31) !== 0 || ++level === MAX_LEVELS) return 0;
      child >>>= FANOUT_BITS;
      pos = pairAt(s, level, child >>> FANOUT_BITS);
      busy = s[pos] | s[pos + 1];
    } while (busy === 0);
    const used = s[pos];
    const cont = s[pos + 1];
    if ((((used & ~cont) >>> child) & 1) === 0) return 0;
    const run = blockLength(used, cont, child);
    freeRun(s, level, child, run);
    const size = run << (FANOUT_BITS * level);
    this.#noteFree(offset, offset + size);
    return size;
  }

  /**
   * Changes the size of the live block at `offset` to `size` units rounded up to a power of two, without moving it. A
   * smaller size frees the units above. A larger one takes them: they must be free, and `offset` must be a multiple of the
   * new size. O(log capacity).
   *
   * @returns false if the block cannot grow in place; nothing has changed then.
   * @throws the errors of {@link free}, and TypeError or RangeError if `size` is not a positive integer.
   */
  resize(offset: number, size: number): boolean {
    const before = this.sizeOf(offset);
    return this.#resizeFrom(offset, before, checkSize(size));
  }

  /** {@link resize} of a live block of `before` units. */
  #resizeFrom(offset: number, before: number, size: number): boolean {
    if (size > this.#s[AT_CAPACITY]) return false;
    const after = 1 << orderOf(size);
    // A range of such a size at a multiple of it is one block.
    return after === before || ((offset & (after - 1)) === 0 && this.resizeRange(offset, before, after));
  }

  /**
   * Size of the live block at `offset`: the requested size rounded up. O(log capacity).
   *
   * @throws the errors of {@link free}.
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
   * The offset of the live block that holds `unit`; -1 if the unit is free. O(log capacity).
   *
   * @throws TypeError, RangeError as {@link free}.
   */
  blockOf(unit: number): number {
    const s = this.#state();
    return inspect.blockOf(s, checkOffset('unit', unit, s[AT_CAPACITY]));
  }

  /**
   * Takes exactly `size` units, at the lowest multiple of `alignment` at which that many are free in a row. The range becomes
   * live blocks, as that of {@link reserve} does; give it back by {@link release}, with the same size.
   *
   * O(log capacity) mostly; O(capacity) at worst, but amortised over the frees that make it necessary. The first call makes a
   * table beside the state, of 8 to 16 bytes for each 1024 units and 128 more.
   *
   * @returns the offset of the range; -1 if there is no room.
   * @throws TypeError if an argument is not a number.
   * @throws RangeError if it is not a positive integer.
   */
  allocRange(size: number, alignment = 1): number {
    const s = this.#s;
    if ((size | 0) !== size || size <= 0 || alignment !== 1 || !(size <= s[AT_FREE])) {
      this.#state();
      checkSize(size);
      checkInteger('alignment', alignment, 1);
      if (size > s[AT_FREE]) return -1;
    }
    const table = this.#table();
    const offset = lowestPlace(table, s, size, alignment);
    if (offset < 0) return -1;
    markRangeLive(s, offset, offset + size);
    if (size >= STRETCH) noteTaken(table, offset, offset + size);
    return offset;
  }

  /**
   * Changes the range of `size` units from `offset` on, which live blocks must tile, to `newSize` units without moving it: a
   * smaller size frees the units at its end, a larger one takes those that follow. The blocks are then those that
   * {@link reserve} makes of the range. O(log capacity) for each word in which the blocks lie.
   *
   * @returns false if a unit that it would take is in use, or beyond the capacity; nothing has changed then.
   * @throws the errors of {@link release}, and TypeError or RangeError if `newSize` is not a positive integer.
   */
  resizeRange(offset: number, size: number, newSize: number): boolean {
    const s = this.#state();
    const end = checkRange(offset, size, s[AT_CAPACITY]);
    checkInteger('newSize', newSize, 1);
    this.#expectTiled(offset, end);
    const newEnd = offset + newSize;
    if (newEnd > s[AT_CAPACITY] || (newEnd > end && !isRangeFree(s, end, newEnd))) return false;
    this.#freeTiles(offset, end);
    markRangeLive(s, offset, newEnd);
    return true;
  }

  /**
   * Takes exactly the `size` units from `offset` on, any number of them: for units that are in use already when the
   * allocator takes over. The range becomes live blocks, the largest aligned ones that tile it from left to right; give it
   * back by {@link release}, or block by block. O(log capacity).
   *
   * @returns false if a unit of the range is in use; nothing has changed then.
   * @throws TypeError if an argument is not a number.
   * @throws RangeError if `offset` is not in the arena, or `size` is not an integer from 1 to the units that follow it.
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
   * O(log capacity) for a range as {@link allocRange} makes it, and for each block of another.
   *
   * @throws TypeError, RangeError as {@link reserve}.
   * @throws BuddyError `NOT_ALLOCATED` if a unit of the range is free; `INTERIOR` if the range begins or ends inside
   * a block.
   */
  release(offset: number, size: number): void {
    const s = this.#state();
    // Tests of int32 cost least. What does not pass them is left to the full check, which says why.
    if (
      (offset | 0) !== offset ||
      (size | 0) !== size ||
      offset < 0 ||
      size <= 0 ||
      size > s[AT_CAPACITY] - offset
    ) {
      checkRange(offset, size, s[AT_CAPACITY]);
    }
    this.#freeTiles(offset, offset + size);
  }

  /** Counts blocks and units. O(blocks * log capacity). */
  stats(): BuddyStats {
    return statsOf(this.capacity, this.blocks());
  }

  /**
   * All blocks, live and free, in address order; they tile the arena. O(log capacity) each. The allocator must not change
   * during the iteration.
   */
  blocks(): Generator<Block, void, undefined> {
    return inspect.blocks(this.#state());
  }

  /** Frees everything. O(capacity): the state is zeroed. */
  clear(): void {
    const s = this.#state();
    const capacity = s[AT_CAPACITY];
    const maximum = s[AT_MAXIMUM];
    s.fill(0);
    writeEmpty(s, capacity, maximum);
    this.#gaps.table = undefined;
  }

  /**
   * Enlarges the arena to `capacity` units; live blocks stay where they are. If the arena was made with a maximum, the state
   * stays where it is: O(log maximum), and after the first {@link allocRange} a step for each 1024 units that come. Otherwise
   * it moves to a new buffer: O(capacity), the copying of some 0.3 bytes a unit.
   *
   * @throws TypeError if `capacity` is not a number.
   * @throws RangeError if it is not an integer from the present capacity to {@link maximum}, or the runtime has no memory.
   */
  grow(capacity: number): void {
    const s = this.#state();
    const before = s[AT_CAPACITY];
    if (checkCapacity(capacity) < before || capacity > this.maximum) {
      throw new RangeError(`cannot grow from ${before} units to ${capacity}`);
    }
    this.#setCapacity(s, capacity);
    if (capacity > before) this.#noteFree(before, capacity);
  }

  /**
   * Reduces the arena to `capacity` units. The state moves to a new buffer, or stays, as {@link grow} does it.
   *
   * @returns false if a live block reaches beyond `capacity`; nothing has changed then.
   * @throws TypeError if `capacity` is not a number.
   * @throws RangeError if it is not an integer from 1 to the present capacity.
   */
  shrink(capacity: number): boolean {
    const s = this.#state();
    if (checkCapacity(capacity) > s[AT_CAPACITY]) {
      throw new RangeError(`cannot shrink from ${s[AT_CAPACITY]} units to ${capacity}`);
    }
    if (!isRangeFree(s, capacity, s[AT_CAPACITY])) return false;
    this.#setCapacity(s, capacity);
    return true;
  }

  /** Makes `capacity` that of the arena, in the state or in a new one. The units that go are free. */
  #setCapacity(s: Int32Array, capacity: number): void {
    if (s[AT_MAXIMUM] !== 0) setCapacity(s, capacity);
    else {
      const moved = new Int32Array(layoutOf(capacity).length);
      copyState(s, moved, capacity);
      setState(this, moved);
    }
  }

  /**
   * Verifies every invariant of the state. O(capacity).
   *
   * @returns the violations in words: the first 100, and how many more there are; an empty array if the state is sound.
   */
  check(): string[] {
    return check(this.#state());
  }

  /** Figures for `console.log` of Node, Deno and Bun. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const s = this.#s;
    return `BuddyAllocator { ${s[AT_FREE]} of ${s[AT_CAPACITY]} units free }`;
  }

  /**
   * The state. Throws DETACHED if its buffer is transferred away, or was cut, which zeroes the end even if the buffer is
   * enlarged again. The value of the last sentinel tells. (The length of a view does not: code that V8 11 has optimised for
   * views of resizable buffers goes on giving the length that a detached view had.) The hot paths do not call this: reads of
   * a detached view give `undefined`, which fails their tests.
   */
  #state(): Int32Array {
    if (!this.#s[this.#sentinel]) throw detachedError();
    return this.#s;
  }

  /** Size of the live block that starts at `offset`; 0 if none does. */
  #sizeAt(offset: number): number {
    const s = this.#state();
    return inspect.sizeAt(s, checkOffset('offset', offset, s[AT_CAPACITY]));
  }

  /** The gap table, made if there is none. */
  #table(): Int32Array {
    this.#gaps.table ??= newGapTable(laidOutFor(this.#s));
    return this.#gaps.table;
  }

  /** Tells the gap table, if there is one, that the units from `offset` up to `end` have become free. */
  #noteFree(offset: number, end: number): void {
    const { table } = this.#gaps;
    if (table !== undefined) noteFree(table, this.#s, offset, end);
  }

  /** Throws unless live blocks tile the units from `offset` up to `end`. */
  #expectTiled(offset: number, end: number): void {
    for (let next = offset; next < end; ) {
      const size = inspect.sizeAt(this.#s, next);
      if (size === 0) throw this.#misuse(next);
      next += size;
      if (next > end) throw this.#misuse(end);
    }
  }

  /** Frees the live blocks that tile the units from `offset` up to `end`. Throws if they do not. */
  #freeTiles(offset: number, end: number): void {
    if (!freeRuns(this.#s, offset, end)) {
      this.#expectTiled(offset, end);
      // A state that was overwritten may have a block less than it had.
      for (let next = offset; next < end; ) next += this.#tryFree(next) || 1;
    }
    this.#noteFree(offset, end);
  }

  /** The error that says why `offset` is not the start of a live block. */
  #misuse(offset: number): Error {
    const s = this.#state();
    checkOffset('offset', offset, s[AT_CAPACITY]);
    const owner = inspect.blockOf(s, offset);
    return owner < 0
      ? new BuddyError('NOT_ALLOCATED', `unit ${offset} is free: freed already, or never allocated`)
      : new BuddyError('INTERIOR', `unit ${offset} is inside the block at ${owner}`);
  }
}
