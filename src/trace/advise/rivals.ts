// The rival that advice compares with: a first-fit heap with headers.

import { type Progress, reportSlice } from '../replay/pass.ts';
import type { Trace } from '../trace.ts';
import type { TraceBlocks } from './blocks.ts';
import { FirstFitHeap } from './first-fit.ts';

const HEADER_BYTES = 8;
const GRANULE_BYTES = 16;

/** Bytes that a trace takes without a buddy system. */
export interface Rivals {
  /**
   * The most bytes asked for by live blocks after any operation. An allocator that does not move blocks cannot take
   * less, and hardly any takes as little.
   */
  readonly peakLiveBytes: number;
  /** Bytes from the start of a first-fit heap to the highest address that it ever uses. */
  readonly firstFitBytes: number;
}

/**
 * Serves the trace from a first-fit heap of unlimited size.
 *
 * Every block has a header of 8 bytes before it and takes a multiple of 16 bytes, as in common implementations of
 * malloc. A freed block merges with its free neighbours at once. A request takes the lowest chunk that is large
 * enough, and extends the heap if there is none. Wilson et al. (1995) find that hardly any practical allocator
 * fragments less. O(n log n), 30 bytes per allocation.
 */
export function measureRivals(trace: Trace, { bytes }: TraceBlocks, onProgress: Progress): Rivals {
  const { ops } = trace;
  const heap = new FirstFitHeap(trace.allocations);
  let id = 0;
  let live = 0;
  let peakLiveBytes = 0;
  for (let index = 0; index < ops.length; index++) {
    reportSlice(index, ops.length, onProgress);
    const op = ops[index];
    if (op < 0) {
      heap.free(~op);
      live -= bytes[~op];
    } else {
      heap.allocate(id, granules(bytes[id]));
      live += bytes[id++];
      peakLiveBytes = Math.max(peakLiveBytes, live);
    }
  }
  return { peakLiveBytes, firstFitBytes: heap.highest * GRANULE_BYTES };
}

/** Granules that a block of `bytes` bytes takes in the heap, with its header. */
function granules(bytes: number): number {
  return Math.ceil((bytes + HEADER_BYTES) / GRANULE_BYTES);
}
