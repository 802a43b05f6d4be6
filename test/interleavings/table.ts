// A set of states, each known by 64 bits of its hash, with a few small numbers noted for each.
// The chance that two of n states are taken for one is below n² / 2^65: less than 1 in 30,000 for 30 million.

export class StateTable {
  readonly #notes: number;
  #mask: number;
  #keys: Int32Array;
  #values: Uint16Array;
  size = 0;

  /** @param notes how many numbers, 0 … 65535, are noted for a state */
  constructor(notes: number) {
    this.#notes = notes;
    this.#mask = (1 << 12) - 1;
    this.#keys = new Int32Array(2 << 12);
    this.#values = new Uint16Array(notes << 12);
  }

  /** Index in {@link values} of the notes on a state; -1 if the state is new, and known from now on. */
  find(hash1: number, hash2: number): number {
    const entry = this.#entryOf(hash1, hash2 || 1);
    if (this.#keys[2 * entry + 1] !== 0) return entry * this.#notes;
    this.#keys[2 * entry] = hash1;
    this.#keys[2 * entry + 1] = hash2 || 1;
    if (++this.size * 5 > this.#mask * 3) this.#grow();
    return -1;
  }

  /** Index in {@link values} of the notes on a known state. */
  notesOf(hash1: number, hash2: number): number {
    return this.#entryOf(hash1, hash2 || 1) * this.#notes;
  }

  get values(): Uint16Array {
    return this.#values;
  }

  #entryOf(hash1: number, hash2: number): number {
    const keys = this.#keys;
    let entry = hash1 & this.#mask;
    while (keys[2 * entry + 1] !== 0 && (keys[2 * entry] !== hash1 || keys[2 * entry + 1] !== hash2)) {
      entry = (entry + 1) & this.#mask;
    }
    return entry;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#mask = this.#mask * 2 + 1;
    this.#keys = new Int32Array(keys.length * 2);
    this.#values = new Uint16Array(values.length * 2);
    for (let from = 0; from < keys.length; from += 2) {
      if (keys[from + 1] === 0) continue;
      const entry = this.#entryOf(keys[from], keys[from + 1]);
      this.#keys[2 * entry] = keys[from];
      this.#keys[2 * entry + 1] = keys[from + 1];
      for (let i = 0; i < this.#notes; i++) {
        this.#values[entry * this.#notes + i] = values[(from / 2) * this.#notes + i];
      }
    }
  }
}
