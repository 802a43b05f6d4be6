// The memory of a shared heap and its growth, as one worker sees them.
//
// The arena of pages is laid out for the maximum size. The pages from the frontier on, which need not have memory, are
// reserved blocks. To grow is to enlarge the memory, and then to claim those blocks one by one and free them.
//
// A block is claimed by CAS of its owner: RESERVED to the worker. The worker that wins it frees the block, once the
// frontier is behind the block; any worker may move the frontier past a claimed block. A worker that dies in between
// owns the block.
//
// The memory never shrinks, so the memory before the frontier is there for every worker that reads the frontier.

import { checkBoolean, checkWithin } from '../base/arguments.ts';
import { assert, DEV } from '../base/assert.ts';
import { isSharedArrayBuffer, requireSharedMemory } from '../base/buffers.ts';
import { BuddyError } from '../base/errors.ts';
import type { HeapRegion, MemoryBlock, RegionFigures } from '../heap/bookkeeping.ts';
import { growthOf } from '../heap/growth.ts';
import { LARGEST_UNIT, unitZeroFor } from '../heap/header.ts';
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
import { blocksOf, sizeAt } from '../shared/inspect.ts';
import { changeOwner, ownerAt, RESERVED } from '../shared/owners.ts';
import { recover } from '../shared/recover.ts';
import { attachWorker } from '../shared/slots.ts';
import { writeEmpty } from '../shared/state.ts';
import { check as checkSlabs } from '../shared-slab/check.ts';
import { SlabEngine } from '../shared-slab/engine.ts';
import { SlabHoldings, takeBack } from '../shared-slab/holdings.ts';
import { blockHolding, blocksBetween, type UnitBlock, usedUnits } from '../shared-slab/inspect.ts';
import { LINE, lineAt } from '../shared-slab/layout.ts';
import { ownCells } from '../shared-slab/own.ts';
import { largestSlotFor, pageShiftFor } from '../shared-slab/sizing.ts';
import { bufferTo, growthAt, isRangeFree, reserve } from './growth.ts';
import {
  AT_FRONTIER,
  AT_ROOT,
  headerAt,
  headerOf,
  type Layout,
  layoutOf,
  readLayout,
  writeHeader,
} from './header.ts';
import type { SharedHeapMemory, SharedHeapOptions, SharedHeapRecovered } from './options.ts';

/** A byte notes the owner: 0, a slot, or one of the three values from IN_SLAB on. */
const MAX_WORKERS = 252;

/** Bytes that a new heap has room for, if its maximum allows. */
const LEAST_ROOM = 65_536;

/**
 * See the head of this file. Offsets, sizes of blocks in the arena, the capacity and the frontier are pages, all else
 * is bytes.
 */
export class SharedRegion implements HeapRegion {
  readonly memory: SharedHeapMemory;
  readonly start: number;
  readonly layout: Layout;
  readonly cells: AtomicCells;
  /** The first page that may be allocated. */
  readonly first: number;
  /** See {@link Layout.rests}; undefined if sizes are not kept. */
  readonly rests: Uint16Array | undefined;
  /** The slabs as the attached worker has them; null before the worker has attached, and after it has detached. */
  slabs: SlabEngine | null = null;
  readonly #backing: Backing;
  readonly #header: Int32Array;
  readonly #holdings: SlabHoldings;
  /** All of the memory, as last seen. */
  #bytes: Uint8Array;
  /** The frontier as last seen. */
  #seen = 0;

  private constructor(memory: SharedHeapMemory, backing: Backing, start: number, layout: Layout) {
    const { buffer } = backing;
    const { state, rests, probes, slabs } = layout;
    this.memory = memory;
    this.start = start;
    this.layout = layout;
    this.cells = new AtomicCells(new Int32Array(buffer, state, slabs.length));
    this.first = firstOf(layout);
    this.rests = rests < probes ? new Uint16Array(buffer, rests, (probes - rests) / 2) : undefined;
    this.#backing = backing;
    this.#header = headerOf(buffer, layout);
    this.#holdings = new SlabHoldings(this.cells, slabs, () => this.frontier);
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
    const { page, base, g } = layout;
    const first = firstOf(layout);
    const wish = base + Math.min(first + Math.max(1, Math.floor(LEAST_ROOM / page)), g.capacity) * page;
    if (byteLength < wish) ifThereIsRoom(() => backing.grow(roundUp(wish, backing.granularity)));
    const least = base + (first + 1) * page;
    if (backing.buffer.byteLength < least) backing.grow(roundUp(least, backing.granularity));
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
    const { cells, first, frontier, layout } = this;
    const slot = attachWorker(cells, layout.g, first, frontier, this.#holdings);
    if (slot === 0) return false;
    const own = new AtomicCells(new Int32Array(ownCells(layout.slabs)));
    const line = lineAt(layout.slabs, slot);
    const tally = cells.s.subarray(line, line + LINE);
    this.slabs = new SlabEngine(new Engine(cells, layout.g, slot), layout.slabs, own, tally);
    this.slabs.open();
    this.#see(frontier);
    return true;
  }

  /** Gives back the caller's slabs and its slot, if it has one. */
  giveBackSlot(): void {
    const { slabs } = this;
    if (slabs === null) return;
    this.hasGrown(); // all of its slabs are to be found
    this.slabs = null;
    slabs.abandonAll();
    slabs.arena.detach(this.#holdings);
  }

  /** Takes back what the dead worker with the id `workerId` had. As `SharedHeap.recover`. */
  recover(slabs: SlabEngine, workerId: number): SharedHeapRecovered {
    let blocks = 0;
    let units = 0;
    this.#passClaimed();
    this.hasGrown();
    const pages = recover(slabs.arena, workerId, {
      holdings: this.#holdings,
      takeBack: (slot) => {
        const taken = takeBack(slabs, slot);
        blocks += taken.blocks;
        units += taken.units;
      },
    });
    const { unit, page } = this.layout;
    slabs.noteFreed((pages.units * page) / unit);
    return {
      blocks: blocks + pages.blocks,
      bytes: units * unit + pages.units * page,
      complete: pages.complete,
    };
  }

  attached(): this {
    this.requireSlabs();
    return this;
  }

  /** The slabs. Throws a BuddyError `DETACHED` if the worker has detached. */
  requireSlabs(): SlabEngine {
    if (this.slabs === null) throw new BuddyError('DETACHED', 'this worker has detached itself');
    return this.slabs;
  }

  /** The first page that need not have memory. */
  get frontier(): number {
    const frontier = Atomics.load(this.#header, AT_FRONTIER);
    if (DEV) assert(frontier <= this.layout.g.capacity, 'the frontier is within the capacity');
    return frontier;
  }

  /** The user's word. */
  get root(): number {
    return Atomics.load(this.#header, AT_ROOT) >>> 0;
  }

  set root(value: number) {
    Atomics.store(this.#header, AT_ROOT, value | 0);
  }

  get unit(): number {
    return this.layout.unit;
  }

  get end(): number {
    return this.layout.base + this.frontier * this.layout.page;
  }

  get highestEnd(): number {
    return this.layout.base + this.layout.g.capacity * this.layout.page;
  }

  get metadataBytes(): number {
    return this.layout.end - this.layout.header;
  }

  /** Index of the unit that holds the byte at `ptr`, counted from page 0 on. */
  unitAt(ptr: number): number {
    return Math.floor((ptr - this.layout.base) / this.layout.unit);
  }

  /**
   * Takes note of the pages that were added to the heap since this worker last looked. Returns whether there are any.
   */
  hasGrown(): boolean {
    const { frontier } = this;
    if (frontier === this.#seen) return false;
    this.#see(frontier);
    return true;
  }

  isOwn(ptr: number): boolean {
    const { base, page } = this.layout;
    return ptr < base + this.first * page || ptr >= this.end;
  }

  blockAt(ptr: number): MemoryBlock | undefined {
    if (this.isOwn(ptr)) return undefined;
    const block = blockHolding(this.cells, this.layout.slabs, this.unitAt(ptr));
    return block === undefined ? undefined : this.#blockFrom(block);
  }

  *liveBlocks(): Generator<MemoryBlock, void, undefined> {
    const { cells, layout, first, frontier } = this;
    for (const block of blocksBetween(cells, layout.slabs, first, frontier)) yield this.#blockFrom(block);
  }

  #blockFrom({ unit, units }: UnitBlock): MemoryBlock {
    const { layout } = this;
    return { ptr: layout.base + unit * layout.unit, size: units * layout.unit };
  }

  /** Bytes that the heap can hand out. */
  get capacity(): number {
    return (this.frontier - this.first) * this.layout.page;
  }

  /** Bytes in live blocks. O(workers). */
  get used(): number {
    return usedUnits(this.cells, this.layout.slabs) * this.layout.unit;
  }

  /** Size of the largest free run of pages that is a block of the arena. O(pages). */
  get largestFree(): number {
    const { cells, layout, first, frontier } = this;
    let largest = 0;
    for (const { offset, size, free } of blocksOf(cells, layout.g)) {
      if (free && offset >= first && offset < frontier && size > largest) largest = size;
    }
    return largest * layout.page;
  }

  figures(): RegionFigures {
    let used = 0;
    let liveBlocks = 0;
    for (const { size } of this.liveBlocks()) {
      used += size;
      liveBlocks++;
    }
    return { used, free: this.capacity - used, largestFree: this.largestFree, liveBlocks };
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
    return isSameMemory(ours, buffer, this.layout.probes + 4 * (this.requireSlabs().slot - 1));
  }

  /**
   * Whether there may be room for a block of 2^order pages now, after there was none before the frontier last seen;
   * false if the heap cannot grow.
   */
  growFor(order: number): boolean {
    const slabs = this.requireSlabs();
    // If other workers have made the heap grow since that look, there may be room; and to grow from an outdated
    // frontier could be to grow in vain.
    if (this.hasGrown()) return true;
    if (!this.#growFor(slabs.arena, 2 ** order, this.#seen)) return false;
    this.#see(this.frontier);
    return true;
  }

  /**
   * Moves the frontier past a block that a worker has claimed and may have died before it did so, as a recovery is
   * about to free the block. There is one at most: no worker claims the next block before the frontier is behind this
   * one.
   */
  #passClaimed(): void {
    const { cells, first, frontier } = this;
    const { g } = this.layout;
    if (!g.tracked || frontier === g.capacity || ownerAt(cells, g, frontier) === RESERVED) return;
    const next = frontier + growthAt(frontier, first, g.capacity);
    Atomics.compareExchange(this.#header, AT_FRONTIER, frontier, next);
  }

  /** Every violated invariant, in words. Right if no other worker is in a call. O(capacity). */
  check(): string[] {
    const { cells, first, frontier, layout } = this;
    const { g } = layout;
    const wrong = [...check(cells, g), ...checkSlabs(cells, layout.slabs, first, frontier)];
    const demand = (offset: number, end: number) => {
      while (offset < end) {
        const size = sizeAt(cells, g, offset);
        if (size === 0 || ownerAt(cells, g, offset) !== RESERVED) {
          wrong.push(`page ${offset} is not reserved`);
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

  /** Pages of the arena that the memory has room for. */
  #present(): number {
    const { base, page, g } = this.layout;
    const { byteLength } = bufferTo(this.#backing, base + g.capacity * page);
    return Math.min(g.capacity, Math.floor((byteLength - base) / page));
  }

  /**
   * Gives the arena more memory than up to `frontier`, as this worker has last seen it, so that a block of `pages`
   * pages, a power of two, has room. Returns false if that cannot be, and has changed nothing then. True means only
   * that the frontier has moved: other workers may have taken the room already.
   */
  #growFor(engine: Engine, pages: number, frontier: number): boolean {
    const { cells, first } = this;
    const { g, page } = this.layout;
    // The first block that reaches beyond the frontier, or the next one if its pages before the frontier are not free.
    const straddling = Math.floor(frontier / pages) * pages;
    const fits = isRangeFree(cells, g, straddling, frontier) ? straddling : straddling + pages;
    const least = fits + pages;
    if (least > g.capacity) return false;
    const end = this.#growthTo(frontier, least);
    const wish = frontier + Math.ceil(growthOf({}, (frontier - first) * page) / page);
    const wished = this.#growthTo(frontier, Math.min(wish, g.capacity));
    if (!this.#enlarge([Math.max(wished, end), end])) return false;
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
    const { base, page } = this.layout;
    const least = ends[ends.length - 1];
    for (const end of ends) {
      if (this.#present() >= least) break;
      // Refused also if another worker has enlarged the memory further in the meantime.
      ifThereIsRoom(() => this.#backing.grow(roundUp(base + end * page, this.#backing.granularity)));
    }
    return this.#present() >= least;
  }

  /** Frees the reserved block from `offset` up to `next`, unless another worker does. */
  #claim(engine: Engine, offset: number, next: number): void {
    const { cells, g, slot } = engine;
    const owned = changeOwner(cells, g, offset, RESERVED, slot);
    Atomics.compareExchange(this.#header, AT_FRONTIER, offset, next);
    if (owned) engine.reclaim(offset, slot);
  }

  /** Takes note of the frontier. */
  #see(frontier: number): void {
    this.#seen = frontier;
    if (this.slabs !== null) this.slabs.pages = frontier;
  }
}

/** Checks the options that do not depend on the memory. Throws as `SharedHeap.create` says. */
function checkOptions(options: SharedHeapOptions): void {
  checkCommonOptions(options);
  const { memory, maximum, maxWorkers, trackOwners, keepSizes, unit } = options;
  if (maxWorkers !== undefined) checkWithin('maxWorkers', maxWorkers, 1, MAX_WORKERS);
  if (trackOwners !== undefined) checkBoolean('trackOwners', trackOwners);
  if (keepSizes !== undefined) checkBoolean('keepSizes', keepSizes);
  // The bytes of a block that were not asked for are kept in 16 bits. For `malloc(0)` they are the whole block.
  if (keepSizes && unit === LARGEST_UNIT)
    throw new RangeError(`keepSizes takes no unit of ${LARGEST_UNIT} bytes`);
  if (maximum === undefined && isWasmMemory(memory)) {
    throw new TypeError('a WebAssembly.Memory does not tell its maximum: it must be given');
  }
}

/**
 * The layout that checked `options` make in a memory of `length` bytes that can grow to `limit`. Throws a RangeError.
 */
function layoutFor(options: SharedHeapOptions, length: number, limit: number): Layout {
  const { start = 0, maximum = ADDRESSABLE, unit = 16, maxWorkers = 32 } = options;
  const highest = Math.min(maximum, limit);
  checkWithin('start', start, 0, Math.min(highest, length));
  const bytes = highest - headerAt(start);
  const unitShift = Math.log2(unit);
  const pageShift = pageShiftFor(Math.max(1, bytes), unitShift);
  const page = 2 ** pageShift;
  const base = unitZeroFor(page, headerAt(start), highest);
  const capacity = Math.floor((highest - base) / page);
  const layout = layoutOf(start, {
    unit,
    page,
    base,
    pages: Math.max(1, capacity),
    workers: maxWorkers,
    largestSlot: largestSlotFor(bytes, pageShift, unitShift),
    tracked: options.trackOwners ?? false,
    keepSizes: options.keepSizes ?? false,
  });
  if (firstOf(layout) >= capacity) throw new RangeError(`${highest - start} bytes are too few for a heap`);
  return layout;
}

/** Throws a TypeError if the memory of `backing` is not shared. */
function expectShared({ buffer }: Backing): void {
  if (!isSharedArrayBuffer(buffer)) {
    throw new TypeError('memory must be a SharedArrayBuffer or a shared WebAssembly.Memory');
  }
}

/** The first page behind everything that the heap keeps for itself. */
function firstOf({ end, base, page }: Layout): number {
  return Math.ceil((end - base) / page);
}

function roundUp(value: number, granularity: number): number {
  return Math.ceil(value / granularity) * granularity;
}
