// The memory that a heap manages: the allocator of its units, the reserved units, and how both grow with the memory.
//
// Reserved units are never handed out: those before `first` (the bytes before the region, the null pointer, the header
// of an embedded heap) and, in an embedded heap, the `stateUnits` units from `stateOffset` on, which hold the
// allocator's state.

import { assert, DEV } from '../base/assert.ts';
import type { Block } from '../base/blocks.ts';
import { isSharedArrayBuffer } from '../base/buffers.ts';
import { BuddyError } from '../base/errors.ts';
import { BuddyAllocator, setState, stateOf } from '../core/allocator.ts';
import { attachStateAt } from '../core/state/attach.ts';
import { copyState } from '../core/state/copy.ts';
import { emptyState } from '../core/state/empty.ts';
import { blockOf, blocks, sizeAt } from '../core/state/inspect.ts';
import { isRangeFree } from '../core/state/ranges.ts';
import type { HeapRegion } from './bookkeeping.ts';
import { type Bounds, Extent } from './extent.ts';
import { readHeader, writeHeader } from './header.ts';
import {
  allocateBuffer,
  type Backing,
  backingOf,
  type HeapHandle,
  type HeapMemory,
  ifThereIsRoom,
  isSameMemory,
  openHandle,
} from './memory.ts';
import { boundsOf, checkOptions, type HeapOptions } from './options.ts';

/** Up to this many bytes a loop copies faster than the call of the built-in function takes. Measured. */
const LONGEST_LOOP = 256;

/** See the head of this file. Offsets, capacities and numbers named `…Units` are units, all else is bytes. */
export class Region extends Extent implements HeapRegion {
  readonly allocator: BuddyAllocator;
  readonly backing: Backing;
  /**
   * All of the memory, as last seen. A view that has lost its bytes has no byte 0; its length may be wrong, see
   * `isDetached` of the core.
   */
  bytes: Uint8Array;
  /** The memory up to the region's end, for short copies. */
  int32: Int32Array = new Int32Array(0);
  /** The allocator's. */
  capacity = 0;
  stateOffset = 0;
  stateUnits = 0;
  /** Length of the allocator's state. */
  #stateLength = 0;
  /** Other buffers on the same memory, which stay valid. */
  readonly #former = new WeakSet<ArrayBufferLike>();

  /** A region without an arena: `capacity` is 0 until there is a state. */
  private constructor(backing: Backing, bounds: Bounds) {
    super(bounds);
    this.backing = backing;
    this.bytes = new Uint8Array(backing.buffer);
    // A placeholder of a state: the real one comes once the capacity is known, and is replaced at each growth.
    this.allocator = new BuddyAllocator({ capacity: 1 });
  }

  /** A region with nothing allocated in it. Throws as the constructor of Heap says. */
  static create(options: HeapOptions): Region {
    checkOptions(options);
    const { memory, size, maximum } = options;
    const backing = backingOf(
      memory === undefined ? allocateBuffer(ArrayBuffer, size as number, maximum) : memory,
    );
    const bounds = boundsOf(options, backing.buffer.byteLength);
    const region = new Region(backing, bounds);
    region.#open(openingEnd(region, bounds, backing.limit, backing.granularity));
    return region;
  }

  /** Bytes of the state of the heap that {@link create} makes. Throws as that does, but makes no memory. */
  static bytesFor(options: HeapOptions): number {
    checkOptions(options);
    const { memory, size = 0, maximum = size } = options;
    const backing = memory === undefined ? undefined : backingOf(memory);
    const bounds = boundsOf(options, backing?.buffer.byteLength ?? size);
    const extent = new Extent(bounds);
    const end = openingEnd(extent, bounds, backing?.limit ?? maximum, backing?.granularity ?? 1);
    return BuddyAllocator.bytesFor(extent.capacityAt(end));
  }

  /** The region of an embedded heap, from what it left in its memory. Throws as `Heap.attach` says. O(capacity). */
  static attach(handle: HeapHandle<HeapMemory | ArrayBufferView>): Region {
    const { backing, start } = openHandle(handle);
    const { unit, state, maximum, end } = readHeader(backing.buffer, start);
    const region = new Region(backing, { unit, start, end, maximum, embed: true });
    const s = attachStateAt(backing.buffer, state);
    setState(region.allocator, s);
    region.#note(s.length, region.allocator.capacity, (state - region.base) / unit);
    if (region.end !== end) {
      throw new BuddyError('CORRUPT', `the heap ends at ${end} by its header, at ${region.end} by its state`);
    }
    const wrong = region.#faults(); // those of the state itself are known to be none
    if (wrong.length > 0) throw new BuddyError('CORRUPT', wrong[0]);
    return region;
  }

  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.attached().bytes.buffer;
  }

  get end(): number {
    return this.base + this.capacity * this.unit;
  }

  /** The end beyond which the region cannot grow; 0 if its end never moves. */
  get limit(): number {
    return Math.min(this.maximum, this.backing.limit);
  }

  get highestEnd(): number {
    return this.limit === 0 ? this.end : this.wholeUnits(this.limit);
  }

  get units(): number {
    return this.capacity - this.first - this.stateUnits;
  }

  get metadataBytes(): number {
    return BuddyAllocator.bytesFor(this.capacity);
  }

  attached(): this {
    if (this.bytes[0] === undefined) this.refresh();
    return this;
  }

  isReserved(offset: number): boolean {
    const { first, capacity, stateOffset, stateUnits } = this;
    return (
      offset < first || offset >= capacity || (offset >= stateOffset && offset < stateOffset + stateUnits)
    );
  }

  sizeAt(offset: number): number {
    return sizeAt(stateOf(this.allocator), offset);
  }

  blockOf(offset: number): number {
    return blockOf(stateOf(this.allocator), offset);
  }

  *blocks(): Generator<Block, void, undefined> {
    for (const block of blocks(stateOf(this.allocator))) if (!this.isReserved(block.offset)) yield block;
  }

  shrink(offset: number, units: number): void {
    this.allocator.resize(offset, units);
  }

  bytesTo(end: number): Uint8Array {
    if (this.bytes.length < end) this.refresh();
    return this.bytes;
  }

  /**
   * Brings `bytes` and the allocator's state into the present buffer. Throws a BuddyError `DETACHED`, `TRUNCATED` or
   * `CORRUPT`.
   */
  refresh(): void {
    const { buffer } = this.backing;
    if (buffer !== this.bytes.buffer) {
      if (!this.backing.detaches) this.#former.add(this.bytes.buffer);
      this.bytes = new Uint8Array(buffer);
      if (this.embed && this.#stateLength > 0) setState(this.allocator, this.#stateCells());
    }
    const { byteLength } = buffer;
    if (byteLength === 0) {
      throw new BuddyError('DETACHED', "the heap's memory is gone: transferred away, or resized to nothing");
    }
    if (byteLength < this.end) {
      throw new BuddyError(
        'TRUNCATED',
        `the heap ends at ${this.end}, but its memory was cut to ${byteLength} bytes`,
      );
    }
    this.#viewInt32();
    // An embedded state lies where the program writes.
    if (this.#stateLength > 0 && this.allocator.capacity !== this.capacity) {
      throw new BuddyError('CORRUPT', "the heap's own state was overwritten");
    }
  }

  /**
   * Copies `length` bytes from `from` to `to`, all of them multiples of the unit. `to` must not lie in the copied
   * range.
   */
  copy(to: number, from: number, length: number): void {
    if (length > LONGEST_LOOP) {
      this.bytes.copyWithin(to, from, from + length);
      return;
    }
    const { int32 } = this;
    const first = from >>> 2;
    const end = first + (length >>> 2); // not `(from + length) >>> 2`: the end of 4 GiB, 2^32, would become 0
    for (let i = first, j = to >>> 2; i < end; i++, j++) int32[j] = int32[i];
  }

  holds(buffer: ArrayBufferLike): boolean {
    if (buffer === this.bytes.buffer || this.#former.has(buffer)) return true;
    this.refresh(); // another party may have grown the memory
    return buffer === this.bytes.buffer || this.#former.has(buffer) || this.#shows(buffer);
  }

  /** Whether `buffer`, which the region has not seen yet, is on the same shared memory. A full heap cannot tell. */
  #shows(buffer: ArrayBufferLike): boolean {
    if (!isSharedArrayBuffer(buffer) || !isSharedArrayBuffer(this.bytes.buffer)) return false;
    const offset = this.allocator.alloc(1); // bytes that no thread reads
    if (offset < 0) return false;
    const isOurs = isSameMemory(this.bytes.buffer, buffer, this.pointerTo(offset));
    this.allocator.free(offset);
    if (isOurs) this.#former.add(buffer);
    return isOurs;
  }

  /**
   * Enlarges the arena, and the memory if need be, so that a block of `units` units has room. Returns false if that
   * cannot be; nothing has changed then. O(live blocks * log capacity).
   */
  growFor(units: number): boolean {
    this.refresh();
    const { limit } = this;
    if (limit === 0) return false;
    const size = 2 ** Math.ceil(Math.log2(units));
    const fits = Math.ceil(this.#tail() / size) * size + size;
    if (fits > limit / this.unit) return false;
    // Another party may have grown the memory: use that before it grows again.
    const present = this.capacityAt(Math.min(this.bytes.buffer.byteLength, limit));
    if (present > this.capacity && this.capacityFor(fits, present) === present) {
      return this.#extend(present * this.unit);
    }
    const doubled = Math.min(2 * this.end - this.start, limit);
    for (const wish of [doubled, 0]) {
      const length = this.lengthFor(fits, wish, this.backing.granularity);
      if (length <= limit && this.#extend(length)) return true;
    }
    return false;
  }

  /** Gives back the free units at the end, if the memory can shrink. Returns the bytes given back. */
  trim(): number {
    this.refresh();
    if (this.maximum === 0 || this.backing.shrink === undefined) return 0;
    const before = this.bytes.buffer.byteLength;
    const capacity = this.capacityFor(this.#tail(), 0);
    const length = capacity * this.unit;
    // The bytes behind the region are not the heap's to give.
    if (capacity >= this.capacity || before - this.end >= this.unit) return 0;
    this.#move(emptyState(capacity), capacity);
    this.backing.shrink(length);
    return before - length;
  }

  /** Frees all blocks. O(capacity). */
  clear(): void {
    this.refresh();
    this.allocator.clear();
    this.#reserve();
  }

  check(): string[] {
    const wrong = this.allocator.check();
    return wrong.length > 0 ? wrong : this.#faults();
  }

  /** What is wrong with the reserved units and the header, in words; the state is sound. */
  #faults(): string[] {
    const { first, stateOffset, stateUnits } = this;
    const wrong: string[] = [];
    if (!this.#isTiled(0, first)) wrong.push(`units 0 to ${first} are not reserved`);
    if (!this.#isTiled(stateOffset, stateOffset + stateUnits)) {
      wrong.push(`the ${stateUnits} units of the state at ${stateOffset} are not reserved`);
    }
    if (this.embed) wrong.push(...this.#checkHeader());
    return wrong;
  }

  /** Every fault of the header of an embedded heap, in words. */
  #checkHeader(): string[] {
    try {
      const { unit, end, state, maximum } = readHeader(this.bytes.buffer, this.start);
      const right =
        unit === this.unit &&
        end === this.end &&
        state === this.pointerTo(this.stateOffset) &&
        maximum === this.maximum;
      return right ? [] : ['the header is that of another heap'];
    } catch (error) {
      if (!(error instanceof BuddyError)) throw error;
      return [`header: ${error.message}`];
    }
  }

  /** Whether live blocks tile the units from `offset` to `end`. */
  #isTiled(offset: number, end: number): boolean {
    if (end > this.capacity) return false;
    while (offset < end && this.sizeAt(offset) !== 0) offset += this.sizeAt(offset);
    return offset === end;
  }

  /** Lays out the empty heap in the memory up to `end`, which may have to grow for that. */
  #open(end: number): void {
    if (end > this.bytes.buffer.byteLength) {
      this.backing.grow(end);
      this.refresh();
    }
    const capacity = this.capacityAt(end);
    const state = emptyState(capacity);
    setState(this.allocator, state);
    this.#note(state.length, capacity, this.first);
    this.#reserve();
    this.#writeState(state);
  }

  #note(stateLength: number, capacity: number, stateOffset: number): void {
    if (DEV)
      assert(stateLength * 4 === BuddyAllocator.bytesFor(capacity), 'a state is as long as its arena takes');
    this.#stateLength = stateLength;
    this.capacity = capacity;
    this.stateOffset = stateOffset;
    this.stateUnits = this.stateUnitsFor(capacity);
    this.#viewInt32();
  }

  #viewInt32(): void {
    const { buffer } = this.bytes;
    // A heap that `attach` is about to refuse may end beyond its memory.
    this.int32 = new Int32Array(buffer, 0, Math.floor(Math.min(this.end, buffer.byteLength) / 4));
  }

  #reserve(): void {
    if (this.first > 0) this.allocator.reserve(0, this.first);
    this.#reserveState();
    if (DEV) assert(this.#isTiled(0, this.first), 'the units before the first are reserved');
  }

  #reserveState(): void {
    if (!this.embed) return;
    const { stateOffset, stateUnits } = this;
    const reserved = this.allocator.reserve(stateOffset, stateUnits);
    if (DEV) assert(reserved, 'the units of the state were free');
    if (DEV)
      assert(this.#isTiled(stateOffset, stateOffset + stateUnits), 'the units of the state are reserved');
  }

  /**
   * The offset behind the last live block, without the state, which moves when the arena changes. O(log³ capacity).
   */
  #tail(): number {
    const s = stateOf(this.allocator);
    const tail = freeFrom(s, this.capacity);
    return this.embed && tail === this.stateOffset + this.stateUnits ? freeFrom(s, this.stateOffset) : tail;
  }

  /**
   * Gives the arena the memory up to `length`. Returns false if the platform does not have it; nothing has changed
   * then.
   */
  #extend(length: number): boolean {
    const capacity = Math.floor(length / this.unit);
    const state = ifThereIsRoom(() => {
      const empty = emptyState(capacity);
      if (length > this.bytes.buffer.byteLength) this.backing.grow(length);
      return empty;
    });
    if (state === undefined) return false;
    this.refresh();
    this.#move(state, capacity);
    return true;
  }

  /** Makes `state`, that of an empty arena of `capacity` units, the state of the present arena with that capacity. */
  #move(state: Int32Array, capacity: number): void {
    const { allocator } = this;
    if (this.embed) allocator.release(this.stateOffset, this.stateUnits);
    copyState(stateOf(allocator), state);
    setState(allocator, state);
    this.#note(state.length, capacity, capacity - this.stateUnitsFor(capacity));
    this.#reserveState();
    this.#writeState(state);
  }

  /** Puts the state of an embedded heap into its place, and notes that place in the header. */
  #writeState(state: Int32Array): void {
    if (!this.embed) return;
    const cells = this.#stateCells();
    cells.set(state);
    setState(this.allocator, cells);
    const { unit, maximum, start, end } = this;
    writeHeader(this.bytes.buffer, start, {
      unit,
      end,
      state: this.pointerTo(this.stateOffset),
      maximum,
    });
  }

  /** The int32 in the region that hold the state of an embedded heap. */
  #stateCells(): Int32Array {
    return new Int32Array(this.bytes.buffer, this.pointerTo(this.stateOffset), this.#stateLength);
  }
}

/**
 * The end of an empty heap of `bounds` in a memory with that limit and granularity. Throws a RangeError if none is
 * enough.
 */
function openingEnd(extent: Extent, bounds: Bounds, limit: number, granularity: number): number {
  if (bounds.maximum === 0) return extent.openingEnd(bounds.end, 0, granularity);
  const highest = Math.min(extent.maximum, limit);
  return extent.openingEnd(Math.min(bounds.end, highest), highest, granularity);
}

/** The least offset from which on all units up to `end` are free. */
function freeFrom(s: Int32Array, end: number): number {
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isRangeFree(s, middle, end)) high = middle;
    else low = middle + 1;
  }
  return low;
}
