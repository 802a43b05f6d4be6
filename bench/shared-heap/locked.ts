// Heap, embedded in a SharedArrayBuffer, behind a lock: the alternative to a shared heap.

import { Heap } from '../../src/heap.ts';
import { Lock } from '../shared/lock.ts';
import type { Calls, HeapContender } from './contender.ts';

interface Arena {
  readonly cell: SharedArrayBuffer;
  readonly memory: SharedArrayBuffer;
}

class Locked implements Calls {
  readonly #lock: Lock;
  readonly #memory: SharedArrayBuffer;
  #heap: Heap<SharedArrayBuffer>;

  constructor({ cell, memory }: Arena) {
    this.#lock = new Lock(new Int32Array(cell));
    this.#memory = memory;
    this.#lock.enter();
    this.#heap = this.#attached();
    this.#lock.leave();
  }

  malloc(bytes: number): number {
    this.#lock.enter();
    const ptr = this.#heap.malloc(bytes) || this.#mallocAnew(bytes);
    this.#lock.leave();
    return ptr;
  }

  free(ptr: number): void {
    this.#lock.enter();
    this.#heap.free(ptr);
    this.#lock.leave();
  }

  /** What a Heap knows of gaps is its own: it does not see those that other workers make. */
  #mallocAnew(bytes: number): number {
    this.#heap = this.#attached();
    return this.#heap.malloc(bytes);
  }

  #attached(): Heap<SharedArrayBuffer> {
    return Heap.attach({ memory: this.#memory, start: 0 });
  }
}

export const contender: HeapContender = {
  create: (bytes) => {
    const memory = new SharedArrayBuffer(bytes);
    new Heap({ memory, embed: true });
    return { cell: new SharedArrayBuffer(64), memory } satisfies Arena;
  },
  attach: (arena) => {
    const { memory } = arena as Arena;
    return { heap: new Locked(arena as Arena), memory };
  },
};
