// The buddy system with best fit, as it is usually written (Knuth, TAOCP vol. 1, 2.5): with a list of free blocks for
// each order. It splits the smallest free block that is large enough, the lowest one of several.

import { orderOf } from '../../src/base/word.ts';
import { type Contender, type Figures, subtractFree } from './contender.ts';
import { SortedSet } from './sorted-set.ts';

export class BestFitBuddy implements Contender<readonly Int32Array[]> {
  readonly name = 'Best-fit buddy';
  readonly #capacity: number;
  /** Offsets of the free blocks, by order. */
  #free: SortedSet[];

  /** @param capacity a power of two. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#free = Array.from({ length: orderOf(capacity) + 1 }, () => new SortedSet());
    this.#free[orderOf(capacity)].add(0);
  }

  alloc(units: number): number {
    const wanted = orderOf(units);
    let order = wanted;
    while (order < this.#free.length && this.#free[order].size === 0) order++;
    if (order >= this.#free.length) return -1;
    const offset = this.#free[order].shift();
    while (order > wanted) {
      order--;
      this.#free[order].add(offset + 2 ** order);
    }
    return offset;
  }

  free(offset: number, units: number): void {
    let order = orderOf(units);
    let start = offset;
    while (this.#free[order].delete(start ^ (1 << order))) {
      start &= ~(1 << order);
      order++;
    }
    this.#free[order].add(start);
  }

  figures(): Figures {
    let freeUnits = 0;
    let largestFree = 0;
    this.#free.forEach((set, order) => {
      freeUnits += set.size * 2 ** order;
      if (set.size > 0) largestFree = 2 ** order;
    });
    return {
      usedUnits: this.#capacity - freeUnits,
      largestFree,
      externalFragmentation: freeUnits === 0 ? 0 : 1 - largestFree / freeUnits,
      span: this.#span(),
    };
  }

  measure(fullness: Float32Array): void {
    fullness.fill(1);
    const region = this.#capacity / fullness.length;
    this.#free.forEach((set, order) => {
      for (const offset of set.toArray()) subtractFree(fullness, region, offset, 2 ** order);
    });
  }

  save(): readonly Int32Array[] {
    return this.#free.map((set) => set.toArray());
  }

  load(save: readonly Int32Array[]): void {
    this.#free = save.map((items) => SortedSet.from(items));
  }

  /** Steps down over the free blocks at the end of the arena. */
  #span(): number {
    let end = this.#capacity;
    for (;;) {
      const order = this.#free.findIndex((set, k) => end >= 2 ** k && set.has(end - 2 ** k));
      if (order < 0) return end;
      end -= 2 ** order;
    }
  }
}
