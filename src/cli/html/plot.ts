// A plot as SVG: two axes, and marks on the area between them. Its colours come from the page around it.

import type { Axis } from './axis.ts';
import { type Attributes, element, escapeText } from './markup.ts';

/** A value of each axis, or a place in the drawing. */
export type Point = readonly [x: number, y: number];

/** Something drawn on the area, as markup. `place` gives the place of a point in the drawing. */
export type Mark = (place: (point: Point) => Point) => string;

/** The content of a plot. Lengths are in the units of the drawing, which is 440 wide. */
export interface Plot {
  /** The meaning of the plot in words. A screen reader says this and nothing else of it. */
  readonly meaning: string;
  readonly x: Axis;
  readonly y: Axis;
  /** A later mark covers an earlier one. */
  readonly marks: readonly Mark[];
  /** Height of the area. Default 196. */
  readonly height?: number;
  /** Room left of the area, for the tick labels of the y axis. Default 54. */
  readonly left?: number;
  /** Room right of the area. Default 16. */
  readonly right?: number;
  /** Further attributes of the SVG element, e.g. its place in another one. */
  readonly attributes?: Attributes;
}

// Drawn narrow with large letters, so that a phone can show the same drawing scaled down.
const WIDTH = 440;
const LETTERS = 14;
// Room above the area for the name of the y axis, and below it for the tick labels and the name of the x axis.
const TOP = 30;
const BOTTOM = 44;
const TICK = 6;
const GAP = 4;
/** The distance from the middle of a line of letters down to their feet. */
const MIDDLE = '.35em';
const INK = 'currentColor';

/** The plot as an SVG element. O(ticks + marks). */
export function plot(content: Plot): string {
  const { meaning, x, y, marks, height = 196, left = 54, right = 16, attributes = {} } = content;
  const end = WIDTH - right;
  const bottom = TOP + height;
  const place = ([valueX, valueY]: Point): Point => [
    round(left + (valueX / x.max) * (end - left)),
    round(bottom - (valueY / y.max) * height),
  ];
  const columns = x.ticks.map(({ value, label }) => ({ at: place([value, 0])[0], label }));
  const rows = y.ticks.map(({ value, label }) => ({ at: place([0, value])[1], label }));
  const grid = [
    ...(x.grid ? columns.map(({ at }) => `M${at},${TOP}V${bottom}`) : []),
    ...(y.grid ? rows.map(({ at }) => `M${left},${at}H${end}`) : []),
  ];
  const ticks = [
    ...columns.map(({ at }) => `M${at},${bottom}v${TICK}`),
    ...rows.map(({ at }) => `M${left},${at}h${-TICK}`),
  ];
  return element(
    'svg',
    {
      role: 'img',
      'aria-label': meaning,
      viewBox: `0 0 ${WIDTH} ${bottom + BOTTOM}`,
      fill: INK,
      'font-size': LETTERS,
      ...attributes,
    },
    [
      stroke(grid, { stroke: INK, 'stroke-opacity': 0.15 }),
      ...marks.map((mark) => mark(place)),
      stroke(ticks, { stroke: INK }),
      element(
        'g',
        { class: 'x', 'text-anchor': 'middle' },
        columns.map(({ at, label }) => text([at, bottom + TICK + LETTERS], label)),
      ),
      element(
        'g',
        { class: 'y', 'text-anchor': 'end' },
        rows.map(({ at, label }) => text([left - TICK - GAP, at], label, { dy: MIDDLE })),
      ),
      text([end, bottom + BOTTOM - GAP], x.label, { 'text-anchor': 'end' }),
      text([0, LETTERS], y.label),
    ],
  );
}

/** A curve through `points`, at least one, in the order of their x; a dot if there is only one. */
export function line(points: readonly Point[], color: string): Mark {
  return (place) => {
    const places = points.map(place);
    if (places.length === 1) {
      const [[cx, cy]] = places;
      return element('circle', { cx, cy, r: 3, fill: color });
    }
    return stroke([path(places)], { stroke: color, 'stroke-width': 1.5, 'stroke-linejoin': 'round' });
  };
}

/** The area between a curve through `points`, at least one, and the x axis, in a faint colour. */
export function area(points: readonly Point[], color: string): Mark {
  return (place) => {
    const [first] = points[0];
    const [last] = points[points.length - 1];
    const outline: Point[] = [[first, 0], ...points, [last, 0]];
    return element('path', { d: `${path(outline.map(place))}Z`, fill: color, 'fill-opacity': 0.2 });
  };
}

/** A thin straight line. */
export function rule(from: Point, to: Point): Mark {
  return (place) => stroke([path([place(from), place(to)])], { stroke: INK });
}

/** A filled rectangle between its lower left and its upper right corner. */
export function box(low: Point, high: Point, color: string): Mark {
  return (place) => element('rect', { ...bounds(place(low), place(high)), fill: color });
}

/** An image at `href`, stretched over the area up to `high`, in a frame. Its pixels stay sharp. */
export function image(high: Point, href: string): Mark {
  return (place) => {
    const area = bounds(place([0, 0]), place(high));
    return [
      element('image', { ...area, preserveAspectRatio: 'none', style: 'image-rendering: pixelated', href }),
      element('rect', { ...area, fill: 'none', stroke: INK, 'stroke-opacity': 0.3 }),
    ].join('');
  };
}

/** A few words right of a point. */
export function note(point: Point, words: string, color = INK): Mark {
  return (place) => {
    const [x, y] = place(point);
    return text([x + GAP, y], words, { dy: MIDDLE, fill: color });
  };
}

function text([x, y]: Point, words: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, [escapeText(words)]);
}

function stroke(parts: readonly string[], attributes: Attributes): string {
  return element('path', { d: parts.join(''), fill: 'none', ...attributes });
}

function path(places: readonly Point[]): string {
  return `M${places.map(([x, y]) => `${x},${y}`).join('L')}`;
}

function bounds([left, bottom]: Point, [right, top]: Point): Attributes {
  return { x: left, y: top, width: round(right - left), height: round(bottom - top) };
}

// A screen does not show less than a tenth.
function round(length: number): number {
  return Math.round(length * 10) / 10;
}
