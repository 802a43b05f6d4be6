// The output of `buddy replay --on`: one or several allocators, side by side at the fullest moment.

import { RegionMap } from '../trace/replay/map.ts';
import type { Trace } from '../trace.ts';
import { type Contest, type Contests, leastOf } from './allocators/compare.ts';
import { NAMES } from './allocators/names.ts';
import { cellsPerLine, drawMap, mapLegend, type Paint, verdictIn } from './drawing.ts';
import { gapFigures, operationsFigure } from './figures.ts';
import { bytes, plural } from './format.ts';
import { lines, table } from './table.ts';

/** Lines of the map of the allocator that takes most. */
const MAP_LINES = 4;

/** Widest label of a line of a map: "1023 MiB", and a space. */
const LABEL_WIDTH = 9;

/** The contests as text, at most `width` characters wide. */
export function contestSummary(
  trace: Trace,
  { peak, firstFitBytes, contests }: Contests,
  width: number,
  paint: Paint,
): string {
  const { liveBytes, operations } = peak;
  const figures = [
    operationsFigure({ ...trace, operations: trace.ops.length }),
    ...gapFigures(trace),
    { name: 'fullest', value: `after ${plural(operations, 'operation')}: ${bytes(liveBytes)} live` },
    { name: 'first fit', value: `${bytes(firstFitBytes)}, with headers of 8 bytes` },
  ];
  const parts = [
    lines(figures, paint),
    contestTable(contests, liveBytes),
    ...maps(contests, width, paint),
    mapLegend(paint),
  ];
  if (contests.length > 1) parts.push(choice(contests, paint));
  return `${parts.join('\n\n')}\n`;
}

function contestTable(contests: readonly Contest[], liveBytes: number): string {
  return table(
    ['allocator', 'takes', 'state', '/ live', '/ first fit', 'ns/op'],
    contests.map(({ name, totalBytes, stateBytes, ratio, nsPerOperation, failures }) =>
      failures > 0
        ? [NAMES[name], 'no room', '', '', '', '']
        : [
            NAMES[name],
            bytes(totalBytes),
            bytes(stateBytes),
            (totalBytes / liveBytes).toFixed(2),
            ratio.toFixed(2),
            nsPerOperation.toFixed(0),
          ],
    ),
    ['left', 'right', 'right', 'right', 'right', 'right'],
  );
}

/** A map of each allocator at the peak, under its verdict. A cell is as many bytes in all of them. */
function maps(contests: readonly Contest[], width: number, paint: Paint): string[] {
  const perLine = cellsPerLine(width - LABEL_WIDTH);
  const most = Math.max(...contests.map(({ memoryBytes }) => memoryBytes));
  const cellBytes = 2 ** Math.max(0, Math.ceil(Math.log2(most / (MAP_LINES * perLine))));
  return contests.map(({ name, verdict, ratio, atPeak, memoryBytes, failures }) => {
    const cells = Math.max(1, Math.ceil(memoryBytes / cellBytes));
    const map = new RegionMap(cells * cellBytes, cells);
    for (const block of atPeak) map.add(block.address, block.bytes);
    const label = (cell: number): string => bytes(cell * cellBytes);
    const result =
      failures > 0
        ? paint.red(`${plural(failures, 'allocation')} found no room`)
        : `${ratio.toFixed(2)} times first fit, ${verdictIn(verdict, verdict, paint)}`;
    return `${paint.bold(NAMES[name])}: ${result}\n${drawMap(map.fullness(), perLine, label, paint)}`;
  });
}

/** Which of the allocators to take. */
function choice(contests: readonly Contest[], paint: Paint): string {
  const best = leastOf(contests);
  if (best === undefined) return paint.red('None of them has room for the trace.');
  const { name, totalBytes, ratio } = best;
  return `${paint.bold(`Take ${NAMES[name]}`)}: ${bytes(totalBytes)}, ${ratio.toFixed(2)} times first fit. buddy advise says more.`;
}
