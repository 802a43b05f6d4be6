// The memory that a heap manages: its slabs, and how they grow with the memory.
//
// The pages of the region are those of the slabs. In an embedded heap the last of them hold the books, under a reservation;
// they move when the region's end does. Pages that another party has added to the memory are under a reservation, too.

import { isSharedArrayBuffer } from '../base/buffers.ts';
import { BuddyError } from '../base/errors.ts';
import { stateOf } from '../core/allocator.ts';
import { AT_CAPACITY } from '../core/layout.ts';
import { attachStateAt } from '../core/state/attach.ts';
import { isRangeFree } from '../core/state/ranges.ts';
import {
  clearBooks,
  emptyBooks,
  layOutBooks,
  releaseRun,
  reservedRuns,
  reserveRun,
  setPages,
} from '../slab/books.ts';
import { faultsOf } from '../slab/check.ts';
import {
  blockAt,
  isReserved,
  largestFree,
  liveBlocks,
  liveCount,
  reservedPages,
  usedBytes,
} from '../slab/inspect.ts';
import { AT_LIMIT, AT_PAGES, AT_ROOT, arenaAt, cellsFor, RESERVED } from '../slab/layout.ts';
import { Slabs } from '../slab/slabs.ts';
import type { HeapRegion, MemoryBlock, RegionFigures } from './bookkeeping.ts';
import { type Bounds, Extent, pageFor } from './extent.ts';
import { type GrowthOptions, growthOf } from './growth.ts';
import { readHeader, writeHeader } from './header.ts';
import {
  allocateMemory,
  type Backing,
  backingOf,
  type HeapHandle,
  type HeapMemory,
  ifThereIsRoom,
  isSameMemory,
  isWasmMemory,
  lengthsFor,
  lengthsOf,
  openHandle,
} from './memory.ts';
import { boundsOf, checkOptions, type HeapOptions } from './options.ts';

/** Up to this many bytes a loop copies faster than the call of the built-in function takes. Measured. */
const LONGEST_LOOP = 256;

/** What a region does besides what its bounds say. */
interface Manners {
  readonly growth: GrowthOptions;
  readonly shareGrowth: boolean;
  readonly throwNoRoom: boolean;
}

/** See the head of this file. Numbers named `pages` count page 0, all else is bytes. */
export class Region extends Extent implements HeapRegion {
  readonly backing: Backing;
  readonly manners: Manners;
  readonly slabs: Slabs;
  /**
   * All of the memory, as last seen. A view that has lost its bytes has no byte 0; its length may be wrong, see
   * `isDetached` of the core.
   */
  bytes: Uint8Array;
  /** The memory up to the region's end, for short copies. */
  int32: Int32Array = new Int32Array(0);
  /** By unit from page 0 on, the bytes of the block that were not asked for; undefined unless sizes are kept. */
  rests: Uint16Array | undefined;
  /** Pages of the region. */
  pages = 0;
  /** A view of memory without which the heap can do nothing: its books if they are embedded, and a word else. */
  #probe: Int32Array;
  /** The first page of the embedded books; 0 if they lie outside. */
  #books = 0;
  /** Other buffers on the same memory, which stay valid. */
  readonly #former = new WeakSet<ArrayBufferLike>();

  /** A region of the slabs of the books `b` of `pages` pages, which lie in it from page `books` on, or outside of it. */
  private constructor(
    backing: Backing,
    bounds: Bounds,
    page: number,
    manners: Manners,
    b: Int32Array,
    books: number,
  ) {
    super(bounds, page);
    this.backing = backing;
    this.manners = manners;
    this.bytes = new Uint8Array(backing.buffer);
    this.slabs = new Slabs(this.geometry, b);
    this.#probe = b;
    this.#note(b[AT_PAGES], books);
  }

  /** A region with nothing allocated in it. Throws as the constructor of Heap says. */
  static create(options: HeapOptions): Region {
    checkOptions(options);
    const { memory, size, maximum, resizable } = options;
    const whole = memory ?? allocateMemory(size as number, maximum, resizable);
    const backing = backingOf(whole);
    const bounds = boundsOf(options, backing.buffer.byteLength);
    const page = pageFor(bounds, backing.limit);
    const extent = new Extent(bounds, page);
    const end = openingEnd(extent, bounds, backing.limit, backing.granularity);
    const length = Math.ceil(end / backing.granularity) * backing.granularity;
    if (length > backing.buffer.byteLength) backing.grow(length);
    const pages = extent.pagesAt(end);
    const limit = bounds.embed ? pages : extent.limitFor(pages, Math.min(bounds.maximum, backing.limit));
    const region = new Region(
      backing,
      bounds,
      page,
      mannersOf(options, whole),
      emptyBooks(extent.geometry, pages, limit),
      0,
    );
    if (bounds.keepSizes) region.rests = new Uint16Array(extent.sizesBytes(limit) / 2);
    if (bounds.embed) region.#placeBooks();
    return region;
  }

  /** Bytes of the state of the heap that {@link create} makes. Throws as that does, but makes no memory. */
  static bytesFor(options: HeapOptions): number {
    checkOptions(options);
    const { memory, size, maximum, resizable } = options;
    const { length, limit, granularity } =
      memory === undefined ? lengthsFor(size as number, maximum, resizable) : lengthsOf(backingOf(memory));
    const bounds = boundsOf(options, length);
    const extent = new Extent(bounds, pageFor(bounds, limit));
    const end = openingEnd(extent, bounds, limit, granularity);
    return extent.stateBytes(extent.pagesAt(end));
  }

  /** The region of an embedded heap, from what it left in its memory. Throws as `Heap.attach` says. O(pages). */
  static attach(handle: HeapHandle<HeapMemory | ArrayBufferView>): Region {
    const { backing, start } = openHandle(handle);
    const { buffer } = backing;
    const header = readHeader(buffer, start);
    const { unit, end, maximum, state, page, keepSizes, shareGrowth } = header;
    const bounds = { unit, start, end, maximum, embed: true, keepSizes };
    const extent = new Extent(bounds, page);
    const { geometry } = extent;
    const pages = extent.pagesAt(end);
    const books = extent.pagesAt(state);
    if (
      extent.endOf(pages) !== end ||
      extent.endOf(books) !== state ||
      books + extent.ownPages(pages) > pages
    ) {
      throw new BuddyError(
        'CORRUPT',
        `the heap from ${start} to ${end} has no room for its state at ${state}`,
      );
    }
    const b = new Int32Array(buffer, state, cellsFor(geometry, pages));
    if (b[AT_PAGES] !== pages || b[AT_LIMIT] !== pages) {
      throw new BuddyError(
        'CORRUPT',
        `the heap has ${pages} pages by its header, ${b[AT_PAGES]} by its state`,
      );
    }
    const arena = attachStateAt(buffer, state + 4 * arenaAt(geometry, pages));
    if (arena[AT_CAPACITY] !== geometry.lead + pages) {
      throw new BuddyError('CORRUPT', `the heap has ${pages} pages, its arena ${arena[AT_CAPACITY]}`);
    }
    const manners = { growth: {}, shareGrowth, throwNoRoom: false };
    const region = new Region(backing, bounds, page, manners, b, books);
    region.#openBooks();
    const wrong = region.#faults();
    if (wrong.length > 0) throw new BuddyError('CORRUPT', wrong[0]);
    return region;
  }

  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.attached().bytes.buffer;
  }

  get end(): number {
    return this.endOf(this.pages);
  }

  /** The end beyond which the region cannot grow; 0 if its end never moves. */
  get limit(): number {
    return Math.min(this.maximum, this.backing.limit);
  }

  get highestEnd(): number {
    return this.limit === 0 ? this.end : this.wholePages(this.limit);
  }

  get metadataBytes(): number {
    return this.stateBytes(this.pages);
  }

  attached(): this {
    // A view that has lost its bytes, as by growth of the memory or by a cut, has no element 0.
    if (this.#probe[0] === undefined) this.refresh();
    return this;
  }

  isOwn(ptr: number): boolean {
    return isReserved(this.slabs, ptr);
  }

  blockAt(ptr: number): MemoryBlock | undefined {
    return blockAt(this.slabs, ptr);
  }

  liveBlocks(): Generator<MemoryBlock, void, undefined> {
    return liveBlocks(this.slabs);
  }

  get used(): number {
    return usedBytes(this.slabs);
  }

  get free(): number {
    return (this.pages - 1 - reservedPages(this.slabs)) * this.page - this.used;
  }

  get largestFree(): number {
    return largestFree(this.slabs);
  }

  figures(): RegionFigures {
    const { used, free, largestFree } = this;
    return { used, free, largestFree, liveBlocks: liveCount(this.slabs) };
  }

  /** The unit of the byte at `ptr`, from page 0 on. */
  unitAt(ptr: number): number {
    return Math.floor((ptr - this.endOf(0)) / this.unit);
  }

  bytesTo(end: number): Uint8Array {
    if (this.bytes.length < end) this.refresh();
    return this.bytes;
  }

  /** Brings `bytes` and embedded books into the present buffer. Throws a BuddyError `DETACHED`, `TRUNCATED` or `CORRUPT`. */
  refresh(): void {
    const { buffer } = this.backing;
    if (buffer !== this.bytes.buffer) {
      if (!this.backing.detaches) this.#former.add(this.bytes.buffer);
      this.bytes = new Uint8Array(buffer);
      if (this.embed && buffer.byteLength >= this.end) this.#openBooks();
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
    this.#view();
    // Embedded books lie where the program writes.
    if (this.slabs.b[AT_PAGES] !== this.pages) {
      throw new BuddyError('CORRUPT', "the heap's own state was overwritten");
    }
  }

  /**
   * Copies `length` bytes from the block at `from` to that at `to`, and up to 7 more, which both have. The blocks must not
   * overlap.
   */
  copy(to: number, from: number, length: number): void {
    if (length > LONGEST_LOOP) {
      this.bytes.copyWithin(to, from, from + length);
      return;
    }
    const { int32 } = this;
    const ahead = (to >>> 2) - (from >>> 2);
    let i = from >>> 2;
    // Not `(from + length) >>> 2`: the end of 4 GiB, 2^32, would become 0.
    for (const end = i + ((length + 7) >>> 3) * 2; i < end; i += 2) {
      int32[i + ahead] = int32[i];
      int32[i + ahead + 1] = int32[i + 1];
    }
  }

  holds(buffer: ArrayBufferLike): boolean {
    if (buffer === this.bytes.buffer || this.#former.has(buffer)) return true;
    this.refresh(); // another party may have grown the memory
    return buffer === this.bytes.buffer || this.#former.has(buffer) || this.#shows(buffer);
  }

  /** Whether `buffer`, which the region has not seen yet, is on the same shared memory. A full heap cannot tell. */
  #shows(buffer: ArrayBufferLike): boolean {
    if (!isSharedArrayBuffer(buffer) || !isSharedArrayBuffer(this.bytes.buffer)) return false;
    const ptr = this.slabs.malloc(1); // a byte that no thread reads
    if (ptr === 0) return false;
    const isOurs = isSameMemory(this.bytes.buffer, buffer, ptr);
    this.slabs.free(ptr);
    if (isOurs) this.#former.add(buffer);
    return isOurs;
  }

  /**
   * Enlarges the region, and the memory if need be, so that `pages` pages have room in a row, at a multiple of `alignment`
   * bytes. Returns false if that cannot be; nothing has changed then. O(pages of the region) if the books must be laid out
   * anew.
   */
  growFor(pages: number, alignment: number): boolean {
    this.refresh();
    const { limit } = this;
    if (limit === 0) return false;
    // Another party may have grown the memory. What it added is the heap's to use, or stays that party's.
    const { byteLength } = this.bytes.buffer;
    const present = this.pagesAt(Math.min(byteLength, limit));
    const isShared = this.manners.shareGrowth;
    const foreign = !isShared && byteLength > this.end ? this.#pagesOver(byteLength) : 0;
    const tail = foreign > 0 ? foreign : this.#tail();
    const used = this.pagesAt(Math.ceil(this.endOf(tail) / alignment) * alignment) + pages;
    if (isShared && present > this.pages && this.pagesFor(used, present) === present) {
      return this.#extend(present, foreign);
    }
    const end = this.endOf(Math.max(this.pages, foreign));
    const grown = end + growthOf(this.manners.growth, this.end - this.start);
    for (const wish of [grown, 0]) {
      const after = this.#pagesAfterGrowth(used, wish);
      if (after > this.pages && this.#extend(after, foreign)) return true;
    }
    return false;
  }

  /**
   * Enlarges the region so that the block that ends at `end` has `pages` pages more behind it, if nothing lies there. Returns
   * false if that cannot be; nothing has changed then.
   */
  growBehind(end: number, pages: number): boolean {
    this.slabs.flush(true);
    return this.endOf(this.#tail()) === end && this.growFor(pages, this.page);
  }

  /** Pages up to `length`, of which a part may be beyond. */
  #pagesOver(length: number): number {
    return Math.ceil(length / this.page) - this.geometry.origin;
  }

  /** Pages of a region up to `wish`, or as many more as let `used` have room; 0 if the limit is too low. */
  #pagesAfterGrowth(used: number, wish: number): number {
    const limit = this.pagesAt(this.limit);
    const pages = this.pagesAt(this.lengthFor(used, Math.min(wish, this.limit), this.backing.granularity));
    if (pages <= limit) return pages;
    return this.pagesFor(used, limit) === limit ? limit : 0;
  }

  /** Gives back the free pages at the end, if the memory can shrink. Returns the bytes given back. */
  trim(): number {
    this.refresh();
    if (this.maximum === 0 || this.backing.shrink === undefined) return 0;
    this.slabs.flush(true);
    const before = this.bytes.buffer.byteLength;
    const pages = this.pagesFor(Math.max(2, this.#tail()), 0);
    // The bytes behind the region are not the heap's to give, but for the rest of a page that nobody else added.
    const rest = this.manners.shareGrowth ? this.page - 1 : 0;
    if (pages >= this.pages || before - this.end > rest) return 0;
    this.#relayOut(pages, this.#roomFor(pages));
    this.backing.shrink(this.end);
    this.refresh();
    return before - this.end;
  }

  /** Frees all blocks. O(pages). */
  clear(): void {
    this.refresh();
    const { slabs } = this;
    const root = slabs.b[AT_ROOT];
    const reserved = reservedRuns(slabs);
    clearBooks(slabs);
    slabs.b[AT_ROOT] = root;
    for (const run of reserved) reserveRun(slabs, run.page, run.pages);
  }

  check(): string[] {
    return this.#faults();
  }

  /** What is wrong, in words. */
  #faults(): string[] {
    const wrong = faultsOf(this.slabs);
    if (!this.embed || wrong.length > 0) return wrong;
    const books = this.#books;
    if (this.slabs.map[books] !== -this.ownPages(this.pages) - RESERVED) {
      wrong.push(`the pages of the state at ${this.endOf(books)} are not reserved`);
    }
    wrong.push(...this.#checkHeader());
    return wrong;
  }

  /** Every fault of the header of an embedded heap, in words. */
  #checkHeader(): string[] {
    try {
      const { unit, end, state, maximum, page, keepSizes } = readHeader(this.bytes.buffer, this.start);
      const right =
        unit === this.unit &&
        end === this.end &&
        state === this.endOf(this.#books) &&
        maximum === this.maximum &&
        page === this.page &&
        keepSizes === this.keepSizes;
      return right ? [] : ['the header is that of another heap'];
    } catch (error) {
      if (!(error instanceof BuddyError)) throw error;
      return [`header: ${error.message}`];
    }
  }

  #note(pages: number, books: number): void {
    this.pages = pages;
    this.#books = books;
    this.#view();
  }

  /** Makes the views of the memory up to the present end. */
  #view(): void {
    const { buffer } = this.bytes;
    // A heap that `attach` is about to refuse may end beyond its memory.
    this.int32 = new Int32Array(buffer, 0, Math.floor(Math.min(this.end, buffer.byteLength) / 4));
    if (!this.embed) this.#probe = new Int32Array(buffer, 0, 1);
  }

  /** The first page of the free ones at the end, without the embedded books, which move with the end. O(log³ pages). */
  #tail(): number {
    const state = stateOf(this.slabs.arena);
    const { lead } = this.geometry;
    const tail = freeFrom(state, lead + this.pages) - lead;
    const isBooks = this.embed && tail === this.#books + this.ownPages(this.pages);
    return isBooks ? freeFrom(state, lead + this.#books) - lead : tail;
  }

  /**
   * Gives the slabs the memory up to the end of `pages` pages, of which those before `foreign` belong to another party.
   * Returns false if the platform does not have it; nothing has changed then.
   */
  #extend(pages: number, foreign: number): boolean {
    const { granularity } = this.backing;
    const length = Math.ceil(this.endOf(pages) / granularity) * granularity;
    const before = this.pages;
    const room = ifThereIsRoom(() => {
      const made = this.#roomFor(pages);
      if (length > this.bytes.buffer.byteLength) this.backing.grow(length);
      return made;
    });
    if (room === undefined) return false;
    this.refresh();
    this.#relayOut(pages, room);
    if (foreign > before) reserveRun(this.slabs, before, foreign - before);
    return true;
  }

  /** What a region of `pages` pages needs, made before anything changes. Throws if there is no memory. */
  #roomFor(pages: number): Room {
    const { embed, rests } = this;
    const isEnough = !embed && pages <= this.slabs.b[AT_LIMIT];
    if (isEnough) return { limit: 0, cells: undefined, rests };
    const wished = embed ? pages : this.limitFor(pages, this.limit);
    // Not every runtime has the addresses for books that are much larger than what is written to them.
    return ifThereIsRoom(() => this.#roomUpTo(wished)) ?? this.#roomUpTo(pages);
  }

  /** Room for `limit` pages. Throws if there is no memory. */
  #roomUpTo(limit: number): Room {
    const cells = new Int32Array(cellsFor(this.geometry, limit));
    // Those of an embedded heap have to leave their place while the books move.
    const rests = this.keepSizes ? new Uint16Array(this.sizesBytes(limit) / 2) : undefined;
    return { limit, cells, rests };
  }

  /** Makes the region one of `pages` pages, with room for its state. Pages that go are free. */
  #relayOut(pages: number, { limit, cells, rests }: Room): void {
    const { slabs } = this;
    if (rests !== this.rests && this.rests !== undefined) rests?.set(this.rests.subarray(0, rests.length));
    if (this.embed) releaseRun(slabs, this.#books);
    if (cells === undefined) setPages(slabs, pages);
    else layOutBooks(slabs, cells, pages, limit);
    this.#note(pages, 0);
    this.rests = rests;
    if (this.embed) this.#placeBooks();
  }

  /** Gives an embedded heap's books and rests their place at the end of the region. */
  #placeBooks(): void {
    const { slabs, pages, rests } = this;
    const own = this.ownPages(pages);
    this.#note(pages, pages - own);
    reserveRun(slabs, this.#books, own);
    this.#openBooks(slabs.b);
    if (rests !== undefined) this.rests?.set(rests);
    this.#writeHeader();
  }

  /** Makes the cells of the region at the books' place the books, after `b` was copied there if it is given. */
  #openBooks(b?: Int32Array): void {
    const { buffer } = this.bytes;
    const at = this.endOf(this.#books);
    const cells = cellsFor(this.geometry, this.pages);
    const view = new Int32Array(buffer, at, cells);
    if (b !== undefined) view.set(b);
    this.slabs.open(view);
    this.#probe = view;
    if (this.keepSizes) this.rests = new Uint16Array(buffer, at + 4 * cells, this.sizesBytes(this.pages) / 2);
  }

  #writeHeader(): void {
    const { unit, maximum, start, end, page, keepSizes, manners } = this;
    writeHeader(this.bytes.buffer, start, {
      unit,
      end,
      state: this.endOf(this.#books),
      maximum,
      page,
      keepSizes,
      shareGrowth: manners.shareGrowth,
    });
  }
}

/** Buffers for the state of a region: `cells` for books with room for `limit` pages, unless the present ones have it. */
interface Room {
  readonly limit: number;
  readonly cells: Int32Array | undefined;
  readonly rests: Uint16Array | undefined;
}

/** How a heap of `options` behaves in `memory`. */
function mannersOf(options: HeapOptions, memory: HeapMemory): Manners {
  const { growth = {}, shareGrowth = !isWasmMemory(memory), throwNoRoom = false } = options;
  return { growth, shareGrowth, throwNoRoom };
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
