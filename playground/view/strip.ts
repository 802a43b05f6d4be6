// Draws a whole arena as one strip, which shows how full each region is.

import type { Contender } from '../model/contender.ts';
import { prepare } from './canvas.ts';
import { type Colour, css, mix, type Palette } from './theme.ts';

/** Regions of the arena; an arena with fewer units has one per unit. */
const REGIONS = 512;

export function drawStrip(
  canvas: HTMLCanvasElement,
  contender: Contender,
  capacity: number,
  colour: Colour,
  palette: Palette,
): void {
  const { context, width, height } = prepare(canvas);
  const fullness = new Float32Array(Math.min(REGIONS, capacity));
  contender.measure(fullness);
  context.fillStyle = css(palette.free);
  context.fillRect(0, 0, width, height);
  const wide = width / fullness.length;
  fullness.forEach((full, i) => {
    if (full <= 0) return;
    context.fillStyle = css(mix(palette.free, colour, Math.max(0.15, full)));
    context.fillRect(i * wide, 0, wide + 0.5, height);
  });
}
