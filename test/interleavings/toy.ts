// Allocators that test the explorer itself. A Toy has one cell with a bit per unit, and blocks of one unit or of all
// units. One kind is right; the others break as lock-free programs break. An Idle has no room at all.

import { assert } from '../../src/base/assert.ts';
import { BuddyError } from '../../src/base/errors.ts';
import type { Cells } from '../../src/shared/cells.ts';
import { ALLOC, ATTACH, type Block, hasRoomBeside, RECOVER, type Subject } from './subject.ts';

const FULL_LOCK = 1;

export type ToyKind = 'right' | 'store for cas' | 'lock' | 'gives up' | 'forgets' | 'asserts';

export class Toy implements Subject {
  readonly name: string;
  readonly capacity: number;
  readonly workers: number;
  readonly length = 2;
  readonly takesBack = true;
  readonly keepsRoom = false;
  readonly whole: readonly number[];
  readonly #kind: ToyKind;

  constructor(kind: ToyKind, capacity: number, workers: number) {
    this.name = kind;
    this.#kind = kind;
    this.capacity = capacity;
    this.workers = workers;
    this.whole = [Math.log2(capacity)];
  }

  setUp(): void {}

  call(cells: Cells, _id: number, kind: number, argument: number): number {
    if (kind === ATTACH) return idOf(argument, this.workers);
    if (this.#kind === 'lock') while (!cells.cas(1, 0, FULL_LOCK));
    const result = kind === ALLOC ? this.#alloc(cells, argument) : this.#free(cells, argument);
    if (this.#kind === 'lock') cells.store(1, 0);
    return result;
  }

  #alloc(cells: Cells, order: number): number {
    if (order > 0) return this.capacity === 2 ** order && cells.cas(0, 0, 2 ** this.capacity - 1) ? 0 : -1;
    for (;;) {
      const bits = cells.load(0);
      const unit = 31 - Math.clz32(~bits & -~bits);
      if (unit >= this.capacity) return -1;
      if (this.#change(cells, bits, bits | (1 << unit))) return unit;
      if (this.#kind === 'gives up') return -1;
      assert(this.#kind !== 'asserts', 'no other worker allocates');
    }
  }

  #free(cells: Cells, unit: number): number {
    for (;;) {
      const bits = cells.load(0);
      if (((bits >>> unit) & 1) === 0) throw new BuddyError('NOT_ALLOCATED', 'free');
      if (this.#change(cells, bits, bits & ~(1 << unit)) || this.#kind === 'forgets') return 1;
    }
  }

  #change(cells: Cells, before: number, after: number): boolean {
    if (this.#kind !== 'store for cas') return cells.cas(0, before, after);
    cells.store(0, after);
    return true;
  }

  check(): readonly string[] {
    return [];
  }

  workerIds(): readonly number[] {
    return [];
  }

  blocks(cells: Cells): readonly Block[] {
    const bits = cells.load(0);
    return Array.from({ length: this.capacity }, (_, offset) => ({ offset, size: 1 })).filter(
      ({ offset }) => ((bits >>> offset) & 1) === 1,
    );
  }

  hasRoom(_cells: Int32Array, _id: number, order: number, live: readonly Block[]): boolean {
    return hasRoomBeside(live, this.capacity, 2 ** order);
  }

  markFree(cells: Int32Array, free: Int32Array): void {
    free[0] = ~cells[0] & (2 ** this.capacity - 1);
  }

  cellName(pos: number): string {
    return pos === 0 ? 'bits' : 'lock';
  }
}

/** The id of the next worker of an arena in which so many are attached; 0 if there is no room. */
function idOf(attached: number, workers: number): number {
  return attached < workers ? attached + 1 : 0;
}

/** An ALLOC of order k makes k accesses, none of which others can notice. */
export class Idle implements Subject {
  readonly name = 'idle';
  readonly capacity = 0;
  readonly workers = 3;
  readonly length = 1;
  readonly takesBack = true;
  readonly keepsRoom = false;
  readonly whole: readonly number[] = [];

  setUp(): void {}

  call(cells: Cells, _id: number, kind: number, argument: number): number {
    if (kind === ATTACH) return idOf(argument, this.workers);
    if (kind === RECOVER) return 1;
    for (let i = 0; i < argument; i++) cells.load(0);
    return -1;
  }

  check(): readonly string[] {
    return [];
  }

  blocks(): readonly Block[] {
    return [];
  }

  workerIds(): readonly number[] {
    return [];
  }

  hasRoom(): boolean {
    return false;
  }

  markFree(): void {}

  cellName(): string {
    return 'cell';
  }
}
