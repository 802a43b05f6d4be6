// The output of `buddy replay` and `buddy map`: figures, curves, sizes and memory maps.

import type { BuddyAllocator } from '../core/allocator.ts';
import { type ArenaState, memoryMap, type ReplayReport, type Sample, type Trace } from '../trace.ts';
import { bar, cellsPerLine, drawMap, mapLegend, type Paint, sparkline } from './drawing.ts';
import { arenaFigure, failuresFigure, gapFigures, replayFigures } from './figures.ts';
import { bytes, count, percent, plural } from './format.ts';
import { lines, table } from './table.ts';

/** Lines of the memory map below a replay. */
const MAP_LINES = 8;
const CURVE_WIDTH = 48;
const BAR_WIDTH = 24;

/**
 * The output of `buddy replay`. `allocator` is the arena after the operations of {@link fullestOf}; the map is at
 * most `width` characters wide.
 */
export function replaySummary(
  report: ReplayReport,
  allocator: BuddyAllocator,
  width: number,
  paint: Paint,
): string {
  const parts = [
    lines(replayFigures(report), paint),
    fragmentation(report),
    curves(report, paint),
    sizes(report, paint),
    [
      `${paint.bold('memory at the fullest')}, after ${plural(fullestOf(report).operations, 'operation')}`,
      drawMemory(allocator, MAP_LINES, width, paint),
    ].join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** The figures of `buddy map`: an arena after the first `operations` operations of a trace. */
export function mapSummary(
  { allocator, failures }: ArenaState,
  trace: Trace,
  operations: number,
  unit: number,
  paint: Paint,
): string {
  const { capacity, usedUnits, liveBlocks, largestFree, externalFragmentation } = allocator.stats();
  const figures = [
    { name: 'operations', value: `${count(operations)} of ${count(trace.ops.length)}` },
    ...gapFigures(trace),
    arenaFigure(capacity, unit),
    {
      name: 'used',
      value: `${plural(usedUnits, 'unit')} (${percent(usedUnits / capacity)}) in ${plural(liveBlocks, 'block')}`,
    },
    {
      name: 'largest free',
      value: `${plural(largestFree, 'unit')} (external fragmentation ${percent(externalFragmentation)})`,
    },
    failuresFigure(failures),
  ];
  return lines(figures, paint);
}

/** A memory map of `lines` lines at most, each `width` characters wide at most, and its legend. */
export function drawMemory(allocator: BuddyAllocator, lines: number, width: number, paint: Paint): string {
  const { capacity } = allocator;
  const perLine = cellsPerLine(width - String(capacity).length - 1);
  const fullness = memoryMap(allocator, perLine * lines);
  const labelOf = (cell: number): string =>
    String(Math.floor((cell * capacity) / fullness.length)).padStart(String(capacity).length);
  return [drawMap(fullness, perLine, labelOf, paint), mapLegend(paint)].join('\n');
}

/** The fullest of the samples, the first of equals. */
export function fullestOf({ samples }: ReplayReport): Sample {
  return samples.reduce((a, b) => (b.usedUnits > a.usedUnits ? b : a));
}

/** The table of fragmentation. */
function fragmentation(report: ReplayReport): string {
  const { samples } = report;
  const fullest = fullestOf(report);
  const last = samples[samples.length - 1];
  const row = (name: string, key: 'internalFragmentation' | 'externalFragmentation'): string[] => {
    const highest = Math.max(...samples.map((sample) => sample[key]));
    return [name, percent(fullest[key]), percent(highest), percent(last[key])];
  };
  return table(
    ['fragmentation', 'at the fullest', 'highest', 'at the end'],
    [row('internal', 'internalFragmentation'), row('external', 'externalFragmentation')],
    ['left', 'right', 'right', 'right'],
  );
}

/** The curves over the operations. */
function curves({ samples, peakLiveBytes }: ReplayReport, paint: Paint): string {
  const line = (name: string, values: number[], max: number, label: string): string =>
    `${name.padEnd(10)}${paint.cyan(sparkline(values, CURVE_WIDTH, max))} ${label}`;
  return [
    paint.bold('over time'),
    line(
      'live',
      samples.map((sample) => sample.liveBytes),
      peakLiveBytes,
      `0 … ${bytes(peakLiveBytes)}`,
    ),
    line(
      'internal',
      samples.map((sample) => sample.internalFragmentation),
      1,
      '0 … 100 %',
    ),
    line(
      'external',
      samples.map((sample) => sample.externalFragmentation),
      1,
      '0 … 100 %',
    ),
  ].join('\n');
}

/** The table of block sizes. */
function sizes({ sizes: classes, unit, allocations }: ReplayReport, paint: Paint): string {
  const most = Math.max(...classes.map((size) => size.allocations));
  const rows = classes
    .filter((size) => size.allocations > 0)
    .map((size) => [
      bytes(size.blockBytes),
      count(size.allocations),
      percent(size.allocations / allocations),
      percent(1 - size.requestedBytes / (size.allocations * unit * 2 ** size.order)),
      paint.cyan(bar(size.allocations / most, BAR_WIDTH)),
    ]);
  return table(['block', 'allocations', 'share', 'unused', ''], rows, [
    'right',
    'right',
    'right',
    'right',
    'left',
  ]);
}
