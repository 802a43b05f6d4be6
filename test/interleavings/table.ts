// A set of states, each known by 64 bits of hash, with a few small numbers noted for each.
// Of n states the chance that two are taken for one is below n² / 2^65: less than 1 in 30,000 for 30 million.

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

  /** Where the notes on a state are in {@link values}, or -1 when it is new: then it is known from now on. */
  find(hash1: number, hash2: number): number {
    const at = this.#place(hash1, hash2 || 1);
    if (this.#keys[2 * at + 1] !== 0) return at * this.#notes;
    this.#keys[2 * at] = hash1;
    this.#keys[2 * at + 1] = hash2 || 1;
    if (++this.size * 5 > this.#mask * 3) this.#grow();
    return -1;
  }

  /** Where the notes on a known state are. */
  at(hash1: number, hash2: number): number {
    return this.#place(hash1, hash2 || 1) * this.#notes;
  }

  get values(): Uint16Array {
    return this.#values;
  }

  #place(hash1: number, hash2: number): number {
    const keys = this.#keys;
    let at = hash1 & this.#mask;
    while (keys[2 * at + 1] !== 0 && (keys[2 * at] !== hash1 || keys[2 * at + 1] !== hash2)) {
      at = (at + 1) & this.#mask;
    }
    return at;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#mask = this.#mask * 2 + 1;
    this.#keys = new Int32Array(keys.length * 2);
    this.#values = new Uint16Array(values.length * 2);
    for (let from = 0; from < keys.length; from += 2) {
      if (keys[from + 1] === 0) continue;
      const at = this.#place(keys[from], keys[from + 1]);
      this.#keys[2 * at] = keys[from];
      this.#keys[2 * at + 1] = keys[from + 1];
      for (let i = 0; i < this.#notes; i++) {
        this.#values[at * this.#notes + i] = values[(from / 2) * this.#notes + i];
      }
    }
  }
}
