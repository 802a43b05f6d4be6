// Slabs: small blocks from runs of pages that are cut into equal slots (Bonwick 1994), large blocks as exact runs of pages,
// both from a BuddyAllocator of pages. Nothing is written into the blocks: all that is known of them is in the books.
//
// Each class takes slots from one word of one slab, the head of its list, until that has none left. The list holds the slabs
// with free slots, and full ones only as its head. A slab that was full and is freed into goes behind the head.
//
// The runs of pages of slabs that become empty, but for the head, and of large blocks that are freed go to the cache, by their
// length, if they are short. From there slabs and large blocks of any class take them. The cache gives pages back to the arena
// before a page is used that never was before: so the least memory is used, and the arena is mostly left alone.
//
// Addresses are bytes, as uint32; in the books they are int32 of the same bits.

import { allocatorOn, type BuddyAllocator, setState } from '../core/allocator.ts';
import {
  AT_CACHE,
  AT_CACHED,
  AT_LARGE,
  AT_LARGE_PAGES,
  AT_LIMIT,
  AT_NONE,
  AT_PAGES,
  AT_TOP,
  arenaIn,
  BITS,
  BUSY_SHIFT,
  CACHED,
  CLASS_CELLS,
  CLASS_MASK,
  CLASS_PAGES,
  CLASSES,
  descriptorsAt,
  type Geometry,
  HEAD,
  INVERSE,
  LIVE,
  META,
  MOST_CACHED_PAGES,
  mapIn,
  NEXT,
  OFF_LIST,
  PAGE_CELLS,
  PREV,
  pagesOf,
  RESERVED,
  SIZE,
  SLAB_SHIFT,
  SLOTS_MASK,
  WORD,
  WORD_BASE,
} from './layout.ts';
import { classOf, slotOf, unitsOf } from './size-classes.ts';
import { STEPS, slotsIn, slotsOf, stepFor } from './sizing.ts';

/** So many runs at most leave the cache for the arena in one call, lest that take long. */
const MOST_FLUSHED = 64;
/** And so many times at most in a call that finds no room otherwise. */
const MOST_ROUNDS = 16;

/** See the head of this file. */
export class Slabs {
  readonly geometry: Geometry;
  readonly arena: BuddyAllocator;
  /** The books. */
  b: Int32Array;
  /** The page map. */
  map: Int32Array;
  /** Bytes of the slot that was resized last, before. */
  resized = 0;
  readonly #unitShift: number;
  readonly #pageShift: number;
  readonly #origin: number;
  readonly #lead: number;
  readonly #descriptors: number;
  /** Units of the largest slot. */
  readonly #largestSlot: number;
  /** By class and step, the slots of a slab once they were counted. */
  readonly #slots: Int16Array;

  /** The slabs of sound books `b`. */
  constructor(geometry: Geometry, b: Int32Array) {
    this.geometry = geometry;
    this.#unitShift = geometry.unitShift;
    this.#pageShift = geometry.pageShift;
    this.#origin = geometry.origin;
    this.#lead = geometry.lead;
    this.#descriptors = descriptorsAt(geometry);
    this.#largestSlot = geometry.classes === 0 ? 0 : unitsOf(geometry.classes - 1);
    this.#slots = new Int16Array(geometry.classes * STEPS);
    this.b = b;
    this.map = mapIn(geometry, b);
    this.arena = allocatorOn(arenaIn(geometry, b));
  }

  /** Makes `b`, sound books of the same geometry, the books. */
  open(b: Int32Array): void {
    const { geometry } = this;
    this.b = b;
    this.map = mapIn(geometry, b);
    setState(this.arena, arenaIn(geometry, b));
  }

  /** The block of `bytes` bytes, an int32 from 1 up. Returns its address; 0 if there is no room. */
  malloc(bytes: number): number {
    const q = (bytes - 1) >> this.#unitShift;
    if (q >= this.#largestSlot) return this.mallocLarge(((bytes - 1) >>> this.#pageShift) + 1, 1);
    const k = CLASSES + classOf(q) * CLASS_CELLS;
    const { b } = this;
    const at = b[k + WORD];
    const word = b[at];
    if (word === 0) return this.#refill(k);
    const bit = word & -word;
    b[at] = word ^ bit;
    b[k + LIVE]++;
    return (b[k + WORD_BASE] + Math.imul(31 - Math.clz32(bit), b[k + SIZE])) >>> 0;
  }

  /**
   * A block of `pages` pages at a multiple of `alignment` pages, a power of two. Returns its address; 0 if there is no room.
   */
  mallocLarge(pages: number, alignment: number): number {
    const page = this.#take(pages, alignment);
    if (page === 0) return 0;
    const { b } = this;
    if (pages <= MOST_CACHED_PAGES) this.#mark(page, pages, 0);
    this.map[page] = -pages;
    b[AT_LARGE]++;
    b[AT_LARGE_PAGES] += pages;
    return this.#addressOf(page);
  }

  /** Frees the block at `ptr`. Returns false if there is none. */
  free(ptr: number): boolean {
    const page = (ptr >>> this.#pageShift) - this.#origin;
    const entry = this.map[page];
    if (!(entry > 0)) return this.#freeLarge(ptr, page, entry);
    const bit = this.#bitOf(ptr, entry);
    if (bit < 0 || (this.b[bit >>> 5] & (1 << bit)) !== 0) return false;
    this.#freeSlot(entry, bit);
    return true;
  }

  /** Bytes of the live block that starts at `ptr`; 0 if none does. O(1). */
  sizeAt(ptr: number): number {
    const { b } = this;
    const page = (ptr >>> this.#pageShift) - this.#origin;
    const entry = this.map[page];
    if (!(entry > 0)) {
      const isLarge = entry < 0 && entry > -RESERVED && this.#addressOf(page) === ptr;
      return isLarge ? -entry * 2 ** this.#pageShift : 0;
    }
    const bit = this.#bitOf(ptr, entry);
    if (bit < 0 || (b[bit >>> 5] & (1 << bit)) !== 0) return 0;
    return b[CLASSES + (entry & CLASS_MASK) * CLASS_CELLS + SIZE];
  }

  /**
   * Gives the slot at `ptr` room for `bytes` bytes, an int32 from 1 to the largest slot's: it stays if it has that room and
   * would not be left more than half empty, and is freed for another slot otherwise. `resized` is its size before. What it
   * holds is still there, to be copied.
   *
   * @returns the address; 0 if there is no room, or no live slot starts at `ptr`, and then nothing has changed.
   */
  resizeSlot(ptr: number, bytes: number): number {
    const { b } = this;
    const entry = this.map[(ptr >>> this.#pageShift) - this.#origin];
    if (!(entry > 0)) return 0;
    const bit = this.#bitOf(ptr, entry);
    if (bit < 0 || (b[bit >>> 5] & (1 << bit)) !== 0) return 0;
    const size = b[CLASSES + (entry & CLASS_MASK) * CLASS_CELLS + SIZE];
    if (bytes <= size && bytes << 1 > size) return ptr;
    const to = this.malloc(bytes);
    if (to === 0) return 0;
    this.resized = size;
    this.#freeSlot(entry, bit);
    return to;
  }

  /** Pages that a block of `bytes` bytes, 1 up to 2^32, takes at least if no slab has a slot for it. */
  pagesFor(bytes: number): number {
    const q = Math.ceil(bytes / 2 ** this.#unitShift) - 1;
    const size = q < this.#largestSlot ? unitsOf(classOf(q)) << this.#unitShift : bytes;
    return Math.ceil(size / 2 ** this.#pageShift);
  }

  /**
   * Makes the large block at `ptr` one of `pages` pages, where it lies. Returns false if it cannot be; nothing has changed
   * then. O(log pages).
   */
  resizeLarge(ptr: number, pages: number): boolean {
    const { b, map } = this;
    const page = (ptr >>> this.#pageShift) - this.#origin;
    const before = -map[page];
    if (pages > before) {
      const end = page + pages;
      if (end > b[AT_PAGES]) return false;
    }
    if (!this.arena.resizeRange(page + this.#lead, before, pages)) return false;
    map[page] = -pages;
    b[AT_LARGE_PAGES] += pages - before;
    if (page + pages > b[AT_TOP]) b[AT_TOP] = page + pages;
    return true;
  }

  /**
   * Moves the large block at `ptr` to the lowest place for `pages` pages, which may overlap its own. Nothing is copied.
   * Returns its address; 0 if there is no room, and then it is where it was.
   */
  moveLarge(ptr: number, pages: number): number {
    const { b, map, arena } = this;
    const lead = this.#lead;
    const page = (ptr >>> this.#pageShift) - this.#origin;
    const before = -map[page];
    arena.release(page + lead, before);
    const at = this.#place(pages, 1);
    if (at === 0) {
      arena.reserve(page + lead, before);
      return 0;
    }
    map[page] = 0;
    map[at] = -pages;
    b[AT_LARGE_PAGES] += pages - before;
    if (at + pages > b[AT_TOP]) b[AT_TOP] = at + pages;
    return this.#addressOf(at);
  }

  /**
   * Gives the pages of runs in the cache and of empty slabs back, of some 64 at most unless `all` are to be. Returns whether
   * there were any. O(classes), and O(log pages) a run.
   */
  flush(all = false): boolean {
    const { b } = this;
    let left = all ? b[AT_LIMIT] : MOST_FLUSHED;
    const before = left;
    for (let k = CLASSES; k < this.#descriptors && left > 0; k += CLASS_CELLS) {
      const h = b[k + HEAD];
      if (h === 0 || !this.#isEmpty(h)) continue;
      this.#behead(k);
      this.#cache(h, this.#leaveClass(h, k));
      left--;
    }
    left = before;
    for (let pages = MOST_CACHED_PAGES; pages > 0; pages--) {
      for (; left > 0 && b[AT_CACHE + pages - 1] !== 0; left--) {
        const h = this.#fromCache(pages);
        this.#mark(h, pages, 0);
        this.arena.release(h + this.#lead, pages);
      }
    }
    return left < before;
  }

  /**
   * The bit of the books for the slot that starts at `ptr`, on a page with the entry of a slab, as 32 * cell + bit; -1 if no
   * slot starts there.
   */
  #bitOf(ptr: number, entry: number): number {
    const { b } = this;
    const h = entry >>> SLAB_SHIFT;
    const k = CLASSES + (entry & CLASS_MASK) * CLASS_CELLS;
    const s = this.#descriptors + h * PAGE_CELLS;
    const base = (h + this.#origin) << this.#pageShift;
    const slot = slotOf((ptr - base) >>> this.#unitShift, b[k + INVERSE]);
    if ((base + Math.imul(slot, b[k + SIZE])) >>> 0 !== ptr || slot >= (b[s] & SLOTS_MASK)) return -1;
    return ((s + BITS) << 5) + slot;
  }

  /** Frees the live slot with that bit, on a page with that entry. */
  #freeSlot(entry: number, bit: number): void {
    const { b } = this;
    const k = CLASSES + (entry & CLASS_MASK) * CLASS_CELLS;
    const before = b[bit >>> 5];
    const after = before | (1 << bit);
    b[bit >>> 5] = after;
    b[k + LIVE]--;
    // The slab may have been full, or be empty now: in a word of free slots alone there is no 0 below a 1, nor a slot behind.
    const h = entry >>> SLAB_SHIFT;
    const s = this.#descriptors + h * PAGE_CELLS;
    if (
      (before === 0 || (after & (after + 1)) === 0) &&
      h !== b[k + HEAD] &&
      (b[s + PREV] === OFF_LIST || after === -1 || after === (-1 >>> -b[s]) >> 0)
    ) {
      this.#turn(h, k);
    }
  }

  /** `free` of a block that is in no slab: `h` is what the map has for its page. */
  #freeLarge(ptr: number, page: number, h: number): boolean {
    if (!(h < 0 && h > -RESERVED) || this.#addressOf(page) !== ptr) return false;
    const { b } = this;
    b[AT_LARGE]--;
    b[AT_LARGE_PAGES] += h;
    if (-h <= MOST_CACHED_PAGES) this.#cache(page, -h);
    else {
      this.map[page] = 0;
      this.arena.release(page + this.#lead, -h);
    }
    return true;
  }

  /** `malloc` of a slot of the class at `k`, if the word has none. */
  #refill(k: number): number {
    const { b } = this;
    if (b[k + HEAD] !== 0 && !this.#nextWord(k)) {
      b[this.#behead(k) + PREV] = OFF_LIST;
    }
    if (b[k + HEAD] === 0) {
      const h = this.#newSlab(k);
      if (h === 0) return 0;
      this.#link(h, k);
    }
    const at = b[k + WORD];
    const bit = b[at] & -b[at];
    b[at] ^= bit;
    b[k + LIVE]++;
    return (b[k + WORD_BASE] + Math.imul(31 - Math.clz32(bit), b[k + SIZE])) >>> 0;
  }

  /** Has the class at `k` go on with another word of the head, whose word is used up. Returns false if there is none. */
  #nextWord(k: number): boolean {
    const { b } = this;
    const h = b[k + HEAD];
    const s = this.#at(h);
    const last = ((b[s] & SLOTS_MASK) - 1) >>> 5;
    for (let w = 0; w <= last; w++) {
      if (b[s + BITS + w] === 0) continue;
      this.#pointTo(k, h, w);
      return true;
    }
    return false;
  }

  /** Has the class at `k` take its slots from word `w` of slab `h`. */
  #pointTo(k: number, h: number, w: number): void {
    const { b } = this;
    b[k + WORD] = this.#at(h) + BITS + w;
    b[k + WORD_BASE] = ((h + this.#origin) << this.#pageShift) + Math.imul(w << 5, b[k + SIZE]);
  }

  /** Takes the head off the list of the class at `k`. Returns the position of its descriptor. */
  #behead(k: number): number {
    const { b } = this;
    const s = this.#at(b[k + HEAD]);
    const next = b[s + NEXT];
    b[k + HEAD] = next;
    if (next === 0) b[k + WORD] = AT_NONE;
    else {
      b[this.#at(next) + PREV] = 0;
      this.#nextWord(k);
    }
    return s;
  }

  /** Puts slab `h`, which has free slots, on the list of the class at `k`: behind the head, or as the head if there is none. */
  #link(h: number, k: number): void {
    const { b } = this;
    const s = this.#at(h);
    const head = b[k + HEAD];
    b[s + PREV] = head;
    if (head === 0) {
      b[s + NEXT] = 0;
      b[k + HEAD] = h;
      this.#nextWord(k);
      return;
    }
    const next = b[this.#at(head) + NEXT];
    b[s + NEXT] = next;
    b[this.#at(head) + NEXT] = h;
    if (next !== 0) b[this.#at(next) + PREV] = h;
  }

  /** The rest of `free`, if a word of slab `h` had no free slot, or has no other. */
  #turn(h: number, k: number): void {
    const { b } = this;
    const s = this.#at(h);
    if (b[s + PREV] === OFF_LIST) this.#link(h, k);
    if (h === b[k + HEAD] || !this.#isEmpty(h)) return; // it may have become the head
    const next = b[s + NEXT];
    b[this.#at(b[s + PREV]) + NEXT] = next; // it is not the head, so there is one before
    if (next !== 0) b[this.#at(next) + PREV] = b[s + PREV];
    this.#cache(h, this.#leaveClass(h, k));
  }

  /** Whether all slots of slab `h` are free. Looks first where it found one in use before. */
  #isEmpty(h: number): boolean {
    const { b } = this;
    const s = this.#at(h);
    const meta = b[s];
    const n = meta & SLOTS_MASK;
    const last = (n - 1) >>> 5;
    const tail = (-1 >>> -n) >> 0;
    const busy = meta >>> BUSY_SHIFT;
    if (b[s + BITS + busy] !== (busy === last ? tail : -1)) return false;
    if (b[s + BITS + last] !== tail) {
      b[s] = n | (last << BUSY_SHIFT);
      return false;
    }
    for (let w = 0; w < last; w++) {
      if (b[s + BITS + w] === -1) continue;
      b[s] = n | (w << BUSY_SHIFT);
      return false;
    }
    return true;
  }

  /** A slab of the class at `k`, on no list, all of its slots free; 0 if there is no room. */
  #newSlab(k: number): number {
    const { b, geometry } = this;
    const c = (k - CLASSES) / CLASS_CELLS;
    const size = b[k + SIZE];
    const step = stepFor(b[k + CLASS_PAGES]);
    let n = this.#slots[c * STEPS + step];
    if (n === 0) {
      n = slotsOf(geometry, size, step);
      this.#slots[c * STEPS + step] = n;
    }
    let pages = pagesOf(geometry, n, size);
    let h = this.#take(pages, 1);
    // There may be room for a smaller one, down to as few pages as have room for a slot.
    for (const least = pagesOf(geometry, 1, size); h === 0 && pages > least; ) {
      n = slotsIn(geometry, size, Math.max(least, pages >>> 1));
      pages = pagesOf(geometry, n, size);
      h = this.#take(pages, 1);
    }
    if (h === 0) return 0;
    const s = this.#at(h);
    const last = (n - 1) >>> 5;
    b[s + META] = n;
    for (let w = 0; w < last; w++) b[s + BITS + w] = -1;
    b[s + BITS + last] = (-1 >>> -n) >> 0;
    this.#mark(h, pages, (h << SLAB_SHIFT) | c);
    b[k + CLASS_PAGES] += pages;
    return h;
  }

  /** Takes slab `h`, which is empty and on no list, out of the class at `k`. Returns its pages. */
  #leaveClass(h: number, k: number): number {
    const { b } = this;
    const pages = pagesOf(this.geometry, b[this.#at(h)] & SLOTS_MASK, b[k + SIZE]);
    b[k + CLASS_PAGES] -= pages;
    return pages;
  }

  /** Puts the run of `pages` pages from `h` on, which is no block and no slab any more, into the cache. */
  #cache(h: number, pages: number): void {
    const { b } = this;
    const s = this.#at(h);
    this.map[h] = h << SLAB_SHIFT;
    b[s + META] = CACHED;
    b[s + NEXT] = b[AT_CACHE + pages - 1];
    b[AT_CACHE + pages - 1] = h;
    b[AT_CACHED]++;
  }

  /** A run of `pages` pages out of the cache; 0 if it has none. Any of its entries in the map may be set. */
  #fromCache(pages: number): number {
    const { b } = this;
    const h = b[AT_CACHE + pages - 1];
    if (h === 0) return 0;
    b[AT_CACHE + pages - 1] = b[this.#at(h) + NEXT];
    b[AT_CACHED]--;
    return h;
  }

  /** The first of `pages` free pages, which are taken; 0 if there are none in a row. */
  #take(pages: number, alignment: number): number {
    const { b } = this;
    if (pages <= MOST_CACHED_PAGES && alignment === 1) {
      const h = this.#fromCache(pages);
      if (h !== 0) return h;
    }
    let at = this.#place(pages, alignment);
    if (at !== 0 && at + pages > b[AT_TOP]) {
      if (b[AT_CACHED] > 0) {
        this.arena.release(at + this.#lead, pages);
        this.flush();
        at = this.#place(pages, alignment);
      }
    }
    for (let rounds = 0; at === 0 && rounds < MOST_ROUNDS && this.flush(); rounds++) {
      at = this.#place(pages, alignment);
    }
    if (at !== 0 && at + pages > b[AT_TOP]) b[AT_TOP] = at + pages;
    return at;
  }

  /** As `#take`, without the cache. */
  #place(pages: number, alignment: number): number {
    const lead = this.#lead;
    const base = this.#origin - lead;
    if (base % alignment === 0) {
      const at = this.arena.allocRange(pages, alignment);
      return at < 0 ? 0 : at - lead;
    }
    // The arena starts at no multiple of the alignment, so there are few in it.
    const end = this.b[AT_PAGES] + this.#origin - pages;
    for (let at = Math.ceil((this.#origin + 1) / alignment) * alignment; at <= end; at += alignment) {
      if (this.arena.reserve(at - base, pages)) return at - this.#origin;
    }
    return 0;
  }

  /** Sets the entries of `pages` pages from `page` on, a few. A loop is faster than the built-in function. */
  #mark(page: number, pages: number, entry: number): void {
    const { map } = this;
    for (let i = page; i < page + pages; i++) map[i] = entry;
  }

  /** Position of the descriptor of slab `h`. */
  #at(h: number): number {
    return this.#descriptors + h * PAGE_CELLS;
  }

  #addressOf(page: number): number {
    return ((page + this.#origin) << this.#pageShift) >>> 0;
  }
}
