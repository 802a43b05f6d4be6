// The lock of Drepper, "Futexes Are Tricky" (2011): it calls the kernel only if a worker waits.

const FREE = 0;
const TAKEN = 1;
const WAITED_FOR = 2;

/** A lock that is one int32 of shared memory, 0 at first. */
export class Lock {
  readonly #cell: Int32Array;

  /** The lock in the first int32 of `cell`. */
  constructor(cell: Int32Array) {
    this.#cell = cell;
  }

  enter(): void {
    if (Atomics.compareExchange(this.#cell, 0, FREE, TAKEN) === FREE) return;
    while (Atomics.exchange(this.#cell, 0, WAITED_FOR) !== FREE) Atomics.wait(this.#cell, 0, WAITED_FOR);
  }

  leave(): void {
    if (Atomics.exchange(this.#cell, 0, FREE) === WAITED_FOR) Atomics.notify(this.#cell, 0, 1);
  }
}
