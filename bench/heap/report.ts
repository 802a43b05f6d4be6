// The results as tables of contenders by workloads. They are Markdown, to go into the documentation as they are.

import type { Machine } from '../machine.ts';
import type { Effort, Measurement } from '../measure.ts';
import { machineLine } from '../report.ts';
import { geometricMean } from '../statistics.ts';
import { FIRST_FIT, type Footprint } from './footprint.ts';
import type { Slowest } from './slowest.ts';

/** Times of one kind of work on one workload. */
export interface TimeResult {
  readonly work: string;
  readonly workload: string;
  readonly operations: number;
  /** The first one is Heap. */
  readonly measurements: readonly Measurement[];
}

/** What one workload takes. All numbers are bytes. */
export interface FootprintResult {
  readonly workload: string;
  readonly peak: number;
  readonly firstFit: number;
  /** The first one is Heap. */
  readonly footprints: readonly Footprint[];
}

export interface SlowestResult {
  readonly workload: string;
  readonly slowest: readonly Slowest[];
}

/** Everything that a run of the benchmark found. A part that was not asked for is empty. */
export interface Report {
  readonly machine: Machine;
  /** The compiler of the native program, and what is missing. */
  readonly native: string;
  readonly effort: Effort;
  readonly times: readonly TimeResult[];
  readonly footprints: readonly FootprintResult[];
  readonly slowest: readonly SlowestResult[];
}

function table(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [[title, ...columns], ...rows];
  const widths = all[0].map((_, i) => Math.max(...all.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const [head, ...body] = all.map((row) =>
    line(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))),
  );
  const rule = line(widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)));
  return [head, rule, ...body, ''].join('\n');
}

const ratio = (value: number): string => value.toFixed(2);
const MEAN = 'geometric mean';

/** A row of ratios and their geometric mean. */
const ratios = (name: string, values: readonly number[]): string[] => [
  name,
  ...values.map(ratio),
  ratio(geometricMean(values)),
];

/** Nanoseconds, and in brackets the time divided by Heap's in the same round. */
function timeTable(results: readonly TimeResult[]): string {
  const [{ work, measurements }] = results;
  const rows = measurements.map(({ name }, i) => {
    const own = results.map((result) => result.measurements[i]);
    const ns = own.map(({ nsPerOperation }) => nsPerOperation.median);
    const times = own.map(({ timesBase }) => timesBase.median);
    const cell = (nanoseconds: number, timesHeap: number): string =>
      i === 0 ? nanoseconds.toFixed(1) : `${nanoseconds.toFixed(1)} (${ratio(timesHeap)})`;
    return [
      name,
      ...ns.map((one, at) => cell(one, times[at])),
      cell(geometricMean(ns), geometricMean(times)),
    ];
  });
  return table(`${work}: ns`, [...results.map(({ workload }) => workload), MEAN], rows);
}

/** Who had no room for what, in a line each. */
const refusals = (results: readonly TimeResult[]): string[] =>
  results.flatMap(({ work, workload, measurements }) =>
    measurements
      .filter(({ failures }) => failures > 0)
      .map(({ name, failures }) => `${name} had no room ${failures} times: ${workload}, ${work}.\n`),
  );

function timeSection({ native, effort, times }: Report): string[] {
  if (times.length === 0) return [];
  const works = [...new Set(times.map(({ work }) => work))];
  return [
    `Native allocators: ${native}`,
    `Medians of up to ${effort.rounds} interleaved rounds, in brackets divided by Heap's time in the same round.`,
    'With realloc, every block is asked for at half its size, and then resized to the whole.',
    '',
    ...works.map((name) => timeTable(times.filter(({ work }) => work === name))),
    ...refusals(times),
  ];
}

function footprintTables(results: readonly FootprintResult[]): string[] {
  if (results.length === 0) return [];
  const names = results[0].footprints.map(({ name }) => name);
  const columns = [...results.map(({ workload }) => workload), MEAN];
  const perPeak = (bytes: (result: FootprintResult) => number): number[] =>
    results.map((result) => bytes(result) / result.peak);
  return [
    table('footprint / peak of live bytes', columns, [
      ...names.map((name, i) =>
        ratios(
          name,
          perPeak(({ footprints }) => footprints[i].footprint),
        ),
      ),
      ratios(
        FIRST_FIT,
        perPeak(({ firstFit }) => firstFit),
      ),
      ratios(
        `${names[0]} / first fit`,
        results.map(({ footprints, firstFit }) => footprints[0].footprint / firstFit),
      ),
      ['peak of live bytes, KiB', ...results.map(({ peak }) => kibibytes(peak)), ''],
    ]),
    table('memory in the end / peak of live bytes', columns, [
      ...names.map((name, i) =>
        ratios(
          name,
          perPeak(({ footprints }) => footprints[i].memory),
        ),
      ),
      [`state of ${names[0]}, KiB`, ...results.map(({ footprints }) => kibibytes(footprints[0].state)), ''],
    ]),
  ];
}

const kibibytes = (bytes: number): string => (bytes / 1024).toFixed(0);

function slowestSection(results: readonly SlowestResult[]): string[] {
  if (results.length === 0) return [];
  const rows = results[0].slowest.map(({ name }, i) => [
    name,
    ...results.map(({ slowest }) => {
      const { least, median } = slowest[i];
      return `${(least / 1000).toFixed(0)} (${(median / 1000).toFixed(0)})`;
    }),
  ]);
  const columns = results.map(({ workload }) => workload);
  return [
    'Slowest call of a heap that grows: each call by the least of its times in all passes; in brackets the median of the',
    "passes' slowest calls, interruptions included.",
    '',
    table('slowest call, µs', columns, rows),
  ];
}

/** The report as text for a terminal. */
export function formatReport(report: Report): string {
  const { machine, footprints, slowest } = report;
  return [
    machineLine(machine),
    '',
    ...timeSection(report),
    ...footprintTables(footprints),
    ...slowestSection(slowest),
  ].join('\n');
}
