// A list of operations that can grow: the operations of a trace, or those by hand.

/** Bytes per unit, everywhere in the playground. */
export const UNIT = 16;

/**
 * As in a trace, entry x >= 0 allocates x bytes, with the next id from 0 on, and entry x < 0 frees the block with id
 * ~x.
 */
export class Operations {
  #entries: Int32Array;
  #length: number;

  /** A list with a copy of `entries`, those of a trace; empty unless given. */
  constructor(entries: Int32Array = new Int32Array(0)) {
    this.#entries = entries.slice();
    this.#length = entries.length;
  }

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#entries[index];
  }

  /** Drops all entries after the first `length`, and appends one. */
  append(length: number, entry: number): void {
    if (length === this.#entries.length) {
      const larger = new Int32Array(2 * length + 64);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    this.#entries[length] = entry;
    this.#length = length + 1;
  }
}

/** The position after which the most units of requests are live, those of {@link unitsOf}; the first of several. O(n). */
export function fullest(entries: Int32Array): number {
  const sizes: number[] = [];
  let live = 0;
  let most = 0;
  let position = 0;
  entries.forEach((entry, i) => {
    if (entry >= 0) sizes.push(unitsOf(entry));
    live += entry >= 0 ? unitsOf(entry) : -sizes[~entry];
    if (live <= most) return;
    most = live;
    position = i + 1;
  });
  return position;
}

/** Units of a request for `bytes` bytes. */
export function unitsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / UNIT));
}
