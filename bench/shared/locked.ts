// BuddyAllocator with its state in a SharedArrayBuffer, behind a lock: the alternative to a shared allocator.

import { BuddyAllocator, setState } from '../../src/core/allocator.ts';
import { layoutOf } from '../../src/core/layout.ts';
import { writeEmpty } from '../../src/core/state/empty.ts';
import type { Attached, SharedContender } from './contender.ts';

const FREE = 0;
const TAKEN = 1;
const WAITED_FOR = 2;

/** The lock is that of Drepper, "Futexes Are Tricky" (2011): it calls the kernel only if a worker waits. */
class Locked implements Attached {
  readonly #lock: Int32Array;
  readonly #allocator: BuddyAllocator;

  constructor(buffer: SharedArrayBuffer) {
    this.#lock = new Int32Array(buffer, 0, 1);
    this.#allocator = new BuddyAllocator({ capacity: 1 });
    setState(this.#allocator, new Int32Array(buffer, 64));
  }

  alloc(units: number): number {
    this.#enter();
    const offset = this.#allocator.alloc(units);
    this.#leave();
    return offset;
  }

  free(offset: number): void {
    this.#enter();
    this.#allocator.free(offset);
    this.#leave();
  }

  #enter(): void {
    if (Atomics.compareExchange(this.#lock, 0, FREE, TAKEN) === FREE) return;
    while (Atomics.exchange(this.#lock, 0, WAITED_FOR) !== FREE) Atomics.wait(this.#lock, 0, WAITED_FOR);
  }

  #leave(): void {
    if (Atomics.exchange(this.#lock, 0, FREE) === WAITED_FOR) Atomics.notify(this.#lock, 0, 1);
  }
}

export const contender: SharedContender = {
  create: (units) => {
    const { length } = layoutOf(units);
    const buffer = new SharedArrayBuffer(64 + 4 * length);
    writeEmpty(new Int32Array(buffer, 64), units);
    return buffer;
  },
  attach: (buffer) => new Locked(buffer as SharedArrayBuffer),
};
