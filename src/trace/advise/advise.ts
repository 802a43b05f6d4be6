// Advice on a trace: which unit, which capacity, and whether the buddy system suits it at all.

import { checkWithin } from '../../base/arguments.ts';
import type { Progress } from '../replay/pass.ts';
import type { Trace } from '../trace.ts';
import { PassesProgress } from './progress.ts';
import { measureRemedied } from './remedied.ts';
import { type Remedy, remediesFor } from './remedies.ts';
import { measureRivals, type Rivals } from './rivals.ts';
import { countSizes, type SizeWaste } from './sizes.ts';
import { measureUnit, type UnitFigures } from './units.ts';
import { type Reason, reasonsFor, type Verdict, verdictOn } from './verdict.ts';

/** The units that are tried, in bytes. */
export const ADVISED_UNITS: readonly number[] = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

const SMALLEST = ADVISED_UNITS[0];
const LARGEST = ADVISED_UNITS[ADVISED_UNITS.length - 1];

const SIZES_LISTED = 10;

/** The first-fit heap, the sizes, the remedies. */
const PASSES_BESIDES = 3;

/** How to advise. */
export interface AdviseOptions {
  /**
   * The smallest unit to try, in bytes: a power of two from 8 to 4096. Blocks begin at multiples of the unit, so it is
   * the alignment that all of them need. Default 8.
   */
  readonly minUnit?: number | undefined;
  /** Called now and then with the operations run and to run, over all passes. */
  readonly onProgress?: Progress | undefined;
}

/** What {@link advise} found: plain data, ready for JSON. */
export interface Advice extends Rivals {
  readonly operations: number;
  readonly allocations: number;
  readonly verdict: Verdict;
  readonly reasons: readonly Reason[];
  /**
   * What would help, the best first: at most five, none that saves less than 1 % of arena and state at the peak, and
   * none at all when a replay shows that together they save nothing.
   */
  readonly remedies: readonly Remedy[];
  /** What a replay with all remedies takes in the recommended units, and the verdict on that; null without remedies. */
  readonly remedied: {
    /** Bytes of the smallest arena, its state, and what the remedies put elsewhere. */
    readonly totalBytes: number;
    readonly verdict: Verdict;
  } | null;
  /** The one of `units` whose smallest arena and its state take the fewest bytes; of equals, the largest unit. */
  readonly recommended: UnitFigures;
  /** One entry a unit, ascending. A unit of which the trace needs more than 2^30 has none. */
  readonly units: readonly UnitFigures[];
  /** The sizes that lose most to rounding in the recommended units: at most ten, the costliest at the peak first. */
  readonly sizes: readonly SizeWaste[];
}

/**
 * Replays a trace in units of 8 to 4096 bytes, and once in a first-fit heap, and recommends. Equal traces get equal
 * advice on every machine. O(n log n) time a unit, O(n) memory.
 *
 * @throws {TypeError} when `minUnit` is no number.
 * @throws {RangeError} when it is no power of two from 8 to 4096, or the trace needs more than 2^30 units even of 4096 bytes.
 */
export function advise(trace: Trace, options: AdviseOptions = {}): Advice {
  const { minUnit = SMALLEST } = options;
  checkWithin('minUnit', minUnit, SMALLEST, LARGEST);
  if (!ADVISED_UNITS.includes(minUnit))
    throw new RangeError(`minUnit must be a power of two, not ${minUnit}`);
  const tried = ADVISED_UNITS.filter((unit) => unit >= minUnit);
  const progress = new PassesProgress(trace.ops.length, tried.length + PASSES_BESIDES, options.onProgress);

  const units = tried
    .map((unit) => measureUnit(trace, unit, progress.next()))
    .filter((figures) => figures !== undefined);
  if (units.length === 0) throw new RangeError(`the trace needs more than 2^30 units of ${LARGEST} bytes`);
  const recommended = units.reduce((best, next) =>
    next.smallest.totalBytes <= best.smallest.totalBytes ? next : best,
  );
  const { unit, peakAt, smallest } = recommended;
  const rivals = measureRivals(trace, progress.next());
  const sizes = countSizes(trace, unit, peakAt, progress.next());

  const found = remediesFor(sizes, unit, smallest.totalBytes);
  const totalBytes = found.length > 0 ? measureRemedied(trace, found, unit, progress.next()) : undefined;
  progress.end();

  const judge = (bytes: number): Verdict => verdictOn(bytes / rivals.firstFitBytes);
  const helped = totalBytes !== undefined && totalBytes < smallest.totalBytes;
  return {
    operations: trace.ops.length,
    allocations: trace.allocations,
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
