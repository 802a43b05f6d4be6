// The figures of a replay in words, for the terminal and the page alike.

import type { ReplayReport } from '../trace.ts';
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
  const { unit, capacity, allocations, frees, skippedFrees, impliedFrees, peakLiveBytes, peakUsedUnits } =
    report;
  const figures = [
    {
      name: 'operations',
      value: `${count(report.operations)} (${plural(allocations, 'allocation')}, ${plural(frees, 'free')})`,
    },
  ];
  if (skippedFrees > 0)
    figures.push({ name: '', value: `${plural(skippedFrees, 'free')} of unknown addresses, skipped` });
  if (impliedFrees > 0) figures.push({ name: '', value: `${plural(impliedFrees, 'free')} missing, added` });
  return [
    ...figures,
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
