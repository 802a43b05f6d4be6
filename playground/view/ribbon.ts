// The visible part of an arena as a ribbon: addresses run from left to right in a few rows. For what lies at any address and
// has any size: exact ranges, and the pages of a heap.

import type { Ranges } from '../model/ranges.ts';
import type { HeapSlabs } from '../model/slabs.ts';
import { prepare } from './canvas.ts';
import { colourOf } from './map.ts';
import { type Colour, css, mix, type Palette } from './theme.ts';
import type { Viewport } from './viewport.ts';

const ROWS = 8;
const GAP = 3;
/** With more edges than this, a picture would be nothing but edges. */
const MOST_EDGES = 4000;
/** Fullness of the palest colour: even one unit in use is visible. */
const PALEST = 0.15;

/** A canvas as a ribbon, drawn as free. */
class Ribbon {
  readonly #context: CanvasRenderingContext2D;
  readonly #palette: Palette;
  readonly #from: number;
  readonly #width: number;
  readonly #rowUnits: number;
  readonly #rowHeight: number;

  constructor(canvas: HTMLCanvasElement, { from, units }: Viewport, palette: Palette) {
    const { context, width, height } = prepare(canvas);
    this.#context = context;
    this.#palette = palette;
    this.#from = from;
    this.#width = width;
    this.#rowUnits = units / ROWS;
    this.#rowHeight = (height + GAP) / ROWS;
    this.span(from, from + units, palette.free);
  }

  /** Units per pixel. */
  get scale(): number {
    return this.#rowUnits / this.#width;
  }

  /** Colours the units `from` … `to` - 1. */
  span(from: number, to: number, colour: Colour): void {
    this.#context.fillStyle = css(colour);
    const rowUnits = this.#rowUnits;
    const start = Math.max(0, from - this.#from);
    const end = Math.min(ROWS * rowUnits, to - this.#from);
    for (let row = Math.floor(start / rowUnits); row < ROWS && row * rowUnits < end; row++) {
      // Whole pixels, so that what is side by side leaves no gap.
      const x = Math.floor(Math.max(0, start - row * rowUnits) / this.scale);
      const right = Math.ceil(Math.min(rowUnits, end - row * rowUnits) / this.scale);
      this.#context.fillRect(x, row * this.#rowHeight, right - x, this.#rowHeight - GAP);
    }
  }

  /** Colours the units `from` … `to` - 1 as in use to the part `full`, by blocks of about `size` units. */
  used(from: number, to: number, full: number, size: number): void {
    if (full <= 0) return;
    const { free } = this.#palette;
    this.span(from, to, mix(free, colourOf(this.#palette, Math.log2(size)), Math.max(PALEST, full)));
  }

  /** Draws the edge before the unit at `offset`. */
  edge(offset: number): void {
    this.span(offset, offset + this.scale / 2, this.#palette.surface);
  }
}

/** Draws the exact ranges that `viewport` shows. Returns how many of them there are. */
export function drawRanges(
  canvas: HTMLCanvasElement,
  ranges: Ranges,
  viewport: Viewport,
  palette: Palette,
): number {
  const ribbon = new Ribbon(canvas, viewport, palette);
  const region = 2 ** Math.max(0, Math.ceil(Math.log2(ribbon.scale)));
  const first = Math.floor(viewport.from / region) * region;
  const { used } = ranges.sums(first, region, Math.ceil((viewport.end - first) / region));
  // A region in which no range starts belongs to the range before.
  let size = region;
  used.forEach((units, i) => {
    const from = first + i * region;
    const starts = ranges.countStarts(from, from + region);
    if (starts > 0) size = Math.max(1, units / starts);
    else if (i > 0 && units > 0) size += units;
    ribbon.used(from, from + region, units / region, size);
  });
  const [from, to] = [Math.floor(viewport.from), Math.ceil(viewport.end)];
  const count = ranges.countStarts(from, to);
  if (count > MOST_EDGES) return count;
  let previous = Number.NEGATIVE_INFINITY;
  for (const start of ranges.startsIn(from, to)) {
    if (start - previous > 3 * ribbon.scale) ribbon.edge(start);
    previous = start;
  }
  return count;
}

/** Draws the pages of a heap that `viewport` shows. Returns how many slabs and how many large blocks there are. */
export function drawSlabs(
  canvas: HTMLCanvasElement,
  heap: HeapSlabs,
  viewport: Viewport,
  palette: Palette,
): { slabs: number; large: number } {
  const ribbon = new Ribbon(canvas, viewport, palette);
  const found = { slabs: 0, large: 0 };
  for (const { offset, size, slot, used } of heap.runs(viewport.from, viewport.end)) {
    if (used === 0) continue;
    if (slot === size) found.large++;
    else found.slabs++;
    ribbon.used(offset, offset + size, used / size, slot);
    if (size > 3 * ribbon.scale) ribbon.edge(offset);
  }
  return found;
}
