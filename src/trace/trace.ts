// A trace in memory: all operations of a program on its heap, in order, in one Int32Array.

import { TraceError } from './error.ts';
import { uint8s } from './memory.ts';

/** The formats of traces. */
export type TraceFormat = 'int32' | 'mtrace' | 'valgrind' | 'ltrace' | 'heaptrack';

/**
 * The parts of a recording that have no place in {@link Trace.ops}, or were missing, as counts. All 0 for a file of
 * int32.
 */
export interface TraceGaps {
  /**
   * Frees of addresses that are not live according to the recording, usually because their blocks were allocated
   * before it began. They have no entry in `ops`.
   */
  readonly skippedFrees: number;
  /**
   * Allocations at addresses that are live according to the recording. They show that a free went unrecorded; `ops`
   * has that free just before the new allocation.
   */
  readonly impliedFrees: number;
  /** Requests that the recorded program's own allocator refused. They have no entry in `ops`. */
  readonly refusedRequests: number;
  /**
   * Allocations of more than 2^31 - 1 bytes, which an int32 cannot hold. Neither they nor the frees of their blocks
   * have an entry in `ops`.
   */
  readonly oversizedRequests: number;
  /**
   * Lines at the end that were left out, because the recording ends within one of them or between the two lines of a
   * realloc; 0, 1 or 2. The program was probably killed.
   */
  readonly cutOffLines: number;
}

/** A program's allocations and frees, in order. Made by {@link readTrace} or {@link traceFromOps}. */
export interface Trace extends TraceGaps {
  /** The format that it was read from. */
  readonly format: TraceFormat;
  /**
   * The operations. x >= 0 allocates x bytes (0 counts as 1); the n-th such entry has id n, counted from 0. x < 0
   * frees the block with id ~x. Every free is of a live block.
   */
  readonly ops: Int32Array;
  /** How many entries of `ops` allocate. */
  readonly allocations: number;
  /** How many entries of `ops` free. */
  readonly frees: number;
}

/** The counts of `source`, and nothing else of it. */
export function gapsOf(source: TraceGaps): TraceGaps {
  const { skippedFrees, impliedFrees, refusedRequests, oversizedRequests, cutOffLines } = source;
  return { skippedFrees, impliedFrees, refusedRequests, oversizedRequests, cutOffLines };
}

/**
 * Checks a sequence of operations in the encoding of {@link Trace.ops}, and makes a trace of it. The array is not
 * copied. O(n).
 *
 * @throws TraceError `EMPTY`; or `UNKNOWN_ID` or `DOUBLE_FREE`, which name the entry.
 */
export function traceFromOps(ops: Int32Array): Trace {
  if (ops.length === 0) throw new TraceError('EMPTY', 'the trace has no operations');
  const freed = uint8s(ops.length);
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
    oversizedRequests: 0,
    cutOffLines: 0,
  };
}
