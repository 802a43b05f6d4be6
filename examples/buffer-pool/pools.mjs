// Two ways to get Buffers. `acquire` gives one of exactly that many bytes, with anything in it, or null when there is no
// room now; its last user gives it back with `release`.

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

  /** The buffer must not be used any more: its bytes will be another one's. */
  release(buffer) {
    this.#heap.free(buffer.byteOffset);
  }

  get liveBuffers() {
    return this.#heap.stats().liveBlocks;
  }
}

/** A new ArrayBuffer for each; the garbage collector takes it back at some time. */
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
