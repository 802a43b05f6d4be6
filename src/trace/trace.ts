// A trace in memory: all operations of a program on its heap, in order, in one Int32Array.

import { TraceError } from './error.ts';

/** A program's allocations and frees, in order. Made by {@link readTrace} or {@link traceFromOps}. */
export interface Trace {
  /** The format that it was read from. */
  readonly format: 'int32' | 'mtrace';
  /**
   * The operations. x >= 0 allocates x bytes (0 counts as 1); the n-th such entry has id n, counted from 0. x < 0
   * frees the block with id ~x. Every free is of a live block.
   */
  readonly ops: Int32Array;
  /** How many entries of `ops` allocate. */
  readonly allocations: number;
  /** How many entries of `ops` free. */
  readonly frees: number;
  /**
   * mtrace only: frees of addresses that are not live according to the recording, usually because their blocks were
   * allocated before it began. They have no entry in `ops`.
   */
  readonly skippedFrees: number;
  /**
   * mtrace only: allocations at addresses that are live according to the recording. They show that a free went
   * unrecorded; `ops` has that free just before the new allocation.
   */
  readonly impliedFrees: number;
  /** mtrace only: requests that the recorded program's own allocator refused. They have no entry in `ops`. */
  readonly refusedRequests: number;
}

/**
 * Checks a sequence of operations in the encoding of {@link Trace.ops}, and makes a trace of it. The array is not
 * copied. O(n).
 *
 * @throws TraceError `EMPTY`; or `UNKNOWN_ID` or `DOUBLE_FREE`, which name the entry.
 */
export function traceFromOps(ops: Int32Array): Trace {
  if (ops.length === 0) throw new TraceError('EMPTY', 'the trace has no operations');
  const freed = new Uint8Array(ops.length);
  let allocations = 0;
  for (let index = 0; index < ops.length; index++) {
    if (ops[index] >= 0) {
      allocations++;
      continue;
    }
    const id = ~ops[index];
    if (id >= allocations) {
      const known =
        allocations === 0 ? 'nothing has been allocated' : `the last id allocated is ${allocations - 1}`;
      throw new TraceError('UNKNOWN_ID', `entry ${index}: frees id ${id}, but ${known} so far`, index);
    }
    if (freed[id] === 1)
      throw new TraceError('DOUBLE_FREE', `entry ${index}: frees id ${id} a second time`, index);
    freed[id] = 1;
  }
  return {
    format: 'int32',
    ops,
    allocations,
    frees: ops.length - allocations,
    skippedFrees: 0,
    impliedFrees: 0,
    refusedRequests: 0,
  };
}
