// A map for keys that go and come back, such as the pointers of a heap.
//
// A Map of V8 keeps a deleted entry in the chain of its hash until the table is rebuilt. So a key that is deleted
// and set again and again, among many others that stay, makes each look-up of it longer than the last: a hundred
// times as long, say, with 100,000 live keys. Nothing is deleted here: an entry whose value is gone waits for its
// key to come back, and the table is made anew once most of its entries are such.

interface Entry<V> {
  /** Undefined if the key has no value at present. */
  value: V | undefined;
  /** Of two entries the one that got its value later has the larger number. */
  order: number;
}

/** Entries without a value that are allowed besides one for each entry with a value. */
const SPARE = 64;

/** Values, not undefined, by number. Every operation but the iterations is O(1), amortised. */
export class ReturningMap<V> {
  #entries = new Map<number, Entry<V>>();
  #size = 0;
  #next = 0;

  /** Number of keys that have a value. */
  get size(): number {
    return this.#size;
  }

  /** The value of `key`; undefined if it has none. */
  get(key: number): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Gives `key` a value. If it has one already, its place in the order stays. */
  set(key: number, value: V): void {
    const entry = this.#entries.get(key);
    if (entry?.value === undefined) this.#size++;
    if (entry === undefined) this.#entries.set(key, { value, order: this.#next++ });
    else {
      if (entry.value === undefined) entry.order = this.#next++;
      entry.value = value;
    }
  }

  /** Takes the value of `key`, if it has one. */
  delete(key: number): void {
    const entry = this.#entries.get(key);
    if (entry?.value === undefined) return;
    entry.value = undefined;
    this.#size--;
    if (this.#entries.size <= 2 * this.#size + SPARE) return;
    this.#entries = new Map([...this.#entries].filter(([, { value }]) => value !== undefined));
  }

  /** Takes all values. */
  clear(): void {
    this.#entries.clear();
    this.#size = 0;
  }

  /** The keys that have a value now, in the order in which they got it. O(size * log size). */
  keys(): number[] {
    const entries = [...this.#entries].filter(([, { value }]) => value !== undefined);
    return entries.sort(([, a], [, b]) => a.order - b.order).map(([key]) => key);
  }

  /** The values, likewise. */
  values(): V[] {
    const entries = [...this.#entries.values()].filter(({ value }) => value !== undefined);
    return entries.sort((a, b) => a.order - b.order).map(({ value }) => value as V);
  }
}
