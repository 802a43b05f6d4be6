// Advice on a trace: the unit, the capacity, and whether the buddy system suits it at all.

import { checkPowerOfTwo } from '../../base/arguments.ts';
import type { Progress } from '../replay/pass.ts';
import { gapsOf, type Trace, type TraceGaps } from '../trace.ts';
import { blocksOf } from './blocks.ts';
import { measureRemedied, type Remedy, remediesFor } from './remedies.ts';
import { measureRivals, type Rivals } from './rivals.ts';
import { countSizes, type SizeWaste } from './sizes.ts';
import { measureUnit, type UnitFigures } from './units.ts';
import { type Reason, reasonsFor, type Verdict, verdictOn } from './verdict.ts';

/** The units that are tried, in bytes. */
export const ADVISED_UNITS: readonly number[] = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

const SMALLEST = ADVISED_UNITS[0];
const LARGEST = ADVISED_UNITS[ADVISED_UNITS.length - 1];

const SIZES_LISTED = 10;

/** Passes through the trace beside one per unit: the first-fit heap, the sizes, the remedies. */
const PASSES_BESIDES = 3;

/** How to advise. */
export interface AdviseOptions {
  /**
   * The smallest unit to try, in bytes: a power of two from 8 to 4096. Blocks begin at multiples of the unit, so
   * this is the alignment that all blocks need. Default 8.
   */
  readonly minUnit?: number | undefined;
  /** Called now and then with the operations done and to do, over all passes. */
  readonly onProgress?: Progress | undefined;
}

/** The result of {@link advise}: plain data, ready for JSON. */
export interface Advice extends Rivals, TraceGaps {
  /** The format that the trace was read from. */
  readonly format: Trace['format'];
  /** Operations of the trace. */
  readonly operations: number;
  /** How many of them allocate. */
  readonly allocations: number;
  /** How many of them free. */
  readonly frees: number;
  /** Whether the buddy system suits the trace. */
  readonly verdict: Verdict;
  /** The figures behind the verdict. */
  readonly reasons: readonly Reason[];
  /**
   * The remedies against rounding, the best first: at most five, each of which saves 1 % or more of arena and state
   * at the peak. Empty if a replay shows that together they save nothing.
   */
  readonly remedies: readonly Remedy[];
  /** A replay with all remedies, in the recommended units, and the verdict on it; null if there are no remedies. */
  readonly remedied: {
    /** Bytes of the smallest arena, of its state, and of everything that the remedies put elsewhere. */
    readonly totalBytes: number;
    readonly verdict: Verdict;
  } | null;
  /** The entry of `units` whose smallest arena and state take the fewest bytes; of equals, the largest unit. */
  readonly recommended: UnitFigures;
  /** One entry per unit, ascending. A unit is left out if the trace needs more than 2^30 of it. */
  readonly units: readonly UnitFigures[];
  /** The sizes that lose most to rounding in the recommended units: at most ten, the costliest at the peak first. */
  readonly sizes: readonly SizeWaste[];
}

/**
 * Replays a trace in units of 8 to 4096 bytes, and once in a first-fit heap, and recommends a unit and a capacity.
 * Equal traces get equal advice on every machine. O(n log n) time per unit, at most 64 bytes of
 * memory per operation, the trace included, and the arena's state.
 *
 * @throws TypeError if `minUnit` is not a number.
 * @throws RangeError if `minUnit` is not a power of two from 8 to 4096, or if the trace needs more than 2^30 units
 *   of 4096 bytes.
 */
export function advise(trace: Trace, options: AdviseOptions = {}): Advice {
  const { minUnit = SMALLEST, onProgress } = options;
  checkPowerOfTwo('minUnit', minUnit, SMALLEST, LARGEST);
  const tried = ADVISED_UNITS.filter((unit) => unit >= minUnit);
  const operations = trace.ops.length;
  const allOperations = (tried.length + PASSES_BESIDES) * operations;
  // A pass may run fewer or more operations than the trace has: it reports the part of the trace that it has done.
  const progressOf =
    (pass: number): Progress =>
    (done, total) =>
      onProgress?.(pass * operations + Math.floor((done / total) * operations), allOperations);

  const blocks = blocksOf(trace);
  const units = tried
    .map((unit, pass) => measureUnit(trace, blocks, unit, progressOf(pass)))
    .filter((figures) => figures !== undefined);
  if (units.length === 0) throw new RangeError(`the trace needs more than 2^30 units of ${LARGEST} bytes`);
  const recommended = units.reduce((best, next) =>
    next.smallest.totalBytes <= best.smallest.totalBytes ? next : best,
  );
  const { unit, peakAt, smallest } = recommended;
  const rivals = measureRivals(trace, blocks, progressOf(tried.length));
  const sizes = countSizes(trace, blocks, unit, peakAt, progressOf(tried.length + 1));

  const found = remediesFor(sizes, unit, smallest.totalBytes);
  const totalBytes =
    found.length > 0 ? measureRemedied(trace, found, blocks, unit, progressOf(tried.length + 2)) : undefined;
  onProgress?.(allOperations, allOperations);

  const judge = (bytes: number): Verdict => verdictOn(bytes / rivals.firstFitBytes);
  const helped = totalBytes !== undefined && totalBytes < smallest.totalBytes;
  return {
    format: trace.format,
    operations,
    allocations: trace.allocations,
    frees: trace.frees,
    ...gapsOf(trace),
    verdict: judge(smallest.totalBytes),
    reasons: reasonsFor(recommended, sizes, rivals),
    remedies: helped ? found : [],
    remedied: helped ? { totalBytes, verdict: judge(totalBytes) } : null,
    recommended,
    ...rivals,
    units,
    sizes: sizes.filter((size) => size.shareAtPeak > 0 || size.shareOverAll > 0).slice(0, SIZES_LISTED),
  };
}
