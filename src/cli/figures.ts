// The figures of a replay in words, for the terminal and the page alike.

import type { ReplayReport, TraceGaps } from '../trace.ts';
import { bytes, count, percent, plural } from './format.ts';

/** One line of a table of figures. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  /** Whether it is a reason to worry. */
  readonly bad?: boolean;
}

/** The main figures of a replay. */
export function replayFigures(report: ReplayReport): Figure[] {
  const { unit, capacity, peakLiveBytes, peakUsedUnits } = report;
  return [
    operationsFigure(report),
    ...gapFigures(report),
    { name: 'speed', value: `${report.nsPerOperation.toFixed(1)} ns/op` },
    arenaFigure(capacity, unit),
    { name: 'peak live', value: `${plural(peakLiveBytes, 'byte')} (${bytes(peakLiveBytes)})` },
    {
      name: 'peak used',
      value: `${plural(peakUsedUnits, 'unit')} (${bytes(peakUsedUnits * unit)}, ${percent(peakUsedUnits / capacity)})`,
    },
    failuresFigure(report.failures),
    { name: 'placement hash', value: String(report.placementHash) },
  ];
}

/** The numbers of operations, of allocations and of frees. */
export function operationsFigure({
  operations,
  allocations,
  frees,
}: Pick<ReplayReport, 'operations' | 'allocations' | 'frees'>): Figure {
  return {
    name: 'operations',
    value: `${count(operations)} (${plural(allocations, 'allocation')}, ${plural(frees, 'free')})`,
  };
}

/** What a recording lacks, or has beside the operations: one line for each count above 0, to follow the operations. */
export function gapFigures(gaps: TraceGaps): Figure[] {
  const counts: readonly (readonly [number, string, string])[] = [
    [gaps.skippedFrees, 'free', 'of unknown addresses, skipped'],
    [gaps.impliedFrees, 'free', 'missing, added'],
    [gaps.refusedRequests, 'request', 'refused by the C library, left out'],
    [gaps.oversizedRequests, 'request', 'for more than 2^31 - 1 bytes, left out'],
    [gaps.cutOffLines, 'line', 'at the end cut off, left out'],
  ];
  return counts
    .filter(([number]) => number > 0)
    .map(([number, noun, what]) => ({ name: '', value: `${plural(number, noun)} ${what}` }));
}

/** The size of the arena. */
export function arenaFigure(capacity: number, unit: number): Figure {
  return {
    name: 'arena',
    value: `${plural(capacity, 'unit')} of ${bytes(unit)} (${bytes(capacity * unit)})`,
  };
}

/** The number of allocations that found no room. */
export function failuresFigure(failures: number): Figure {
  return failures === 0
    ? { name: 'failures', value: 'none' }
    : { name: 'failures', value: `${plural(failures, 'allocation')} found no room`, bad: true };
}
