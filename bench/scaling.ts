// `npm run bench -- scaling`: how the cost of an operation grows with the arena, from 2^10 to 2^26 units:
// docs/figures/scaling.svg and .json.

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
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
  const { document } = parseHTML('<html></html>');
  const channels = {
    x: 'order',
    y: ({ nsPerOperation }: Point) => nsPerOperation.median,
    fx: 'pattern',
  };
  // The curves are named once, where they end in the right panel.
  const ticks = [...new Set(points.map(({ order }) => order))].filter((order) => order % 2 === 0);
  const figure = Plot.plot({
    document,
    width: 880,
    height: 380,
    marginRight: 100,
    style: { background: 'white', color: 'black' },
    x: { label: 'units in the arena', tickFormat: (order: number) => `2^${order}`, ticks },
    y: { label: 'ns per operation', grid: true, zero: true, nice: true },
    fx: { label: null },
    marks: [
      Plot.frame({ stroke: '#ccc' }),
      Plot.lineY(points, { ...channels, stroke: 'contender' }),
      Plot.dotY(points, { ...channels, stroke: 'contender', r: 2 }),
      Plot.text(
        points.filter(({ order, pattern }) => order === highest && pattern === RANDOM),
        { ...channels, fill: 'contender', text: 'contender', textAnchor: 'start', dx: 8 },
      ),
    ],
  });
  figure.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  // The style sheet serves figures inside a page; a document of its own needs a title instead.
  figure.querySelector('style')?.remove();
  const title = document.createElement('title');
  title.textContent = 'Time per operation against the size of the arena';
  figure.prepend(title);
  return `${figure.outerHTML}\n`;
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
