// `npm run bench -- heap`: Heap against other allocators of bytes, on the traces: malloc and free, then realloc too.

import Table from 'cli-table3';
import type { Command } from 'commander';
import { printReport } from './command.ts';
import { codemix } from './contenders/codemix.ts';
import type { Contender } from './contenders/contender.ts';
import { memPool } from './contenders/mem-pool.ts';
import { runnerFor } from './contenders/runner.ts';
import { typedArray } from './contenders/typed-array.ts';
import { type EffortOptions, effortOf } from './effort.ts';
import { growingHeap, growingPeers, growingWasiLibc } from './heap/growing.ts';
import { heap } from './heap/heap.ts';
import { wasiLibc } from './heap/wasi-libc.ts';
import { type Machine, machine } from './machine.ts';
import { type Effort, measure, placementsAgree, type Runner } from './measure.ts';
import { showProgress } from './progress.ts';
import { machineLine, type WorkloadResult, workloadTable } from './report.ts';
import { type Workload, type WorkloadPlan, workloadPlans } from './workloads.ts';

/** What is done with every block of a trace, and by whom. Ours is the base of the ratios. */
interface Work {
  readonly name: string;
  readonly ours: Contender;
  readonly others: readonly Contender[];
}

const WORKS: readonly Work[] = [
  { name: 'malloc, free', ours: heap, others: [wasiLibc, memPool, codemix, typedArray] },
  { name: 'malloc, realloc, free', ours: growingHeap, others: [growingWasiLibc, ...growingPeers] },
];

interface Options extends EffortOptions {
  readonly against?: readonly string[];
  readonly json?: true;
}

interface Report {
  readonly machine: Machine;
  readonly effort: Effort;
  readonly workloads: readonly WorkloadResult[];
}

async function runWorkload(plan: WorkloadPlan, work: Work, effort: Effort): Promise<WorkloadResult> {
  const name = `${plan.name}\n${work.name}`;
  const workload: Workload = plan.build();
  const runners: Runner[] = [];
  for (const contender of [work.ours, ...work.others]) {
    if (!contender.isPeer || plan.forPeers) runners.push(await runnerFor(contender, workload));
  }
  const operations = workload.operations.length;
  const measurements = await measure(runners, operations, effort, (phase, number) =>
    showProgress(`${plan.name}, ${work.name}: ${phase} ${number}`),
  );
  const { capacity } = workload;
  return {
    workload: name,
    capacity,
    operations,
    measurements,
    placementsAgree: placementsAgree(measurements),
  };
}

/** All kinds of work with only those others whose name contains one of `names`. */
function against(names: readonly string[] | undefined, command: Command): readonly Work[] {
  if (!names) return WORKS;
  const unknown = names.find((name) => !WORKS[0].others.some((other) => other.name.includes(name)));
  if (unknown !== undefined) command.error(`error: no contender is called ${unknown}`);
  return WORKS.map((work) => ({
    ...work,
    others: work.others.filter((other) => names.some((name) => other.name.includes(name))),
  }));
}

async function bench(options: Options, command: Command): Promise<Report> {
  const works = against(options.against, command);
  const effort = effortOf(options);
  const workloads: WorkloadResult[] = [];
  const plans = workloadPlans().filter(({ isWholeTrace, forPeers }) => isWholeTrace || forPeers);
  for (const work of works) {
    for (const plan of plans) workloads.push(await runWorkload(plan, work, effort));
  }
  showProgress('');
  return { machine: machine(), effort, workloads };
}

/** For each kind of work and each contender, the lowest and the highest of its median ratios over the traces. */
function rangeTable(workloads: readonly WorkloadResult[]): string {
  const table = new Table({
    head: ['work', 'contender', 'x ours, lowest', 'highest'],
    colAligns: ['left', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, others } of WORKS) {
    const results = workloads.filter(({ workload }) => workload.endsWith(`\n${name}`));
    for (const other of others) {
      const ratios = results
        .flatMap(({ measurements }) => measurements.filter((one) => one.name === other.name))
        .map(({ timesBase }) => timesBase.median);
      if (ratios.length === 0) continue;
      table.push([name, other.name, Math.min(...ratios).toFixed(2), Math.max(...ratios).toFixed(2)]);
    }
  }
  return table.toString();
}

function format({ machine, effort, workloads }: Report): string {
  return [
    machineLine(machine),
    `Medians of ${effort.rounds} interleaved rounds. "x ours": time divided by that of Heap in the same round.`,
    'With realloc, every block of the trace is asked for at half its size and then resized.',
    workloadTable(workloads),
    'Over the traces:',
    rangeTable(workloads),
    '',
  ].join('\n');
}

/** Measures and reports, as the command line says. */
export async function run(options: Options, command: Command): Promise<void> {
  printReport(await bench(options, command), options, format);
}
