// The allocators of this package and a first-fit heap, compared by the memory that one trace takes on each.

import { blocksOf } from '../../trace/advise/blocks.ts';
import { measureRivals } from '../../trace/advise/rivals.ts';
import { verdictOn } from '../../trace/advise/verdict.ts';
import type { Advice, Trace, Verdict } from '../../trace.ts';
import { buddy, ranges } from './arenas.ts';
import type { AllocatorName, Create } from './contender.ts';
import { heap, shared } from './heaps.ts';
import { type Footprint, type Measured, measure, type Peak, peakOf, timesOf } from './measure.ts';

/** The contenders by their names, in the order in which they are shown. */
const CONTENDERS: Readonly<Record<AllocatorName, Create>> = { buddy, ranges, heap, shared };

export const ALLOCATOR_NAMES = Object.keys(CONTENDERS) as readonly AllocatorName[];

/** Bytes per unit that advice tries for ranges beside the recommended ones, and the least for the heaps. */
const RANGE_UNITS = [8, 16, 32];
const HEAP_UNIT = 16;

/** Blocks that take at most this many times the memory are preferred: they are the plainest, and take bounded time. */
const HARDLY_MORE = 1.1;

/** An allocator, and the memory that the trace takes on it. */
export interface Candidate extends Footprint {
  readonly name: AllocatorName;
  /** Bytes per unit. */
  readonly unit: number;
  /** Bytes in all / those of the first-fit heap. */
  readonly ratio: number;
  readonly verdict: Verdict;
}

/** The allocators for one trace. Equal traces are compared alike on every machine. */
export interface Comparison {
  /** `buddy`, `ranges`, `heap` and `shared`, in this order. */
  readonly candidates: readonly Candidate[];
  /** Which to take: for memory that is addressed by pointers, and for offsets into something else. */
  readonly take: {
    readonly memory: 'buddy' | 'heap';
    readonly offsets: 'buddy' | 'ranges';
  };
}

/** Compares the allocators for a trace on which there is advice already. O(n log n). */
export function compare(trace: Trace, advice: Advice, minUnit: number): Comparison {
  const { recommended, firstFitBytes } = advice;
  const peak = peakOf(trace);
  const footprintOf = (name: AllocatorName, unit: number): Candidate => {
    const { atPeak, demand, ...footprint } = measure(trace, CONTENDERS[name], unit, peak);
    return candidate(name, unit, footprint, firstFitBytes);
  };
  const { arenaBytes: memoryBytes, stateBytes, totalBytes } = recommended.smallest;
  const blocks = { memoryBytes, stateBytes, totalBytes, failures: 0 };
  // In the recommended units there is room, as blocks have it.
  const units = RANGE_UNITS.filter((unit) => unit >= minUnit && unit !== recommended.unit);
  const candidates = [
    candidate('buddy', recommended.unit, blocks, firstFitBytes),
    [recommended.unit, ...units]
      .map((unit) => footprintOf('ranges', unit))
      .reduce((best, next) => (next.failures === 0 && next.totalBytes < best.totalBytes ? next : best)),
    footprintOf('heap', Math.max(HEAP_UNIT, minUnit)),
    footprintOf('shared', Math.max(HEAP_UNIT, minUnit)),
  ];
  const [buddies, exact, slabs] = candidates;
  return {
    candidates,
    take: {
      memory: leastOf([buddies, slabs]) === slabs ? 'heap' : 'buddy',
      offsets: leastOf([buddies, exact]) === exact ? 'ranges' : 'buddy',
    },
  };
}

/** An allocator as a trace was replayed on it, with the time that this took. */
export interface Contest extends Candidate {
  /** Nanoseconds per operation, with the replay loop: the best of three passes or more. */
  readonly nsPerOperation: number;
  /** The live blocks at the peak. */
  readonly atPeak: Measured['atPeak'];
}

/** The result of {@link contest}. */
export interface Contests {
  readonly peak: Peak;
  /** Bytes of the first-fit heap. */
  readonly firstFitBytes: number;
  readonly contests: readonly Contest[];
}

/** Replays a trace on the allocators of these names, in units of `unit` bytes. O(n log n). */
export function contest(trace: Trace, names: readonly AllocatorName[], unit: number): Contests {
  const peak = peakOf(trace);
  const { firstFitBytes } = measureRivals(trace, blocksOf(trace), () => {});
  const measured = names.map((name) => measure(trace, CONTENDERS[name], unit, peak));
  const times = timesOf(
    trace,
    names.map((name, i) => ({ create: CONTENDERS[name], demand: measured[i].demand })),
  );
  const contests = names.map((name, i) => {
    const { atPeak, demand, ...footprint } = measured[i];
    return { ...candidate(name, unit, footprint, firstFitBytes), nsPerOperation: times[i], atPeak };
  });
  return { peak, firstFitBytes, contests };
}

function candidate(
  name: AllocatorName,
  unit: number,
  footprint: Footprint,
  firstFitBytes: number,
): Candidate {
  const ratio = footprint.totalBytes / firstFitBytes;
  return { name, unit, ...footprint, ratio, verdict: verdictOn(ratio) };
}

/**
 * The candidate to take: of those that have room for all, the one that takes the fewest bytes, or the blocks of the
 * buddy if they take hardly more; undefined if none has room.
 */
export function leastOf<C extends Candidate>(candidates: readonly C[]): C | undefined {
  const able = candidates.filter(({ failures }) => failures === 0);
  const [best] = able.toSorted((a, b) => a.totalBytes - b.totalBytes);
  return (
    able.find(({ name, totalBytes }) => name === 'buddy' && totalBytes <= HARDLY_MORE * best.totalBytes) ??
    best
  );
}
