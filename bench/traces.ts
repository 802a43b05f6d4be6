// `npm run bench -- traces`: chooses workloads and contenders, runs the rounds, prints the report.

import type { Command } from 'commander';
import { failWherePlacementsDiffer, printReport } from './command.ts';
import { OTHERS, OURS } from './contenders/index.ts';
import { runnerFor } from './contenders/runner.ts';
import { type EffortOptions, effortOf } from './effort.ts';
import { machine } from './machine.ts';
import { type Effort, measure, placementsAgree } from './measure.ts';
import { describe } from './native/compile.ts';
import { buildNative, NATIVE_NAME, NativeProgram } from './native/native-program.ts';
import { showProgress } from './progress.ts';
import { arenaCosts, formatReport, type Report, type WorkloadResult } from './report.ts';
import { type WorkloadPlan, workloadPlans } from './workloads.ts';

interface Options extends EffortOptions {
  readonly all?: true;
  readonly json?: true;
  readonly only?: readonly string[];
}

/** The workloads to run and the names of the contenders that run beside ours. */
interface Selection {
  readonly plans: readonly WorkloadPlan[];
  readonly names: readonly string[];
}

/** Each filter narrows what it matches: the workloads, the contenders or both. */
function select({ all, only = [] }: Options, command: Command): Selection {
  let plans = workloadPlans().filter((plan) => all || plan.byDefault);
  let names = [...OTHERS.map(({ name }) => name), NATIVE_NAME, OURS.name];
  const narrow = <T>(from: T[], nameOf: (one: T) => string): T[] => {
    const filters = only.filter((filter) => from.some((one) => nameOf(one).includes(filter)));
    return filters.length === 0
      ? from
      : from.filter((one) => filters.some((filter) => nameOf(one).includes(filter)));
  };
  const unknown = only.find(
    (filter) => ![...plans.map(({ name }) => name), ...names].some((name) => name.includes(filter)),
  );
  if (unknown !== undefined) command.error(`error: no workload or contender is called ${unknown}`);
  plans = narrow(plans, ({ name }) => name);
  names = narrow(names, (name) => name);
  return { plans, names };
}

async function runWorkload(
  plan: WorkloadPlan,
  names: readonly string[],
  native: NativeProgram | undefined,
  effort: Effort,
): Promise<WorkloadResult | undefined> {
  const contenders = OTHERS.filter(({ name, isPeer }) => names.includes(name) && isPeer === plan.forPeers);
  const withNative = native !== undefined && names.includes(NATIVE_NAME) && !plan.forPeers;
  if (contenders.length === 0 && !withNative && !names.includes(OURS.name)) return undefined;
  showProgress(`${plan.name}: preparing`);
  const workload = plan.build();
  const runners = [];
  for (const contender of [OURS, ...contenders]) runners.push(await runnerFor(contender, workload));
  if (withNative) runners.push(await native.runnerFor(workload));
  const operations = workload.operations.length - workload.steadyFrom;
  const measurements = await measure(runners, operations, effort, (phase, number) =>
    showProgress(`${plan.name}: ${phase} ${number}`),
  );
  return {
    workload: plan.name,
    capacity: workload.capacity,
    operations,
    measurements,
    placementsAgree: placementsAgree(measurements),
  };
}

async function bench(options: Options, command: Command): Promise<Report> {
  const { plans, names } = select(options, command);
  const effort = effortOf(options);
  const built = buildNative('reference');
  const native = built.file === undefined ? undefined : new NativeProgram(NATIVE_NAME, built.file);
  const workloads: WorkloadResult[] = [];
  try {
    for (const plan of plans) {
      const result = await runWorkload(plan, names, native, effort);
      if (result) workloads.push(result);
    }
  } finally {
    showProgress('');
    native?.close();
  }
  return {
    machine: machine(),
    native: describe(built),
    effort,
    workloads,
    arenas: arenaCosts(workloads),
  };
}

/** Measures and reports, as the command line says. */
export async function run(options: Options, command: Command): Promise<void> {
  const report = await bench(options, command);
  printReport(report, options, formatReport);
  failWherePlacementsDiffer(report.workloads);
}
