// A trace in units of one size: the smallest arena that serves it, and the fragmentation in there.

import { MAX_CAPACITY } from '../../base/arguments.ts';
import { orderOf } from '../../base/word.ts';
import { BuddyAllocator } from '../../core/allocator.ts';
import { type Progress, reportSlice, unitsFor } from '../replay/pass.ts';
import type { Trace } from '../trace.ts';
import type { TraceBlocks } from './blocks.ts';

/** An arena, and the bytes that it takes. */
export interface ArenaCost {
  /** Units in the arena. */
  readonly capacity: number;
  /** Bytes of the arena itself. */
  readonly arenaBytes: number;
  /** Bytes of the allocator's state: {@link BuddyAllocator.bytesFor} of the capacity. */
  readonly stateBytes: number;
  /** Bytes of arena and state together. */
  readonly totalBytes: number;
}

/** A trace in units of one size. */
export interface UnitFigures {
  /** Bytes per unit. */
  readonly unit: number;
  /** The smallest arena in which every allocation finds room: with one unit less, some allocation would fail. */
  readonly smallest: ArenaCost;
  /** The smallest arena in which every allocation finds room and whose capacity is a power of two. */
  readonly powerOfTwo: ArenaCost;
  /** The most units in use after any operation: the peak. */
  readonly peakUsedUnits: number;
  /** Operations done when the peak is reached for the first time. */
  readonly peakAt: number;
  /** Bytes asked for by the blocks that are live at the peak. */
  readonly liveBytesAtPeak: number;
  /** Internal fragmentation at the peak: 1 - bytes asked for / bytes of the live blocks. */
  readonly internalAtPeak: number;
  /**
   * The same ratio with the bytes of each kind summed up over all operations, so that every block counts for as
   * long as it lives.
   */
  readonly internalOverAll: number;
}

/**
 * Replays the trace once in an arena that grows whenever an allocation finds no room.
 *
 * A block goes to the lowest aligned range of free units that holds it, wherever the arena ends. So placement does
 * not depend on the capacity as long as nothing fails, and the smallest capacity is the highest end that any block
 * has. O(n log n).
 *
 * @returns undefined if the trace needs more than 2^30 units.
 */
export function measureUnit(
  trace: Trace,
  { bytes, offsets }: TraceBlocks,
  unit: number,
  onProgress: Progress,
): UnitFigures | undefined {
  const { ops } = trace;
  const allocator = new BuddyAllocator({ capacity: 1 });
  let id = 0;
  let used = 0;
  let live = 0;
  let usedOverAll = 0;
  let liveOverAll = 0;
  let capacity = 0;
  let peakUsedUnits = 0;
  let peakAt = 0;
  let liveBytesAtPeak = 0;
  for (let index = 0; index < ops.length; index++) {
    reportSlice(index, ops.length, onProgress);
    const op = ops[index];
    if (op < 0) {
      used -= allocator.free(offsets[~op]);
      live -= bytes[~op];
    } else {
      const units = unitsFor(op, unit);
      const offset = allocateGrowing(allocator, units);
      if (offset < 0) return undefined;
      const size = 2 ** orderOf(units);
      offsets[id] = offset;
      used += size;
      live += bytes[id++];
      capacity = Math.max(capacity, offset + size);
      if (used > peakUsedUnits) {
        peakUsedUnits = used;
        peakAt = index + 1;
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

/** Allocates `units` units, and doubles the arena until there is room. Returns -1 if the largest arena has none. */
function allocateGrowing(allocator: BuddyAllocator, units: number): number {
  for (;;) {
    const offset = allocator.alloc(units);
    if (offset >= 0 || allocator.capacity === MAX_CAPACITY) return offset;
    allocator.grow(allocator.capacity * 2);
  }
}

/** The bytes of an arena of `capacity` units. */
function arenaCost(capacity: number, unit: number): ArenaCost {
  const arenaBytes = capacity * unit;
  const stateBytes = BuddyAllocator.bytesFor(capacity);
  return { capacity, arenaBytes, stateBytes, totalBytes: arenaBytes + stateBytes };
}
