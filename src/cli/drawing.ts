// Drawings in characters: memory maps, curves and bars.

import type { createColors } from 'picocolors';

/** Functions that colour text, or leave it as it is. */
export type Paint = ReturnType<typeof createColors>;

const STEPS = '▁▂▃▄▅▆▇█';

/**
 * A memory map as lines of text. Each region has one cell, the denser the fuller it is; each line begins with the
 * number of its first unit.
 */
export function drawMap(
  fullness: readonly number[],
  perLine: number,
  capacity: number,
  paint: Paint,
): string {
  const lines: string[] = [];
  const labelWidth = String(capacity).length;
  for (let i = 0; i < fullness.length; i += perLine) {
    const cells = fullness.slice(i, i + perLine).map((full) => cell(full, paint));
    const unit = String(Math.floor((i * capacity) / fullness.length)).padStart(labelWidth);
    lines.push(`${paint.dim(unit)} ${cells.join('')}`);
  }
  return lines.join('\n');
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
