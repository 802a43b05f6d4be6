// BuddyAllocator with its state in a SharedArrayBuffer, behind a lock: the alternative to a shared allocator.

import { BuddyAllocator, setState } from '../../src/core/allocator.ts';
import { layoutOf } from '../../src/core/layout.ts';
import { writeEmpty } from '../../src/core/state/empty.ts';
import type { Attached, SharedContender } from './contender.ts';
import { Lock } from './lock.ts';

class Locked implements Attached {
  readonly #lock: Lock;
  readonly #allocator: BuddyAllocator;

  constructor(buffer: SharedArrayBuffer) {
    this.#lock = new Lock(new Int32Array(buffer, 0, 1));
    this.#allocator = new BuddyAllocator({ capacity: 1 });
    setState(this.#allocator, new Int32Array(buffer, 64));
  }

  alloc(units: number): number {
    this.#lock.enter();
    const offset = this.#allocator.alloc(units);
    this.#lock.leave();
    return offset;
  }

  free(offset: number): void {
    this.#lock.enter();
    this.#allocator.free(offset);
    this.#lock.leave();
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
