// The one door to shared memory: the shared allocator reads and writes the memory of other workers through it only.
// The explorer of test/interleavings has cells of its own, so it explores the same code that runs in production.

/** Shared int32 cells, as the shared allocator uses them. */
export interface Cells {
  /** The value at `pos`, maybe an old one: for hints, and for values that a `cas` is about to verify. */
  read(pos: number): number;
  /** The low half of the value at `pos`, 0 … 0xffff, as `read`. */
  readLow(pos: number): number;
  /** The high half of the value at `pos`, 0 … 0xffff, as `read`. */
  readHigh(pos: number): number;
  /** The value at `pos`, sequentially consistent. */
  load(pos: number): number;
  /** Sets `pos`, to which no other worker writes, to `value`. Others see it no later than this worker's next `cas`. */
  write(pos: number, value: number): void;
  /**
   * Sets the low half of `pos` to `value`, 0 … 0xffff, and leaves the high half as it is, even if another worker
   * changes that at the same time. No other worker writes to the low half but by `cas`. Otherwise as `write`.
   */
  writeLow(pos: number, value: number): void;
  /** Waits for so long that what other workers have written before is to be seen by all. */
  settle(): void;
  /** Sets `pos` to `value`, sequentially consistent. */
  store(pos: number, value: number): void;
  /** Sets `pos` to `value` if it is `expected`. Returns whether it was. */
  cas(pos: number, expected: number, value: number): boolean;
  /** Sets the `bits` at `pos`. */
  or(pos: number, bits: number): void;
  /** Clears all bits at `pos` but the `bits`. Returns those that remain. */
  and(pos: number, bits: number): number;
}

const SETTLING = 128;

/** The cells of an Int32Array. A plain read costs an eighth of an atomic one: V8 calls a builtin for each `Atomics`. */
export class AtomicCells implements Cells {
  readonly s: Int32Array;
  /** The halves of the cells, the low one first, as in every runtime that JavaScript has. */
  readonly #halves: Uint16Array;

  constructor(s: Int32Array) {
    this.s = s;
    this.#halves = new Uint16Array(s.buffer, s.byteOffset, 2 * s.length);
  }

  read(pos: number): number {
    return this.s[pos];
  }

  readLow(pos: number): number {
    return this.#halves[pos << 1];
  }

  readHigh(pos: number): number {
    return this.#halves[(pos << 1) | 1];
  }

  load(pos: number): number {
    return Atomics.load(this.s, pos);
  }

  write(pos: number, value: number): void {
    this.s[pos] = value;
  }

  writeLow(pos: number, value: number): void {
    this.#halves[pos << 1] = value;
  }

  settle(): void {
    // A write leaves a processor's store buffer within some tenths of a microsecond; these loads take more than that.
    for (let i = 0; i < SETTLING; i++) Atomics.load(this.s, 0);
  }

  store(pos: number, value: number): void {
    Atomics.store(this.s, pos, value);
  }

  cas(pos: number, expected: number, value: number): boolean {
    return Atomics.compareExchange(this.s, pos, expected, value) === expected;
  }

  or(pos: number, bits: number): void {
    Atomics.or(this.s, pos, bits);
  }

  and(pos: number, bits: number): number {
    return Atomics.and(this.s, pos, bits) & bits;
  }
}
