// The results as tables for a terminal.

import type { Machine } from '../machine.ts';
import { machineLine, plainTable } from '../report.ts';
import type { Measurement, PatternResult } from './contest.ts';

/** What came out for the patterns of one suite. */
export interface SuiteResult {
  /** What is counted. */
  readonly unit: string;
  /** The contender whose rate with one worker is the base of the ratios. */
  readonly base: string;
  readonly patterns: readonly PatternResult[];
}

/** Everything that a run of the benchmark found. */
export interface Report {
  readonly machine: Machine;
  readonly rounds: number;
  /** Whether the time on processors was counted. */
  readonly cpu: boolean;
  readonly suites: readonly SuiteResult[];
}

/** A table of all measurements of a suite, by pattern and number of workers; `cell` is undefined where there is nothing. */
function table({ patterns }: SuiteResult, cell: (one: Measurement) => string | undefined): string {
  const all = patterns.flatMap(({ measurements }) => measurements);
  const names = [...new Set(all.map(({ name }) => name))];
  const rows = patterns.flatMap(({ pattern, measurements }) => {
    const numbers = [...new Set(measurements.map(({ workers }) => workers))].sort((a, b) => a - b);
    return numbers.flatMap((workers) => {
      const cells = names.map((name) => {
        const found = measurements.find((one) => one.name === name && one.workers === workers);
        return found && cell(found);
      });
      const isEmpty = cells.every((text) => text === undefined);
      return isEmpty ? [] : [[pattern, String(workers), ...cells.map((text) => text ?? '')]];
    });
  });
  return rows.length === 0 ? '' : plainTable(['pattern', 'workers', ...names], rows);
}

const rate = ({ rate, timesBase }: Measurement): string =>
  `${rate.median.toPrecision(3)} (${timesBase.median.toPrecision(2)})`;

const speedup = ({ workers, speedup }: Measurement): string | undefined =>
  workers === 1 ? undefined : speedup?.median.toFixed(2);

/** Who had no room, in a line each. */
const refusals = ({ patterns }: SuiteResult): string[] =>
  patterns.flatMap(({ pattern, measurements }) =>
    measurements
      .filter(({ refused }) => refused > 0)
      .map(
        ({ name, workers, refused }) =>
          `${name} had no room for ${(100 * refused).toPrecision(2)} % of the requests: ${pattern}, workers: ${workers}.`,
      ),
  );

/** The report as text for a terminal. */
export function formatReport({ machine, rounds, cpu, suites }: Report): string {
  const lines = [machineLine(machine), `Medians of ${rounds} interleaved rounds.`];
  if (cpu)
    lines.push('Only time on processors counts, as if no other process were there: waiting is not seen.');
  for (const suite of suites) {
    lines.push(
      '',
      `Millions of ${suite.unit} per second, of all workers together;`,
      `in brackets divided by what one worker does with ${suite.base}, in the same round.`,
      table(suite, rate),
      ...refusals(suite),
    );
    const speedups = table(suite, speedup);
    if (speedups !== '') lines.push('', 'Divided by what one worker does with the same heap:', speedups);
  }
  return `${lines.join('\n')}\n`;
}
