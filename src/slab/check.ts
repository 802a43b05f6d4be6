// Every invariant of the books. Nothing in them is trusted: they may lie where a program writes.

import { stateOf } from '../core/allocator.ts';
import { isRangeFree } from '../core/state/ranges.ts';
import { addressOf, slotsAt } from './inspect.ts';
import {
  AT_CACHE,
  AT_CACHED,
  AT_LARGE,
  AT_LARGE_PAGES,
  AT_LIMIT,
  AT_NONE,
  AT_PAGES,
  AT_RESERVED,
  AT_TOP,
  BITS,
  BUSY_SHIFT,
  CACHED,
  CLASS_CELLS,
  CLASS_MASK,
  CLASS_PAGES,
  CLASSES,
  descriptorsAt,
  HEAD,
  INVERSE,
  LIVE,
  MAX_SLOTS,
  META,
  MOST_CACHED_PAGES,
  NEXT,
  OFF_LIST,
  PAGE_CELLS,
  PREV,
  pagesOf,
  RESERVED,
  SIZE,
  SLAB_SHIFT,
  slotBytes,
  WORD,
  WORD_BASE,
} from './layout.ts';
import { inverseOf, unitsOf } from './size-classes.ts';
import type { Slabs } from './slabs.ts';

/** What was counted of one class, or of the cache. */
interface Tally {
  live: number;
  pages: number;
  /** Slabs that must be on its list. */
  readonly listed: Set<number>;
}

/** Every violated invariant, in words: some, if many are. O(pages + slots). */
export function faultsOf(slabs: Slabs): string[] {
  const arena = slabs.arena.check().map((fault) => `pages: ${fault}`);
  if (arena.length > 0) return arena;
  const faults: string[] = [];
  for (const fault of new Checker(slabs).faults()) {
    faults.push(fault);
    if (faults.length === MOST_FAULTS) break;
  }
  return faults;
}

const MOST_FAULTS = 100;

class Checker {
  readonly #slabs: Slabs;
  readonly #classes: Tally[];
  /** By pages - 1, the runs of the cache. */
  readonly #cached = new Map<number, number>();
  #large = 0;
  #largePages = 0;
  #reserved = 0;
  /** Runs of the cache that were found among the pages. */
  #cachedRuns = 0;
  /** The end of the highest page in use. */
  #top = 1;

  constructor(slabs: Slabs) {
    this.#slabs = slabs;
    this.#classes = Array.from({ length: slabs.geometry.classes }, () => ({
      live: 0,
      pages: 0,
      listed: new Set<number>(),
    }));
  }

  *faults(): Generator<string, void, undefined> {
    const { b } = this.#slabs;
    const [pages, limit, top] = [b[AT_PAGES], b[AT_LIMIT], b[AT_TOP]];
    if (b[AT_NONE] !== 0) yield 'the word of no slab is not empty';
    if (!(pages >= 1 && pages <= limit)) {
      yield `${pages} pages in books for ${limit}`;
      return;
    }
    yield* this.#cache();
    yield* this.#pages();
    if (this.#cachedRuns !== this.#cached.size)
      yield `${this.#cachedRuns} runs in the cache among the pages, not ${this.#cached.size}`;
    if (!(top >= this.#top && top <= pages))
      yield `the highest page that was ever in use is ${top - 1}, not one from ${this.#top - 1} to ${pages - 1}`;
    if (b[AT_LARGE] !== this.#large) yield `${this.#large} large blocks, not ${b[AT_LARGE]}`;
    if (b[AT_LARGE_PAGES] !== this.#largePages)
      yield `${this.#largePages} pages in large blocks, not ${b[AT_LARGE_PAGES]}`;
    if (b[AT_RESERVED] !== this.#reserved) yield `${this.#reserved} pages reserved, not ${b[AT_RESERVED]}`;
    for (let c = 0; c < this.#classes.length; c++) yield* this.#class(c);
  }

  /** The lists of the cache. */
  *#cache(): Generator<string, void, undefined> {
    const { b } = this.#slabs;
    for (let pages = 1; pages <= MOST_CACHED_PAGES; pages++) {
      for (let h = b[AT_CACHE + pages - 1]; h !== 0; h = b[this.#at(h) + NEXT]) {
        if (!this.#isPage(h, pages) || this.#cached.has(h)) {
          yield `the cache of runs of ${pages} pages leads to page ${h}`;
          return;
        }
        this.#cached.set(h, pages);
      }
    }
    if (b[AT_CACHED] !== this.#cached.size)
      yield `${this.#cached.size} runs in the cache, not ${b[AT_CACHED]}`;
  }

  /** Every page: in a slab, a large block, the cache or a reservation, or free. */
  *#pages(): Generator<string, void, undefined> {
    const { b, map, arena, geometry } = this.#slabs;
    const { lead } = geometry;
    const state = stateOf(arena);
    const [end, limit] = [b[AT_PAGES], b[AT_LIMIT]];
    if (map[0] !== 0) yield 'page 0 has an entry';
    if (!arenaHas(this.#slabs, -lead, lead + 1)) yield 'pages before the first are free';
    for (let page = 1; page < end; ) {
      const entry = map[page];
      let pages = 1;
      if (entry === 0) {
        if (!isRangeFree(state, lead + page, lead + page + 1)) yield `page ${page} is in use, but nobody's`;
      } else {
        if (entry > 0) {
          const cached = this.#cached.get(page);
          if (cached === undefined) pages = yield* this.#slab(page);
          else {
            pages = cached;
            this.#cachedRuns++;
            if (b[this.#at(page) + META] !== CACHED || entry !== page << SLAB_SHIFT)
              yield `the run at page ${page} is in the cache and has slots`;
          }
        } else if (entry < -RESERVED) {
          pages = -entry - RESERVED;
          this.#reserved += pages;
        } else {
          pages = -entry;
          this.#large++;
          this.#largePages += pages;
        }
        if (!this.#isPage(page, pages)) {
          yield `a run of ${pages} pages starts at page ${page} of ${end}`;
          return;
        }
        if (entry > -RESERVED) this.#top = page + pages;
        const inside = map.subarray(page + 1, page + pages);
        let own = Math.max(entry, 0);
        if (this.#cached.has(page) && pages > 1) {
          // A run may still have the entries of the slab that it was.
          own = inside[0];
          if (own !== 0 && (own >>> SLAB_SHIFT !== page || (own & CLASS_MASK) >= geometry.classes))
            yield `the run at page ${page} has the entries of no slab of its own`;
        }
        if (!inside.every((value) => value === own)) yield `pages of the run at ${page} have other entries`;
        if (!arenaHas(this.#slabs, page, pages)) yield `a page of the run at ${page} is free`;
      }
      page += pages;
    }
    if (end < limit && !arenaHas(this.#slabs, end, limit - end)) yield 'pages beyond the end are free';
  }

  /** The slab at page `h`. Returns its pages. */
  *#slab(h: number): Generator<string, number, undefined> {
    const { b, map, geometry } = this.#slabs;
    const s = this.#at(h);
    const c = map[h] & CLASS_MASK;
    const n = slotsAt(b, s);
    if (map[h] >>> SLAB_SHIFT !== h || c >= geometry.classes || n < 1 || n > MAX_SLOTS) {
      yield `page ${h} leads to a slab at ${map[h] >>> SLAB_SHIFT} of class ${c} with ${n} slots`;
      return 1;
    }
    const size = slotBytes(geometry, c);
    const pages = pagesOf(geometry, n, size);
    const words = ((n - 1) >>> 5) + 1;
    if (words > pages * PAGE_CELLS - BITS || !this.#isPage(h, pages)) {
      yield `the slab at page ${h} has too many slots: ${n}`;
      return 1;
    }
    if (b[s + META] >>> BUSY_SHIFT >= words)
      yield `the slab at page ${h} looks for live slots in no word of its own`;
    const tally = this.#classes[c];
    let free = 0;
    for (let w = 0; w < words; w++) {
      const bits = b[s + BITS + w];
      if (w === words - 1 && (bits & ~(-1 >>> -n)) !== 0) yield `the slab at page ${h} has slots beyond ${n}`;
      for (let x = bits; x !== 0; x &= x - 1) free++;
    }
    tally.live += n - free;
    tally.pages += pages;
    const isHead = b[CLASSES + c * CLASS_CELLS + HEAD] === h;
    if (free > 0 || isHead) tally.listed.add(h);
    else if (b[s + PREV] !== OFF_LIST) yield `the slab at page ${h} is full, but on a list`;
    return pages;
  }

  /** The record of class `c`, and its list. */
  *#class(c: number): Generator<string, void, undefined> {
    const { b, geometry } = this.#slabs;
    const k = CLASSES + c * CLASS_CELLS;
    const tally = this.#classes[c];
    const size = slotBytes(geometry, c);
    if (b[k + SIZE] !== size || b[k + INVERSE] !== inverseOf(unitsOf(c)))
      yield `class ${c} has slots of ${b[k + SIZE]} bytes, not ${size}`;
    if (b[k + LIVE] !== tally.live) yield `class ${c} has ${tally.live} live slots, not ${b[k + LIVE]}`;
    if (b[k + CLASS_PAGES] !== tally.pages)
      yield `class ${c} has ${tally.pages} pages, not ${b[k + CLASS_PAGES]}`;
    let before = 0;
    for (let h = b[k + HEAD]; h !== 0; before = h, h = b[this.#at(h) + NEXT]) {
      if (!tally.listed.delete(h)) {
        yield `the list of class ${c} leads to page ${h}`;
        return;
      }
      if (b[this.#at(h) + PREV] !== before) yield `the slab at page ${h} does not lead back to ${before}`;
    }
    for (const h of tally.listed) yield `the slab at page ${h} has free slots, but is on no list`;
    const head = b[k + HEAD];
    const w = b[k + WORD] - this.#at(head) - BITS;
    if (head === 0) {
      if (b[k + WORD] !== AT_NONE) yield `class ${c} takes slots from no slab`;
    } else if (w < 0 || w > (slotsAt(b, this.#at(head)) - 1) >>> 5)
      yield `class ${c} takes slots from no word of its head`;
    else if (b[k + WORD_BASE] !== ((addressOf(geometry, head) + 32 * w * size) | 0))
      yield `class ${c} takes slots at another address than its word's`;
  }

  /** Whether a run of `pages` pages can start at page `h`. */
  #isPage(h: number, pages: number): boolean {
    return h >= 1 && pages >= 1 && h + pages <= this.#slabs.b[AT_PAGES];
  }

  #at(h: number): number {
    return descriptorsAt(this.#slabs.geometry) + h * PAGE_CELLS;
  }
}

/** Whether live blocks of the arena tile the `pages` pages from `page` on. */
function arenaHas({ arena, geometry }: Slabs, page: number, pages: number): boolean {
  const end = page + pages + geometry.lead;
  let at = page + geometry.lead;
  while (at < end && arena.isAllocated(at)) at += arena.sizeOf(at);
  return at === end;
}
