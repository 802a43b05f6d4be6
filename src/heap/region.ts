// The part of a memory that a heap manages: its allocator, what is reserved in it, and how both follow the memory.
//
// The allocator counts in units from `base` on, a byte that is a multiple of every block that the region can hold, so that a
// block of 2^k bytes lies at a multiple of 2^k of the memory. Never to be allocated are the units before `first` (what lies
// before the region, the null pointer, the header of an embedded heap) and, when the heap is embedded, the `stateUnits` units
// from `stateUnit` on that hold the allocator's state.

import { checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import { BuddyAllocator, setState, stateOf } from '../core/allocator.ts';
import { attachStateAt } from '../core/state/attach.ts';
import { emptyState } from '../core/state/empty.ts';
import { copyBlocks, isRangeFree } from '../core/state/ranges.ts';
import { unitZeroFor } from './base.ts';
import { HEADER_BYTES, headerAt, LARGEST_UNIT, LEAST_UNIT, readHeader, writeHeader } from './header.ts';
import { ADDRESSABLE, allocateBuffer, type Backing, backingOf, type HeapMemory } from './memory.ts';

/** What a {@link Heap} is made with. All numbers are bytes. */
export interface HeapOptions {
  /** The memory to manage. Either this or `size` must be given. */
  readonly memory?: HeapMemory;
  /** Makes an ArrayBuffer of that many bytes, resizable up to `maximum` where that is given and the runtime can. */
  readonly size?: number;
  /** First byte that the heap may use, 0 unless given. For a WebAssembly module it is the value of `__heap_base`. */
  readonly start?: number;
  /** End of what the heap may use. The heap never grows then. Unless given, it is the memory's end, also as that moves. */
  readonly end?: number;
  /** The heap does not grow beyond this byte. Unless given, it is what the memory allows, at most 4 GiB. */
  readonly maximum?: number;
  /** The least block, and what every pointer is a multiple of: a power of two from 8 to 65536, 16 unless given. */
  readonly unit?: number;
  /**
   * Whether the heap's own state lies in the same memory, so that a copy of the buffer is a copy of the heap, for
   * `Heap.attach`. It takes about 0.28 bytes a unit either way.
   */
  readonly embed?: boolean;
}

/** Up to this many bytes a loop copies faster than the call of the built-in function takes. Measured. */
const LONGEST_LOOP = 256;

/** See the head of this file. Sizes and positions named `…Unit…` are units, all else is bytes. */
export class Region {
  readonly allocator = new BuddyAllocator({ capacity: 1 });
  readonly backing: Backing;
  readonly unit: number;
  /** log2 of `unit`. */
  readonly shift: number;
  /** The first byte of the region. */
  readonly start: number;
  /** Where unit 0 is: 0 when the region's end can move. */
  readonly base: number;
  /** The first unit that may be allocated. */
  readonly first: number;
  /** The growth limit that was asked for, a whole number of units; 0 when the region's end never moves. */
  readonly maximum: number;
  readonly embed: boolean;
  /**
   * All of the memory, as last seen. A view without memory has no byte 0; its length may be wrong, see `isGone` of
   * inspect.ts.
   */
  bytes: Uint8Array;
  /** The memory up to the region's end, for short copies. */
  int32: Int32Array = new Int32Array(0);
  /** The allocator's. */
  capacity = 0;
  stateUnit = 0;
  stateUnits = 0;
  /** Length of the allocator's state. */
  #stateLength = 0;
  /** Earlier buffers of a memory that keeps them valid. */
  readonly #former = new WeakSet<ArrayBufferLike>();

  /** A region without an arena. `end` is that of the region if `maximum` is 0. */
  private constructor(
    backing: Backing,
    unit: number,
    start: number,
    end: number,
    maximum: number,
    embed: boolean,
  ) {
    this.backing = backing;
    this.unit = unit;
    this.shift = Math.log2(unit);
    this.start = start;
    this.base = maximum === 0 ? unitZeroFor(unit, headerAt(start), end) : 0;
    this.maximum = Math.floor(maximum / unit) * unit;
    this.embed = embed;
    const first = embed
      ? Math.ceil((headerAt(start) + HEADER_BYTES) / unit)
      : Math.max(1, Math.ceil(start / unit));
    this.first = first - this.base / unit;
    this.bytes = new Uint8Array(backing.buffer);
  }

  /** A region with nothing allocated in it. Throws as the constructor of Heap says. */
  static create(options: HeapOptions): Region {
    const { memory, size, start = 0, end, maximum, unit = 16, embed = false } = options;
    if ((memory === undefined) === (size === undefined)) {
      throw new TypeError('a heap takes either a memory or a size');
    }
    if (end !== undefined && maximum !== undefined) {
      throw new TypeError('a heap with an end never grows: it takes no maximum');
    }
    checkPowerOfTwo('unit', unit, LEAST_UNIT, LARGEST_UNIT);
    if (maximum !== undefined) checkWithin('maximum', maximum, 1, ADDRESSABLE);
    const backing = backingOf(
      memory ??
        allocateBuffer(ArrayBuffer, checkWithin('size', size as number, 1, maximum ?? ADDRESSABLE), maximum),
    );
    const length = Math.min(backing.buffer.byteLength, ADDRESSABLE);
    checkWithin('start', start, 0, length);
    if (end !== undefined) checkWithin('end', end, start, length);
    const limit = end === undefined ? (maximum ?? ADDRESSABLE) : 0;
    const region = new Region(backing, unit, start, end ?? length, limit, embed);
    region.#open(end ?? Math.min(length, region.limit));
    return region;
  }

  /** The region of an embedded heap, from what it left in its memory. Throws as `Heap.attach` says. O(capacity). */
  static attach(memory: HeapMemory, start: number): Region {
    const backing = backingOf(memory);
    const length = Math.min(backing.buffer.byteLength, ADDRESSABLE);
    checkWithin('start', start, 0, length);
    const { unit, state, maximum, end } = readHeader(backing.buffer, start);
    const region = new Region(backing, unit, start, end, maximum, true);
    const s = attachStateAt(backing.buffer, state);
    setState(region.allocator, s);
    region.#note(s.length, region.allocator.capacity, (state - region.base) / unit);
    if (region.end !== end) {
      throw new BuddyError('CORRUPT', `the heap ends at ${end} by its header, at ${region.end} by its state`);
    }
    const wrong = region.check();
    if (wrong.length > 0) throw new BuddyError('CORRUPT', wrong[0]);
    return region;
  }

  /** End of the region. */
  get end(): number {
    return this.base + this.capacity * this.unit;
  }

  /** No end above this can be had; 0 when the region's end never moves. */
  get limit(): number {
    return Math.min(this.maximum, this.backing.limit);
  }

  /** Where `unit` begins. */
  pointerTo(unit: number): number {
    return ((unit << this.shift) + this.base) >>> 0;
  }

  /** The unit that holds the byte at `ptr`, 0 … 2^32 - 1; for one before `base` it is one beyond the arena. */
  unitAt(ptr: number): number {
    return (ptr - this.base) >>> this.shift;
  }

  /** Whether a unit is none to allocate: kept for other things, or not in the arena. */
  isReserved(unit: number): boolean {
    const { first, capacity, stateUnit, stateUnits } = this;
    return unit < first || unit >= capacity || (unit >= stateUnit && unit < stateUnit + stateUnits);
  }

  /** Sees to it that `bytes` and the allocator's state are in the present buffer. */
  refresh(): void {
    const { buffer } = this.backing;
    if (buffer !== this.bytes.buffer) {
      if (!this.backing.detaches) this.#former.add(this.bytes.buffer);
      this.bytes = new Uint8Array(buffer);
      if (this.embed) this.#viewState();
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
  }

  /** Copies `length` bytes from `from` to `to`, all of them multiples of the unit. `to` must not lie in what is copied. */
  copy(to: number, from: number, length: number): void {
    if (length > LONGEST_LOOP) {
      this.bytes.copyWithin(to, from, from + length);
      return;
    }
    const { int32 } = this;
    const end = (from + length) >>> 2;
    for (let i = from >>> 2, j = to >>> 2; i < end; i++, j++) int32[j] = int32[i];
  }

  /** Whether what `buffer` holds is what the present buffer holds. */
  holds(buffer: ArrayBufferLike): boolean {
    return buffer === this.bytes.buffer || this.#former.has(buffer);
  }

  /**
   * Enlarges the memory, if it need be, and the arena so that a block of `units` units has room.
   * Returns false when that cannot be; nothing has changed then. O(live blocks * log capacity).
   */
  growFor(units: number): boolean {
    this.refresh();
    // A memory that was cut and enlarged again has zeros for a state.
    if (this.allocator.capacity !== this.capacity) {
      throw new BuddyError('CORRUPT', 'the state of the heap was overwritten');
    }
    const { limit } = this;
    if (limit === 0) return false;
    const size = 2 ** Math.ceil(Math.log2(units));
    const fits = Math.ceil(this.#tail() / size) * size + size;
    if (fits > limit / this.unit) return false;
    // Somebody else may have grown the memory.
    const present = Math.floor(Math.min(this.bytes.buffer.byteLength, limit) / this.unit);
    if (present > this.capacity && this.#capacityFor(fits, present) === present) {
      return this.#extend(present * this.unit);
    }
    const doubled = Math.min(2 * this.end - this.start, limit);
    for (const wish of [doubled, 0]) {
      const length = this.#lengthFor(fits, wish);
      if (length <= limit && this.#extend(length)) return true;
    }
    return false;
  }

  /** Gives back what lies free at the end, where the memory takes it. Returns the bytes given back. */
  trim(): number {
    this.refresh();
    if (this.maximum === 0 || this.backing.shrink === undefined) return 0;
    const before = this.bytes.buffer.byteLength;
    const capacity = this.#capacityFor(this.#tail(), 0);
    const length = capacity * this.unit;
    // What lies behind the region is not the heap's to give.
    if (capacity >= this.capacity || before - this.end >= this.unit) return 0;
    this.#move(emptyState(capacity), capacity);
    this.backing.shrink(length);
    return before - length;
  }

  /** Frees all blocks. */
  clear(): void {
    this.refresh();
    this.allocator.clear();
    this.#reserve();
  }

  /** What is wrong with the region, in words. O(capacity). */
  check(): string[] {
    const { allocator, first, stateUnit, stateUnits } = this;
    const wrong = allocator.check();
    if (wrong.length > 0) return wrong;
    if (!this.#isTiled(0, first)) wrong.push(`units 0 to ${first} are not reserved`);
    if (!this.#isTiled(stateUnit, stateUnit + stateUnits)) {
      wrong.push(`the ${stateUnits} units of the state at ${stateUnit} are not reserved`);
    }
    if (this.embed) wrong.push(...this.#checkHeader());
    return wrong;
  }

  /** What is wrong with the header of an embedded heap. */
  #checkHeader(): string[] {
    try {
      const { unit, end, state, maximum } = readHeader(this.bytes.buffer, this.start);
      const right =
        unit === this.unit &&
        end === this.end &&
        state === this.pointerTo(this.stateUnit) &&
        maximum === this.maximum;
      return right ? [] : ['the header is that of another heap'];
    } catch (error) {
      return [`header: ${(error as Error).message}`];
    }
  }

  /** Number of blocks that the reserved units are. */
  get reservedBlocks(): number {
    let count = 0;
    for (let at = 0; at < this.first; at += this.allocator.sizeOf(at)) count++;
    const end = this.stateUnit + this.stateUnits;
    for (let at = this.stateUnit; at < end; at += this.allocator.sizeOf(at)) count++;
    return count;
  }

  /** Whether live blocks tile the units from `at` to `end`. */
  #isTiled(at: number, end: number): boolean {
    if (end > this.capacity) return false;
    while (at < end && this.allocator.isAllocated(at)) at += this.allocator.sizeOf(at);
    return at === end;
  }

  /** Lays out the empty heap in the memory up to `end`, or in as much more as it takes at least. */
  #open(end: number): void {
    const { first, backing, unit } = this;
    const least = first + 1;
    let capacity = Math.floor((end - this.base) / unit);
    if (capacity < this.#capacityFor(least, 0)) {
      const length = this.#lengthFor(least, 0);
      if (length > this.limit) throw new RangeError(`${end - this.start} bytes are too few for a heap`);
      backing.grow(length);
      this.refresh();
      capacity = Math.floor(length / unit);
    }
    const state = emptyState(capacity);
    setState(this.allocator, state);
    this.#note(state.length, capacity, first);
    this.#reserve();
    this.#writeState(state);
  }

  #note(stateLength: number, capacity: number, stateUnit: number): void {
    this.#stateLength = stateLength;
    this.capacity = capacity;
    this.stateUnit = stateUnit;
    this.stateUnits = this.#unitsFor(capacity);
    this.#viewInt32();
  }

  #viewInt32(): void {
    const { buffer } = this.bytes;
    // A heap that is about to be refused may say that it ends beyond its memory.
    this.int32 = new Int32Array(buffer, 0, Math.floor(Math.min(this.end, buffer.byteLength) / 4));
  }

  #reserve(): void {
    if (this.first > 0) this.allocator.reserve(0, this.first);
    if (this.embed) this.allocator.reserve(this.stateUnit, this.stateUnits);
  }

  /** Units that the state of an arena of `capacity` units takes inside the region. */
  #unitsFor(capacity: number): number {
    return this.embed ? Math.ceil(BuddyAllocator.bytesFor(capacity) / this.unit) : 0;
  }

  /** The unit behind the last one in use, the state left aside: that goes elsewhere when the arena changes. O(log³ capacity). */
  #tail(): number {
    const s = stateOf(this.allocator);
    const at = freeFrom(s, this.capacity);
    return this.embed && at === this.stateUnit + this.stateUnits ? freeFrom(s, this.stateUnit) : at;
  }

  /** The least capacity from `wish` up that holds `units` units and the state of an arena of that capacity behind them. */
  #capacityFor(units: number, wish: number): number {
    for (let capacity = Math.max(units, wish); ; ) {
      const least = units + this.#unitsFor(capacity);
      if (least <= capacity) return capacity;
      capacity = least;
    }
  }

  /** The least length of memory from `wish` up that the backing can have, likewise. */
  #lengthFor(units: number, wish: number): number {
    const { unit, backing } = this;
    for (let length = wish; ; ) {
      const capacity = Math.floor(length / unit);
      const least = this.#capacityFor(units, capacity);
      if (least === capacity && length % backing.granularity === 0) return length;
      length = Math.ceil(Math.max(least * unit, length) / backing.granularity) * backing.granularity;
    }
  }

  #extend(length: number): boolean {
    const capacity = Math.floor(length / this.unit);
    let state: Int32Array;
    try {
      state = emptyState(capacity);
      if (length > this.bytes.buffer.byteLength) this.backing.grow(length);
    } catch {
      return false;
    }
    this.refresh();
    this.#move(state, capacity);
    return true;
  }

  /** Makes `state`, that of an empty arena of `capacity` units, the state of the present arena with that capacity. */
  #move(state: Int32Array, capacity: number): void {
    const { allocator } = this;
    if (this.embed) allocator.release(this.stateUnit, this.stateUnits);
    copyBlocks(stateOf(allocator), state, Math.min(capacity, this.capacity));
    setState(allocator, state);
    this.#note(state.length, capacity, capacity - this.#unitsFor(capacity));
    if (this.embed) allocator.reserve(this.stateUnit, this.stateUnits);
    this.#writeState(state);
  }

  /** Puts the state of an embedded heap in its place, and notes that in the header. */
  #writeState(state: Int32Array): void {
    if (!this.embed) return;
    this.#viewState().set(state);
    const { unit, maximum, start, end } = this;
    writeHeader(this.bytes.buffer, start, {
      unit,
      end,
      state: this.pointerTo(this.stateUnit),
      maximum,
    });
  }

  /** Has the allocator take its state from its place in the region. */
  #viewState(): Int32Array {
    const s = new Int32Array(this.bytes.buffer, this.pointerTo(this.stateUnit), this.#stateLength);
    setState(this.allocator, s);
    return s;
  }
}

/** The least unit from which on all units up to `end` are free. */
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
