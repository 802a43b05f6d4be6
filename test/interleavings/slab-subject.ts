// Slabs of many workers as a subject: the engine that runs in production, on the cells of the explorer. What a worker
// keeps for itself is a part of the memory as well, so that its operations depend on the answers of the cells alone.
//
// A unit is a byte. A request of 2^order units comes from a slab if that is at most `LARGEST`, and else is a block of
// pages. Page 0 is taken, as in a shared heap.

import { BuddyError } from '../../src/base/errors.ts';
import { AtomicCells, type Cells } from '../../src/shared/cells.ts';
import { Engine } from '../../src/shared/engine.ts';
import { blocksOf } from '../../src/shared/inspect.ts';
import { changeOwner, isKept, ownerAt, RESERVED } from '../../src/shared/owners.ts';
import { recover } from '../../src/shared/recover.ts';
import { attachWorker, slotOf, workerIdOf, workerIdsOf } from '../../src/shared/slots.ts';
import { writeEmpty } from '../../src/shared/state.ts';
import { SlabEngine } from '../../src/shared-slab/engine.ts';
import { SlabHoldings, takeBack } from '../../src/shared-slab/holdings.ts';
import {
  AT_ABANDONED,
  BITS,
  descriptorAt,
  type Geometry,
  geometryFor,
  LINE,
  META,
  NEXT,
  OWNER,
  PREV,
  SLOT_MASK,
} from '../../src/shared-slab/layout.ts';
import { ownCells } from '../../src/shared-slab/own.ts';
import { classAt, liveSlots, pagesAt, slabsBefore, unitOf } from '../../src/shared-slab/slab.ts';
import { classOf } from '../../src/slab/size-classes.ts';
import { checkSlabs } from '../support/slab-check.ts';
import { SharedSubject } from './shared.ts';
import {
  ADOPT,
  ALLOC,
  ATTACH,
  type Block,
  DETACH,
  FREE,
  fromOfAdoption,
  offsetOfAdoption,
  type Subject,
} from './subject.ts';

/** Units of the largest slot: there are two classes. */
const LARGEST = 2;

/** Cells from `first` on. */
class Part implements Cells {
  readonly #cells: Cells;
  readonly #first: number;

  constructor(cells: Cells, first: number) {
    this.#cells = cells;
    this.#first = first;
  }

  read(pos: number): number {
    return this.#cells.read(this.#first + pos);
  }

  readLow(pos: number): number {
    return this.#cells.readLow(this.#first + pos);
  }

  readHigh(pos: number): number {
    return this.#cells.readHigh(this.#first + pos);
  }

  load(pos: number): number {
    return this.#cells.load(this.#first + pos);
  }

  write(pos: number, value: number): void {
    this.#cells.write(this.#first + pos, value);
  }

  writeLow(pos: number, value: number): void {
    this.#cells.writeLow(this.#first + pos, value);
  }

  settle(): void {
    this.#cells.settle();
  }

  store(pos: number, value: number): void {
    this.#cells.store(this.#first + pos, value);
  }

  cas(pos: number, expected: number, value: number): boolean {
    return this.#cells.cas(this.#first + pos, expected, value);
  }

  or(pos: number, bits: number): void {
    this.#cells.or(this.#first + pos, bits);
  }

  and(pos: number, bits: number): number {
    return this.#cells.and(this.#first + pos, bits);
  }
}

export interface SlabSizes {
  /** Pages, page 0 counted. */
  readonly pages: number;
  /** log2 of the units of a page. */
  readonly pageShift: number;
  /** The most workers that can be attached at once. */
  readonly workers: number;
  readonly tracked: boolean;
}

export class SlabSubject implements Subject {
  readonly name: string;
  readonly capacity: number;
  readonly workers: number;
  readonly length: number;
  readonly takesBack: boolean;
  readonly keepsRoom = true;
  readonly whole: readonly number[];
  readonly G: Geometry;
  readonly #arena: SharedSubject;

  constructor({ pages, pageShift, workers, tracked }: SlabSizes) {
    this.name = `${pages} pages of ${2 ** pageShift}, ${workers} workers${tracked ? ', tracked' : ''}`;
    this.capacity = pages << pageShift;
    this.workers = workers;
    this.takesBack = tracked;
    this.G = geometryFor({ pages, workers, unitShift: 0, pageShift, largestSlot: LARGEST, base: 0, tracked });
    this.length = this.G.length + workers * ownCells(this.G);
    this.#arena = new SharedSubject(pages, workers, true);
    // Page 0 is taken: what is left of 8 pages are blocks of 4, 2 and 1.
    const orders = Math.log2(pages);
    this.whole = Array.from({ length: orders }, (_, i) => orders - 1 - i + pageShift);
  }

  setUp(cells: Cells): void {
    const { arena } = this.G;
    writeEmpty(cells, arena);
    const engine = new Engine(cells, arena, attachWorker(cells, arena, 0, arena.capacity));
    changeOwner(cells, arena, engine.allocate(0), engine.slot, RESERVED);
    engine.detach();
  }

  /** The engine of the worker in a slot. */
  engine(cells: Cells, slot: number): SlabEngine {
    const own = new Part(cells, this.#ownOf(slot));
    // No operation depends on the counts.
    const counts = new Int32Array(LINE);
    return new SlabEngine(new Engine(cells, this.G.arena, slot), this.G, own, counts);
  }

  call(cells: Cells, id: number, kind: number, argument: number): number {
    const { G } = this;
    const holdings = new SlabHoldings(cells, G, () => G.arena.capacity);
    if (kind === ATTACH) {
      const slot = attachWorker(cells, G.arena, 1, G.arena.capacity, holdings);
      if (slot === 0) return 0;
      for (let i = 0; i < ownCells(G); i++) cells.write(this.#ownOf(slot) + i, 0);
      this.engine(cells, slot).open();
      return workerIdOf(cells, G.arena, slot);
    }
    const engine = this.engine(cells, slotOf(id));
    if (kind === ALLOC) {
      const bytes = 2 ** argument;
      return engine.malloc(bytes) || (engine.reclaim() ? engine.malloc(bytes) : 0) || -1;
    }
    if (kind === FREE) {
      const freed = engine.free(argument);
      if (freed === 0) throw new BuddyError('NOT_ALLOCATED', `no block begins at ${argument}`);
      return freed;
    }
    if (kind === ADOPT) return engine.adopt(offsetOfAdoption(argument), fromOfAdoption(argument)) ? 1 : 0;
    if (kind === DETACH) {
      engine.abandonAll();
      engine.arena.detach(holdings);
      return 0;
    }
    const takes = (dead: number): void => {
      takeBack(engine, dead);
    };
    return recover(engine.arena, argument, { holdings, takeBack: takes }).complete ? 1 : 0;
  }

  isPrivate(pos: number): boolean {
    return pos >= this.G.length;
  }

  check(cells: Cells): readonly string[] {
    const ownOf = (slot: number): Cells => new Part(cells, this.#ownOf(slot));
    return [...this.#arena.check(cells), ...checkSlabs(cells, this.G, ownOf)];
  }

  blocks(cells: Cells): readonly Block[] {
    const { G } = this;
    const all: Block[] = [];
    for (const h of slabsBefore(cells, G, G.arena.capacity)) {
      const size = classAt(cells, G, h) + 1;
      for (const { unit } of liveSlots(cells, G, h)) all.push({ offset: unit, size });
    }
    for (const { offset, size, free } of blocksOf(cells, G.arena)) {
      if (!free && !isKept(ownerAt(cells, G.arena, offset)))
        all.push({ offset: offset << G.pageShift, size: size << G.pageShift });
    }
    return all;
  }

  workerIds(cells: Cells): readonly number[] {
    return workerIdsOf(cells, this.G.arena);
  }

  /**
   * Marks the pages that are free, and those of slabs without live blocks that are the worker's or nobody's; and the free
   * slots of such slabs, if they are of the right class.
   */
  markFree(cells: Int32Array, free: Int32Array, id: number, order: number): void {
    const { G } = this;
    const now = new AtomicCells(cells);
    const mark = (from: number, units: number): void => {
      for (let unit = from; unit < from + units; unit++) free[unit >>> 5] |= 1 << (unit & 31);
    };
    const pages = new Int32Array(Math.ceil(G.arena.capacity / 32));
    this.#arena.markFree(cells, pages);
    for (let page = 0; page < G.arena.capacity; page++) {
      if ((pages[page >>> 5] >>> (page & 31)) & 1) mark(page << G.pageShift, 1 << G.pageShift);
    }
    for (const h of slabsBefore(now, G, G.arena.capacity)) {
      const d = descriptorAt(G, h);
      const owner = cells[d + OWNER] & SLOT_MASK;
      if (owner !== 0 && owner !== slotOf(id)) continue;
      const live = [...liveSlots(now, G, h)].map(({ unit }) => unit);
      const c = classAt(now, G, h);
      if (live.length === 0) mark(h << G.pageShift, pagesAt(now, G, h) << G.pageShift);
      else if (2 ** order <= LARGEST && classOf(2 ** order - 1) === c) {
        const end = (h + pagesAt(now, G, h)) << G.pageShift;
        for (let slot = 0; unitOf(G, h, c, slot) < end; slot++) {
          if (!live.includes(unitOf(G, h, c, slot))) mark(unitOf(G, h, c, slot), c + 1);
        }
      }
    }
  }

  hasRoom(cells: Int32Array, id: number, order: number): boolean {
    const free = new Int32Array(Math.ceil(this.capacity / 32));
    this.markFree(cells, free, id, order);
    const isFree = (unit: number): boolean => ((free[unit >>> 5] >>> (unit & 31)) & 1) === 1;
    const size = 2 ** order;
    for (let from = 0; from + size <= this.capacity; from += size) {
      let rest = 0;
      while (rest < size && isFree(from + rest)) rest++;
      if (rest === size) return true;
    }
    return false;
  }

  cellName(pos: number): string {
    const { G } = this;
    if (pos < G.header) return `arena: ${this.#arena.cellName(pos)}`;
    if (pos < G.lines) return pos === G.header + AT_ABANDONED ? 'count of abandoned slabs' : 'no cell';
    if (pos >= G.map && pos < G.map + G.arena.capacity) return `map of page ${pos - G.map}`;
    const page = Math.floor((pos - G.descriptors) / G.pageCells);
    if (pos >= G.descriptors && page < G.arena.capacity) {
      const field = (pos - G.descriptors) % G.pageCells;
      const names = new Map([
        [OWNER, 'owner'],
        [META, 'meta'],
        [NEXT, 'next'],
        [PREV, 'prev'],
      ]);
      return `${names.get(field) ?? `bits ${field - BITS}`} of slab ${page}`;
    }
    if (pos >= G.owners && pos < G.length) return `bytes from ${(pos - G.owners) * 4}`;
    return `cell ${pos}`;
  }

  #ownOf(slot: number): number {
    return this.G.length + (slot - 1) * ownCells(this.G);
  }
}
