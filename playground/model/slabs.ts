// The slabs and pages of a Heap as a contender. They are books about addresses, so no memory is needed.

import { emptyBooks } from '../../src/slab/books.ts';
import { largestFree, slotsAt, usedBytes } from '../../src/slab/inspect.ts';
import {
  AT_PAGES,
  BITS,
  CLASS_CELLS,
  CLASS_MASK,
  CLASSES,
  descriptorsAt,
  type Geometry,
  PAGE_CELLS,
  SIZE,
  SLAB_SHIFT,
} from '../../src/slab/layout.ts';
import { pageShiftFor } from '../../src/slab/page.ts';
import { classesFor } from '../../src/slab/sizing.ts';
import { Slabs } from '../../src/slab/slabs.ts';
import type { Contender, Figures } from './contender.ts';
import { UNIT } from './operations.ts';
import { popcount } from './words.ts';

/** Pages in a row: a slab, or a large block. All sizes are units. */
export interface Run {
  readonly offset: number;
  readonly size: number;
  /** Units of a slot; of a large block, all of it. */
  readonly slot: number;
  /** Units in live slots. */
  readonly used: number;
}

const UNIT_SHIFT = Math.log2(UNIT);

/** A save is a copy of the books. */
export class HeapSlabs implements Contender<Int32Array> {
  readonly name = 'Heap';
  readonly #capacity: number;
  readonly #geometry: Geometry;
  readonly #slabs: Slabs;
  /** Units of a page. */
  readonly page: number;

  /** @param capacity a power of two. */
  constructor(capacity: number) {
    const pageShift = pageShiftFor(capacity * UNIT, UNIT_SHIFT);
    this.page = 2 ** (pageShift - UNIT_SHIFT);
    this.#capacity = capacity;
    this.#geometry = {
      unitShift: UNIT_SHIFT,
      pageShift,
      classes: classesFor(pageShift, UNIT_SHIFT),
      origin: 0,
      lead: 0,
    };
    // Page 0 does not exist: the null pointer is there.
    const pages = Math.floor(capacity / this.page) + 1;
    this.#slabs = new Slabs(this.#geometry, emptyBooks(this.#geometry, pages, pages));
  }

  alloc(units: number): number {
    const ptr = this.#slabs.malloc(units * UNIT);
    return ptr === 0 ? -1 : ptr / UNIT - this.page;
  }

  free(offset: number): void {
    this.#slabs.free((offset + this.page) * UNIT);
  }

  figures(): Figures {
    const usedUnits = usedBytes(this.#slabs) / UNIT;
    const freeUnits = this.#capacity - usedUnits;
    // To ask for the largest request gives empty slabs back, so a copy is asked.
    const largest = Math.floor(largestFree(new Slabs(this.#geometry, this.#slabs.b.slice())) / UNIT);
    let span = 0;
    for (const { offset, size, used } of this.runs(0, this.#capacity)) if (used > 0) span = offset + size;
    return {
      usedUnits,
      largestFree: largest,
      externalFragmentation: freeUnits === 0 ? 0 : 1 - largest / freeUnits,
      span,
    };
  }

  /** The units in use of a slab count as spread over all of it. */
  measure(fullness: Float32Array): void {
    const region = this.#capacity / fullness.length;
    fullness.fill(0);
    for (const { offset, size, used } of this.runs(0, this.#capacity)) {
      for (let i = Math.floor(offset / region); i * region < offset + size && i < fullness.length; i++) {
        const common = Math.min(offset + size, (i + 1) * region) - Math.max(offset, i * region);
        fullness[i] += (common * used) / size / region;
      }
    }
  }

  /** The slabs and the large blocks that overlap units `from` … `to` - 1, in address order. O(to - from). */
  *runs(from: number, to: number): Generator<Run, void, undefined> {
    const { b, map } = this.#slabs;
    const last = Math.min(b[AT_PAGES], Math.ceil(to / this.page) + 1);

    for (let page = 1; page < last; ) {
      const entry = map[page];
      if (entry === 0) {
        page++;
        continue;
      }
      const first = page;
      let slot: number;
      let used: number;
      if (entry < 0) {
        page -= entry;
        slot = (page - first) * this.page;
        used = slot;
      } else {
        while (map[page] === entry) page++;
        slot = b[CLASSES + (entry & CLASS_MASK) * CLASS_CELLS + SIZE] / UNIT;
        used = this.#liveSlots(entry >>> SLAB_SHIFT) * slot;
      }
      const offset = (first - 1) * this.page;
      const size = (page - first) * this.page;
      if (slot > 0 && offset + size > from) yield { offset, size, slot, used };
    }
  }

  save(): Int32Array {
    return this.#slabs.b.slice();
  }

  load(save: Int32Array): void {
    this.#slabs.open(save.slice());
  }

  /** Live slots of the slab whose first page is `page`; 0 if it is a run that is kept for the next slab. */
  #liveSlots(page: number): number {
    const { b } = this.#slabs;
    const at = descriptorsAt(this.#geometry) + page * PAGE_CELLS;
    let live = slotsAt(b, at);
    for (let cell = at + BITS, left = live; left > 0; left -= 32) live -= popcount(b[cell++]);
    return live;
  }
}
