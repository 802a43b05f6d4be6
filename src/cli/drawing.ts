// Drawings in characters: memory maps, curves and bars.

import type { createColors } from 'picocolors';
import type { Verdict } from '../trace.ts';

/** Functions that colour text, or leave it as it is. */
export type Paint = ReturnType<typeof createColors>;

const STEPS = '▁▂▃▄▅▆▇█';

/**
 * Cells in a line of a map that is at most `width` characters wide: a power of two, so that lines begin at round
 * units.
 */
export function cellsPerLine(width: number): number {
  return Math.min(256, 2 ** Math.floor(Math.log2(Math.max(1, width))));
}

/**
 * A memory map as lines of text. Each region has one cell, the denser the fuller it is; each line begins with the
 * label of its first cell, in as many characters as the longest label has.
 */
export function drawMap(
  fullness: readonly number[],
  perLine: number,
  labelOf: (cell: number) => string,
  paint: Paint,
): string {
  const labels: string[] = [];
  for (let i = 0; i < fullness.length; i += perLine) labels.push(labelOf(i));
  const labelWidth = Math.max(...labels.map((label) => label.length));
  return labels
    .map((label, line) => {
      const cells = fullness.slice(line * perLine, (line + 1) * perLine).map((full) => cell(full, paint));
      return `${paint.dim(label.padStart(labelWidth))} ${cells.join('')}`;
    })
    .join('\n');
}

/** A text in the colour of a verdict. */
export function verdictIn(verdict: Verdict, text: string, paint: Paint): string {
  const color = { 'suits well': paint.green, 'suits, at a price': paint.yellow, 'does not suit': paint.red };
  return color[verdict](text);
}

/** The meaning of the cells of {@link drawMap}. */
export function mapLegend(paint: Paint): string {
  const entries = [
    [0, 'empty'],
    [1 / 3, 'up to a third'],
    [2 / 3, 'up to two thirds'],
    [0.99, 'more'],
    [1, 'full'],
  ] as const;
  return entries.map(([full, meaning]) => `${cell(full, paint)} ${meaning}`).join('   ');
}

/** The character for a fullness, 0 to 1. */
function cell(full: number, paint: Paint): string {
  if (full === 0) return paint.dim('·');
  if (full === 1) return paint.red('█');
  if (full > 2 / 3) return paint.magenta('▓');
  if (full > 1 / 3) return paint.yellow('▒');
  return paint.green('░');
}

/** A curve from 0 to `max` in `width` characters at most. Each character shows the highest of its values. */
export function sparkline(values: readonly number[], width: number, max: number): string {
  const columns = Math.min(width, values.length);
  return Array.from({ length: columns }, (_, i) => {
    const from = Math.floor((i * values.length) / columns);
    const to = Math.floor(((i + 1) * values.length) / columns);
    const high = Math.max(...values.slice(from, to));
    return STEPS[Math.min(STEPS.length - 1, Math.floor((high / (max || 1)) * STEPS.length))];
  }).join('');
}

/** A horizontal bar of 1 to `width` characters for a part, 0 to 1. */
export function bar(part: number, width: number): string {
  return '█'.repeat(Math.max(1, Math.round(part * width)));
}
