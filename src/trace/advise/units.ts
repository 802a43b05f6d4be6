// What a trace takes in units of one size: the smallest arena that serves it, and what becomes of its bytes.

import { MAX_CAPACITY } from '../../base/arguments.ts';
import { BuddyAllocator } from '../../core/allocator.ts';
import { opsInUnits, orderOf, type Progress } from '../replay/pass.ts';
import type { Trace } from '../trace.ts';
import { tick } from './progress.ts';

/** An arena, and what it takes in bytes. */
export interface ArenaCost {
  /** Units in the arena. */
  readonly capacity: number;
  /** Bytes of the arena itself. */
  readonly arenaBytes: number;
  /** Bytes of the allocator's state: {@link BuddyAllocator.bytesFor} the capacity. */
  readonly stateBytes: number;
  /** Both together. */
  readonly totalBytes: number;
}

/** What a trace takes in units of one size. */
export interface UnitFigures {
  /** Bytes a unit. */
  readonly unit: number;
  /** The smallest arena in which every allocation finds room; with one unit less, one would not. */
  readonly smallest: ArenaCost;
  /** The smallest such arena whose capacity is a power of two. */
  readonly powerOfTwo: ArenaCost;
  /** The most units in use after any operation: the peak. */
  readonly peakUsedUnits: number;
  /** After how many operations the peak was reached first. */
  readonly peakAt: number;
  /** Bytes asked for by the blocks that are live then. */
  readonly liveBytesAtPeak: number;
  /** 1 - bytes asked for / bytes of the blocks that hold them, at the peak. */
  readonly internalAtPeak: number;
  /** The same with both counted after every operation and summed up, so that every block counts for as long as it lives. */
  readonly internalOverAll: number;
}

/**
 * Replays the trace once in an arena that grows whenever an allocation finds no room.
 *
 * A block goes to the lowest aligned range of free units that holds it, wherever the arena ends; so as long as nothing
 * fails, placement does not depend on the capacity, and the highest end of a block is the smallest capacity that will do.
 *
 * @returns undefined when the trace needs more than 2^30 units.
 */
export function measureUnit(trace: Trace, unit: number, onProgress: Progress): UnitFigures | undefined {
  const ops = opsInUnits(trace, unit);
  const allocator = new BuddyAllocator({ capacity: 1 });
  const offsets = new Int32Array(trace.allocations);
  const bytes = new Int32Array(trace.allocations);
  let id = 0;
  let used = 0;
  let live = 0;
  let usedOverAll = 0;
  let liveOverAll = 0;
  let capacity = 0;
  let peakUsedUnits = 0;
  let peakAt = 0;
  let liveBytesAtPeak = 0;
  for (let at = 0; at < ops.length; at++) {
    tick(at, ops.length, onProgress);
    const op = ops[at];
    if (op < 0) {
      used -= allocator.free(offsets[~op]);
      live -= bytes[~op];
    } else {
      const offset = allocateGrowing(allocator, op);
      if (offset < 0) return undefined;
      const size = 2 ** orderOf(op);
      offsets[id] = offset;
      bytes[id] = Math.max(1, trace.ops[at]);
      used += size;
      live += bytes[id++];
      capacity = Math.max(capacity, offset + size);
      if (used > peakUsedUnits) {
        peakUsedUnits = used;
        peakAt = at + 1;
        liveBytesAtPeak = live;
      }
    }
    usedOverAll += used;
    liveOverAll += live;
  }
  return {
    unit,
    smallest: arenaCost(capacity, unit),
    powerOfTwo: arenaCost(2 ** orderOf(capacity), unit),
    peakUsedUnits,
    peakAt,
    liveBytesAtPeak,
    internalAtPeak: 1 - liveBytesAtPeak / (peakUsedUnits * unit),
    internalOverAll: 1 - liveOverAll / (usedOverAll * unit),
  };
}

/** Allocates, doubling the arena until there is room. Returns -1 when there is none in the largest arena. */
function allocateGrowing(allocator: BuddyAllocator, units: number): number {
  for (;;) {
    const offset = allocator.alloc(units);
    if (offset >= 0 || allocator.capacity === MAX_CAPACITY) return offset;
    allocator.grow(allocator.capacity * 2);
  }
}

function arenaCost(capacity: number, unit: number): ArenaCost {
  const arenaBytes = capacity * unit;
  const stateBytes = BuddyAllocator.bytesFor(capacity);
  return { capacity, arenaBytes, stateBytes, totalBytes: arenaBytes + stateBytes };
}
