// The bytes that each size of a trace loses to rounding.

import { orderOf } from '../../base/word.ts';
import { float64s, int32s } from '../memory.ts';
import { type Progress, reportSlice } from '../replay/pass.ts';
import type { Trace } from '../trace.ts';
import type { TraceBlocks } from './blocks.ts';
import { distinctOf, indexIn } from './distinct.ts';

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

/**
 * Sizes that {@link countSizes} returns. A remedy must save 1 % of the arena, which no more sizes than this can lose at
 * the peak.
 */
const SIZES_RETURNED = 100;

/** The running counts of the distinct sizes of a trace, each array by the index of the size. */
class SizeCounts {
  readonly sizes: Int32Array;
  readonly allocations: Int32Array;
  readonly live: Int32Array;
  readonly liveAtPeak: Int32Array;
  /** Operations after which a block of the size was live, summed up over the blocks. */
  readonly lifetime: Float64Array;

  constructor(bytes: Int32Array) {
    this.sizes = distinctOf(bytes);
    this.allocations = int32s(this.sizes.length);
    this.live = int32s(this.sizes.length);
    this.liveAtPeak = int32s(this.sizes.length);
    this.lifetime = float64s(this.sizes.length);
  }
}

/**
 * Counts the sizes of a trace. `peakAt` is the number of operations before the peak: {@link UnitFigures.peakAt} for
 * the same `unit`. At most a hundred are returned: the costliest sizes at the peak come first, then the costliest over
 * all operations, then those that lose nothing. O(n log n), at most 28 bytes per allocation.
 */
export function countSizes(
  trace: Trace,
  { bytes }: TraceBlocks,
  unit: number,
  peakAt: number,
  onProgress: Progress,
): SizeWaste[] {
  const { ops } = trace;
  const counts = new SizeCounts(bytes);
  let id = 0;
  for (let index = 0; index < ops.length; index++) {
    reportSlice(index, ops.length, onProgress);
    if (index === peakAt) counts.liveAtPeak.set(counts.live);
    const op = ops[index];
    const size = indexIn(counts.sizes, bytes[op < 0 ? ~op : id]);
    // An allocation counts as live to the end of the trace; its free takes back the operations from there on.
    if (op < 0) {
      counts.live[size]--;
      counts.lifetime[size] -= ops.length - index;
    } else {
      id++;
      counts.allocations[size]++;
      counts.live[size]++;
      counts.lifetime[size] += ops.length - index;
    }
  }
  if (peakAt === ops.length) counts.liveAtPeak.set(counts.live);
  return wasteOf(counts, unit);
}

/** A size with the bytes that it loses. */
type Row = Omit<SizeWaste, 'shareAtPeak' | 'shareOverAll'> & { readonly wasted: number };

/** The costliest first, as {@link countSizes} says. */
function compareRows(a: Row, b: Row): number {
  return b.wastedAtPeak - a.wastedAtPeak || b.wasted - a.wasted || b.bytes - a.bytes;
}

/** The results, as {@link countSizes} says. */
function wasteOf({ sizes, allocations, liveAtPeak, lifetime }: SizeCounts, unit: number): SizeWaste[] {
  let atPeak = 0;
  let overAll = 0;
  let rows: Row[] = [];
  const keepCostliest = (): void => {
    rows = rows.sort(compareRows).slice(0, SIZES_RETURNED);
  };
  sizes.forEach((bytes, size) => {
    const blockBytes = blockBytesFor(bytes, unit);
    const waste = blockBytes - bytes;
    const wastedAtPeak = waste * liveAtPeak[size];
    const wasted = waste * lifetime[size];
    atPeak += wastedAtPeak;
    overAll += wasted;
    rows.push({
      bytes,
      blockBytes,
      allocations: allocations[size],
      liveAtPeak: liveAtPeak[size],
      wastedAtPeak,
      wasted,
    });
    if (rows.length === 2 * SIZES_RETURNED) keepCostliest();
  });
  keepCostliest();
  return rows.map(({ wasted, ...row }) => ({
    ...row,
    shareAtPeak: row.wastedAtPeak / (atPeak || 1),
    shareOverAll: wasted / (overAll || 1),
  }));
}

/** Bytes of the block that a request for `bytes` bytes gets in units of `unit` bytes. */
export function blockBytesFor(bytes: number, unit: number): number {
  return unit * 2 ** orderOf(Math.ceil(bytes / unit));
}
