// The page that `buddy replay --html` writes: read as markup, measured as its reader would, and shown in a browser.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inflateSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { element, escapeText } from '../../src/cli/html/markup.ts';
import type { Io } from '../../src/cli/io.ts';
import { run } from '../../src/cli/run.ts';
import { encodeTrace, type ReplayReport, traceFromOps } from '../../src/trace.ts';
import { launch } from '../browser/chromium.ts';
import { descendants, type Element, named, parsePage, textOf } from '../support/markup.ts';

const SQLITE = 'data/sqlite.tr.gz';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddy-html-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A file with the trace of these operations. */
function traceOf(ops: readonly number[], name = 'some.tr'): string {
  const file = join(folder, name);
  writeFileSync(file, encodeTrace(traceFromOps(Int32Array.from(ops))));
  return file;
}

interface Replayed {
  readonly status: number;
  readonly report: ReplayReport;
  readonly file: string;
  readonly page: string;
  readonly document: Element;
}

let files = 0;

/** Replays a trace into a page, with the report from which it was made. */
async function replayed(trace: string, ...flags: string[]): Promise<Replayed> {
  const file = join(folder, `${files++}.html`);
  let stdout = '';
  const io = { stdout: { write: (text: string) => (stdout += text) }, stderr: process.stderr, env: {} };
  const status = await run(['replay', trace, ...flags, '--json', '--html', file], io as unknown as Io);
  const page = readFileSync(file, 'utf8');
  return { status, report: JSON.parse(stdout) as ReplayReport, file, page, document: parsePage(page) };
}

/** The plot below a heading. */
function plotOf(document: Element, heading: string): Element {
  const figure = named(document, 'figure').find((each) => textOf(named(each, 'h2')[0]) === heading);
  return named(figure!, 'svg')[0];
}

interface Place {
  readonly at: number;
  readonly label: string;
}

/** The tick labels of an axis, and where they are in the drawing. */
function ticksOf(svg: Element, axis: 'x' | 'y'): Place[] {
  const group = named(svg, 'g').find((each) => each.attributes.class === axis);
  return named(group!, 'text').map((text) => ({ at: Number(text.attributes[axis]), label: textOf(text) }));
}

/** The number that a tick label says. */
function numberIn(label: string): number {
  const [, digits, letter] = /^([\d.,]+)([KMB]?)$/.exec(label)!;
  return Number(digits.replaceAll(',', '')) * { '': 1, K: 1e3, M: 1e6, B: 1e9 }[letter]!;
}

/** Reads values off an axis, as its first and last tick tell. */
function scaleOf(svg: Element, axis: 'x' | 'y'): { valueAt: (at: number) => number; tolerance: number } {
  const ticks = ticksOf(svg, axis);
  const [first, last] = [ticks[0], ticks[ticks.length - 1]];
  const perLength = (numberIn(last.label) - numberIn(first.label)) / (last.at - first.at);
  return {
    valueAt: (at) => numberIn(first.label) + (at - first.at) * perLength,
    // Places are rounded to tenths: the point's and those of the ticks.
    tolerance: Math.abs(perLength) * 0.16,
  };
}

/** The places along a path of straight lines. */
function placesIn(path: string): [number, number][] {
  expect(path).toMatch(/^M[\d.]+,[\d.]+(L[\d.]+,[\d.]+)*Z?$/);
  return path
    .replace('Z', '')
    .slice(1)
    .split('L')
    .map((place) => place.split(',').map(Number) as [number, number]);
}

/** Expects the places to show these values over the operations. */
function expectCurve(
  svg: Element,
  places: readonly (readonly [number, number])[],
  samples: ReplayReport['samples'],
  value: (sample: ReplayReport['samples'][number]) => number,
): void {
  const [x, y] = [scaleOf(svg, 'x'), scaleOf(svg, 'y')];
  expect(places.length).toBe(samples.length);
  samples.forEach((sample, i) => {
    expect(Math.abs(x.valueAt(places[i][0]) - sample.operations)).toBeLessThan(x.tolerance);
    expect(Math.abs(y.valueAt(places[i][1]) - value(sample))).toBeLessThan(y.tolerance);
  });
}

/** The heights at which a path has ticks downwards. */
function baselines(path: Element): number[] {
  return [...path.attributes.d.matchAll(/M[\d.]+,([\d.]+)v/g)].map(([, at]) => Number(at));
}

/** The places of the curve in a colour. */
function curveIn(svg: Element, color: 'first' | 'second'): [number, number][] {
  const path = named(svg, 'path').find(({ attributes }) => attributes.stroke === `var(--${color})`);
  return placesIn(path!.attributes.d);
}

describe('the page of a replay', () => {
  let sqlite: Replayed;

  beforeAll(async () => {
    sqlite = await replayed(SQLITE);
    expect(sqlite.status).toBe(0);
  });

  test('needs nothing else', () => {
    const { page, document } = sqlite;
    expect(page).toMatch(/^<!doctype html>\n/);
    for (const name of ['script', 'link', 'iframe', 'object', 'base', 'use'])
      expect(named(document, name)).toEqual([]);
    const attributes = descendants(document).flatMap((element) => Object.entries(element.attributes));
    expect(attributes.filter(([name]) => name.startsWith('on'))).toEqual([]);
    const sources = attributes.filter(([name]) => ['src', 'srcset', 'href', 'xlink:href'].includes(name));
    expect(sources.length).toBe(1);
    expect(sources[0][1]).toMatch(/^data:image\/png;base64,/);
    expect(page).not.toMatch(/https?:|url\(|@import/);
  });

  test('stays small, however long the trace is', async () => {
    const long = await replayed('data/lua.tr.gz');
    expect(long.report.operations).toBeGreaterThan(4 * sqlite.report.operations);
    for (const { page } of [sqlite, long]) expect(page.length).toBeLessThan(40_000);
  });

  test('has a title, the figures and four plots that say what they show', () => {
    const { document } = sqlite;
    expect(textOf(named(document, 'title')[0])).toBe(`Replay of ${SQLITE}`);
    expect(named(document, 'html')[0].attributes.lang).toBe('en');
    expect(textOf(named(document, 'table')[0])).toContain('6,455,501 bytes');
    expect(named(document, 'h2').map(textOf)).toEqual([
      'Occupancy',
      'Memory over time',
      'Fragmentation',
      'Sizes',
    ]);
    const plots = named(document, 'svg');
    expect(plots.map((svg) => svg.attributes.role)).toEqual(['img', 'img', 'img', 'img']);
    expect(plots.map((svg) => svg.attributes['aria-label'])).toEqual([
      'Live memory over 169,718 operations: at most 6.16 MiB asked for, in blocks of 11.7 MiB together; ' +
        'at the end 12.7 KiB, in blocks of 15.6 KiB.',
      'Memory map over 169,718 operations: time runs to the right, addresses from 0 to 16 MiB upwards. ' +
        'The blocks reach up to about 11.8 MiB, and at the end up to about 128 KiB.',
      'Fragmentation over 169,718 operations: internal at most 48.0 %, external at most 68.2 %; ' +
        'at the end 18.5 % and 50.0 %.',
      'Allocations by block size: of 84,867, most (26,820) got a block of 16 B.',
    ]);
    const names = (heading: string): string[] =>
      plotOf(document, heading)
        .children.filter((child) => typeof child !== 'string')
        .filter(({ name }) => name === 'text')
        .map(textOf);
    expect(names('Occupancy')).toEqual(['operations →', '↑ MiB']);
    expect(names('Memory over time')).toEqual(['operations →', '↑ address, MiB']);
    expect(names('Fragmentation')).toEqual(['operations →', '↑ percent']);
    expect(names('Sizes')).toEqual(expect.arrayContaining(['allocations →', 'block']));
  });

  test('follows the reader to dark mode and to a phone', () => {
    const { document, page } = sqlite;
    expect(page).toContain('prefers-color-scheme: dark');
    const viewport = named(document, 'meta').find(({ attributes }) => attributes.name === 'viewport');
    expect(viewport?.attributes.content).toBe('width=device-width, initial-scale=1');
    for (const { attributes } of named(document, 'svg')) {
      const [, width] = /^0 0 (\d+) \d+$/.exec(attributes.viewBox)!;
      // A phone has some 358 pixels for the drawing.
      expect((Number(attributes['font-size']) * 358) / Number(width)).toBeGreaterThan(11);
      expect(attributes.fill).toBe('currentColor');
    }
  });

  test('shows the memory over time', () => {
    const { document, report } = sqlite;
    const svg = plotOf(document, 'Occupancy');
    const used = curveIn(svg, 'second');
    const live = curveIn(svg, 'first');
    expectCurve(svg, used, report.samples, ({ usedUnits }) => (usedUnits * report.unit) / 2 ** 20);
    expectCurve(svg, live, report.samples, ({ liveBytes }) => liveBytes / 2 ** 20);
    // What is asked for is filled, down to the axis.
    const fill = named(svg, 'path').find(({ attributes }) => attributes.fill === 'var(--first)');
    const axis = ticksOf(svg, 'y')[0].at;
    const outline = placesIn(fill!.attributes.d);
    expect(outline).toEqual([[live[0][0], axis], ...live, [live[live.length - 1][0], axis]]);
  });

  test('shows the fragmentation over time', () => {
    const { document, report } = sqlite;
    const svg = plotOf(document, 'Fragmentation');
    expectCurve(svg, curveIn(svg, 'first'), report.samples, (sample) => 100 * sample.internalFragmentation);
    expectCurve(svg, curveIn(svg, 'second'), report.samples, (sample) => 100 * sample.externalFragmentation);
    expect(ticksOf(svg, 'y').map(({ label }) => label)).toEqual(['0', '20', '40', '60', '80', '100']);
  });

  test('shows the sizes from the smallest down to the largest', () => {
    const { document, report } = sqlite;
    const svg = plotOf(document, 'Sizes');
    const bars = named(svg, 'rect');
    const rows = ticksOf(svg, 'y');
    const { valueAt, tolerance } = scaleOf(svg, 'x');
    expect(bars.length).toBe(report.sizes.length);
    expect(rows.length).toBe(report.sizes.length);
    expect(rows.map(({ label }) => label)).toEqual(expect.arrayContaining(['16 B', '1 KiB', '2 MiB']));
    report.sizes.forEach(({ allocations }, i) => {
      const { x, y, width, height } = bars[i].attributes;
      expect(valueAt(Number(x))).toBe(0);
      expect(Math.abs(valueAt(Number(x) + Number(width)) - allocations)).toBeLessThan(tolerance);
      // The bar is level with its name and its number.
      expect(Math.abs(Number(y) + Number(height) / 2 - rows[i].at)).toBeLessThan(0.2);
      if (i > 0) expect(rows[i].at).toBeGreaterThan(rows[i - 1].at);
      const number = named(svg, 'text').find(
        (text) => Number(text.attributes.y) === rows[i].at && Number(text.attributes.x) > Number(x),
      );
      expect(textOf(number!)).toBe(allocations.toLocaleString('en-US'));
      expect(Number(number!.attributes.x)).toBeGreaterThan(Number(x) + Number(width));
    });
  });

  test('has a pixel for every sample and region', () => {
    const { report, document } = sqlite;
    const image = named(document, 'image')[0];
    const png = Buffer.from(image.attributes.href.replace(/^.*base64,/, ''), 'base64');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    expect([width, height]).toEqual([256, 128]);
    const start = png.indexOf('IDAT') + 4;
    const rows = inflateSync(png.subarray(start, start + png.readUInt32BE(start - 8)));
    report.samples.forEach(({ map }, x) => {
      map.forEach((full, region) => {
        // Low addresses at the bottom; a row begins with its filter byte.
        const pixel = rows[(height - 1 - region) * (width + 1) + 1 + x];
        if (full === 0) expect(pixel).toBe(0);
        else expect(Math.abs(pixel - full * 255)).toBeLessThanOrEqual(1);
      });
    });
  });

  test('stretches these pixels over all operations and all addresses', () => {
    const { report, document } = sqlite;
    const svg = plotOf(document, 'Memory over time');
    const image = named(svg, 'image')[0].attributes;
    const [left, top] = [Number(image.x), Number(image.y)];
    const [x, y] = [scaleOf(svg, 'x'), scaleOf(svg, 'y')];
    expect(x.valueAt(left)).toBe(0);
    expect(Math.abs(x.valueAt(left + Number(image.width)) - report.operations)).toBeLessThan(x.tolerance);
    expect(Math.abs(y.valueAt(top + Number(image.height)))).toBeLessThan(y.tolerance);
    expect(Math.abs(y.valueAt(top) - 16)).toBeLessThan(y.tolerance);
    expect(image.preserveAspectRatio).toBe('none');
    expect(image.style).toBe('image-rendering: pixelated');
  });

  test('marks every labelled value, and rules the plots whose values are read off', () => {
    const ruled = { Occupancy: 'y', 'Memory over time': '', Fragmentation: 'y', Sizes: 'x' };
    for (const [heading, grid] of Object.entries(ruled)) {
      const svg = plotOf(sqlite.document, heading);
      const starts = (path: Element): string[] => path.attributes.d.match(/M[\d.]+,[\d.]+[a-zA-Z]/g) ?? [];
      const lines = named(svg, 'path').flatMap(starts);
      const [x, y] = [ticksOf(svg, 'x'), ticksOf(svg, 'y')];
      const [left, bottom] = [x[0].at, Math.max(...named(svg, 'path').flatMap(baselines))];
      for (const { at } of x) {
        expect(lines).toContain(`M${at},${bottom}v`);
        expect(lines.some((line) => line.startsWith(`M${at},`) && line.endsWith('V'))).toBe(grid === 'x');
      }
      for (const { at } of y) {
        expect(lines).toContain(`M${left},${at}h`);
        expect(lines.includes(`M${left},${at}H`)).toBe(grid === 'y');
      }
    }
  });

  // One block of each size, in units that make other peaks of it.
  test.each([
    1,
    2,
    3,
    5,
    7,
    8,
    10,
    14,
    15,
    31,
    32,
    36,
    100,
    499,
    1000,
    1023,
    1024,
    1536,
    5000,
    999_999,
    2 ** 30,
  ])('has ticks at round values for %i bytes', async (bytes) => {
    const { document, report } = await replayed(traceOf([bytes]), '--unit', '1');
    const svg = plotOf(document, 'Occupancy');
    const ticks = ticksOf(svg, 'y');
    const values = ticks.map(({ label }) => numberIn(label));
    const step = values[1];
    expect(values[0]).toBe(0);
    expect(step.toExponential()).toMatch(/^[125]e/);
    expect(ticks.length).toBeLessThanOrEqual(9);
    if (step > 1) expect(ticks.length).toBeGreaterThanOrEqual(5);
    ticks.forEach(({ at, label }, i) => {
      expect(numberIn(label)).toBeCloseTo(i * step, 9);
      expect(Math.abs(at - (ticks[0].at + i * (ticks[1].at - ticks[0].at)))).toBeLessThan(1);
    });
    // The axis ends at the first tick that is no lower than the peak.
    const divisor = 1024 ** Math.floor(Math.log2(report.peakUsedUnits) / 10);
    const peak = report.peakUsedUnits / divisor;
    expect(values[values.length - 1]).toBeGreaterThanOrEqual(peak);
    expect(values[values.length - 2]).toBeLessThan(peak);
    const name = { 1: 'B', 1024: 'KiB', 1048576: 'MiB', 1073741824: 'GiB' }[divisor];
    expect(named(svg, 'text').map(textOf)).toContain(`↑ ${name}`);
    // Half a byte is none.
    if (divisor === 1) expect(Number.isInteger(step)).toBe(true);
  });

  test('shows a single operation as dots', async () => {
    const { document, report } = await replayed(traceOf([40]));
    for (const [heading, first, second] of [
      ['Occupancy', 40, 64],
      ['Fragmentation', 37.5, 0],
    ] as const) {
      const svg = plotOf(document, heading);
      expect(ticksOf(svg, 'x').map(({ label }) => label)).toEqual(['0', '1']);
      const dot = (color: string): [number, number][] =>
        named(svg, 'circle')
          .filter(({ attributes }) => attributes.fill === `var(--${color})`)
          .map(({ attributes }) => [Number(attributes.cx), Number(attributes.cy)]);
      expectCurve(svg, dot('first'), report.samples, () => first);
      expectCurve(svg, dot('second'), report.samples, () => second);
    }
    expect(plotOf(document, 'Occupancy').attributes['aria-label']).toBe(
      'Live memory over 1 operation: at most 40 B asked for, in blocks of 64 B together; ' +
        'at the end 40 B, in blocks of 64 B.',
    );
  });

  test('has axes where nothing found room, too', async () => {
    const { document, status, page } = await replayed(traceOf([64, ~0, 128]), '--capacity', '1');
    expect(status).toBe(1);
    expect(ticksOf(plotOf(document, 'Occupancy'), 'y').map(({ label }) => label)).toEqual(['0', '1']);
    expect(plotOf(document, 'Memory over time').attributes['aria-label']).toContain('reach up to about 0 B,');
    expect(page).not.toMatch(/NaN|Infinity|undefined|null/);
  });

  test('is not written for a trace without operations', async () => {
    const empty = join(folder, 'empty');
    const out = join(folder, 'none.html');
    writeFileSync(empty, '= Start\n= End\n');
    let stderr = '';
    const io = { stderr: { write: (text: string) => (stderr += text) }, env: {} } as unknown as Io;
    expect(await run(['replay', empty, '--html', out], io)).toBe(2);
    expect(stderr).toBe(`error: ${empty}: the trace has no operations\n`);
    expect(existsSync(out)).toBe(false);
  });

  test('has no text that ends an attribute or an element', () => {
    const text = `"<b>&#60;'`;
    const [paragraph] = named(parsePage(element('p', { title: text }, [escapeText(text)])), 'p');
    expect(paragraph.attributes).toEqual({ title: text });
    expect(paragraph.children).toEqual([text]);
  });

  test('shows a file name as text, and failures', async () => {
    const name = traceOf([64, 64], '"<b onclick="x">&amp;\'.tr');
    const { status, document } = await replayed(name, '--capacity', '4');
    expect(status).toBe(1);
    expect(textOf(named(document, 'title')[0])).toBe(`Replay of ${name}`);
    expect(textOf(named(document, 'h1')[0])).toBe(`Replay of ${name}`);
    expect(named(document, 'b')).toEqual([]);
    expect(named(document, 'strong').map(textOf)).toEqual(['1 allocation found no room']);
  });
});

describe('a browser', async () => {
  const browser = await launch();
  if (typeof browser === 'string') console.warn(`The page is not shown: ${browser}.`);
  afterAll(async () => {
    if (typeof browser !== 'string') await browser.close();
  });

  const views = [390, 1280].flatMap((width) =>
    (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
  );
  test.skipIf(typeof browser === 'string').each(views)(
    'shows it, $width wide and $colorScheme',
    async (view) => {
      for (const { file } of [await replayed(SQLITE), await replayed(traceOf([40]))]) {
        const context = await (browser as Browser).newContext({
          viewport: { width: view.width, height: 800 },
          colorScheme: view.colorScheme,
        });
        const tab = await context.newPage();
        const complaints: string[] = [];
        const loads: string[] = [];
        tab.on('console', (message) => complaints.push(message.text()));
        tab.on('request', (request) => loads.push(request.url()));
        await tab.goto(pathToFileURL(file).href);
        const seen = await tab.evaluate(() => ({
          width: document.documentElement.scrollWidth,
          texts: [...document.querySelectorAll('svg')].map((svg) =>
            [...svg.querySelectorAll('text')].map((text) => {
              const { left, right, top, bottom } = text.getBoundingClientRect();
              const { fill, fontSize } = getComputedStyle(text);
              const letters = Number.parseFloat(fontSize) * (svg.getScreenCTM()?.a ?? 0);
              return { text: text.textContent ?? '', left, right, top, bottom, fill, letters };
            }),
          ),
        }));
        await context.close();
        expect(complaints).toEqual([]);
        expect(loads.filter((url) => !url.startsWith('data:'))).toEqual([pathToFileURL(file).href]);
        expect(seen.width).toBeLessThanOrEqual(view.width);
        expect(seen.texts.length).toBe(4);
        const ink = view.colorScheme === 'dark' ? 'rgb(255, 255, 255)' : 'rgb(0, 0, 0)';
        for (const texts of seen.texts) {
          for (const a of texts) {
            expect(a.fill).toBe(ink);
            expect(a.letters).toBeGreaterThan(11);
            expect(a.left, a.text).toBeGreaterThanOrEqual(0);
            expect(a.right, a.text).toBeLessThanOrEqual(view.width);
            for (const b of texts) {
              if (a === b || a.left >= b.right || b.left >= a.right) continue;
              // Lines of letters touch: their boxes have room for accents and descenders.
              expect(
                Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top),
                `${a.text}, ${b.text}`,
              ).toBeLessThan(a.letters / 3);
            }
          }
        }
      }
    },
  );
});
