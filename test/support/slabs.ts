// Slabs without a memory, for tests: books in a buffer of their own, and a driver that compares them with a naive model.

import assert from 'node:assert/strict';
import {
  emptyBooks,
  layOutBooks,
  releaseRun,
  reservedRuns,
  reserveRun,
  setPages,
} from '../../src/slab/books.ts';
import { faultsOf } from '../../src/slab/check.ts';
import { addressOf, blockAt, largestFree, liveBlocks, liveCount, usedBytes } from '../../src/slab/inspect.ts';
import { AT_LIMIT, AT_PAGES, cellsFor } from '../../src/slab/layout.ts';
import { classesFor } from '../../src/slab/sizing.ts';
import { Slabs } from '../../src/slab/slabs.ts';
import { type Room, roomFor } from './room.ts';

/** What slabs are made with. `origin` and `lead` are pages. */
export interface Setting {
  readonly unitShift: number;
  readonly pageShift: number;
  readonly origin: number;
  readonly lead: number;
  readonly pages: number;
  readonly limit: number;
}

/** One call. `at`, in [0, 1), picks a live block, or a page, by its place. */
export type Operation =
  | { readonly kind: 'malloc'; readonly bytes: number }
  | { readonly kind: 'mallocLarge'; readonly pages: number; readonly alignment: number }
  | { readonly kind: 'free' | 'misuse'; readonly at: number }
  | { readonly kind: 'resizeSlot'; readonly at: number; readonly bytes: number }
  | { readonly kind: 'resizeLarge' | 'moveLarge'; readonly at: number; readonly pages: number }
  | { readonly kind: 'flush' | 'copy' }
  | { readonly kind: 'pages'; readonly pages: number; readonly limit: number }
  | { readonly kind: 'reserve'; readonly at: number; readonly pages: number };

/** Empty slabs. */
export function makeSlabs({ unitShift, pageShift, origin, lead, pages, limit }: Setting): Slabs {
  const classes = classesFor(pageShift, unitShift);
  const geometry = { unitShift, pageShift, classes, origin, lead };
  return new Slabs(geometry, emptyBooks(geometry, pages, limit));
}

/** See the head of this file. Every fault is an AssertionError. */
export class SlabsDriver {
  #slabs: Slabs;
  readonly #room: Room;
  /** The live blocks, by address. */
  readonly #live = new Map<number, number>();
  /** Pages under a reservation, by the first one. */
  readonly #reserved = new Map<number, number>();

  constructor(setting: Setting) {
    this.#slabs = makeSlabs(setting);
    const { unitShift, pageShift } = setting;
    const unit = 2 ** unitShift;
    const page = 2 ** pageShift;
    this.#room = {
      unit,
      page,
      largestSlot: page === unit ? 0 : page < 1024 ? page / 2 : Math.max(8192, page),
    };
  }

  get slabs(): Slabs {
    return this.#slabs;
  }

  get liveBlocks(): number {
    return this.#live.size;
  }

  /** Carries `op` out. Returns whether it had an effect. */
  perform(op: Operation): boolean {
    const slabs = this.#slabs;
    switch (op.kind) {
      case 'malloc':
        return this.#entered(slabs.malloc(op.bytes), roomFor(this.#room, op.bytes), 1);
      case 'mallocLarge':
        return this.#entered(
          slabs.mallocLarge(op.pages, op.alignment),
          op.pages * this.#room.page,
          op.alignment,
        );
      case 'free':
        return this.#free(op.at);
      case 'misuse':
        return this.#misuse(op.at);
      case 'resizeSlot':
        return this.#resizeSlot(op.at, op.bytes);
      case 'resizeLarge':
      case 'moveLarge':
        return this.#changeLarge(op.kind, op.at, op.pages);
      case 'flush':
        return slabs.flush(true);
      case 'copy':
        this.#slabs = new Slabs(slabs.geometry, slabs.b.slice());
        return true;
      case 'pages':
        return this.#setPages(op.pages, op.limit);
      case 'reserve':
        return this.#reserve(op.at, op.pages);
    }
  }

  /** Compares all that can be asked. */
  verify(): void {
    const slabs = this.#slabs;
    assert.deepEqual(faultsOf(slabs), []);
    const expected = [...this.#live].map(([ptr, size]) => ({ ptr, size })).sort((a, b) => a.ptr - b.ptr);
    assert.deepEqual([...liveBlocks(slabs)], expected);
    assert.equal(liveCount(slabs), expected.length);
    assert.equal(
      usedBytes(slabs),
      expected.reduce((sum, { size }) => sum + size, 0),
    );
    for (const block of expected) {
      assert.equal(slabs.sizeAt(block.ptr), block.size);
      for (const at of [block.ptr, block.ptr + 1, block.ptr + block.size - 1])
        assert.deepEqual(blockAt(slabs, at), block);
    }
    assert.deepEqual(
      reservedRuns(slabs),
      [...this.#reserved].sort(([a], [b]) => a - b).map(([page, pages]) => ({ page, pages })),
    );
  }

  /** Frees everything; all pages must then be free. */
  finish(): void {
    while (this.#live.size > 0) this.#free(0);
    for (const page of this.#reserved.keys()) releaseRun(this.#slabs, page);
    this.#reserved.clear();
    this.verify();
    const { b } = this.#slabs;
    assert.equal(largestFree(this.#slabs), (b[AT_PAGES] - 1) * this.#room.page);
    this.verify();
  }

  /** Notes a block of `size` bytes that was asked for. */
  #entered(ptr: number, size: number, alignment: number): boolean {
    const { page } = this.#room;
    if (ptr === 0) {
      // No run of pages has room for it, with the pages of empty slabs.
      const run = this.#runAfterFlush();
      const wanted = Math.ceil(size / page) + alignment - 1;
      assert(run < wanted, `no room for ${size} bytes, though ${run} pages are free`);
      return false;
    }
    assert.equal(this.#slabs.sizeAt(ptr), size);
    assert.equal(ptr % this.#room.unit, 0);
    if (alignment > 1) assert.equal(ptr % (alignment * page), 0);
    const { b, geometry } = this.#slabs;
    assert(ptr >= addressOf(geometry, 1) && ptr + size <= addressOf(geometry, b[AT_PAGES]));
    for (const [other, length] of this.#live)
      assert(ptr + size <= other || other + length <= ptr, `${ptr} overlaps ${other}`);
    for (const [first, pages] of this.#reserved)
      assert(ptr + size <= addressOf(geometry, first) || addressOf(geometry, first + pages) <= ptr);
    this.#live.set(ptr, size);
    return true;
  }

  /** The most pages that are free in a row. */
  #runAfterFlush(): number {
    this.#slabs.flush(true);
    return this.#slabs.arena.largestRange;
  }

  #free(at: number): boolean {
    const ptr = this.#pick(at);
    if (ptr === undefined) return false;
    assert(this.#slabs.free(ptr));
    this.#live.delete(ptr);
    this.#refuses(ptr);
    return true;
  }

  /** Pointers to no live block: inside blocks, to free bytes, outside. */
  #misuse(at: number): boolean {
    const { geometry, b } = this.#slabs;
    const first = addressOf(geometry, 0);
    const end = addressOf(geometry, b[AT_PAGES]);
    const ptr = this.#pick(at) ?? end;
    const { unit, page } = this.#room;
    const somewhere = Math.floor(first + at * (end - first));
    for (const wrong of [
      ptr + 1,
      ptr + unit,
      ptr + page,
      ptr - unit,
      somewhere,
      first,
      first + page,
      end - unit,
    ])
      if (!this.#live.has(wrong) && wrong >= first && wrong < end) this.#refuses(wrong);
    return true;
  }

  /** No block starts at `ptr`: nothing may change. */
  #refuses(ptr: number): void {
    const { b } = this.#slabs;
    const before = b.slice();
    assert.equal(this.#slabs.free(ptr), false);
    assert.equal(this.#slabs.sizeAt(ptr), 0);
    if (this.#room.largestSlot > 0) assert.equal(this.#slabs.resizeSlot(ptr, 1), 0);
    const changed = before.findIndex((value, i) => value !== b[i]);
    assert.equal(changed, -1, `cell ${changed} was changed by a wrong pointer, ${ptr}`);
    const block = blockAt(this.#slabs, ptr);
    assert.notEqual(block?.ptr, ptr);
    if (block !== undefined) assert.equal(this.#live.get(block.ptr), block.size);
  }

  #resizeSlot(at: number, wanted: number): boolean {
    const ptr = this.#pick(at);
    const { largestSlot } = this.#room;
    if (ptr === undefined || largestSlot === 0) return false;
    const size = this.#live.get(ptr) as number;
    const bytes = Math.min(wanted, largestSlot);
    const to = this.#slabs.resizeSlot(ptr, bytes);
    if (to === 0) return false; // no room, or a large block
    if (to === ptr) {
      assert(bytes <= size && 2 * bytes > size);
      return true;
    }
    assert(bytes > size || 2 * bytes <= size);
    assert.equal(this.#slabs.resized, size);
    const isEntered = this.#entered(to, roomFor(this.#room, bytes), 1); // while the former block is still there
    this.#live.delete(ptr);
    this.#refuses(ptr);
    return isEntered;
  }

  #changeLarge(kind: 'resizeLarge' | 'moveLarge', at: number, pages: number): boolean {
    const large = [...this.#live].filter(([, size]) => size > this.#room.largestSlot);
    const found = large[Math.floor(at * large.length)];
    if (found === undefined) return false;
    const [ptr, before] = found;
    const size = pages * this.#room.page;
    if (size <= this.#room.largestSlot) return false;
    if (kind === 'resizeLarge') {
      const isResized = this.#slabs.resizeLarge(ptr, pages);
      if (size <= before) assert(isResized);
      if (!isResized) return false;
      this.#live.delete(ptr);
      return this.#entered(ptr, size, 1);
    }
    const to = this.#slabs.moveLarge(ptr, pages);
    if (to === 0) {
      assert(size > before);
      assert.equal(this.#slabs.sizeAt(ptr), before);
      return false;
    }
    this.#live.delete(ptr);
    return this.#entered(to, size, 1);
  }

  /** Grows or shrinks to `pages` pages in books for `limit`, if what goes is free. */
  #setPages(pages: number, limit: number): boolean {
    const slabs = this.#slabs;
    const { geometry } = slabs;
    slabs.flush(true);
    const end = addressOf(geometry, pages);
    if (pages > limit || end > 2 ** 32) return false;
    for (const [ptr, size] of this.#live) if (ptr + size > end) return false;
    for (const [first, length] of this.#reserved) if (first + length > pages) return false;
    // A slab may reach beyond its live slots.
    for (let page = pages; page < slabs.b[AT_PAGES]; page++) if (slabs.map[page] !== 0) return false;
    for (let page = 1; page < pages && page < slabs.b[AT_PAGES]; page++) {
      const block = slabs.map[page] > 0 ? slabs.arena.blockOf(page + geometry.lead) : -1;
      if (block >= 0 && block + slabs.arena.sizeOf(block) > pages + geometry.lead) return false;
    }
    if (limit === slabs.b[AT_LIMIT]) setPages(slabs, pages);
    else layOutBooks(slabs, new Int32Array(cellsFor(geometry, limit)), pages, limit);
    assert.equal(slabs.b[AT_PAGES], pages);
    return true;
  }

  #reserve(at: number, pages: number): boolean {
    const slabs = this.#slabs;
    const { lead } = slabs.geometry;
    const old = [...this.#reserved.keys()][Math.floor(2 * at * this.#reserved.size)];
    if (old !== undefined) {
      releaseRun(slabs, old);
      this.#reserved.delete(old);
      return true;
    }
    slabs.flush(true);
    const page = 1 + Math.floor(at * (slabs.b[AT_PAGES] - 1));
    if (page + pages > slabs.b[AT_PAGES] || !slabs.arena.reserve(page + lead, pages)) return false;
    slabs.arena.release(page + lead, pages);
    reserveRun(slabs, page, pages);
    this.#reserved.set(page, pages);
    return true;
  }

  #pick(at: number): number | undefined {
    return [...this.#live.keys()][Math.floor(at * this.#live.size)];
  }
}
