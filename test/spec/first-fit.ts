// First fit of exact sizes, the placement that `allocRange` is specified by, fast enough for whole traces: a table of all gaps
// by their start, and above it a tree of maxima that leads to the first one that is long enough.

export class FirstFit {
  /** The maximum of entries 2i and 2i + 1 in entry i; the last half is the length of the gap that starts at each unit, or 0. */
  readonly #tree: Int32Array;
  readonly #capacity: number;
  /** [end of a gap]: its start. What it says of other units is outdated. */
  readonly #startOf: Int32Array;

  /** @param capacity units, a power of two */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#tree = new Int32Array(2 * capacity);
    this.#startOf = new Int32Array(capacity + 1);
    this.#setGap(0, capacity);
  }

  /** The lowest offset at which `size` units are free, which are taken; -1 if there is none. */
  alloc(size: number): number {
    const tree = this.#tree;
    if (tree[1] < size) return -1;
    let i = 1;
    while (i < this.#capacity) i = tree[2 * i] >= size ? 2 * i : 2 * i + 1;
    const offset = i - this.#capacity;
    const end = offset + tree[i];
    this.#setGap(offset, offset);
    if (offset + size < end) this.#setGap(offset + size, end);
    return offset;
  }

  /** Gives back the `size` units from `offset` on. */
  free(offset: number, size: number): void {
    let start = this.#startOf[offset];
    if (start + this.#tree[this.#capacity + start] !== offset || offset === 0) start = offset;
    let end = offset + size;
    if (end < this.#capacity) {
      const next = this.#tree[this.#capacity + end];
      if (next > 0) this.#setGap(end, end);
      end += next;
    }
    this.#setGap(start, end);
  }

  #setGap(start: number, end: number): void {
    const tree = this.#tree;
    this.#startOf[end] = start;
    let i = this.#capacity + start;
    tree[i] = end - start;
    while (i > 1) {
      i >>>= 1;
      const longest = Math.max(tree[2 * i], tree[2 * i + 1]);
      if (tree[i] === longest) return;
      tree[i] = longest;
    }
  }
}
