// The figures that MemPool.stats reports, counted over the blocks of the heap.

import type { Heap } from '../heap/heap.ts';

/** Figures of a pool at one moment. Sizes and addresses are bytes. */
export interface MemPoolStats {
  /** Free blocks below `top`, each as large as coalescing makes it. */
  free: { count: number; size: number };
  /** Live blocks, rounding up included. */
  used: { count: number; size: number };
  /** End of the highest live block; of the pool's own state if there is none. All bytes from there on are free. */
  top: number;
  /** All free bytes, below `top` and above. */
  available: number;
  /** Length of the buffer. */
  total: number;
}

/** Counts the blocks of `heap`, an embedded one. O(blocks * log size). */
export function statistics(heap: Heap): MemPoolStats {
  const free = { count: 0, size: 0 };
  const used = { count: 0, size: 0 };
  let below = { ...free };
  let top: number | undefined;
  for (const block of heap.blocks()) {
    top ??= block.ptr; // the first block follows the pool's own state
    const sum = block.free ? free : used;
    sum.count++;
    sum.size += block.size;
    if (block.free) continue;
    top = block.ptr + block.size;
    below = { ...free };
  }
  return { free: below, used, top: top ?? heap.end, available: free.size, total: heap.buffer.byteLength };
}
