// The figures of the arena, the allocators side by side, and the curves.

import type { App, Panel } from '../app.ts';
import { bytes, count, percent, plural, units } from '../format.ts';
import type { Figures } from '../model/contender.ts';
import { type CurveScene, describeCurves, drawCurves } from './curves.ts';
import { make, need } from './dom.ts';
import { drawRanges, drawSlabs } from './ribbon.ts';
import { drawStrip } from './strip.ts';
import { TRACK_COLOURS } from './theme.ts';

/** A figure as text, its exact value for programs, and a note in small type. */
interface Entry {
  readonly value: number;
  readonly text: string;
  readonly small?: string;
}

function figuresOf({ session: { timeline } }: App, figures: Figures): Record<string, Entry> {
  const { capacity, liveBlocks, internalFragmentation, tracks } = timeline;
  const { usedUnits, largestFree, externalFragmentation } = figures;
  return {
    'In use': {
      value: usedUnits,
      text: percent(usedUnits / capacity),
      small: `${units(usedUnits)}, ${bytes(usedUnits)}`,
    },
    'Live blocks': { value: liveBlocks, text: count(liveBlocks), small: `of ${units(capacity)} in all` },
    'Largest free': { value: largestFree, text: count(largestFree), small: `units, ${bytes(largestFree)}` },
    'Internal fragmentation': {
      value: internalFragmentation,
      text: percent(internalFragmentation),
      small: 'lost by rounding up',
    },
    'External fragmentation': {
      value: externalFragmentation,
      text: percent(externalFragmentation),
      small: 'outside the largest block',
    },
    Failures: { value: tracks[0].failures, text: count(tracks[0].failures), small: 'requests without room' },
  };
}

/** Writes names and values into `list`; if the names are there already, only the values. */
function fill(list: HTMLElement, entries: Record<string, Entry>): void {
  const rows = Object.entries(entries);
  if (list.childElementCount === 0) {
    list.append(...rows.map(([name]) => make('div', {}, make('dt', {}, name), make('dd', {}))));
  }
  const cells = list.querySelectorAll('dd');
  rows.forEach(([name, { value, text, small }], i) => {
    const data = make('data', { value: String(value), 'data-figure': name }, text);
    cells[i].replaceChildren(data, ...(small === undefined ? [] : [make('small', {}, small)]));
  });
}

/** The panel with the figures of the package's own allocator. */
export function figuresPanel(): Panel {
  const list = need('figures', HTMLElement);
  return (app) => fill(list, figuresOf(app, app.session.timeline.figures()[0]));
}

const CAPTIONS = [
  'alloc: powers of two',
  'allocRange: any size',
  'slabs and pages',
  'a list of holes',
  'smallest block first',
];

/** The panel with a card for each allocator. */
export function cardsPanel(): Panel {
  const cards = need('cards', HTMLElement);
  return ({ session: { timeline }, palette }) => {
    if (cards.childElementCount === 0) {
      cards.append(
        ...timeline.tracks.map(({ contender }, i) =>
          make(
            'article',
            { class: 'card', 'aria-label': contender.name },
            make(
              'h3',
              {},
              make('i', { style: `background: var(--${TRACK_COLOURS[i]})` }),
              `${contender.name} `,
              make('span', { class: 'muted' }, CAPTIONS[i]),
            ),
            make('canvas', { role: 'img' }),
            make('dl'),
          ),
        ),
      );
    }
    timeline.tracks.forEach(({ contender, failures }, i) => {
      const figures = timeline.figures()[i];
      const canvas = cards.getElementsByTagName('canvas')[i];
      drawStrip(canvas, contender, timeline.capacity, palette[TRACK_COLOURS[i]], palette);
      const used = percent(figures.usedUnits / timeline.capacity);
      canvas.setAttribute(
        'aria-label',
        `Arena of ${contender.name}: ${used} in use, up to unit ${count(figures.span)}`,
      );
      const list = cards.getElementsByTagName('dl')[i];
      if (list.childElementCount === 0) {
        list.append(...NAMES.flatMap((name) => [make('dt', {}, name), make('dd', {})]));
      }
      const values = valuesOf(figures, failures, timeline.capacity);
      [...list.getElementsByTagName('dd')].forEach((cell, j) => {
        cell.replaceChildren(
          make('data', { value: String(values[j].value), 'data-figure': NAMES[j] }, values[j].text),
        );
        cell.classList.toggle('bad', NAMES[j] === 'Failures' && values[j].value > 0);
      });
    });
  };
}

const NAMES = ['In use', 'Largest free', 'External fragmentation', 'Span', 'Failures'];

function valuesOf(figures: Figures, failures: number, capacity: number): Entry[] {
  const { usedUnits, largestFree, externalFragmentation, span } = figures;
  return [
    { value: usedUnits, text: percent(usedUnits / capacity) },
    { value: largestFree, text: count(largestFree) },
    { value: externalFragmentation, text: percent(externalFragmentation) },
    { value: span, text: count(span) },
    { value: failures, text: count(failures) },
  ];
}

/** The panel with the exact ranges and the pages of the heap. */
export function layoutsPanel(): Panel {
  const ranges = need('ranges', HTMLCanvasElement);
  const slabs = need('slabs', HTMLCanvasElement);
  return ({ session: { timeline }, viewport, palette }) => {
    const seen = `units ${count(Math.floor(viewport.from))} to ${count(Math.ceil(viewport.end) - 1)}`;
    const live = drawRanges(ranges, timeline.ranges, viewport, palette);
    ranges.setAttribute('aria-label', `Exact ranges: ${count(live)} start in ${seen}`);
    const found = drawSlabs(slabs, timeline.slabs, viewport, palette);
    slabs.setAttribute(
      'aria-label',
      `Heap: ${plural(found.slabs, 'slab')} and ${plural(found.large, 'large block')} in ${seen}`,
    );
  };
}

/** The panel with the two curves. */
export function curvesPanel(): Panel {
  const curves: [
    canvas: HTMLCanvasElement,
    title: string,
    quantity: (figures: Figures, capacity: number) => number,
  ][] = [
    [need('occupancy', HTMLCanvasElement), 'In use', ({ usedUnits }, capacity) => usedUnits / capacity],
    [
      need('fragmentation', HTMLCanvasElement),
      'External fragmentation',
      ({ externalFragmentation }) => externalFragmentation,
    ],
  ];
  return ({ session: { timeline }, palette }) => {
    const now = { position: timeline.position, figures: timeline.figures() };
    const scene: CurveScene = { samples: timeline.samples, now, length: timeline.operations.length, palette };
    const names = timeline.tracks.map(({ contender }) => contender.name);
    for (const [canvas, title, quantity] of curves) {
      const of = (figures: Figures): number => quantity(figures, timeline.capacity);
      drawCurves(canvas, scene, of);
      canvas.setAttribute('aria-label', describeCurves(title, names, scene, of));
    }
  };
}
