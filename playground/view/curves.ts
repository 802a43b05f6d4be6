// The curves: one quantity of all allocators over the operations.

import { percent } from '../format.ts';
import type { Figures } from '../model/contender.ts';
import type { Sample } from '../model/timeline.ts';
import { prepare } from './canvas.ts';
import { css, type Palette, TRACK_COLOURS } from './theme.ts';

const LEFT = 42;
const BOTTOM = 4;
const TOP = 6;

export interface CurveScene {
  readonly samples: readonly Sample[];
  /** The present position of the timeline, and the figures there. */
  readonly now: Sample;
  /** Number of operations. */
  readonly length: number;
  readonly palette: Palette;
}

/** Draws the curve of `quantity`, a part from 0 to 1, for each allocator. It is pale after the present position. */
export function drawCurves(
  canvas: HTMLCanvasElement,
  scene: CurveScene,
  quantity: (figures: Figures) => number,
): void {
  const { context, width, height } = prepare(canvas);
  const { palette, samples, now, length } = scene;
  const x = (position: number): number => LEFT + (position / Math.max(1, length)) * (width - LEFT - 2);
  const y = (part: number): number => TOP + (1 - part) * (height - TOP - BOTTOM);
  context.font = '11px system-ui, sans-serif';
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const part of [0, 0.5, 1]) {
    context.fillStyle = css(palette.line);
    context.fillRect(LEFT, Math.round(y(part)), width - LEFT, 1);
    context.fillStyle = css(palette.muted);
    context.fillText(`${part * 100} %`, LEFT - 6, Math.min(height - 6, y(part)));
  }
  const past = [...samples.filter(({ position }) => position < now.position), now];
  const ahead = [now, ...samples.filter(({ position }) => position > now.position)];
  // If two curves coincide, the lower one shows between the dashes of the upper one.
  for (const [track, colour] of TRACK_COLOURS.entries()) {
    context.setLineDash(track > 2 ? [4, 4] : []);
    context.strokeStyle = css(palette[colour]);
    context.lineWidth = track === 0 ? 2.5 : 1.5;
    for (const { points, alpha } of [
      { points: ahead, alpha: 0.3 },
      { points: past, alpha: 1 },
    ]) {
      context.globalAlpha = alpha;
      context.beginPath();
      for (const { position, figures } of points) context.lineTo(x(position), y(quantity(figures[track])));
      context.stroke();
    }
  }
  context.setLineDash([]);
  context.fillStyle = css(palette.text);
  context.fillRect(Math.min(width - 1, x(now.position)), TOP, 1, height - TOP - BOTTOM);
}

/** The curves as text, for users who cannot see them. */
export function describeCurves(
  title: string,
  names: readonly string[],
  { samples, now }: CurveScene,
  quantity: (figures: Figures) => number,
): string {
  const of = (track: number): string => {
    const highest = Math.max(...samples.map(({ figures }) => quantity(figures[track])));
    return `${names[track]} ${percent(quantity(now.figures[track]))} now, ${percent(highest)} at most`;
  };
  return `${title} over the operations: ${names.map((_, track) => of(track)).join('; ')}.`;
}
