// A list of operations that can grow: a trace as it was read, or what is done by hand.

/** Bytes a unit, everywhere in the playground. */
export const UNIT = 16;

/** As in a trace, entry x >= 0 allocates x bytes and has the next id from 0 on, entry x < 0 frees the block with id ~x. */
export class Operations {
  #entries: Int32Array;
  #length: number;

  /** The entries of a trace, which are copied, or none. */
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

  /** Drops what comes after the first `length` entries and appends one. */
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

/** Units that a request for so many bytes needs. */
export function unitsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / UNIT));
}
