// The plots of the report page, drawn to SVG without a browser.

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { ReplayReport } from '../../trace.ts';
import { byteScale, bytes, count, percent } from '../format.ts';
import { heatmap } from './heatmap.ts';

// Drawn narrow with large letters, so that a phone can show the same drawing scaled down.
const WIDTH = 480;
const HEIGHT = 280;
const MARGINS = { marginLeft: 52, marginRight: 16, marginTop: 28, marginBottom: 40 };

const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact' });
const COUNTS = { tickFormat: (value: number) => COMPACT.format(value), ticks: 5 };

/** Bytes asked for and bytes in blocks, over time. */
export function occupancyPlot({
  samples,
  unit,
  operations,
  peakLiveBytes,
  peakUsedUnits,
}: ReplayReport): string {
  const { divisor, name } = byteScale(peakUsedUnits * unit);
  const x = 'operations';
  const used = samples.map((sample) => (sample.usedUnits * unit) / divisor);
  const live = samples.map((sample) => sample.liveBytes / divisor);
  return draw({
    ariaLabel: `Live memory over ${count(operations)} operations: at most ${bytes(peakLiveBytes)} asked for, in blocks of ${bytes(peakUsedUnits * unit)} together.`,
    x: timeAxis(operations),
    y: { label: name, grid: true, ticks: 5, domain: [0, (peakUsedUnits * unit) / divisor || 1], nice: true },
    marks: [
      Plot.areaY(samples, { x, y: live, fill: 'var(--first)', fillOpacity: 0.2 }),
      Plot.lineY(samples, { x, y: used, stroke: 'var(--second)' }),
      Plot.lineY(samples, { x, y: live, stroke: 'var(--first)' }),
      Plot.ruleY([0]),
    ],
  });
}

/** Internal and external fragmentation over time. */
export function fragmentationPlot({ samples, operations }: ReplayReport): string {
  const internal = samples.map((sample) => sample.internalFragmentation);
  const external = samples.map((sample) => sample.externalFragmentation);
  const x = 'operations';
  return draw({
    ariaLabel: `Fragmentation over ${count(operations)} operations: internal at most ${percent(Math.max(...internal))}, external at most ${percent(Math.max(...external))}.`,
    x: timeAxis(operations),
    y: { label: 'percent', percent: true, grid: true, ticks: 5, domain: [0, 100] },
    marks: [
      Plot.lineY(samples, { x, y: internal, stroke: 'var(--first)' }),
      Plot.lineY(samples, { x, y: external, stroke: 'var(--second)' }),
      Plot.ruleY([0]),
    ],
  });
}

/** How many allocations got a block of each size. */
export function sizesPlot({ sizes, allocations }: ReplayReport): string {
  const rows = sizes.map((size) => ({ block: bytes(size.blockBytes), allocations: size.allocations }));
  const most = rows.reduce((a, b) => (b.allocations > a.allocations ? b : a));
  return draw({
    ariaLabel: `Allocations by block size: of ${count(allocations)}, most (${count(most.allocations)}) got a block of ${most.block}.`,
    height: rows.length * 22 + MARGINS.marginTop + MARGINS.marginBottom,
    marginLeft: 72,
    marginRight: 64,
    x: { label: 'allocations', grid: true, ...COUNTS },
    y: { label: 'block', domain: rows.map((row) => row.block) },
    marks: [
      Plot.barX(rows, { x: 'allocations', y: 'block', fill: 'var(--first)' }),
      Plot.text(rows, {
        x: 'allocations',
        y: 'block',
        text: (row: { allocations: number }) => count(row.allocations),
        textAnchor: 'start',
        dx: 4,
      }),
      Plot.ruleX([0]),
    ],
  });
}

/** Which parts of the arena were in use, over time. */
export function memoryPlot({ samples, unit, capacity, operations }: ReplayReport): string {
  const arena = capacity * unit;
  const { divisor, name } = byteScale(arena);
  return draw({
    ariaLabel: `Memory map over ${count(operations)} operations: time runs to the right, addresses from 0 to ${bytes(arena)} upwards.`,
    x: timeAxis(operations),
    y: { label: `address, ${name}`, ticks: 5, domain: [0, arena / divisor] },
    marks: [
      Plot.image([heatmap(samples)], {
        x: () => operations / 2,
        y: () => arena / divisor / 2,
        src: (url: string) => url,
        width: WIDTH - MARGINS.marginLeft - MARGINS.marginRight,
        height: HEIGHT - MARGINS.marginTop - MARGINS.marginBottom,
        preserveAspectRatio: 'none',
        imageRendering: 'pixelated',
      }),
      Plot.frame({ strokeOpacity: 0.3 }),
    ],
  });
}

function timeAxis(operations: number): Plot.ScaleOptions {
  return { label: 'operations', domain: [0, operations], ...COUNTS };
}

function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html></html>');
  const style = { fontSize: '13px', background: 'none', overflow: 'visible' };
  const plot = Plot.plot({ document, width: WIDTH, height: HEIGHT, ...MARGINS, style, ...options });
  plot.setAttribute('role', 'img');
  return plot.outerHTML;
}
