// The shared allocator as a subject: the engine that runs in production, on the cells of the explorer.

import type { Cells } from '../../src/shared/cells.ts';
import { check, checkIndex } from '../../src/shared/check.ts';
import { Engine } from '../../src/shared/engine.ts';
import { blocksOf, misuse } from '../../src/shared/inspect.ts';
import {
  FANOUT_BITS,
  type Geometry,
  geometryOf,
  SLOT_ADOPTS,
  SLOT_ANNOUNCED,
  SLOT_HINTS,
  SLOT_HOME,
  SLOT_SEQUENCE,
  SLOT_STATE,
} from '../../src/shared/layout.ts';
import { reachPos } from '../../src/shared/reach.ts';
import { recover } from '../../src/shared/recover.ts';
import { attachWorker, slotOf, slotPos, workerIdOf, workerIdsOf } from '../../src/shared/slots.ts';
import { writeEmpty } from '../../src/shared/state.ts';
import { CLOSED, contOf, usedOf } from '../../src/shared/word.ts';
import {
  ADOPT,
  ALLOC,
  ATTACH,
  type Block,
  DETACH,
  FREE,
  fromOfAdoption,
  hasRoomBeside,
  offsetOfAdoption,
  type Subject,
} from './subject.ts';

export class SharedSubject implements Subject {
  readonly name: string;
  readonly capacity: number;
  readonly workers: number;
  readonly length: number;
  readonly takesBack = true;
  readonly keepsRoom = false;
  /** 48 units are blocks of 32 and 16. */
  readonly whole: readonly number[];
  readonly g: Geometry;

  constructor(capacity: number, workers: number, tracked: boolean) {
    this.name = `${capacity} units, ${workers} workers${tracked ? ', tracked' : ''}`;
    this.capacity = capacity;
    this.workers = workers;
    this.g = geometryOf(capacity, workers, tracked);
    this.length = this.g.length;
    this.whole = Array.from({ length: 31 }, (_, i) => 30 - i).filter((order) => (capacity >>> order) & 1);
  }

  setUp(cells: Cells): void {
    writeEmpty(cells, this.g);
  }

  call(cells: Cells, id: number, kind: number, argument: number): number {
    if (kind === ATTACH) {
      const slot = attachWorker(cells, this.g, 0, this.capacity);
      return slot === 0 ? 0 : workerIdOf(cells, this.g, slot);
    }
    const engine = new Engine(cells, this.g, slotOf(id));
    if (kind === ALLOC) return engine.allocate(argument);
    if (kind === FREE) {
      const freed = engine.free(argument);
      if (freed === 0) throw misuse(cells, this.g, argument);
      return freed;
    }
    if (kind === ADOPT) return engine.adopt(offsetOfAdoption(argument), fromOfAdoption(argument)) ? 1 : 0;
    if (kind === DETACH) {
      engine.detach();
      return 0;
    }
    return recover(engine, argument).complete ? 1 : 0;
  }

  check(cells: Cells): readonly string[] {
    return [...check(cells, this.g), ...checkIndex(cells, this.g)];
  }

  blocks(cells: Cells): readonly Block[] {
    return [...blocksOf(cells, this.g)].filter(({ free }) => !free);
  }

  workerIds(cells: Cells): readonly number[] {
    return workerIdsOf(cells, this.g);
  }

  hasRoom(_cells: Int32Array, _id: number, order: number, live: readonly Block[]): boolean {
    return hasRoomBeside(live, this.capacity, 2 ** order);
  }

  markFree(cells: Int32Array, free: Int32Array): void {
    this.#markFree(cells, free, this.g.levels - 1, 0);
  }

  /**
   * Marks the free units of a word. A closed word that is not below a free child is in transit: nobody can allocate
   * there.
   */
  #markFree(cells: Int32Array, free: Int32Array, level: number, word: number): void {
    const { g } = this;
    const value = cells[g.words[level] + word];
    if (value === CLOSED) return;
    const used = usedOf(value);
    const cont = contOf(value);
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

  cellName(pos: number): string {
    const { g } = this;
    for (let slot = 1; slot <= g.slots; slot++) {
      const field = pos - slotPos(g, slot);
      if (field < 0 || field >= g.slotStride) continue;
      const names = new Map([
        [SLOT_STATE, 'state'],
        [SLOT_ANNOUNCED, 'announcement'],
        [SLOT_SEQUENCE, 'sequence'],
        [SLOT_ADOPTS, 'adoption'],
        [SLOT_HOME, 'home'],
      ]);
      const level = pos - reachPos(g, slotPos(g, slot));
      const other = level < 0 ? `hint of order ${field - SLOT_HINTS}` : `reach in level ${level}`;
      return `${names.get(field) ?? other} of slot ${slot}`;
    }
    for (let level = 0; level < g.levels; level++) {
      const word = pos - g.words[level];
      if (word >= 0 && word < g.count[level]) return `word ${word} of level ${level}`;
      const tier = g.index[level].findLastIndex((first) => first <= pos);
      const end = level + 1 < g.levels ? g.index[level + 1][0] : g.owners;
      if (tier >= 0 && pos < end)
        return `index of level ${level}, tier ${tier}, cell ${pos - g.index[level][tier]}`;
    }
    if (g.tracked && pos >= g.owners) return `owners from ${(pos - g.owners) * 4}`;
    return `cell ${pos}`;
  }
}
