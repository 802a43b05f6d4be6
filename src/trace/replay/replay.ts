// Replaying a trace on the allocator: how long it takes, and what becomes of the memory.

import { checkWithin } from '../../base/arguments.ts';
import type { BuddyAllocator } from '../../core/allocator.ts';
import type { Trace } from '../trace.ts';
import { fitCapacity } from './capacity.ts';
import { opsInUnits, orderOf, Pass, type Progress } from './pass.ts';
import { type Samples, takeSamples } from './samples.ts';

const DEFAULT_UNIT = 16;

// The first passes also pay for compilation and fresh pages; the reference reports the best of some as well. A short
// trace needs many passes before it is compiled, so it gets this time at least.
const TIMED_PASSES = 3;
const TIMED_MS = 20;

/** The arena that a trace is replayed in. */
export interface ArenaOptions {
  /** Bytes a unit, an integer >= 1. Default 16. */
  readonly unit?: number | undefined;
  /** Units in the arena, 1 … 2^30. Default: what {@link fitCapacity} finds. */
  readonly capacity?: number | undefined;
}

/** How to replay a trace. */
export interface ReplayOptions extends ArenaOptions {
  /** Called now and then with the operations run and to run, over all passes. */
  readonly onProgress?: Progress | undefined;
}

/** The allocations of one block size in a trace. */
export interface SizeClass {
  /** Blocks of this order have 2^order units. */
  readonly order: number;
  /** Bytes a block. */
  readonly blockBytes: number;
  /** How many allocations asked for a size that gets such a block, those that found no room included. */
  readonly allocations: number;
  /** Bytes that they asked for. */
  readonly requestedBytes: number;
}

/** What a replay showed: plain data, ready for JSON. */
export interface ReplayReport extends Samples {
  /** Bytes a unit. */
  readonly unit: number;
  /** Units in the arena. */
  readonly capacity: number;
  /** The format the trace was read from. */
  readonly format: Trace['format'];
  readonly operations: number;
  readonly allocations: number;
  readonly frees: number;
  /** See {@link Trace.skippedFrees}. */
  readonly skippedFrees: number;
  /** See {@link Trace.impliedFrees}. */
  readonly impliedFrees: number;
  /** See {@link Trace.refusedRequests}. */
  readonly refusedRequests: number;
  /** Nanoseconds an operation, replay loop included: the best of three passes or more, each in a fresh arena. */
  readonly nsPerOperation: number;
  /** Hash of every offset returned, in order: h = h * 31 + offset as uint32, -1 for no room. */
  readonly placementHash: number;
  /** Allocations that found no room. The frees of such blocks were passed over. */
  readonly failures: number;
  /** Allocations by block size: one entry an order, from 0 to the highest that occurs. */
  readonly sizes: readonly SizeClass[];
}

/**
 * Replays a trace: three times or more for the clock, and once looking at the arena after every 1/256 of the operations.
 * O(n log capacity) time, O(n) memory.
 *
 * @throws {TypeError} or {RangeError} on a unit or capacity out of range.
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
    skippedFrees: trace.skippedFrees,
    impliedFrees: trace.impliedFrees,
    refusedRequests: trace.refusedRequests,
    nsPerOperation: (pass.elapsed * 1e6) / ops.length,
    placementHash: pass.hash,
    failures: pass.failures,
    sizes: sizeClasses(trace, ops, unit),
    ...takeSamples(trace, unit, capacity, (done) => onProgress(timed + done)),
  };
}

/** `onPass` is told the operations run, over all passes. */
function fastestPass(trace: Trace, ops: Int32Array, capacity: number, onPass: (done: number) => void): Pass {
  const begin = performance.now();
  let passes = 0;
  const next = (): Pass => {
    const pass = new Pass(trace, ops, capacity);
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
  /** The allocator that the operations ran on. */
  readonly allocator: BuddyAllocator;
  /** Allocations that found no room so far. */
  readonly failures: number;
}

/**
 * The arena as it stands after the first `operations` operations of a trace (default: all).
 *
 * @throws {TypeError} or {RangeError} on a unit, capacity or count out of range.
 */
export function arenaAfter(
  trace: Trace,
  options: ArenaOptions & { readonly operations?: number | undefined } = {},
): ArenaState {
  const { operations = trace.ops.length } = options;
  checkWithin('operations', operations, 0, trace.ops.length);
  const { unit, capacity } = arenaFor(trace, options);
  const pass = new Pass(trace, opsInUnits(trace, unit), capacity);
  for (const _ of pass.run(operations));
  return { allocator: pass.allocator, failures: pass.failures };
}

function arenaFor(trace: Trace, options: ArenaOptions): { unit: number; capacity: number } {
  const { unit = DEFAULT_UNIT } = options;
  return { unit, capacity: options.capacity ?? fitCapacity(trace, unit) };
}

function sizeClasses(trace: Trace, ops: Int32Array, unit: number): SizeClass[] {
  const allocations: number[] = [];
  const requested: number[] = [];
  ops.forEach((op, i) => {
    if (op < 0) return;
    const order = orderOf(op);
    allocations[order] = (allocations[order] ?? 0) + 1;
    requested[order] = (requested[order] ?? 0) + Math.max(1, trace.ops[i]);
  });
  return Array.from(allocations, (count = 0, order) => ({
    order,
    blockBytes: unit * 2 ** order,
    allocations: count,
    requestedBytes: requested[order] ?? 0,
  }));
}
