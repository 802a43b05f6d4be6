// The memory of a shared heap and its growth, as one worker sees them.
//
// The arena is laid out for the maximum size. The units beyond the frontier, which the memory need not have, are reserved
// blocks. To grow is to enlarge the memory, and then to claim those blocks one by one and free them.
//
//   claiming  CAS of the frontier: from the start of the block to its end. Who wins it frees the block.
//   tracked   CAS of the block's owner: RESERVED to the worker. Who wins it frees the block, once the frontier is behind it;
//             anybody may move the frontier past a block that is claimed. One who dies in between owns the block.
//
// The memory never shrinks, so what lies before the frontier is there, whoever reads it.

import { checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import { isSharedArrayBuffer } from '../base/buffers.ts';
import { unitZeroFor } from '../heap/base.ts';
import { LARGEST_UNIT, LEAST_UNIT } from '../heap/header.ts';
import { ADDRESSABLE, allocateBuffer, type Backing } from '../heap/memory.ts';
import { AtomicCells } from '../shared/cells.ts';
import { check } from '../shared/check.ts';
import type { Engine } from '../shared/engine.ts';
import { sizeAt } from '../shared/inspect.ts';
import { geometryOf } from '../shared/layout.ts';
import { changeOwner, ownerAt, RESERVED } from '../shared/owners.ts';
import { MAX_SLOTS } from '../shared/slots.ts';
import { writeEmpty } from '../shared/state.ts';
import { bufferTo, sharedBacking } from './backing.ts';
import { growthAt, reserve } from './growth.ts';
import { AT_FRONTIER, headerAt, headerOf, type Layout, layoutOf, readLayout, writeHeader } from './header.ts';
import type { SharedHeapHandle, SharedHeapMemory, SharedHeapOptions } from './options.ts';
import { isRangeFree } from './range.ts';

/** Bytes by which a heap grows at least where it can, as each growth begins with a look at all of the state. */
const LEAST_GROWTH = 65_536;

/** See the head of this file. Everything called a unit, the capacity and the frontier are units, all else is bytes. */
export class SharedRegion {
  readonly memory: SharedHeapMemory;
  readonly start: number;
  readonly layout: Layout;
  readonly cells: AtomicCells;
  /** log2 of the unit. */
  readonly shift: number;
  /** The first unit that may be allocated. */
  readonly first: number;
  readonly #backing: Backing;
  readonly #header: Int32Array;
  /** All of the memory, as last seen. */
  #bytes: Uint8Array;

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

  /** A region with nothing allocated in it. Throws as `SharedHeap.create` says. */
  static create(options: SharedHeapOptions): SharedRegion {
    const { memory, size, start = 0, maximum, unit = 16, maxWorkers = 32, trackOwners = false } = options;
    if ((memory === undefined) === (size === undefined)) {
      throw new TypeError('a heap takes either a memory or a size');
    }
    checkPowerOfTwo('unit', unit, LEAST_UNIT, LARGEST_UNIT);
    checkWithin('maxWorkers', maxWorkers, 1, MAX_SLOTS);
    if (typeof trackOwners !== 'boolean') {
      throw new TypeError(`trackOwners must be a boolean, not a ${typeof trackOwners}`);
    }
    if (maximum !== undefined) checkWithin('maximum', maximum, 1, ADDRESSABLE);
    const used =
      memory ??
      allocateBuffer(
        SharedArrayBuffer,
        checkWithin('size', size as number, 1, maximum ?? ADDRESSABLE),
        maximum,
      );
    const backing = sharedBacking(used);
    if (maximum === undefined && 'grow' in used && !('byteLength' in used)) {
      throw new TypeError('a WebAssembly.Memory does not tell its maximum: it must be given');
    }
    const limit = Math.min(maximum ?? ADDRESSABLE, backing.limit);
    const before = memory === undefined ? 0 : backing.buffer.byteLength;
    checkWithin('start', start, 0, Math.min(limit, backing.buffer.byteLength));
    const base = unitZeroFor(unit, headerAt(start), limit);
    const capacity = Math.floor((limit - base) / unit);
    const layout = layoutOf(start, unit, base, geometryOf(Math.max(1, capacity), maxWorkers, trackOwners));
    const least = firstOf(layout) + 1;
    if (least > capacity) throw new RangeError(`${limit - start} bytes are too few for a heap`);
    const length = base + least * unit;
    if (backing.buffer.byteLength < length) backing.grow(roundUp(length, backing.granularity));
    const region = new SharedRegion(used, backing, start, layout);
    region.#open(before);
    return region;
  }

  /** The region that another worker has made. Throws as `SharedHeap.attach` says. */
  static attach(handle: SharedHeapHandle): SharedRegion {
    if (typeof handle !== 'object' || handle === null) {
      throw new TypeError("attach takes a heap's handle");
    }
    const { memory, start = 0 } = handle;
    const backing = sharedBacking(memory);
    checkWithin('start', start, 0, Math.min(ADDRESSABLE, backing.buffer.byteLength));
    return new SharedRegion(memory, backing, start, readLayout(backing, start));
  }

  /** The unit behind the last one that the memory has. */
  get frontier(): number {
    return Atomics.load(this.#header, AT_FRONTIER);
  }

  /** End of the region at present. */
  get end(): number {
    return this.layout.base + this.frontier * this.layout.unit;
  }

  /** Where `unit` begins. */
  pointerTo(unit: number): number {
    return ((unit << this.shift) + this.layout.base) >>> 0;
  }

  /** The unit that holds the byte at `ptr`, 0 … 2^32 - 1; for one before the base it is one beyond the arena. */
  unitAt(ptr: number): number {
    return (ptr - this.layout.base) >>> this.shift;
  }

  /** The present buffer, which has all of the region. */
  get buffer(): SharedArrayBuffer {
    return bufferTo(this.#backing, this.end);
  }

  /** The memory, up to `end` at least, which lies in the region. */
  bytesTo(end: number): Uint8Array {
    // The former buffers of a WebAssembly memory keep their length.
    if (this.#bytes.length < end) this.#bytes = new Uint8Array(this.buffer);
    return this.#bytes;
  }

  /** Whether `buffer` is on the same memory: whether it shows what is written here. For `worker`, which writes to its cell. */
  holds(buffer: ArrayBufferLike, worker: number): boolean {
    const { buffer: ours } = this.#bytes;
    if (buffer === ours) return true;
    const at = this.layout.probes + 4 * (worker - 1);
    if (!isSharedArrayBuffer(buffer) || buffer.byteLength < at + 4) return false;
    const here = new Int32Array(ours, at, 1);
    const there = new Int32Array(buffer, at, 1);
    return [1, 2].every((value) => {
      Atomics.store(here, 0, value);
      return Atomics.load(there, 0) === value;
    });
  }

  /**
   * Gives the arena more memory than up to `frontier`, as this worker has last seen it, so that a block of `units` units, a power of
   * two, has room. Returns false when that cannot be, and has changed nothing then. True does not say that there is room, as
   * others allocate, but that the frontier is another.
   */
  growFor(engine: Engine, units: number, frontier: number): boolean {
    const { cells, first } = this;
    const { g } = this.layout;
    // The first place that reaches beyond the frontier, or the next one if what lies before the frontier is not free.
    const straddling = Math.floor(frontier / units) * units;
    const fits = isRangeFree(cells, g, straddling, frontier) ? straddling : straddling + units;
    const least = fits + units;
    if (least > g.capacity) return false;
    const end = this.#growthTo(frontier, least);
    const wish = frontier + Math.max(frontier - first, LEAST_GROWTH >> this.shift);
    const doubled = this.#growthTo(frontier, Math.min(wish, g.capacity));
    if (!this.#enlarge([Math.max(doubled, end), end])) return false;
    const present = this.#present();
    for (let at = frontier; at < present; ) {
      const next = at + growthAt(at, first, g.capacity);
      if (next > present) break;
      this.#claim(engine, at, next);
      at = next;
    }
    return true;
  }

  /**
   * Moves the frontier past a block that a worker has claimed and may have died before it did so, as recovery is about to free the
   * block. There is one at most, as nobody claims the next before the frontier is behind it.
   */
  passClaimed(): void {
    const { cells, first, frontier } = this;
    const { g } = this.layout;
    if (!g.tracked || frontier === g.capacity || ownerAt(cells, g, frontier) === RESERVED) return;
    const next = frontier + growthAt(frontier, first, g.capacity);
    Atomics.compareExchange(this.#header, AT_FRONTIER, frontier, next);
  }

  /** What is wrong with the region, in words. Right when all is quiet. O(capacity). */
  check(): string[] {
    const { cells, first, frontier } = this;
    const { g } = this.layout;
    const wrong = check(cells, g);
    const demand = (at: number, end: number) => {
      while (at < end) {
        const size = sizeAt(cells, g, at);
        if (size === 0 || (g.tracked && ownerAt(cells, g, at) !== RESERVED)) {
          wrong.push(`unit ${at} is not reserved`);
          return;
        }
        at += size;
      }
    };
    demand(0, first);
    demand(frontier, g.capacity);
    return wrong;
  }

  /** Makes the arena. What the memory had up to byte `before` need not be zero. */
  #open(before: number): void {
    const { cells, first, layout } = this;
    // Zeros are left alone: to write to them would have the system provide memory for all of them.
    const old = new Int32Array(this.#bytes.buffer, layout.header, (layout.end - layout.header) / 4);
    const end = Math.min(old.length, Math.ceil((before - layout.header) / 4));
    for (let i = 0; i < end; i++) if (old[i] !== 0) old[i] = 0;
    const frontier = this.#present();
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

  /** The first end of a reserved block from `wish` on. */
  #growthTo(frontier: number, wish: number): number {
    let at = frontier;
    while (at < wish) at += growthAt(at, this.first, this.layout.g.capacity);
    return at;
  }

  /** Sees to it that the memory has room for one of `ends`, the first that can be had. Returns whether it has for the last. */
  #enlarge(ends: readonly number[]): boolean {
    const { base, unit } = this.layout;
    const least = ends[ends.length - 1];
    for (const end of ends) {
      if (this.#present() >= least) break;
      try {
        this.#backing.grow(roundUp(base + end * unit, this.#backing.granularity));
      } catch {
        // Refused; or another worker has grown it further in the meantime.
      }
    }
    return this.#present() >= least;
  }

  /** Frees the reserved block from `at` up to `next`, unless another worker does. */
  #claim(engine: Engine, at: number, next: number): void {
    const { cells, g, slot } = engine;
    const owned = g.tracked && changeOwner(cells, g, at, RESERVED, slot);
    const moved = Atomics.compareExchange(this.#header, AT_FRONTIER, at, next) === at;
    if (g.tracked ? owned : moved) engine.reclaim(at, g.tracked ? slot : 0);
  }
}

function firstOf({ end, base, unit }: Layout): number {
  return Math.ceil((end - base) / unit);
}

function roundUp(value: number, granularity: number): number {
  return Math.ceil(value / granularity) * granularity;
}
