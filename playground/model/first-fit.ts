// First fit, the allocator that a buddy system is usually compared with. It keeps a list of holes in address order. A
// request is not rounded: it takes the start of the first hole that is large enough. A freed block joins the holes on
// either side.

import { type Contender, type Figures, subtractFree } from './contender.ts';

/** Holes as pairs (start, end), in address order; no two touch. */
/** Sizes up to this have a bound of their own. */
const BOUNDS = 64;

export class FirstFit implements Contender<Int32Array> {
  readonly name = 'First fit';
  readonly #capacity: number;
  /** By size: no hole of that size starts below this address. The last entry is for all larger sizes, too. */
  readonly #bounds = new Int32Array(BOUNDS + 1);
  #holes: Int32Array;
  /** Entries of `#holes` in use: two per hole. */
  #length = 2;
  #freeUnits: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#freeUnits = capacity;
    this.#holes = new Int32Array(64);
    this.#holes[1] = capacity;
  }

  alloc(units: number): number {
    const holes = this.#holes;
    const bound = Math.min(units, BOUNDS);
    for (let i = this.#firstAbove(this.#bounds[bound] - 1); i < this.#length; i += 2) {
      const start = holes[i];
      const left = holes[i + 1] - start - units;
      if (left < 0) continue;
      if (units <= BOUNDS) this.#bounds[bound] = start;
      if (left > 0) holes[i] = start + units;
      else {
        holes.copyWithin(i, i + 2, this.#length);
        this.#length -= 2;
      }
      this.#freeUnits -= units;
      return start;
    }
    return -1;
  }

  free(offset: number, units: number): void {
    const end = offset + units;
    const i = this.#firstAbove(offset);
    const joinsBelow = i > 0 && this.#holes[i - 1] === offset;
    const joinsAbove = i < this.#length && this.#holes[i] === end;
    this.#freeUnits += units;
    if (joinsBelow && joinsAbove) {
      this.#holes.copyWithin(i - 1, i + 1, this.#length);
      this.#length -= 2;
    } else if (joinsBelow) this.#holes[i - 1] = end;
    else if (joinsAbove) this.#holes[i] = offset;
    else this.#insert(i, offset, end);
    const start = joinsBelow ? this.#holes[i - 2] : offset;
    for (let units = 1; units <= BOUNDS; units++) {
      if (this.#bounds[units] > start) this.#bounds[units] = start;
    }
  }

  figures(): Figures {
    const holes = this.#holes;
    let largestFree = 0;
    for (let i = 0; i < this.#length; i += 2) largestFree = Math.max(largestFree, holes[i + 1] - holes[i]);
    const last = this.#length - 2;
    const endsFree = last >= 0 && holes[last + 1] === this.#capacity;
    return {
      usedUnits: this.#capacity - this.#freeUnits,
      largestFree,
      externalFragmentation: this.#freeUnits === 0 ? 0 : 1 - largestFree / this.#freeUnits,
      span: endsFree ? holes[last] : this.#capacity,
    };
  }

  measure(fullness: Float32Array): void {
    fullness.fill(1);
    const region = this.#capacity / fullness.length;
    for (let i = 0; i < this.#length; i += 2) {
      subtractFree(fullness, region, this.#holes[i], this.#holes[i + 1] - this.#holes[i]);
    }
  }

  save(): Int32Array {
    return this.#holes.slice(0, this.#length);
  }

  load(save: Int32Array): void {
    this.#holes = new Int32Array(save.length + 64);
    this.#holes.set(save);
    this.#length = save.length;
    this.#bounds.fill(0);
    this.#freeUnits = 0;
    for (let i = 0; i < save.length; i += 2) this.#freeUnits += save[i + 1] - save[i];
  }

  /** Position of the first hole that starts above `offset`. */
  #firstAbove(offset: number): number {
    let low = 0;
    let high = this.#length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#holes[2 * middle] > offset) high = middle;
      else low = middle + 1;
    }
    return 2 * low;
  }

  #insert(i: number, start: number, end: number): void {
    if (this.#length + 2 > this.#holes.length) {
      const larger = new Int32Array(this.#holes.length * 2);
      larger.set(this.#holes);
      this.#holes = larger;
    }
    this.#holes.copyWithin(i + 2, i, this.#length);
    this.#holes[i] = start;
    this.#holes[i + 1] = end;
    this.#length += 2;
  }
}
