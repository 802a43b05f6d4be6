// `npm run bench -- scaling`: how the cost of an operation grows with the arena, from 2^10 to 2^26 units:
// docs/figures/scaling.svg and .json.

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { linear } from '../src/cli/html/axis.ts';
import { element } from '../src/cli/html/markup.ts';
import { line, note, type Point as Place, plot } from '../src/cli/html/plot.ts';
import { buddy } from './contenders/buddy.ts';
import { memory } from './contenders/memory.ts';
import { reference } from './contenders/reference.ts';
import { runnerFor } from './contenders/runner.ts';
import { machine } from './machine.ts';
import { type Effort, measure, placementsAgree } from './measure.ts';
import { describe } from './native/compile.ts';
import { buildNative, NATIVE_NAME, NativeProgram } from './native/native-program.ts';
import { showProgress } from './progress.ts';
import type { Summary } from './statistics.ts';
import { type Synthetic, synthesise } from './workloads.ts';

const FIGURES = fileURLToPath(new URL('../docs/figures/', import.meta.url));
const FULL: Effort = { rounds: 9, warmupRounds: 9 };
const QUICK: Effort = { rounds: 1, warmupRounds: 1 };
const LOWEST_ORDER = 10;
const HIGHEST_ORDER = 26;
const QUICK_HIGHEST_ORDER = 14;

/** Units in use in the local pattern, whatever the arena. */
const LOCAL_UNITS = 256;

/** Names of the two patterns, which are the titles of the panels. */
const LOCAL = `local: last in, first out, ${LOCAL_UNITS} units live`;
const RANDOM = 'random frees, 60 % full';

// Lengths in the drawing: a plot, its area, and the room for the contenders' names beside the right one.
const PANEL_WIDTH = 440;
const AREA_HEIGHT = 300;
const PANEL_HEIGHT = AREA_HEIGHT + 74;
const NAME_WIDTH = 110;

/** The colours of the curves, by contender. */
const COLORS = {
  'buddy-allocator': '#4269d0',
  'memory alone': '#efb118',
  'reference (C)': '#ff725c',
  'reference (JS)': '#35a585',
};

/** One point of the curves. */
interface Point {
  readonly pattern: string;
  /** log2 of the arena's units. */
  readonly order: number;
  readonly contender: string;
  readonly nsPerOperation: Summary;
}

/** The two patterns: everything near address 0, and everywhere in the filled part of the arena. */
function patterns(order: number): Synthetic[] {
  const capacity = 2 ** order;
  const common = { capacity, sizes: 'small', steadyOperations: 400_000 } as const;
  return [
    {
      ...common,
      name: LOCAL,
      freeOrder: 'lifo',
      fillUnits: LOCAL_UNITS,
    },
    {
      ...common,
      name: RANDOM,
      freeOrder: 'random',
      fillUnits: Math.floor(0.6 * capacity),
    },
  ];
}

async function measurePoints(
  native: NativeProgram | undefined,
  effort: Effort,
  highest: number,
): Promise<Point[]> {
  const points: Point[] = [];
  for (let order = LOWEST_ORDER; order <= highest; order++) {
    for (const pattern of patterns(order)) {
      const title = `2^${order} ${pattern.name}`;
      const workload = synthesise(pattern);
      const runners = [await runnerFor(buddy, workload), await runnerFor(reference, workload)];
      if (pattern.name === RANDOM) runners.push(await runnerFor(memory, workload));
      if (native) runners.push(await native.runnerFor(workload));
      const measurements = await measure(runners, pattern.steadyOperations, effort, (phase, number) =>
        showProgress(`${title}: ${phase} ${number}`),
      );
      if (!placementsAgree(measurements)) throw new Error(`placements differ on ${title}`);
      for (const { name, nsPerOperation } of measurements) {
        points.push({ pattern: pattern.name, order, contender: name, nsPerOperation });
      }
    }
  }
  return points;
}

/** The curves as a stand-alone SVG document. */
function draw(points: readonly Point[], highest: number): string {
  const width = 2 * PANEL_WIDTH + NAME_WIDTH;
  const title = 'Time per operation against the size of the arena';
  const panels = [LOCAL, RANDOM].map((pattern, i) => drawPanel(points, pattern, highest, i * PANEL_WIDTH));
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${PANEL_HEIGHT}`,
      width,
      height: PANEL_HEIGHT,
      style: 'background: white; color: black; font-family: system-ui, sans-serif',
    },
    [element('title', {}, [title]), ...panels],
  )}\n`;
}

/** The curves of one pattern, at a distance of `left` from the edge of the drawing. */
function drawPanel(points: readonly Point[], pattern: string, highest: number, left: number): string {
  const most = Math.max(...points.map(({ nsPerOperation }) => nsPerOperation.median));
  const orders = [...new Set(points.map(({ order }) => order))].filter((order) => order % 2 === 0);
  const marks = Object.entries(COLORS).flatMap(([contender, color]) => {
    const curve = points
      .filter((point) => point.pattern === pattern && point.contender === contender)
      .map(({ order, nsPerOperation }): Place => [order - LOWEST_ORDER, nsPerOperation.median]);
    if (curve.length === 0) return [];
    const dots = curve.map((point) => line([point], color));
    // The curves are named once, where they end in the right panel.
    const names = pattern === RANDOM ? [note(curve[curve.length - 1], contender, color)] : [];
    return [line(curve, color), ...dots, ...names];
  });
  return plot({
    meaning: pattern,
    x: {
      label: 'units in the arena →',
      max: highest - LOWEST_ORDER,
      ticks: orders.map((order) => ({ value: order - LOWEST_ORDER, label: `2^${order}` })),
    },
    y: linear({ label: '↑ ns per operation', max: most, nice: true, grid: true }),
    marks: [note([0, most], pattern), ...marks],
    height: AREA_HEIGHT,
    attributes: { x: left, width: PANEL_WIDTH, height: PANEL_HEIGHT, overflow: 'visible' },
  });
}

interface Options {
  /** Folder for the two files. */
  readonly out?: string;
  readonly quick?: true;
}

/** Measures and writes the two files, as the command line says. */
export async function run({ out = FIGURES, quick }: Options): Promise<void> {
  const highest = quick ? QUICK_HIGHEST_ORDER : HIGHEST_ORDER;
  const built = buildNative('reference');
  const native = built.file === undefined ? undefined : new NativeProgram(NATIVE_NAME, built.file);
  try {
    const points = await measurePoints(native, quick ? QUICK : FULL, highest);
    mkdirSync(out, { recursive: true });
    writeFileSync(`${out}/scaling.svg`, draw(points, highest));
    const record = {
      machine: machine(),
      native: describe(built),
      points,
    };
    writeFileSync(`${out}/scaling.json`, `${JSON.stringify(record, null, 2)}\n`);
  } finally {
    showProgress('');
    native?.close();
  }
}
