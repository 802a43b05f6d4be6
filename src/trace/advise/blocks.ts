// What every pass of advice through a trace needs of its blocks, in arrays that the passes share.

import { int32s } from '../memory.ts';
import type { Trace } from '../trace.ts';

/** The blocks of a trace by id. */
export interface TraceBlocks {
  /** Bytes that each asks for, at least one. */
  readonly bytes: Int32Array;
  /** Room for the offset of each. A pass overwrites it. */
  readonly offsets: Int32Array;
}

/** The blocks of a trace. O(n). */
export function blocksOf(trace: Trace): TraceBlocks {
  const bytes = int32s(trace.allocations);
  let id = 0;
  for (const op of trace.ops) if (op >= 0) bytes[id++] = Math.max(1, op);
  return { bytes, offsets: int32s(trace.allocations) };
}
