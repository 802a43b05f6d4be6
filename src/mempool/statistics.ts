// What MemPool.stats reports, counted from the state that an embedded heap keeps in its memory.

import { AT_CAPACITY } from '../core/layout.ts';
import { blocks } from '../core/state/inspect.ts';
import { readHeader } from '../heap/header.ts';
import type { Heap } from '../heap.ts';

/** Figures of a pool at one moment. Sizes and addresses are bytes. */
export interface MemPoolStats {
  /** Free blocks below `top`, each as large as coalescing makes it. */
  free: { count: number; size: number };
  /** Live blocks, rounding up included. */
  used: { count: number; size: number };
  /** End of the highest live block; of the pool's own state when there is none. All from there on is free. */
  top: number;
  /** All that is free, below `top` and above. */
  available: number;
  /** Length of the buffer. */
  total: number;
}

/** Counts the blocks of `heap`, an embedded one. O(blocks * log size). */
export function statistics(heap: Heap): MemPoolStats {
  const { buffer, unit, start, end } = heap;
  const { state } = readHeader(buffer, start);
  const s = new Int32Array(buffer, state, (end - state) / 4);
  const base = end - s[AT_CAPACITY] * unit;
  let top = 0;
  let below = { count: 0, size: 0 };
  let count = 0;
  let size = 0;
  for (const block of blocks(s)) {
    if (block.free) {
      count++;
      size += block.size * unit;
    } else {
      top = base + (block.offset + block.size) * unit;
      below = { count, size };
    }
  }
  const { liveBlocks, used } = heap.stats();
  return {
    free: below,
    used: { count: liveBlocks, size: used },
    top,
    available: size,
    total: buffer.byteLength,
  };
}
