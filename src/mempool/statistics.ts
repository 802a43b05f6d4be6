// The figures that MemPool.stats reports, counted over the blocks of the heap.

import { type Heap, regionOf } from '../heap/heap.ts';

/** Figures of a pool at one moment. Sizes and addresses are bytes. */
export interface MemPoolStats {
  /** Gaps between live blocks below `top`. */
  free: { count: number; size: number };
  /** Live blocks, rounding up included. */
  used: { count: number; size: number };
  /**
   * End of the highest live block; if there is none, where the first can begin. All bytes from there on are free, up to the
   * part of the pool's state that lies at its end.
   */
  top: number;
  /** All free bytes, below `top` and above. */
  available: number;
  /** Length of the buffer. */
  total: number;
}

/** Counts the blocks of `heap`, an embedded one. O(size). */
export function statistics(heap: Heap<ArrayBufferLike>): MemPoolStats {
  const free = { count: 0, size: 0 };
  const used = { count: 0, size: 0 };
  let top = regionOf(heap).endOf(1);
  for (const { ptr, size } of heap.blocks()) {
    if (ptr > top) {
      free.count++;
      free.size += ptr - top;
    }
    used.count++;
    used.size += size;
    top = ptr + size;
  }
  return { free, used, top, available: heap.freeBytes, total: heap.buffer.byteLength };
}
