// A queue: first in, first out. A Map would do, but finding its first key takes the longer the more keys were deleted before it.

/** Values in the order in which they were pushed. Every operation is O(1), amortised. */
export class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  /** Number of values. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The value at `index`, 0 for the first; undefined beyond the last. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index];
  }

  /** Appends `value`. */
  push(value: T): void {
    this.#items.push(value);
  }

  /** Takes the first value; undefined if there is none. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const value = this.#items[this.#head++];
    if (this.#head > 32 && this.#head > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }

  /** The values, first to last, as a copy. */
  toArray(): T[] {
    return this.#items.slice(this.#head);
  }
}
