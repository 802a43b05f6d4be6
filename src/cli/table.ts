// Figures and tables as text.

import Table from 'cli-table3';
import type { Paint } from './drawing.ts';
import type { Figure } from './figures.ts';

/** Figures, one per line. */
export function lines(figures: readonly Figure[], paint: Paint): string {
  return figures
    .map(({ name, value, bad }) => `${name.padEnd(16)}${bad ? paint.red(value) : value}`)
    .join('\n');
}

/** A table with a frame around its cells. */
export function table(head: string[], rows: string[][], align: ('left' | 'right')[]): string {
  const grid = new Table({ head, colAligns: align, style: { head: [], border: [], compact: true } });
  grid.push(...rows);
  return grid.toString();
}
