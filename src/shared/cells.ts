// The one door to shared memory: every access of the shared allocator to what other workers may change goes through here.
// A model checker stands in for it with cells of its own, so that what is explored and what runs is the same code.

/** Whether `buffer` is a SharedArrayBuffer. Not by instanceof: it may come from another realm. */
export function isShared(buffer: unknown): buffer is SharedArrayBuffer {
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
}

/** Shared int32 cells, as the shared allocator uses them. */
export interface Cells {
  /** The value at `at`, maybe not the newest: for hints, and for what a `cas` is about to verify. */
  read(at: number): number;
  /** The value at `at`, sequentially consistent. */
  load(at: number): number;
  /** Sets `at`, which nobody else writes to, to `value`. Others see it no later than this worker's next `cas`. */
  write(at: number, value: number): void;
  /** Sets `at` to `value`, sequentially consistent. */
  store(at: number, value: number): void;
  /** Sets `at` to `value` if it is `expected`. Returns whether it was. */
  cas(at: number, expected: number, value: number): boolean;
  /** Sets the `bits` at `at`. */
  or(at: number, bits: number): void;
  /** Clears all but the `bits` at `at`. Returns what is left. */
  and(at: number, bits: number): number;
}

/** The real ones. A plain read costs an eighth of an atomic one in V8, which calls a builtin for every atomic access. */
export class AtomicCells implements Cells {
  readonly s: Int32Array;

  constructor(s: Int32Array) {
    this.s = s;
  }

  read(at: number): number {
    return this.s[at];
  }

  load(at: number): number {
    return Atomics.load(this.s, at);
  }

  write(at: number, value: number): void {
    this.s[at] = value;
  }

  store(at: number, value: number): void {
    Atomics.store(this.s, at, value);
  }

  cas(at: number, expected: number, value: number): boolean {
    return Atomics.compareExchange(this.s, at, expected, value) === expected;
  }

  or(at: number, bits: number): void {
    Atomics.or(this.s, at, bits);
  }

  and(at: number, bits: number): number {
    return Atomics.and(this.s, at, bits) & bits;
  }
}
