// A set of integers in ascending order, in one typed array. It serves as a free list in address order.

/** Insertion and removal take O(log n) comparisons and move the items behind, which is quick for thousands of items. */
export class SortedSet {
  #items = new Int32Array(16);
  #size = 0;

  /** Makes a set of `items`, which {@link toArray} returned. */
  static from(items: Int32Array): SortedSet {
    const set = new SortedSet();
    set.#items = new Int32Array(items.length + 16);
    set.#items.set(items);
    set.#size = items.length;
    return set;
  }

  get size(): number {
    return this.#size;
  }

  add(item: number): void {
    if (this.#size === this.#items.length) {
      const larger = new Int32Array(2 * this.#size);
      larger.set(this.#items);
      this.#items = larger;
    }
    const i = this.#search(item);
    this.#items.copyWithin(i + 1, i, this.#size++);
    this.#items[i] = item;
  }

  /** Removes `item`. Returns whether it was there. */
  delete(item: number): boolean {
    const i = this.#search(item);
    if (i === this.#size || this.#items[i] !== item) return false;
    this.#items.copyWithin(i, i + 1, this.#size--);
    return true;
  }

  has(item: number): boolean {
    const i = this.#search(item);
    return i < this.#size && this.#items[i] === item;
  }

  /** Removes the least item and returns it. The set must not be empty. */
  shift(): number {
    const item = this.#items[0];
    this.#items.copyWithin(0, 1, this.#size--);
    return item;
  }

  toArray(): Int32Array {
    return this.#items.slice(0, this.#size);
  }

  /** Position of the first item that is not below `item`. */
  #search(item: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#items[middle] < item) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
