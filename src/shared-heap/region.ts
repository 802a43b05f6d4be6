// The memory of a shared heap and its growth, as one worker sees them.
//
// The arena is laid out for the maximum size. The units from the frontier on, which need not have memory, are reserved
// blocks. To grow is to enlarge the memory, and then to claim those blocks one by one and free them.
//
//   claiming  CAS of the frontier: from the start of the block to its end. The worker that wins it frees the block.
//   tracked   CAS of the block's owner: RESERVED to the worker. The worker that wins it frees the block, once the
//             frontier is behind the block; any worker may move the frontier past a claimed block. A worker that dies
//             in between owns the block.
//
// The memory never shrinks, so the memory before the frontier is there for every worker that reads the frontier.

import { checkBoolean, checkWithin } from '../base/arguments.ts';
import { assert, DEV } from '../base/assert.ts';
import { type Block, statsOf } from '../base/blocks.ts';
import { isSharedArrayBuffer, requireSharedMemory } from '../base/buffers.ts';
import { BuddyError } from '../base/errors.ts';
import { orderOf } from '../base/word.ts';
import type { HeapRegion, MemoryBlock, RegionFigures } from '../heap/bookkeeping.ts';
import { unitZeroFor } from '../heap/header.ts';
import {
  ADDRESSABLE,
  allocateBuffer,
  type Backing,
  backingOf,
  type HeapHandle,
  ifThereIsRoom,
  isSameMemory,
  isWasmMemory,
  openHandle,
} from '../heap/memory.ts';
import { checkCommonOptions } from '../heap/options.ts';
import { AtomicCells } from '../shared/cells.ts';
import { check } from '../shared/check.ts';
import { Engine } from '../shared/engine.ts';
import { blockOf, blocksOf, sizeAt } from '../shared/inspect.ts';
import { geometryOf, ORDERS_PER_LEVEL } from '../shared/layout.ts';
import { changeOwner, ownerAt, RESERVED } from '../shared/owners.ts';
import { resize } from '../shared/resize.ts';
import { attachWorker, MAX_SLOTS } from '../shared/slots.ts';
import { writeEmpty } from '../shared/state.ts';
import { bufferTo, growthAt, isRangeFree, reserve } from './growth.ts';
import { AT_FRONTIER, headerAt, headerOf, type Layout, layoutOf, readLayout, writeHeader } from './header.ts';
import type { SharedHeapMemory, SharedHeapOptions } from './options.ts';

/** Bytes by which a heap grows at least if it can, as each growth begins with a look at all of the state. */
const LEAST_GROWTH = 65_536;

/** See the head of this file. Offsets, sizes of blocks, the capacity and the frontier are units, all else is bytes. */
export class SharedRegion implements HeapRegion {
  readonly memory: SharedHeapMemory;
  readonly start: number;
  readonly layout: Layout;
  readonly cells: AtomicCells;
  /** log2 of the unit. */
  readonly shift: number;
  /** The first unit that may be allocated. */
  readonly first: number;
  /** The arena as the attached worker runs it; null before the worker has attached, and after it has detached. */
  engine: Engine | null = null;
  readonly #backing: Backing;
  readonly #header: Int32Array;
  /** All of the memory, as last seen. */
  #bytes: Uint8Array;
  /** The frontier as last seen. */
  #seen = 0;

  private constructor(memory: SharedHeapMemory, backing: Backing, start: number, layout: Layout) {
    const { buffer } = backing;
    this.memory = memory;
    this.start = start;
    this.layout = layout;
    this.cells = new AtomicCells(new Int32Array(buffer, layout.state, layout.g.length));
    this.shift = Math.log2(layout.unit);
    this.first = firstOf(layout);
    this.#backing = backing;
    this.#header = headerOf(buffer, layout);
    this.#bytes = new Uint8Array(buffer);
  }

  /** A region with nothing allocated in it, and with the caller attached. Throws as `SharedHeap.create` says. */
  static create(options: SharedHeapOptions): SharedRegion {
    checkOptions(options);
    requireSharedMemory();
    const { size, maximum, start = 0 } = options;
    const memory =
      options.memory === undefined
        ? allocateBuffer(SharedArrayBuffer, size as number, maximum)
        : options.memory;
    const backing = backingOf(memory);
    expectShared(backing);
    const { byteLength } = backing.buffer;
    const layout = layoutFor(options, byteLength, backing.limit);
    const least = firstOf(layout) + 1;
    const length = layout.base + least * layout.unit;
    if (byteLength < length) backing.grow(roundUp(length, backing.granularity));
    const region = new SharedRegion(memory, backing, start, layout);
    region.#open(options.memory === undefined ? 0 : byteLength);
    region.takeSlot();
    return region;
  }

  /** Bytes that the heap which {@link create} makes keeps for itself. Throws as that does, but makes no memory. */
  static bytesFor(options: SharedHeapOptions): number {
    checkOptions(options);
    const { memory, size = 0, maximum = size } = options;
    const backing = memory === undefined ? undefined : backingOf(memory);
    if (backing !== undefined) expectShared(backing);
    const layout = layoutFor(options, backing?.buffer.byteLength ?? size, backing?.limit ?? maximum);
    return layout.end - layout.header;
  }

  /** The region that another worker has made; null if all slots are taken. Throws as `SharedHeap.attach` says. */
  static attach(handle: HeapHandle<SharedHeapMemory | ArrayBufferView>): SharedRegion | null {
    requireSharedMemory();
    const { memory, backing, start } = openHandle(handle);
    expectShared(backing);
    const layout = readLayout(backing, start);
    const region = new SharedRegion(memory as SharedHeapMemory, backing, start, layout);
    return region.takeSlot() ? region : null;
  }

  /**
   * Takes a slot for the caller, with its hints in the present memory. Returns false if all slots are taken.
   * O(workers).
   */
  takeSlot(): boolean {
    const { cells, first, frontier } = this;
    const { g } = this.layout;
    const slot = attachWorker(cells, g, first, frontier);
    if (slot === 0) return false;
    this.#seen = frontier;
    this.engine = new Engine(cells, g, slot);
    return true;
  }

  /** Gives back the caller's slot, if it has one. */
  giveBackSlot(): void {
    const { engine } = this;
    this.engine = null;
    if (engine !== null) engine.detach();
  }

  attached(): this {
    this.requireEngine();
    return this;
  }

  /** The engine. Throws a BuddyError `DETACHED` if the worker has detached. */
  requireEngine(): Engine {
    if (this.engine === null) throw new BuddyError('DETACHED', 'this worker has detached itself');
    return this.engine;
  }

  /** The first unit that need not have memory. */
  get frontier(): number {
    const frontier = Atomics.load(this.#header, AT_FRONTIER);
    if (DEV) assert(frontier <= this.layout.g.capacity, 'the frontier is within the capacity');
    return frontier;
  }

  get unit(): number {
    return this.layout.unit;
  }

  get end(): number {
    return this.layout.base + this.frontier * this.layout.unit;
  }

  get highestEnd(): number {
    return this.layout.base + this.layout.g.capacity * this.layout.unit;
  }

  get metadataBytes(): number {
    return this.layout.end - this.layout.header;
  }

  pointerTo(offset: number): number {
    return ((offset << this.shift) + this.layout.base) >>> 0;
  }

  /**
   * The offset of the unit that holds the byte at `ptr`, 0 … 2^32 - 1; beyond the arena if `ptr` is before the base.
   */
  offsetAt(ptr: number): number {
    return (ptr - this.layout.base) >>> this.shift;
  }

  isReserved(offset: number): boolean {
    const { first } = this;
    if (offset >= first && offset < this.#seen) return false;
    this.#seen = this.frontier; // another worker may have made the heap grow
    return offset < first || offset >= this.#seen;
  }

  sizeAt(offset: number): number {
    return sizeAt(this.cells, this.layout.g, offset);
  }

  blockOf(offset: number): number {
    return blockOf(this.cells, this.layout.g, offset);
  }

  isOwn(ptr: number): boolean {
    return this.isReserved(this.offsetAt(ptr));
  }

  blockAt(ptr: number): MemoryBlock | undefined {
    const offset = this.offsetAt(ptr);
    const start = this.isReserved(offset) ? -1 : this.blockOf(offset);
    const size = start < 0 ? 0 : this.sizeAt(start);
    return size === 0 ? undefined : { ptr: this.pointerTo(start), size: size * this.unit };
  }

  *liveBlocks(): Generator<MemoryBlock, void, undefined> {
    for (const { offset, size, free } of this.#blocks()) {
      if (!free) yield { ptr: this.pointerTo(offset), size: size * this.unit };
    }
  }

  figures(): RegionFigures {
    const { unit } = this;
    const { usedUnits, freeUnits, largestFree, liveBlocks } = statsOf(
      this.frontier - this.first,
      this.#blocks(),
    );
    return { used: usedUnits * unit, free: freeUnits * unit, largestFree: largestFree * unit, liveBlocks };
  }

  /** All blocks that are not reserved, in address order. */
  *#blocks(): Generator<Block, void, undefined> {
    const { first, frontier, cells, layout } = this;
    for (const block of blocksOf(cells, layout.g)) {
      if (block.offset >= first && block.offset < frontier) yield block;
    }
  }

  /** Stays on the level of the state to which the block belongs: `resize` can do no more. */
  shrink(offset: number, units: number): void {
    const least = orderOf(this.sizeAt(offset)) & -ORDERS_PER_LEVEL;
    resize(this.cells, this.layout.g, offset, Math.max(least, orderOf(units)));
  }

  get buffer(): SharedArrayBuffer {
    return bufferTo(this.#backing, this.end);
  }

  bytesTo(end: number): Uint8Array {
    // The former buffers of a WebAssembly memory keep their length.
    if (this.#bytes.length < end) this.#bytes = new Uint8Array(this.buffer);
    return this.#bytes;
  }

  /** Whether `buffer` is on the same memory: whether it shows what this worker writes to its own cell. */
  holds(buffer: ArrayBufferLike): boolean {
    const { buffer: ours } = this.#bytes;
    if (buffer === ours) return true;
    return isSameMemory(ours, buffer, this.layout.probes + 4 * (this.requireEngine().slot - 1));
  }

  /**
   * Offset of a block of 2^order units, if there was no room before the frontier last seen; -1 if the heap cannot grow.
   */
  allocateGrowing(order: number): number {
    const engine = this.requireEngine();
    for (;;) {
      // If other workers have made the heap grow since that look, there may be room; and to grow from an outdated
      // frontier could be to grow in vain.
      const isNews = this.frontier !== this.#seen;
      if (!isNews && !this.#growFor(engine, 2 ** order, this.#seen)) return -1;
      this.#seen = this.frontier;
      const offset = engine.allocate(order);
      if (offset >= 0) return offset;
    }
  }

  /**
   * Moves the frontier past a block that a worker has claimed and may have died before it did so, as recovery is about
   * to free the block. There is one at most: no worker claims the next block before the frontier is behind this one.
   */
  passClaimed(): void {
    const { cells, first, frontier } = this;
    const { g } = this.layout;
    if (!g.tracked || frontier === g.capacity || ownerAt(cells, g, frontier) === RESERVED) return;
    const next = frontier + growthAt(frontier, first, g.capacity);
    Atomics.compareExchange(this.#header, AT_FRONTIER, frontier, next);
  }

  /** Every violated invariant, in words. Right if no other worker is in a call. O(capacity). */
  check(): string[] {
    const { cells, first, frontier } = this;
    const { g } = this.layout;
    const wrong = check(cells, g);
    const demand = (offset: number, end: number) => {
      while (offset < end) {
        const size = sizeAt(cells, g, offset);
        if (size === 0 || (g.tracked && ownerAt(cells, g, offset) !== RESERVED)) {
          wrong.push(`unit ${offset} is not reserved`);
          return;
        }
        offset += size;
      }
    };
    demand(0, first);
    demand(frontier, g.capacity);
    return wrong;
  }

  /** Makes the arena. The bytes that the memory had up to `before` need not be zero. */
  #open(before: number): void {
    const { cells, first, layout } = this;
    // Zeros are left alone: to write to them would have the system provide memory for all of them.
    const old = new Int32Array(this.#bytes.buffer, layout.header, (layout.end - layout.header) / 4);
    const end = Math.min(old.length, Math.ceil((before - layout.header) / 4));
    for (let i = 0; i < end; i++) if (old[i] !== 0) old[i] = 0;
    const frontier = this.#present();
    if (DEV) assert(frontier > first, 'the memory has room for a block');
    writeEmpty(cells, layout.g);
    reserve(cells, layout.g, first, frontier);
    writeHeader(this.#header, layout, frontier);
  }

  /** Units of the arena that the memory has room for. */
  #present(): number {
    const { base, unit, g } = this.layout;
    const { byteLength } = bufferTo(this.#backing, base + g.capacity * unit);
    return Math.min(g.capacity, Math.floor((byteLength - base) / unit));
  }

  /**
   * Gives the arena more memory than up to `frontier`, as this worker has last seen it, so that a block of `units`
   * units, a power of two, has room. Returns false if that cannot be, and has changed nothing then. True means only
   * that the frontier has moved: other workers may have taken the room already.
   */
  #growFor(engine: Engine, units: number, frontier: number): boolean {
    const { cells, first } = this;
    const { g } = this.layout;
    // The first block that reaches beyond the frontier, or the next one if its units before the frontier are not free.
    const straddling = Math.floor(frontier / units) * units;
    const fits = isRangeFree(cells, g, straddling, frontier) ? straddling : straddling + units;
    const least = fits + units;
    if (least > g.capacity) return false;
    const end = this.#growthTo(frontier, least);
    const wish = frontier + Math.max(frontier - first, LEAST_GROWTH >> this.shift);
    const doubled = this.#growthTo(frontier, Math.min(wish, g.capacity));
    if (!this.#enlarge([Math.max(doubled, end), end])) return false;
    const present = this.#present();
    for (let offset = frontier; offset < present; ) {
      const next = offset + growthAt(offset, first, g.capacity);
      if (next > present) break;
      this.#claim(engine, offset, next);
      offset = next;
    }
    return true;
  }

  /** The first end of a reserved block from `wish` on. */
  #growthTo(frontier: number, wish: number): number {
    let end = frontier;
    while (end < wish) end += growthAt(end, this.first, this.layout.g.capacity);
    return end;
  }

  /**
   * Enlarges the memory to the first of `ends` that the platform has room for. Returns whether it has room for the
   * last.
   */
  #enlarge(ends: readonly number[]): boolean {
    const { base, unit } = this.layout;
    const least = ends[ends.length - 1];
    for (const end of ends) {
      if (this.#present() >= least) break;
      // Refused also if another worker has enlarged the memory further in the meantime.
      ifThereIsRoom(() => this.#backing.grow(roundUp(base + end * unit, this.#backing.granularity)));
    }
    return this.#present() >= least;
  }

  /** Frees the reserved block from `offset` up to `next`, unless another worker does. */
  #claim(engine: Engine, offset: number, next: number): void {
    const { cells, g, slot } = engine;
    const owned = g.tracked && changeOwner(cells, g, offset, RESERVED, slot);
    const moved = Atomics.compareExchange(this.#header, AT_FRONTIER, offset, next) === offset;
    if (g.tracked ? owned : moved) engine.reclaim(offset, g.tracked ? slot : 0);
  }
}

/** Checks the options that do not depend on the memory. Throws as `SharedHeap.create` says. */
function checkOptions(options: SharedHeapOptions): void {
  checkCommonOptions(options);
  const { memory, maximum, maxWorkers, trackOwners } = options;
  if (maxWorkers !== undefined) checkWithin('maxWorkers', maxWorkers, 1, MAX_SLOTS);
  if (trackOwners !== undefined) checkBoolean('trackOwners', trackOwners);
  if (maximum === undefined && isWasmMemory(memory)) {
    throw new TypeError('a WebAssembly.Memory does not tell its maximum: it must be given');
  }
}

/**
 * The layout that checked `options` make in a memory of `length` bytes that can grow to `limit`. Throws a RangeError.
 */
function layoutFor(options: SharedHeapOptions, length: number, limit: number): Layout {
  const { start = 0, maximum = ADDRESSABLE, unit = 16, maxWorkers = 32, trackOwners = false } = options;
  const highest = Math.min(maximum, limit);
  checkWithin('start', start, 0, Math.min(highest, length));
  const base = unitZeroFor(unit, headerAt(start), highest);
  const capacity = Math.floor((highest - base) / unit);
  const layout = layoutOf(start, unit, base, geometryOf(Math.max(1, capacity), maxWorkers, trackOwners));
  if (firstOf(layout) >= capacity) throw new RangeError(`${highest - start} bytes are too few for a heap`);
  return layout;
}

/** Throws a TypeError if the memory of `backing` is not shared. */
function expectShared({ buffer }: Backing): void {
  if (!isSharedArrayBuffer(buffer)) {
    throw new TypeError('memory must be a SharedArrayBuffer or a shared WebAssembly.Memory');
  }
}

/** The first unit behind everything that the heap keeps for itself. */
function firstOf({ end, base, unit }: Layout): number {
  return Math.ceil((end - base) / unit);
}

function roundUp(value: number, granularity: number): number {
  return Math.ceil(value / granularity) * granularity;
}
