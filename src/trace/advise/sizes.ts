// The bytes that each size of a trace loses to rounding.

import { orderOf } from '../../base/word.ts';
import { type Progress, reportSlice } from '../replay/pass.ts';
import type { Trace } from '../trace.ts';

/** The allocations of one size in a trace, and the bytes lost by rounding them up. */
export interface SizeWaste {
  /** Bytes asked for; 0 counts as 1. */
  readonly bytes: number;
  /** Bytes of the block that it gets. */
  readonly blockBytes: number;
  /** How many allocations asked for exactly this. */
  readonly allocations: number;
  /** How many of these blocks are live at the peak. */
  readonly liveAtPeak: number;
  /** Bytes of these live blocks beyond those asked for. */
  readonly wastedAtPeak: number;
  /** Their part, 0 to 1, of all bytes lost to rounding at the peak; 0 if none are. */
  readonly shareAtPeak: number;
  /**
   * This size's part, 0 to 1, of the bytes lost after each operation, summed up over all operations; 0 if none are.
   */
  readonly shareOverAll: number;
}

/** The running counts of one size. */
interface Count {
  allocations: number;
  live: number;
  liveAtPeak: number;
  /** Operations after which a block of this size was live, summed up over the blocks. */
  lifetime: number;
}

/**
 * Counts the sizes of a trace. `peakAt` is the number of operations before the peak: {@link UnitFigures.peakAt} for
 * the same `unit`. The costliest sizes at the peak come first, then the costliest over all operations, then those
 * that lose nothing. O(n + s log s) for s sizes.
 */
export function countSizes(trace: Trace, unit: number, peakAt: number, onProgress: Progress): SizeWaste[] {
  const { ops } = trace;
  const counts = new Map<number, Count>();
  const countById: Count[] = [];
  for (let index = 0; index < ops.length; index++) {
    reportSlice(index, ops.length, onProgress);
    if (index === peakAt) markPeak(counts);
    const op = ops[index];
    const count = op < 0 ? countById[~op] : countOf(counts, Math.max(1, op));
    // An allocation counts as live to the end of the trace; its free takes back the operations from there on.
    if (op < 0) {
      count.live--;
      count.lifetime -= ops.length - index;
    } else {
      countById.push(count);
      count.allocations++;
      count.live++;
      count.lifetime += ops.length - index;
    }
  }
  if (peakAt === ops.length) markPeak(counts);
  return wasteOf(counts, unit);
}

/** The count of a size, new if there is none yet. */
function countOf(counts: Map<number, Count>, bytes: number): Count {
  let count = counts.get(bytes);
  if (count === undefined) {
    count = { allocations: 0, live: 0, liveAtPeak: 0, lifetime: 0 };
    counts.set(bytes, count);
  }
  return count;
}

/** Notes how many blocks of each size are live now, at the peak. */
function markPeak(counts: Map<number, Count>): void {
  for (const count of counts.values()) count.liveAtPeak = count.live;
}

/** The results, sorted as {@link countSizes} says. */
function wasteOf(counts: Map<number, Count>, unit: number): SizeWaste[] {
  const rows = Array.from(counts, ([bytes, { allocations, liveAtPeak, lifetime }]) => {
    const blockBytes = blockBytesFor(bytes, unit);
    const waste = blockBytes - bytes;
    return {
      bytes,
      blockBytes,
      allocations,
      liveAtPeak,
      wastedAtPeak: waste * liveAtPeak,
      wasted: waste * lifetime,
    };
  });
  const total = (key: 'wastedAtPeak' | 'wasted'): number => rows.reduce((sum, row) => sum + row[key], 0) || 1;
  const atPeak = total('wastedAtPeak');
  const overAll = total('wasted');
  return rows
    .map(({ wasted, ...row }) => ({
      ...row,
      shareAtPeak: row.wastedAtPeak / atPeak,
      shareOverAll: wasted / overAll,
    }))
    .sort((a, b) => b.shareAtPeak - a.shareAtPeak || b.shareOverAll - a.shareOverAll || b.bytes - a.bytes);
}

/** Bytes of the block that a request for `bytes` bytes gets in units of `unit` bytes. */
export function blockBytesFor(bytes: number, unit: number): number {
  return unit * 2 ** orderOf(Math.ceil(bytes / unit));
}
