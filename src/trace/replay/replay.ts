// Replaying a trace on the allocator: the time that it takes, and the state of the memory.

import { checkWithin } from '../../base/arguments.ts';
import { orderOf } from '../../base/word.ts';
import type { BuddyAllocator } from '../../core/allocator.ts';
import { int32s } from '../memory.ts';
import { gapsOf, type Trace, type TraceGaps } from '../trace.ts';
import { fitCapacity } from './capacity.ts';
import { opsInUnits, Pass, type Progress } from './pass.ts';
import { type Samples, takeSamples } from './samples.ts';

const DEFAULT_UNIT = 16;

// The first passes also pay for compilation and fresh pages, so the best of several counts. A short trace needs
// many passes before it is compiled, so the passes go on for this time at least.
const TIMED_PASSES = 3;
const TIMED_MS = 20;

/** The arena that a trace is replayed in. */
export interface ArenaOptions {
  /** Bytes per unit, a positive integer. Default 16. */
  readonly unit?: number | undefined;
  /** Units in the arena, 1 … 2^30. Default: the result of {@link fitCapacity}. */
  readonly capacity?: number | undefined;
}

/** How to replay a trace. */
export interface ReplayOptions extends ArenaOptions {
  /** Called now and then with the operations done and to do, over all passes. */
  readonly onProgress?: Progress | undefined;
}

/** The allocations of one block size in a trace. */
export interface SizeClass {
  /** The blocks have 2^order units. */
  readonly order: number;
  /** Bytes per block. */
  readonly blockBytes: number;
  /** How many allocations asked for a size that gets such a block, including those that found no room. */
  readonly allocations: number;
  /** Bytes that these allocations asked for. */
  readonly requestedBytes: number;
}

/** The result of {@link replay}: plain data, ready for JSON. */
export interface ReplayReport extends Samples, TraceGaps {
  /** Bytes per unit. */
  readonly unit: number;
  /** Units in the arena. */
  readonly capacity: number;
  /** The format that the trace was read from. */
  readonly format: Trace['format'];
  /** Operations of the trace. */
  readonly operations: number;
  /** How many of them allocate. */
  readonly allocations: number;
  /** How many of them free. */
  readonly frees: number;
  /** Nanoseconds per operation, with the replay loop: the best of three passes or more, each in a fresh arena. */
  readonly nsPerOperation: number;
  /** Hash of all offsets returned, in order, -1 for no room: h = h * 31 + offset, uint32. */
  readonly placementHash: number;
  /** Allocations that found no room. The frees of such blocks were passed over. */
  readonly failures: number;
  /** Allocations by block size: one entry per order, from 0 to the highest that occurs. */
  readonly sizes: readonly SizeClass[];
}

/**
 * Replays a trace: three times or more against the clock, and once with a look at the arena after every 1/256 of the
 * operations. O(n log capacity) time; at most 64 bytes of memory per operation, the trace included, and the arena's
 * state.
 *
 * @throws TypeError if `unit` or `capacity` is not a number.
 * @throws RangeError if `unit` is not a positive integer, or `capacity` not an integer from 1 to 2^30.
 */
export function replay(trace: Trace, options: ReplayOptions = {}): ReplayReport {
  const { unit, capacity } = arenaFor(trace, options);
  const ops = opsInUnits(trace, unit);
  const timed = TIMED_PASSES * ops.length;
  const onProgress = (done: number): void => options.onProgress?.(done, timed + ops.length);
  const pass = fastestPass(trace, ops, capacity, (done) => onProgress(Math.min(done, timed)));
  return {
    unit,
    capacity,
    format: trace.format,
    operations: ops.length,
    allocations: trace.allocations,
    frees: trace.frees,
    ...gapsOf(trace),
    nsPerOperation: (pass.elapsed * 1e6) / ops.length,
    placementHash: pass.hash,
    failures: pass.failures,
    sizes: sizeClasses(trace, ops, unit),
    ...takeSamples(trace, unit, capacity, (done) => onProgress(timed + done)),
  };
}

/** The fastest of several passes. `onPass` is called with the operations done, over all passes. */
function fastestPass(trace: Trace, ops: Int32Array, capacity: number, onPass: (done: number) => void): Pass {
  const begin = performance.now();
  const offsets = int32s(trace.allocations);
  let passes = 0;
  const next = (): Pass => {
    const pass = new Pass(ops, offsets, capacity);
    for (const done of pass.run(ops.length)) onPass(passes * ops.length + done);
    passes++;
    return pass;
  };
  let fastest = next();
  while (passes < TIMED_PASSES || performance.now() - begin < TIMED_MS) {
    const pass = next();
    if (pass.elapsed < fastest.elapsed) fastest = pass;
  }
  return fastest;
}

/** An arena in the middle of a trace. */
export interface ArenaState {
  /** The allocator on which the operations ran. */
  readonly allocator: BuddyAllocator;
  /** Allocations that have found no room so far. */
  readonly failures: number;
}

/**
 * The arena after the first `operations` operations of a trace; after all of them by default. O(n log capacity)
 * time, O(n) memory.
 *
 * @throws TypeError if `unit`, `capacity` or `operations` is not a number.
 * @throws RangeError if `unit` is not a positive integer, `capacity` not an integer from 1 to 2^30, or `operations`
 *   not an integer from 0 to the number of operations in the trace.
 */
export function arenaAfter(
  trace: Trace,
  options: ArenaOptions & { readonly operations?: number | undefined } = {},
): ArenaState {
  const { operations = trace.ops.length } = options;
  checkWithin('operations', operations, 0, trace.ops.length);
  const { unit, capacity } = arenaFor(trace, options);
  const pass = new Pass(opsInUnits(trace, unit), int32s(trace.allocations), capacity);
  for (const _ of pass.run(operations));
  return { allocator: pass.allocator, failures: pass.failures };
}

/** The options, with the defaults filled in. */
function arenaFor(trace: Trace, options: ArenaOptions): { unit: number; capacity: number } {
  const { unit = DEFAULT_UNIT } = options;
  return { unit, capacity: options.capacity ?? fitCapacity(trace, unit) };
}

/** Counts the allocations by the order of their blocks. */
function sizeClasses(trace: Trace, ops: Int32Array, unit: number): SizeClass[] {
  const allocations: number[] = [];
  const requested: number[] = [];
  ops.forEach((op, index) => {
    if (op < 0) return;
    const order = orderOf(op);
    allocations[order] = (allocations[order] ?? 0) + 1;
    requested[order] = (requested[order] ?? 0) + Math.max(1, trace.ops[index]);
  });
  return Array.from(allocations, (count = 0, order) => ({
    order,
    blockBytes: unit * 2 ** order,
    allocations: count,
    requestedBytes: requested[order] ?? 0,
  }));
}
