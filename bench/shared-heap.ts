// `npm run bench -- shared-heap`: SharedHeap with many workers, by the patterns of the field, beside other heaps.

import type { Command } from 'commander';
import { printReport } from './command.ts';
import { type EffortOptions, effortOf } from './effort.ts';
import { machine } from './machine.ts';
import { showProgress } from './progress.ts';
import { type Bundle, bundleOf } from './shared/bundle.ts';
import { WORKER } from './shared/team.ts';
import { hold } from './shared-heap/contest.ts';
import { formatReport, type Report, type SuiteResult } from './shared-heap/report.ts';
import { SUITES, type Suite } from './shared-heap/suites.ts';

/** Milliseconds that a contender works in a round. */
const MS = 50;
const QUICK_MS = 5;

/** What the command line says. */
export interface Options extends EffortOptions {
  readonly workers: readonly number[];
  readonly pattern?: string;
  readonly against?: readonly string[];
  readonly cpu?: true;
  readonly json?: true;
}

/** SharedHeap, the base, and those whose name contains one of `against`. */
function entrantsOf({ entrants, base }: Suite, against: readonly string[] | undefined): Suite['entrants'] {
  return entrants.filter(
    (one) =>
      one === base ||
      one.name.startsWith('SharedHeap') ||
      (against?.some((text) => one.name.includes(text)) ?? true),
  );
}

async function measure(suite: Suite, bundle: Bundle, options: Options): Promise<SuiteResult> {
  const { against, workers, quick, cpu = false } = options;
  const effort = effortOf(options);
  const entrants = entrantsOf(suite, against);
  const patterns = [];
  for (const pattern of suite.names) {
    if (options.pattern !== undefined && options.pattern !== pattern) continue;
    const contest = { suite, pattern, entrants, workers, effort, ms: quick ? QUICK_MS : MS, cpu };
    patterns.push(await hold(contest, bundle, (text) => showProgress(`${pattern}: ${text}`)));
  }
  return { unit: suite.unit, base: suite.base.name, patterns };
}

/** Measures what the options say. */
export async function bench(options: Options): Promise<Report> {
  const suites = SUITES.filter(
    ({ names }) => options.pattern === undefined || names.includes(options.pattern),
  );
  const modules = suites.flatMap(({ patterns, entrants }) => [
    patterns,
    ...entrants.map((one) => one.module),
  ]);
  const bundle = await bundleOf([WORKER, ...modules]);
  try {
    const results: SuiteResult[] = [];
    for (const suite of suites) results.push(await measure(suite, bundle, options));
    const { rounds } = effortOf(options);
    return { machine: machine(), rounds, cpu: options.cpu ?? false, suites: results };
  } finally {
    showProgress('');
    bundle.remove();
  }
}

/** Measures and reports, as the command line says. */
export async function run(options: Options, command: Command): Promise<void> {
  const names = SUITES.flatMap(({ entrants }) => entrants).map(({ name }) => name);
  const unknown = options.against?.find((text) => !names.some((name) => name.includes(text)));
  if (unknown !== undefined) command.error(`error: no contender is called ${unknown}`);
  printReport(await bench(options), options, formatReport);
}
