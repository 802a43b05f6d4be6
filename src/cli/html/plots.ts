// The plots of the report page.

import type { ReplayReport, Sample } from '../../trace.ts';
import { byteScale, bytes, count, percent, plural } from '../format.ts';
import { type Axis, linear } from './axis.ts';
import { heatmap } from './heatmap.ts';
import { area, box, image, line, type Mark, note, type Point, plot, rule } from './plot.ts';

const FIRST = 'var(--first)';
const SECOND = 'var(--second)';

// Lengths of the bar chart: the height of a row, and room for its name and for each digit of its number.
const ROW = 22;
const ROW_NAME = 74;
const DIGIT = 9;

/** Bytes asked for and bytes in blocks, over time. */
export function occupancyPlot(report: ReplayReport): string {
  const { samples, unit, operations, peakLiveBytes, peakUsedUnits } = report;
  const peak = peakUsedUnits * unit;
  const { divisor, name } = byteScale(peak);
  const used = curve(samples, ({ usedUnits }) => (usedUnits * unit) / divisor);
  const live = curve(samples, ({ liveBytes }) => liveBytes / divisor);
  const end = lastOf(samples);
  return plot({
    meaning:
      `Live memory over ${plural(operations, 'operation')}: ` +
      `at most ${bytes(peakLiveBytes)} asked for, in blocks of ${bytes(peak)} together; ` +
      `at the end ${bytes(end.liveBytes)}, in blocks of ${bytes(end.usedUnits * unit)}.`,
    x: timeAxis(operations),
    y: linear({ label: `↑ ${name}`, max: peak / divisor, whole: divisor === 1, nice: true, grid: true }),
    marks: [area(live, FIRST), floor(operations), line(used, SECOND), line(live, FIRST)],
  });
}

/** The parts of the arena in use, over time. */
export function memoryPlot({ samples, unit, capacity, operations }: ReplayReport): string {
  const arena = capacity * unit;
  const { divisor, name } = byteScale(arena);
  const reached = samples.map(
    ({ map }) => ((map.findLastIndex((full) => full > 0) + 1) / map.length) * arena,
  );
  return plot({
    meaning:
      `Memory map over ${plural(operations, 'operation')}: ` +
      `time runs to the right, addresses from 0 to ${bytes(arena)} upwards. ` +
      `The blocks reach up to about ${bytes(Math.max(...reached))}, ` +
      `and at the end up to about ${bytes(lastOf(reached))}.`,
    x: timeAxis(operations),
    y: linear({ label: `↑ address, ${name}`, max: arena / divisor, whole: divisor === 1 }),
    marks: [image([operations, arena / divisor], heatmap(samples))],
  });
}

/** Internal and external fragmentation over time. */
export function fragmentationPlot({ samples, operations }: ReplayReport): string {
  const highest = (parts: number[]): string => percent(Math.max(...parts));
  const internal = samples.map((sample) => sample.internalFragmentation);
  const external = samples.map((sample) => sample.externalFragmentation);
  return plot({
    meaning:
      `Fragmentation over ${plural(operations, 'operation')}: ` +
      `internal at most ${highest(internal)}, external at most ${highest(external)}; ` +
      `at the end ${percent(lastOf(internal))} and ${percent(lastOf(external))}.`,
    x: timeAxis(operations),
    y: linear({ label: '↑ percent', max: 100, grid: true }),
    marks: [
      floor(operations),
      line(
        curve(samples, (sample) => 100 * sample.internalFragmentation),
        FIRST,
      ),
      line(
        curve(samples, (sample) => 100 * sample.externalFragmentation),
        SECOND,
      ),
    ],
  });
}

/** The number of allocations that got a block of each size. */
export function sizesPlot({ sizes, allocations }: ReplayReport): string {
  const most = sizes.reduce((a, b) => (b.allocations > a.allocations ? b : a));
  // The first size is at the top, the end of the axis.
  const rows = sizes.map((size, i) => ({ ...size, middle: sizes.length - i - 0.5 }));
  return plot({
    meaning:
      `Allocations by block size: of ${count(allocations)}, ` +
      `most (${count(most.allocations)}) got a block of ${bytes(most.blockBytes)}.`,
    height: rows.length * ROW,
    left: ROW_NAME,
    right: (count(most.allocations).length + 1) * DIGIT,
    x: linear({ label: 'allocations →', max: most.allocations, whole: true, compact: true, grid: true }),
    y: {
      label: 'block',
      max: rows.length,
      ticks: rows.map(({ middle, blockBytes }) => ({ value: middle, label: bytes(blockBytes) })),
    },
    marks: [
      ...rows.flatMap((row) => [
        box([0, row.middle - 0.45], [row.allocations, row.middle + 0.45], FIRST),
        note([row.allocations, row.middle], count(row.allocations)),
      ]),
      rule([0, 0], [0, rows.length]),
    ],
  });
}

function curve(samples: readonly Sample[], value: (sample: Sample) => number): Point[] {
  return samples.map((sample) => [sample.operations, value(sample)]);
}

function timeAxis(operations: number): Axis {
  return linear({ label: 'operations →', max: operations, whole: true, compact: true });
}

/** The line at 0, which the curves cover. */
function floor(operations: number): Mark {
  return rule([0, 0], [operations, 0]);
}

function lastOf<T>(list: readonly T[]): T {
  return list[list.length - 1];
}
