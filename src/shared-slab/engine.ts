// Slabs of many workers: small blocks from slabs, each of which belongs to one worker (as the pages of mimalloc: Leijen
// et al. 2019), large ones from the shared arena of pages. Everything that others need of a slab is in shared cells.
//
//   malloc        the owner of the slab takes a free slot by a plain write
//   free          the owner by a plain write, another worker by one CAS; see layout.ts
//   collecting    the owner makes the slots that others have freed in its slabs free ones, when it has run out of those
//   abandoning    a worker that leaves stores slot 0 as the owner of its slabs; a worker that needs one takes it by CAS
//
// A slab is made while its pages belong to the worker in the arena of pages, and given back while they belong to none
// and the worker announces them. All other slabs belong to IN_SLAB there. So a worker that dies in between leaves pages
// that recovery gives back, whatever their descriptors say.
//
// The owner's free needs an answer to "has another worker freed the block already?" without an atomic access. It
// writes, and reads the cell again: if the other worker was first, it takes its write back. A processor may let that
// read overtake the write. Therefore a worker that is about to free the first block in a slab of another marks the slab
// as SHARED, and waits until the owner must have seen that: from then on the owner frees there by CAS. (Plain writes
// alone cannot suffice: Attiya et al., Laws of Order, 2011.)

import { announce, endAnnouncement } from '../shared/announcements.ts';
import type { Cells } from '../shared/cells.ts';
import type { Engine } from '../shared/engine.ts';
import { sizeAt as arenaSizeAt } from '../shared/inspect.ts';
import { changeOwner, IN_SLAB, isKept, NOBODY, ownerAt, RESERVED } from '../shared/owners.ts';
import { resize } from '../shared/resize.ts';
import {
  beginAdoption,
  beginAdoptionFromAny,
  endAdoption,
  isAdopting,
  slotOf as slotOfWorker,
} from '../shared/slots.ts';
import { classOf, slotOf, unitsOf } from '../slab/size-classes.ts';
import { byteAt, changeByte, claimByte, fillBytes } from './bytes.ts';
import {
  ADOPTED,
  AT_ABANDONED,
  AT_NONE,
  BITS,
  CACHED,
  CLASS_MASK,
  COUNT_MASK,
  cellsFor,
  FULL,
  type Geometry,
  LARGEST_ORDER,
  META,
  NEXT,
  ORDER_SHIFT,
  OWNED,
  OWNER,
  PREV,
  SHARED,
  SLAB_SHIFT,
  SLOTS_PER_CELL,
  slotBits,
  slotIn,
  slotsIn,
  USED,
} from './layout.ts';
import {
  budgetAt,
  CLASS_SHIFT,
  cacheAt,
  cachedPagesAt,
  cursorAt,
  HEAD,
  PAGES,
  RING,
  WORD,
  WORD_BASE,
} from './own.ts';
import {
  changeOwners,
  claimBytes,
  classAt,
  collect,
  collectCell,
  countAt,
  freeSlot,
  isEmpty,
  isUsed,
  liveOf,
  pagesAt,
  slabAt,
  slabsBefore,
  unitOf,
  unmap,
} from './slab.ts';
import {
  T_BASE,
  T_HEAD,
  T_INVERSE,
  T_LEAST,
  T_MOST,
  T_SHIFT,
  T_SIZE,
  T_UNITS,
  T_WORD,
  tableOf,
} from './table.ts';

/** Full slabs that are looked at for freed slots before a new slab is made. */
const RING_LOOKS = 8;
/** Pages that are looked at for slabs without an owner before a new slab is made. */
const TAKEOVER_LOOKS = 64;
/** log2 of the bytes of empty slabs that a worker keeps. */
const CACHE_SHIFT = 18;

/**
 * Whether a slab of `count` slots may have been full before a free, or may be empty after it: the free freed the slot
 * with that `bit`, and `after` has the free slots of its cell since then.
 */
const mayTurn = (after: number, bit: number, count: number): boolean => {
  return after === bit || after === 0xffff || after === (1 << (count & (SLOTS_PER_CELL - 1))) - 1;
};

/** The slabs as the attached worker in one slot sees them. Addresses are bytes, as uint32. */
export class SlabEngine {
  readonly cells: Cells;
  readonly G: Geometry;
  /** The arena of pages as the same worker sees it. */
  readonly arena: Engine;
  readonly slot: number;
  /** The OWNER of a slab of this worker that is not marked. */
  readonly #mine: number;
  /** The first page that need not have memory: no block lies there, as far as this worker knows. */
  pages: number;
  /** The worker's own cells; see own.ts. */
  readonly #own: Cells;
  /** The worker's line. No other worker writes to its USED. */
  readonly #tally: Int32Array;
  readonly #unitShift: number;
  readonly #pageShift: number;
  /** Address of page 0 in pages. */
  readonly #origin: number;
  readonly #map: number;
  readonly #descriptors: number;
  readonly #pageCells: number;
  readonly #none: number;
  /** Units of the largest slot. */
  readonly #largest: number;
  readonly #cacheLimit: number;
  /** The table of the classes; see table.ts. */
  readonly #table: Int32Array;

  /**
   * @param own the worker's own cells, `ownCells` of them, all zero when the worker attaches
   * @param tally the cells of the worker's line
   */
  constructor(arena: Engine, G: Geometry, own: Cells, tally: Int32Array) {
    this.cells = arena.cells;
    this.G = G;
    this.arena = arena;
    this.slot = arena.slot;
    this.#mine = OWNED | arena.slot;
    this.pages = G.arena.capacity;
    this.#own = own;
    this.#tally = tally;
    this.#unitShift = G.unitShift;
    this.#pageShift = G.pageShift;
    this.#origin = G.base / 2 ** G.pageShift;
    this.#map = G.map;
    this.#descriptors = G.descriptors;
    this.#pageCells = G.pageCells;
    this.#none = G.header + AT_NONE;
    this.#largest = G.classes === 0 ? 0 : unitsOf(G.classes - 1);
    this.#cacheLimit = Math.min(2 ** Math.max(0, CACHE_SHIFT - G.pageShift), G.arena.capacity >>> 4);
    this.#table = tableOf(G, own);
  }

  /** Makes the worker's own cells those of a worker without slabs. */
  open(): void {
    for (let c = 0; c < this.G.classes; c++) this.#setWord(c, this.#none, 0);
    this.#own.write(cursorAt(this.G), 1);
  }

  /** The block of `bytes` bytes, an int32 from 1 up. Returns its address; 0 if there is no room. */
  malloc(bytes: number): number {
    const q = (bytes - 1) >> this.#unitShift;
    if (q >= this.#largest) return this.mallocPages(32 - Math.clz32((bytes - 1) >>> this.#pageShift));
    const table = this.#table;
    const c = classOf(q);
    const t = c << T_SHIFT;
    const at = table[t + T_WORD];
    const low = this.cells.readLow(at);
    const free = low & ~this.cells.readHigh(at);
    if (free === 0) return this.#refill(c);
    const bit = free & -free;
    this.cells.writeLow(at, low ^ bit);
    this.#tally[USED] += table[t + T_UNITS];
    return (table[t + T_BASE] + Math.imul(31 - Math.clz32(bit), table[t + T_SIZE])) >>> 0;
  }

  /** A block of 2^order pages, at a multiple of its size in the arena. Returns its address; 0 if there is no room. */
  mallocPages(order: number): number {
    const page = this.#allocate(order);
    if (page < 0) return 0;
    // A recovery takes back the large blocks of a dead worker. In a heap that is not tracked this one must stay.
    if (!this.G.tracked) changeOwner(this.cells, this.G.arena, page, this.slot, NOBODY);
    this.#count(2 ** (order + this.#pageShift - this.#unitShift));
    return this.#addressOf(page);
  }

  /**
   * Makes the live block of pages at `ptr` one of 2^order pages, if that is a change of one word of the arena. Returns
   * whether it has that size now. No other worker may free or resize it meanwhile.
   */
  resizePages(ptr: number, order: number): boolean {
    const page = this.#pageOf(ptr);
    if (page < 0 || this.cells.read(this.#map + page) !== 0) return false;
    const { arena } = this.G;
    const before = arenaSizeAt(this.cells, arena, page);
    if (!resize(this.cells, arena, page, order)) return false;
    this.#count((2 ** order - before) * 2 ** (this.#pageShift - this.#unitShift));
    return true;
  }

  /** Frees the block at `ptr`, any number. Returns its bytes; 0 if no live block begins there. */
  free(ptr: number): number {
    const { cells } = this;
    const page = (ptr >>> this.#pageShift) - this.#origin;
    if (page >>> 0 >= this.pages) return 0;
    const entry = cells.read(this.#map + page);
    if (entry === 0) return this.#freePages(ptr, page);
    const h = entry >>> SLAB_SHIFT;
    const c = entry & CLASS_MASK;
    const table = this.#table;
    const t = c << T_SHIFT;
    const base = (h + this.#origin) << this.#pageShift;
    const slot = slotOf((ptr - base) >>> this.#unitShift, table[t + T_INVERSE]);
    const size = table[t + T_SIZE];
    const d = this.#descriptors + Math.imul(h, this.#pageCells);
    const count = cells.read(d + META) & COUNT_MASK;
    if ((base + Math.imul(slot, size)) >>> 0 !== ptr || slot >= count) return 0;
    const at = d + BITS + (slot >>> 4);
    const bit = 1 << (slot & 15);
    if (cells.read(d + OWNER) !== this.#mine) return this.#freeSlowly(h, c, at, slot) ? size : 0;
    // Halves are read and written alike: a processor passes no write of a half on to a read of the whole.
    const low = cells.readLow(at);
    if (((low | cells.readHigh(at)) & bit) !== 0) return 0;
    cells.writeLow(at, low | bit);
    if ((cells.readHigh(at) & bit) !== 0) {
      // Another worker has freed the block in between.
      cells.writeLow(at, low);
      return 0;
    }
    // Another worker may be adopting the block in between.
    if (cells.read(d + OWNER) !== this.#mine) this.#claimIfAdopted(h, c, slot);
    this.#tally[USED] -= table[t + T_UNITS];
    if (h !== table[t + T_HEAD] && mayTurn(low | bit, bit, count)) this.#turn(h, c);
    return size;
  }

  /** Bytes of the live block that begins at `ptr`, any number; 0 if none does. */
  sizeAt(ptr: number): number {
    const page = this.#pageOf(ptr);
    if (page < 0) return 0;
    const entry = this.cells.read(this.#map + page);
    if (entry === 0)
      return this.#isPages(ptr, page) ? this.#bytesOf(arenaSizeAt(this.cells, this.G.arena, page)) : 0;
    const h = entry >>> SLAB_SHIFT;
    const c = entry & CLASS_MASK;
    const slot = this.#slotOf(ptr, h, c);
    if (slot < 0) return 0;
    const value = this.cells.load(this.#at(h) + BITS + (slot >>> 4));
    return (liveOf(value) & (1 << (slot & 15))) === 0 ? 0 : this.#table[(c << T_SHIFT) + T_SIZE];
  }

  /**
   * Makes this worker the owner of the live block at `ptr`, any number, in a tracked heap. With `from`, the id of a
   * worker, the block must belong to that worker, or have been left by it; with 0, to anyone. Returns whether there is
   * such a block. The change is one CAS: a worker that dies in this call has the block or has not.
   */
  adopt(ptr: number, from: number): boolean {
    const { cells, slot } = this;
    const page = this.#pageOf(ptr);
    if (page < 0) return false;
    if (!this.G.tracked) return this.sizeAt(ptr) !== 0;
    if (cells.read(this.#map + page) === 0) return this.#isPages(ptr, page) && this.arena.adopt(page, from);
    if (from === 0) beginAdoptionFromAny(cells, this.G.arena, slot);
    const adopted =
      (from === 0 || beginAdoption(cells, this.G.arena, slot, from)) &&
      this.#adoptSlot(ptr, page, slotOfWorker(from), slot);
    endAdoption(cells, this.G.arena, slot);
    return adopted;
  }

  /**
   * Makes the live block at `ptr`, any number, nobody's, in a tracked heap. Returns whether there is such a block. A
   * worker that dies in this call has the block or nobody has.
   */
  disown(ptr: number): boolean {
    const { cells, G, slot } = this;
    const page = this.#pageOf(ptr);
    if (page < 0) return false;
    if (!G.tracked) return this.sizeAt(ptr) !== 0;
    if (cells.read(this.#map + page) === 0) {
      const has = this.#isPages(ptr, page) && this.arena.adopt(page, 0);
      return has && changeOwner(cells, G.arena, page, slot, NOBODY);
    }
    beginAdoptionFromAny(cells, G.arena, slot);
    const disowned = this.#adoptSlot(ptr, page, 0, NOBODY);
    endAdoption(cells, G.arena, slot);
    return disowned;
  }

  /**
   * Gives this worker's slabs up: other workers may take them. Its blocks stay. In a tracked heap they belong to its
   * slot still, by their bytes.
   */
  abandonAll(): void {
    const { cells, G, slot } = this;
    for (const h of slabsBefore(cells, G, this.pages)) {
      if (slotIn(cells.load(this.#at(h) + OWNER)) === slot) this.letGo(h);
    }
  }

  /**
   * Collects the FREED slots of this worker's slabs, and gives back the pages of empty slabs, abandoned ones included.
   * Returns whether there were any.
   */
  reclaim(): boolean {
    const { cells, G } = this;
    let any = this.#reclaimClasses();
    if (cells.load(G.header + AT_ABANDONED) > 0 && this.#reclaimAbandoned()) any = true;
    return this.#flush() || any;
  }

  /**
   * Takes slab `h`, whose owner was read as `owner`, from a dead worker or from nobody. Returns whether it is taken.
   */
  take(h: number, owner: number): boolean {
    const marks = SHARED | (this.G.tracked ? ADOPTED : 0);
    return this.cells.cas(this.#at(h) + OWNER, owner, this.#mine | marks);
  }

  /** Gives slab `h`, which is this worker's, back to the arena if it is empty. If not, abandons it. */
  letGo(h: number): void {
    const { cells, G, slot } = this;
    collect(cells, G, h);
    if (isEmpty(cells, G, h)) {
      this.giveBack(h, IN_SLAB);
      return;
    }
    const d = this.#at(h);
    this.#mark(d, SHARED);
    if (G.tracked) {
      // The mark comes before the bytes: without it all bytes are 0.
      this.#mark(d, ADOPTED);
      changeOwners(cells, G, h, 0, slot);
    }
    cells.write(d + META, cells.read(d + META) & ~(FULL | CACHED));
    this.#addAbandoned(1);
    cells.store(d + OWNER, OWNED | SHARED | (G.tracked ? ADOPTED : 0));
  }

  /**
   * Gives the pages of slab `h`, which is empty and on no list, back to the arena, where they belong to `owner`:
   * IN_SLAB, or a dead worker that was making the slab. Without an owner they can be neither freed nor adopted,
   * whatever the map says.
   */
  giveBack(h: number, owner: number): void {
    const { cells, G, slot } = this;
    announce(cells, G.arena, slot, h);
    if (changeOwner(cells, G.arena, h, owner, 0)) {
      unmap(cells, G, h);
      this.arena.reclaim(h, 0);
    } else endAnnouncement(cells, G.arena, slot);
  }

  /** Notes that blocks of `units` units in all were freed, by other means than `free`. */
  noteFreed(units: number): void {
    this.#count(-units);
  }

  #count(units: number): void {
    this.#tally[USED] += units;
  }

  /** `free` of slot `slot` of slab `h`, of class `c`, which is another's, or marked. */
  #freeSlowly(h: number, c: number, at: number, slot: number): boolean {
    const { cells, G } = this;
    const d = this.#at(h);
    const bit = 1 << (slot & 15);
    const units = this.#table[(c << T_SHIFT) + T_UNITS];
    const owner = cells.load(d + OWNER);
    if (slotIn(owner) === this.slot) {
      if (!freeSlot(cells, at, bit, 0)) return false;
      this.#claimIfAdopted(h, c, slot);
      this.#count(-units);
      const after = cells.read(at) & 0xffff;
      if (h !== this.#table[(c << T_SHIFT) + T_HEAD] && mayTurn(after, bit, countAt(cells, G, h)))
        this.#turn(h, c);
      return true;
    }
    // Waits until the owner must have seen the mark.
    if ((owner & SHARED) === 0 && this.#mark(d, SHARED)) cells.settle();
    if (!freeSlot(cells, at, bit, SLOTS_PER_CELL)) return false;
    this.#count(-units);
    return true;
  }

  /** Makes this worker's slot the byte of slot `slot` of its slab `h`, of class `c`, if blocks there may be adopted. */
  #claimIfAdopted(h: number, c: number, slot: number): void {
    const { cells, G } = this;
    if ((cells.load(this.#at(h) + OWNER) & ADOPTED) !== 0)
      claimByte(cells, G, unitOf(G, h, c, slot), this.slot);
  }

  /** Marks the slab with the descriptor at `d` as SHARED, or as ADOPTED. Returns whether it was not before. */
  #mark(d: number, mark: number): boolean {
    for (;;) {
      const owner = this.cells.load(d + OWNER);
      if ((owner & mark) !== 0) return false;
      if (this.cells.cas(d + OWNER, owner, owner | mark)) return true;
    }
  }

  /** The page that holds the byte at `ptr`, any number; -1 if no block can begin there, as far as this worker knows. */
  #pageOf(ptr: number): number {
    const page = (ptr >>> this.#pageShift) - this.#origin;
    return ptr >>> 0 === ptr && page >>> 0 < this.pages ? page : -1;
  }

  /** The slot of slab `h`, of class `c`, that begins at `ptr`; -1 if none does. */
  #slotOf(ptr: number, h: number, c: number): number {
    const bytes = (ptr - this.#addressOf(h)) | 0;
    const slot = slotOf(bytes >>> this.#unitShift, this.#table[(c << T_SHIFT) + T_INVERSE]);
    return Math.imul(slot, this.#table[(c << T_SHIFT) + T_SIZE]) === bytes &&
      slot < countAt(this.cells, this.G, h)
      ? slot
      : -1;
  }

  /** Whether a block of pages may begin at `ptr`, on page `page`, where no slab is. */
  #isPages(ptr: number, page: number): boolean {
    return this.#addressOf(page) === ptr && !isKept(ownerAt(this.cells, this.G.arena, page));
  }

  /** 2^order pages of the arena, which this worker knows of from now on; -1 if there is no room. */
  #allocate(order: number): number {
    const page = this.arena.allocate(order);
    // Another worker may have made the heap grow by these pages.
    if (page >= 0) this.pages = Math.max(this.pages, page + 2 ** order);
    return page;
  }

  #bytesOf(pages: number): number {
    return pages * 2 ** this.#pageShift;
  }

  /** `free` of the block of pages at `ptr`, on page `page`. */
  #freePages(ptr: number, page: number): number {
    const { cells } = this;
    if (this.#addressOf(page) !== ptr) return 0;
    for (;;) {
      const owner = ownerAt(cells, this.G.arena, page);
      if (owner === 0 || isKept(owner)) return 0;
      const pages = this.arena.reclaim(page, owner);
      if (pages === 0) continue; // another worker frees it, or has adopted it
      this.#count(-(pages * 2 ** (this.#pageShift - this.#unitShift)));
      return this.#bytesOf(pages);
    }
  }

  /** Makes `to` the owner of the block in the slot at `ptr`, on page `page`; `from` is a slot, or 0 for any. */
  #adoptSlot(ptr: number, page: number, from: number, to: number): boolean {
    const { cells, G } = this;
    const entry = cells.load(this.#map + page);
    if (entry === 0) return false;
    const h = entry >>> SLAB_SHIFT;
    const c = entry & CLASS_MASK;
    const slot = this.#slotOf(ptr, h, c);
    if (slot < 0) return false;
    const d = this.#at(h);
    const unit = unitOf(G, h, c, slot);
    for (;;) {
      const owner = cells.load(d + OWNER);
      const byte = byteAt(cells, G, unit);
      if (slotIn(owner) < 0 || byte === RESERVED || (from !== 0 && (byte || slotIn(owner)) !== from))
        return false;
      // The mark goes before the look at the slot: an owner that frees the block later sees the mark.
      if ((owner & ADOPTED) === 0) {
        if (!cells.cas(d + OWNER, owner, owner | ADOPTED | SHARED)) continue;
        cells.settle();
      }
      if ((liveOf(cells.load(d + BITS + (slot >>> 4))) & (1 << (slot & 15))) === 0) return false;
      if (changeByte(cells, G, unit, byte, to)) return true;
    }
  }

  /** `malloc` of a slot of class `c`, if the cell at hand has none. */
  #refill(c: number): number {
    while (!this.#pointIn(c, this.#table[(c << T_SHIFT) + T_HEAD])) {
      if (this.#table[(c << T_SHIFT) + T_HEAD] !== 0) this.#putIntoRing(c);
      if (this.#table[(c << T_SHIFT) + T_HEAD] !== 0) continue;
      let h = this.#fromRing(c);
      if (h === 0) h = this.#takeOver(c, TAKEOVER_LOOKS);
      if (h === 0 && this.#reviewsSlabs()) continue;
      if (h === 0) h = this.#newSlab(c);
      if (h === 0) h = this.#takeOver(c, this.pages);
      if (h === 0) return 0;
      this.#link(h, c);
    }
    return this.malloc(this.#table[(c << T_SHIFT) + T_SIZE]);
  }

  /** Has class `c` take its slots from a cell of slab `h` that has any. Returns false if there is none, or `h` is 0. */
  #pointIn(c: number, h: number): boolean {
    if (h === 0) return false;
    return this.#pointTo(c, h) || (collect(this.cells, this.G, h) && this.#pointTo(c, h));
  }

  /** Looks first behind the present cell, as that one is used up: a slab has up to 64. */
  #pointTo(c: number, h: number): boolean {
    const { cells } = this;
    const d = this.#at(h);
    const bits = d + BITS;
    const end = bits + cellsFor(cells.read(d + META) & COUNT_MASK);
    const present = this.#table[(c << T_SHIFT) + T_WORD];
    let at = present >= bits && present < end ? present : bits;
    for (let left = end - bits; left > 0; left--, at = at + 1 === end ? bits : at + 1) {
      if (cells.readLow(at) === 0) continue;
      if (cells.readHigh(at) !== 0) collectCell(cells, at);
      const first = (at - bits) << 4;
      if ((cells.read(d + OWNER) & ADOPTED) !== 0)
        claimBytes(cells, this.G, h, first, cells.readLow(at), this.slot);
      this.#setWord(c, at, this.#addressOf(h) + Math.imul(first, this.#table[(c << T_SHIFT) + T_SIZE]));
      return true;
    }
    return false;
  }

  /** Has class `c` take its slots from the cell at `at`, whose first slot is at `base`. */
  #setWord(c: number, at: number, base: number): void {
    const k = c << CLASS_SHIFT;
    this.#table[(c << T_SHIFT) + T_WORD] = at;
    this.#table[(c << T_SHIFT) + T_BASE] = base;
    this.#own.write(k + WORD, at);
    this.#own.write(k + WORD_BASE, base);
  }

  #setHead(c: number, h: number): void {
    this.#table[(c << T_SHIFT) + T_HEAD] = h;
    this.#own.write((c << CLASS_SHIFT) + HEAD, h);
  }

  /** Moves the head of class `c`, which is full, from the list into the ring, behind all others. */
  #putIntoRing(c: number): void {
    const { cells } = this;
    const own = this.#own;
    const k = c << CLASS_SHIFT;
    const h = this.#table[(c << T_SHIFT) + T_HEAD];
    this.#unlink(h, c);
    const d = this.#at(h);
    const ring = own.read(k + RING);
    cells.write(d + META, cells.read(d + META) | FULL);
    if (ring === 0) {
      cells.write(d + NEXT, h);
      cells.write(d + PREV, h);
      own.write(k + RING, h);
      return;
    }
    const last = cells.read(this.#at(ring) + PREV);
    cells.write(d + NEXT, ring);
    cells.write(d + PREV, last);
    cells.write(this.#at(last) + NEXT, h);
    cells.write(this.#at(ring) + PREV, h);
  }

  /** Takes slab `h` out of the ring of class `c`. */
  #leaveRing(h: number, c: number): void {
    const { cells } = this;
    const own = this.#own;
    const ring = (c << CLASS_SHIFT) + RING;
    const d = this.#at(h);
    const next = cells.read(d + NEXT);
    const prev = cells.read(d + PREV);
    cells.write(this.#at(prev) + NEXT, next);
    cells.write(this.#at(next) + PREV, prev);
    if (own.read(ring) === h) own.write(ring, next === h ? 0 : next);
    cells.write(d + META, cells.read(d + META) & ~FULL);
  }

  /** A slab out of the ring of class `c` in which others have freed slots, if one of the next few is such; 0 if not. */
  #fromRing(c: number): number {
    const { cells } = this;
    const own = this.#own;
    const ring = (c << CLASS_SHIFT) + RING;
    const first = own.read(ring);
    for (let h = first, looks = 0; h !== 0 && looks < RING_LOOKS; looks++) {
      if (collect(cells, this.G, h)) {
        this.#leaveRing(h, c);
        return h;
      }
      h = cells.read(this.#at(h) + NEXT);
      own.write(ring, h);
      if (h === first) break;
    }
    return 0;
  }

  /** Takes over a slab of class `c` with free slots, if the next `looks` pages have an abandoned one; 0 if not. */
  #takeOver(c: number, looks: number): number {
    const { cells, G } = this;
    const own = this.#own;
    if (cells.load(G.header + AT_ABANDONED) <= 0) return 0;
    let page = own.read(cursorAt(G));
    for (let looked = 0; looked < looks && looked < this.pages; looked++) {
      if (page >= this.pages) page = 1;
      const h = slabAt(cells, G, page);
      page++;
      if (h === 0 || classAt(cells, G, h) !== c) continue;
      const owner = cells.load(this.#at(h) + OWNER);
      if (slotIn(owner) !== 0 || ownerAt(cells, G.arena, h) !== IN_SLAB || !this.take(h, owner)) continue;
      this.#addAbandoned(-1);
      if (classAt(cells, G, h) !== c) {
        // Meanwhile another worker has given that slab back, made another there, and abandoned it.
        this.letGo(h);
        continue;
      }
      if (this.#adopted(h, c)) {
        own.write(cursorAt(G), page);
        return h;
      }
    }
    own.write(cursorAt(G), page);
    return 0;
  }

  /**
   * Counts slab `h`, which was taken over, to class `c`. Returns whether it has free slots; if not, puts it into the
   * ring.
   */
  #adopted(h: number, c: number): boolean {
    const own = this.#own;
    const k = c << CLASS_SHIFT;
    own.write(k + PAGES, own.read(k + PAGES) + pagesAt(this.cells, this.G, h));
    collect(this.cells, this.G, h);
    const bits = this.#at(h) + BITS;
    const end = bits + cellsFor(countAt(this.cells, this.G, h));
    for (let pos = bits; pos < end; pos++) if ((this.cells.read(pos) & 0xffff) !== 0) return true;
    // A worker takes a slab over only if the list is empty, so this becomes its head.
    this.#link(h, c);
    this.#putIntoRing(c);
    return false;
  }

  /** Puts slab `h` on the list of class `c`: behind the head, or as the head if there is none. */
  #link(h: number, c: number): void {
    const { cells } = this;
    const d = this.#at(h);
    const head = this.#table[(c << T_SHIFT) + T_HEAD];
    cells.write(d + PREV, head);
    if (head === 0) {
      cells.write(d + NEXT, 0);
      this.#setHead(c, h);
      return;
    }
    const next = cells.read(this.#at(head) + NEXT);
    cells.write(d + NEXT, next);
    cells.write(this.#at(head) + NEXT, h);
    if (next !== 0) cells.write(this.#at(next) + PREV, h);
  }

  /** Takes slab `h` off the list of class `c`. */
  #unlink(h: number, c: number): void {
    const { cells } = this;
    const next = cells.read(this.#at(h) + NEXT);
    const prev = cells.read(this.#at(h) + PREV);
    if (next !== 0) cells.write(this.#at(next) + PREV, prev);
    if (prev !== 0) cells.write(this.#at(prev) + NEXT, next);
    else {
      this.#setHead(c, next);
      this.#setWord(c, this.#none, 0);
    }
  }

  /** The rest of `free`, if slab `h` may have been full before, or may be empty now. */
  #turn(h: number, c: number): void {
    const { cells, G } = this;
    if ((cells.read(this.#at(h) + META) & FULL) !== 0) {
      this.#leaveRing(h, c);
      this.#link(h, c);
    }
    if (h === this.#table[(c << T_SHIFT) + T_HEAD] || !isEmpty(cells, G, h)) return;
    this.#unlink(h, c);
    this.#leaveClass(h, c);
    this.#keep(h);
  }

  /** Takes slab `h`, which is on no list, out of the count of class `c`. */
  #leaveClass(h: number, c: number): void {
    const pages = (c << CLASS_SHIFT) + PAGES;
    this.#own.write(pages, this.#own.read(pages) - pagesAt(this.cells, this.G, h));
  }

  /** Puts slab `h`, which is empty and of no class, into the cache, or gives it back if that is full. */
  #keep(h: number): void {
    const { cells, G } = this;
    const own = this.#own;
    const pages = pagesAt(cells, G, h);
    const cached = own.read(cachedPagesAt(G)) + pages;
    if (cached > this.#cacheLimit) {
      this.giveBack(h, IN_SLAB);
      return;
    }
    const d = this.#at(h);
    const list = cacheAt(G) + Math.log2(pages);
    cells.write(d + META, cells.read(d + META) | CACHED);
    cells.write(d + NEXT, own.read(list));
    this.#forget(h, pages);
    own.write(list, h);
    own.write(cachedPagesAt(G), cached);
  }

  /** Takes the marks off slab `h`, of `pages` pages, which is empty, unless a worker may be adopting a block in it. */
  #forget(h: number, pages: number): void {
    const { cells, G } = this;
    const pos = this.#at(h) + OWNER;
    const owner = cells.load(pos);
    if (owner === this.#mine || (G.tracked && isAdopting(cells, G.arena))) return;
    if ((owner & ADOPTED) !== 0) fillBytes(cells, G, h, pages, 0);
    cells.store(pos, this.#mine);
  }

  /** A slab of 2^order pages out of the cache; 0 if it has none. */
  #fromCache(order: number): number {
    const { cells, G } = this;
    const own = this.#own;
    const h = own.read(cacheAt(G) + order);
    if (h === 0) return 0;
    const d = this.#at(h);
    own.write(cacheAt(G) + order, cells.read(d + NEXT));
    own.write(cachedPagesAt(G), own.read(cachedPagesAt(G)) - (1 << order));
    cells.write(d + META, cells.read(d + META) & ~CACHED);
    return h;
  }

  /** A slab of class `c`, on no list, all of its slots free; 0 if there is no room. */
  #newSlab(c: number): number {
    const { cells, G } = this;
    const own = this.#own;
    const pages = (c << CLASS_SHIFT) + PAGES;
    const least = this.#table[(c << T_SHIFT) + T_LEAST];
    const most = this.#table[(c << T_SHIFT) + T_MOST];
    // A class of few blocks takes few pages, and a large one has few slabs.
    let order = Math.max(least, Math.min(30 - Math.clz32(own.read(pages)), most));
    let h = this.#fromCache(order);
    if (h !== 0) {
      if (classAt(cells, G, h) !== c) {
        changeOwner(cells, G.arena, h, IN_SLAB, this.slot);
        this.#make(h, order, c);
      }
    } else {
      let page = this.#allocate(order);
      while (page < 0 && order > least) page = this.#allocate(--order);
      if (page < 0) return 0;
      h = page;
      this.#begin(h, order);
      this.#make(h, order, c);
      own.write(budgetAt(G), own.read(budgetAt(G)) - (1 << order));
    }
    own.write(pages, own.read(pages) + (1 << order));
    return h;
  }

  /** Makes this worker the owner of the slab that it is about to make of the 2^order pages from `h` on. */
  #begin(h: number, order: number): void {
    const { cells, G } = this;
    const adopting = G.tracked && isAdopting(cells, G.arena);
    if (G.tracked) fillBytes(cells, G, h, 1 << order, adopting ? this.slot : 0);
    cells.store(this.#at(h) + OWNER, this.#mine | (adopting ? ADOPTED | SHARED : 0));
  }

  /** Makes the 2^order pages from `h` on, which are this worker's in the arena, a slab of class `c`. */
  #make(h: number, order: number, c: number): void {
    const { cells, G } = this;
    const d = this.#at(h);
    const count = slotsIn(G, c, order);
    cells.write(d + META, count | (order << ORDER_SHIFT));
    for (let first = 0, at = d + BITS; first < count; first += SLOTS_PER_CELL, at++)
      cells.write(at, slotBits(count, first));
    for (let i = 0; i < 1 << order; i++) cells.store(this.#map + h + i, (h << SLAB_SHIFT) | c);
    changeOwner(cells, G.arena, h, this.slot, IN_SLAB);
  }

  /** Gives all slabs of the cache back. Returns whether there were any. */
  #flush(): boolean {
    let any = false;
    for (let order = 0; order <= LARGEST_ORDER; order++) {
      for (let h = this.#fromCache(order); h !== 0; h = this.#fromCache(order)) {
        this.giveBack(h, IN_SLAB);
        any = true;
      }
    }
    return any;
  }

  /**
   * Gives the slabs back that others have emptied, if this worker has made slabs of as many pages since it last did so as
   * it was left with. Otherwise workers that never run out of pages would keep ever more slabs, of sizes that they need no
   * longer, from those that do. Returns whether it has looked. O(1) for each page that becomes a slab.
   */
  #reviewsSlabs(): boolean {
    const { G } = this;
    const own = this.#own;
    if (own.read(budgetAt(G)) > 0) return false;
    this.#reclaimClasses();
    let pages = 0;
    for (let c = 0; c < G.classes; c++) pages += own.read((c << CLASS_SHIFT) + PAGES);
    own.write(budgetAt(G), Math.max(pages, this.#cacheLimit, 1));
    return true;
  }

  /** {@link reclaim} in the slabs of all classes. */
  #reclaimClasses(): boolean {
    let any = false;
    for (let c = 0; c < this.G.classes; c++) if (this.#reclaimClass(c)) any = true;
    return any;
  }

  /** {@link reclaim} in the slabs of class `c`. */
  #reclaimClass(c: number): boolean {
    const { cells, G } = this;
    let any = false;
    // The next malloc must choose its cell anew: that claims the bytes of the slots that are collected here.
    this.#setWord(c, this.#none, 0);
    for (const h of this.#chain(c, RING)) {
      if (!collect(cells, G, h)) continue;
      this.#leaveRing(h, c);
      this.#link(h, c);
      any = true;
    }
    for (const h of this.#chain(c, HEAD)) {
      collect(cells, G, h);
      if (!isEmpty(cells, G, h)) continue;
      this.#unlink(h, c);
      this.#leaveClass(h, c);
      this.giveBack(h, IN_SLAB);
      any = true;
    }
    return any;
  }

  /** The slabs of class `c` in the ring, or on the list. */
  #chain(c: number, first: number): number[] {
    const all: number[] = [];
    const start = this.#own.read((c << CLASS_SHIFT) + first);
    for (let h = start; h !== 0; ) {
      all.push(h);
      h = this.cells.read(this.#at(h) + NEXT);
      if (h === start) break;
    }
    return all;
  }

  /** Gives back the abandoned slabs without a live slot. Returns whether there were any. */
  #reclaimAbandoned(): boolean {
    const { cells, G } = this;
    let any = false;
    for (const h of slabsBefore(cells, G, this.pages)) {
      const owner = cells.load(this.#at(h) + OWNER);
      if (slotIn(owner) !== 0 || isUsed(cells, G, h) || !this.take(h, owner)) continue;
      this.#addAbandoned(-1);
      this.letGo(h);
      any = true;
    }
    return any;
  }

  /** The count of abandoned slabs may be too large after a worker's death, but never too small. */
  #addAbandoned(slabs: number): void {
    const pos = this.G.header + AT_ABANDONED;
    for (;;) {
      const before = this.cells.load(pos);
      if (this.cells.cas(pos, before, before + slabs)) return;
    }
  }

  /** The position of the descriptor of slab `h`. */
  #at(h: number): number {
    return this.#descriptors + h * this.#pageCells;
  }

  #addressOf(page: number): number {
    return ((page + this.#origin) << this.#pageShift) >>> 0;
  }
}
