// Which sizes lose how much to rounding.

import { orderOf, type Progress } from '../replay/pass.ts';
import type { Trace } from '../trace.ts';
import { tick } from './progress.ts';

/** The allocations of one size in a trace, and what rounding them up costs. */
export interface SizeWaste {
  /** Bytes asked for; 0 counts as 1. */
  readonly bytes: number;
  /** Bytes of the block that it gets. */
  readonly blockBytes: number;
  /** How many allocations asked for exactly this. */
  readonly allocations: number;
  /** How many of them are live at the peak. */
  readonly liveAtPeak: number;
  /** Bytes of these live blocks that nobody asked for. */
  readonly wastedAtPeak: number;
  /** Their part, 0 to 1, of all such bytes at the peak; 0 when there are none. */
  readonly shareAtPeak: number;
  /** This size's part, 0 to 1, of such bytes after every operation, summed up; 0 when there are none. */
  readonly shareOverAll: number;
}

interface Count {
  allocations: number;
  live: number;
  liveAtPeak: number;
  /** Operations after which a block of this size was live, summed up over the blocks. */
  lifetime: number;
}

/**
 * Counts the sizes of a trace. `peakAt` is after how many operations the peak is, as
 * {@link UnitFigures.peakAt} says for the same `unit`. The costliest at the peak come first, then the costliest over
 * all; sizes that waste nothing come last. O(n + s log s) for s sizes.
 */
export function countSizes(trace: Trace, unit: number, peakAt: number, onProgress: Progress): SizeWaste[] {
  const { ops } = trace;
  const counts = new Map<number, Count>();
  const owners: Count[] = [];
  for (let at = 0; at < ops.length; at++) {
    tick(at, ops.length, onProgress);
    if (at === peakAt) markPeak(counts);
    const op = ops[at];
    const count = op < 0 ? owners[~op] : countOf(counts, Math.max(1, op));
    // A block that is live from here to the end adds all operations from here; its free takes the rest back.
    if (op < 0) {
      count.live--;
      count.lifetime -= ops.length - at;
    } else {
      owners.push(count);
      count.allocations++;
      count.live++;
      count.lifetime += ops.length - at;
    }
  }
  if (peakAt === ops.length) markPeak(counts);
  return wasteOf(counts, unit);
}

function countOf(counts: Map<number, Count>, bytes: number): Count {
  let count = counts.get(bytes);
  if (count === undefined) {
    count = { allocations: 0, live: 0, liveAtPeak: 0, lifetime: 0 };
    counts.set(bytes, count);
  }
  return count;
}

function markPeak(counts: Map<number, Count>): void {
  for (const count of counts.values()) count.liveAtPeak = count.live;
}

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

/** Bytes of the block that a request for `bytes` gets in units of `unit` bytes. */
export function blockBytesFor(bytes: number, unit: number): number {
  return unit * 2 ** orderOf(Math.ceil(bytes / unit));
}
