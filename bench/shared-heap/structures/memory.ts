// The structures of `@daneren2005/shared-memory-objects` on a SharedHeap.
//
// They take any object that has the members `buffers` and `allocUI32` of the package's MemoryHeap. Their pointers have 20 bits
// for the offset of a byte in one of its buffers, so that they reach the first MiB of a heap's memory, and no more.

import type { SharedHeap } from '../../../src/shared.ts';
import { AllocatedMemory, type StructureBuffer, type StructureMemory } from '../../shared/peer.mjs';

/** The end of what the structures can point to, in bytes. */
export const REACH = 2 ** 20;

/** Gives the structures memory of a SharedHeap. */
export class SharedHeapMemory implements StructureMemory {
  readonly buffers: readonly [StructureBuffer];
  readonly #heap: SharedHeap;

  /** @throws RangeError if `heap` may grow beyond {@link REACH}. */
  constructor(heap: SharedHeap) {
    if (heap.maximum > REACH) throw new RangeError(`the structures cannot point beyond ${REACH}`);
    this.#heap = heap;
    this.buffers = [
      {
        buf: heap.buffer,
        free: (ptr) => heap.free(ptr),
        lengthOf: (ptr) => heap.usableSize(ptr) / 4,
      },
    ];
  }

  allocUI32(count: number): AllocatedMemory {
    const ptr = this.#heap.calloc(count, 4);
    if (ptr === 0) throw new Error(`no room for ${4 * count} bytes`);
    const [buffer] = this.buffers;
    return new AllocatedMemory(this, { data: new Uint32Array(buffer.buf, ptr, count), buffer });
  }
}
