// `npm run bench -- native`: BuddyAllocator beside the classic tree of bytes in C, each in processes of its own, by the processor
// time that it takes: on a machine that has other work, too, that says more than the time that passes.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { printReport } from './command.ts';
import { type Machine, machine } from './machine.ts';
import { describe } from './native/compile.ts';
import { buildNative, NATIVE_NAME, NativeProgram } from './native/native-program.ts';
import { type Turn, turnOf } from './native/turns.ts';
import { showProgress } from './progress.ts';
import { machineLine } from './report.ts';
import { geometricMean, type Summary, summarise } from './statistics.ts';
import { planNamed, type Workload, workloadPlans } from './workloads.ts';

/** The workload that suits address order least. */
const RANDOM = '2^20 small random 60%';

/** What came out on one workload. Times are nanoseconds of the processor per operation. */
interface Result {
  readonly workload: string;
  readonly isTrace: boolean;
  readonly ours: Summary;
  readonly tree: Summary;
  /** The tree's time divided by ours of the same round. */
  readonly ratio: Summary;
  /** The least times of all replays, and the tree's divided by ours: on a busy machine the ratio that depends least on it. */
  readonly least: { readonly ours: number; readonly tree: number; readonly ratio: number };
}

interface Report {
  readonly machine: Machine;
  readonly native: string;
  readonly processes: number;
  readonly results: readonly Result[];
  /** The geometric mean of the ratios on the traces, of the medians and of the least times. */
  readonly mean: number;
  readonly meanOfLeast: number;
}

interface Options {
  readonly processes: number;
  readonly quick?: true;
  readonly json?: true;
  readonly only?: readonly string[];
}

const oursFile = fileURLToPath(new URL('native/turn.ts', import.meta.url));

async function turnOfOurs(name: string, replays: number): Promise<Turn> {
  const parameters = ['--import', 'tsx', oursFile, name, String(replays)];
  return JSON.parse((await promisify(execFile)(process.execPath, parameters)).stdout) as Turn;
}

async function turnOfTree(file: string, workload: Workload, replays: number): Promise<Turn> {
  const program = new NativeProgram(NATIVE_NAME, file);
  try {
    return await turnOf(await program.runnerFor(workload), workload, replays);
  } finally {
    program.close();
  }
}

async function measure(
  name: string,
  file: string,
  { processes, quick }: Options,
): Promise<Pick<Result, 'ours' | 'tree' | 'ratio' | 'least'>> {
  const workload = planNamed(name).build();
  const [rounds, replays] = quick ? [2, 3] : [processes, 9];
  const ours: Turn[] = [];
  const tree: Turn[] = [];
  for (let round = 0; round < rounds; round++) {
    showProgress(`${name}: round ${round + 1}`);
    const turns = [
      async () => ours.push(await turnOfOurs(name, replays)),
      async () => tree.push(await turnOfTree(file, workload, replays)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  if (new Set([...ours, ...tree].map(({ failures, hash }) => `${failures} ${hash}`)).size > 1) {
    throw new Error(`placements differ: ${name}`);
  }
  const leastOf = (turns: readonly Turn[]) => Math.min(...turns.map(({ leastNs }) => leastNs));
  const least = { ours: leastOf(ours), tree: leastOf(tree) };
  const [ourTimes, treeTimes] = [ours, tree].map((turns) => turns.map(({ ns }) => ns));
  return {
    ours: summarise(ourTimes),
    tree: summarise(treeTimes),
    ratio: summarise(treeTimes.map((ns, i) => ns / ourTimes[i])),
    least: { ...least, ratio: least.tree / least.ours },
  };
}

function format({ machine, native, processes, results, mean, meanOfLeast }: Report): string {
  const table = new Table({
    head: [
      'workload',
      'ours, ns',
      NATIVE_NAME,
      'divided',
      'quartiles',
      'least: ours',
      NATIVE_NAME,
      'divided',
    ],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { workload, ours, tree, ratio, least } of results) {
    table.push([
      workload,
      ours.median.toFixed(1),
      tree.median.toFixed(1),
      ratio.median.toFixed(2),
      `${ratio.q1.toFixed(2)} – ${ratio.q3.toFixed(2)}`,
      least.ours.toFixed(1),
      least.tree.toFixed(1),
      least.ratio.toFixed(2),
    ]);
  }
  return [
    machineLine(machine),
    `${NATIVE_NAME}: ${native}`,
    `Processor time per operation: medians of ${processes} processes of each, by turns, and the least of all replays.`,
    '"divided": the time of the tree in C divided by ours, of the same round or of the least times.',
    table.toString(),
    `The geometric mean of the traces: ${mean.toFixed(2)} by the medians, ${meanOfLeast.toFixed(2)} by the least times.`,
    '',
  ].join('\n');
}

/** Measures and reports, as the command line says. */
export async function run(options: Options, command: Command): Promise<void> {
  const { only = [''] } = options;
  const plans = workloadPlans()
    .filter(({ isWholeTrace, name }) => isWholeTrace || name === RANDOM)
    .filter(({ name }) => only.some((part) => name.includes(part)));
  if (plans.length === 0) command.error(`error: no workload is called ${only.join(', ')}`);
  const built = buildNative('reference');
  if (built.file === undefined) {
    console.error(`error: there is nothing to compare with: ${built.missing}`);
    process.exitCode = 1;
    return;
  }
  const results: Result[] = [];
  for (const { name, isWholeTrace } of plans) {
    results.push({ workload: name, isTrace: isWholeTrace, ...(await measure(name, built.file, options)) });
  }
  showProgress('');
  const traces = results.filter(({ isTrace }) => isTrace);
  const mean = geometricMean(traces.map(({ ratio }) => ratio.median));
  const meanOfLeast = geometricMean(traces.map(({ least }) => least.ratio));
  const processes = options.quick ? 2 : options.processes;
  const report = { machine: machine(), native: describe(built), processes, results, mean, meanOfLeast };
  printReport(report, options, format);
}
