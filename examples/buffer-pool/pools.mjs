// Two ways to get Buffers. `acquire` returns one of exactly `bytes` bytes with undefined contents, or null if there is
// no room now. Its last user gives it back with `release`.

import { Heap } from 'buddy-allocator/heap';

/** Buffers in one ArrayBuffer of `bytes` bytes. */
export class HeapPool {
  #heap;

  constructor(bytes) {
    this.#heap = new Heap({ size: bytes });
  }

  acquire(bytes) {
    const ptr = this.#heap.malloc(bytes);
    return ptr === 0 ? null : Buffer.from(this.#heap.buffer, ptr, bytes);
  }

  /** Do not use the buffer afterwards: its bytes will be part of another one. */
  release(buffer) {
    this.#heap.free(buffer.byteOffset);
  }

  get liveBuffers() {
    return this.#heap.stats().liveBlocks;
  }
}

/** Each Buffer has a new ArrayBuffer, which the garbage collector frees at some time. */
export class UnpooledBuffers {
  #live = 0;

  acquire(bytes) {
    this.#live++;
    return Buffer.allocUnsafeSlow(bytes);
  }

  release() {
    this.#live--;
  }

  get liveBuffers() {
    return this.#live;
  }
}
