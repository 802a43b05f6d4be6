// The shared allocator as a subject: the engine that runs in production, over the cells of the model.

import type { Cells } from '../../src/shared/cells.ts';
import { check, checkIndex } from '../../src/shared/check.ts';
import { Engine } from '../../src/shared/engine.ts';
import { blocksOf } from '../../src/shared/inspect.ts';
import {
  FANOUT_BITS,
  type Geometry,
  geometryOf,
  SLOT_AT,
  SLOT_HINTS,
  SLOT_SEQUENCE,
  SLOT_STATE,
  slotOf,
} from '../../src/shared/layout.ts';
import { recover } from '../../src/shared/recover.ts';
import { attachWorker, detachWorker } from '../../src/shared/slots.ts';
import { writeEmpty } from '../../src/shared/state.ts';
import { CLOSED, contOf, usedOf } from '../../src/shared/word.ts';
import { ADOPT, ALLOC, type Block, FREE, LEAVE, type Subject } from './subject.ts';

/** The number of the first worker in a slot. */
const numberOf = (worker: number): number => (1 << 8) | (worker + 1);

export class SharedSubject implements Subject {
  readonly name: string;
  readonly capacity: number;
  readonly workers: number;
  readonly length: number;
  readonly g: Geometry;

  constructor(capacity: number, workers: number, tracked: boolean) {
    this.name = `${capacity} units, ${workers} workers${tracked ? ', tracked' : ''}`;
    this.capacity = capacity;
    this.workers = workers;
    this.g = geometryOf(capacity, workers, tracked);
    this.length = this.g.length;
  }

  setUp(cells: Cells): void {
    writeEmpty(cells, this.g);
    for (let w = 1; w <= this.workers; w++) attachWorker(cells, this.g, 0, this.capacity);
  }

  call(cells: Cells, worker: number, kind: number, argument: number): number {
    const engine = new Engine(cells, this.g, worker + 1);
    if (kind === ALLOC) return engine.allocate(argument);
    if (kind === FREE) return engine.free(argument);
    if (kind === ADOPT) {
      const [offset, giver] = [argument >>> 4, argument & 15];
      return engine.adopt(offset, numberOf(giver)) ? 1 : 0;
    }
    if (kind === LEAVE) {
      detachWorker(engine);
      return 0;
    }
    return recover(engine, numberOf(argument)).complete ? 1 : 0;
  }

  check(cells: Cells): readonly string[] {
    return [...check(cells, this.g), ...checkIndex(cells, this.g)];
  }

  blocks(cells: Cells): readonly Block[] {
    return [...blocksOf(cells, this.g)].filter(({ free }) => !free);
  }

  reattach(cells: Cells, worker: number): boolean {
    return attachWorker(cells, this.g, 0, this.capacity) === worker + 1;
  }

  markFree(cells: Int32Array, free: Int32Array): void {
    this.#markFree(cells, free, this.g.levels - 1, 0);
  }

  /** Marks what is free in a word. Closed, and not below a free child, it is in transit: nobody could have it. */
  #markFree(cells: Int32Array, free: Int32Array, level: number, word: number): void {
    const { g } = this;
    const raw = cells[g.words[level] + word];
    if (raw === CLOSED) return;
    const used = usedOf(raw);
    const cont = contOf(raw);
    for (let c = 0; c < 16; c++) {
      const child = (word << FANOUT_BITS) | c;
      if ((used >>> c) & 1) continue;
      if ((cont >>> c) & 1) {
        this.#markFree(cells, free, level - 1, child);
        continue;
      }
      const from = child << (FANOUT_BITS * level);
      const to = from + (1 << (FANOUT_BITS * level));
      for (let unit = from; unit < to; unit += 32) {
        free[unit >>> 5] |= to - from < 32 ? ((1 << (to - from)) - 1) << (unit & 31) : -1;
      }
    }
  }

  cellName(at: number): string {
    const { g } = this;
    for (let w = 1; w <= g.slots; w++) {
      const field = at - slotOf(g, w);
      if (field < 0 || field >= g.slotStride) continue;
      const names = new Map([
        [SLOT_STATE, 'state'],
        [SLOT_AT, 'announcement'],
        [SLOT_SEQUENCE, 'sequence'],
      ]);
      return `${names.get(field) ?? `hint of order ${field - SLOT_HINTS}`} of worker ${w - 1}`;
    }
    for (let level = 0; level < g.levels; level++) {
      const word = at - g.words[level];
      if (word >= 0 && word < g.count[level]) return `word ${word} of level ${level}`;
      const tier = g.index[level].findLastIndex((first) => first <= at);
      const end = level + 1 < g.levels ? g.index[level + 1][0] : g.owners;
      if (tier >= 0 && at < end)
        return `index of level ${level}, tier ${tier}, cell ${at - g.index[level][tier]}`;
    }
    if (g.tracked && at >= g.owners) return `owners from ${(at - g.owners) * 4}`;
    return `cell ${at}`;
  }
}
