// `npm run bench -- designs`: the same allocator built in different ways, side by side on the traces.

import Table from 'cli-table3';
import { failWherePlacementsDiffer, printReport } from './command.ts';
import { buddy, buddyMetadataBytes } from './contenders/buddy.ts';
import { reference, referenceMetadataBytes } from './contenders/reference.ts';
import { runnerFor } from './contenders/runner.ts';
import type { Design } from './designs/design.ts';
import { orderBitmaps } from './designs/order-bitmaps.ts';
import { buildWebAssembly, WASM_NAME, webAssembly } from './designs/web-assembly.ts';
import { word16 } from './designs/word16.ts';
import { type EffortOptions, effortOf } from './effort.ts';
import { type Machine, machine } from './machine.ts';
import { type Effort, measure, placementsAgree, type Runner } from './measure.ts';
import { describe } from './native/compile.ts';
import { buildNative, NATIVE_NAME, NativeProgram } from './native/native-program.ts';
import { showProgress } from './progress.ts';
import { machineLine, type WorkloadResult, workloadTable } from './report.ts';
import { type Workload, workloadPlans } from './workloads.ts';

const SHIPPED: Design = {
  ...buddy,
  name: 'shipped',
  summary: '32 children in two int32, an index cleared lazily',
  metadataBytes: buddyMetadataBytes,
};

const BYTE_TREE: Design = {
  ...reference,
  summary: 'one byte for every block of every order',
  metadataBytes: referenceMetadataBytes,
};

/** The designs written in C that run outside JavaScript. */
const PROGRAMS = [
  { name: 'shipped in C', program: 'word-tree', summary: 'the floor of this machine for the algorithm' },
  { name: NATIVE_NAME, program: 'reference', summary: 'the byte tree in C' },
] as const;

/** A design as it stands beside the others. */
interface DesignResult {
  readonly name: string;
  readonly summary: string;
  /** Bytes of metadata for each unit of the arena. */
  readonly bytesPerUnit: number;
  /** Geometric mean over the workloads of the median time divided by the shipped design's. */
  readonly timesShipped: number;
}

interface Report {
  readonly machine: Machine;
  /** The compiler of every design in C, or why it is left out. */
  readonly compilers: Readonly<Record<string, string>>;
  readonly effort: Effort;
  readonly designs: readonly DesignResult[];
  readonly workloads: readonly WorkloadResult[];
}

/** A design set up for one workload. */
interface Entry {
  readonly runner: Runner;
  readonly summary: string;
  readonly metadataBytes: number;
}

async function runWorkload(
  workload: Workload,
  entries: readonly Entry[],
  effort: Effort,
): Promise<WorkloadResult> {
  const operations = workload.operations.length - workload.steadyFrom;
  const measurements = await measure(
    entries.map(({ runner }) => runner),
    operations,
    effort,
    (phase, number) => showProgress(`${workload.name}: ${phase} ${number}`),
  );
  return {
    workload: workload.name,
    capacity: workload.capacity,
    operations,
    measurements,
    placementsAgree: placementsAgree(measurements),
  };
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

async function bench(effort: Effort): Promise<Report> {
  const wasm = buildWebAssembly();
  const designs: Design[] = [SHIPPED, word16, orderBitmaps, BYTE_TREE];
  const compilers: Record<string, string> = { [WASM_NAME]: describe(wasm) };
  if (wasm.file !== undefined) designs.push(webAssembly(wasm.file));
  const programs: { program: NativeProgram; summary: string }[] = [];
  for (const { name, program, summary } of PROGRAMS) {
    const built = buildNative(program);
    compilers[name] = describe(built);
    if (built.file !== undefined) programs.push({ program: new NativeProgram(name, built.file), summary });
  }
  const workloads: WorkloadResult[] = [];
  let entries: Entry[] = [];
  try {
    for (const plan of workloadPlans().filter(({ isWholeTrace }) => isWholeTrace)) {
      const workload = plan.build();
      entries = [];
      for (const design of designs) {
        const metadataBytes = design.metadataBytes(workload.capacity);
        entries.push({ runner: await runnerFor(design, workload), summary: design.summary, metadataBytes });
      }
      for (const { program, summary } of programs) {
        const runner = await program.runnerFor(workload);
        entries.push({ runner, summary, metadataBytes: runner.metadataBytes });
      }
      workloads.push(await runWorkload(workload, entries, effort));
    }
  } finally {
    showProgress('');
    for (const { program } of programs) program.close();
  }
  return {
    machine: machine(),
    compilers,
    effort,
    designs: entries.map(({ runner, summary, metadataBytes }, i) => ({
      name: runner.name,
      summary,
      bytesPerUnit: metadataBytes / workloads[0].capacity,
      timesShipped: geometricMean(workloads.map(({ measurements }) => measurements[i].timesBase.median)),
    })),
    workloads,
  };
}

function designTable(designs: readonly DesignResult[]): string {
  const table = new Table({
    head: ['design', 'bytes/unit', 'x shipped', ''],
    colAligns: ['left', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, summary, bytesPerUnit, timesShipped } of designs) {
    table.push([name, bytesPerUnit.toFixed(3), timesShipped.toFixed(2), summary]);
  }
  return table.toString();
}

function format({ machine, compilers, effort, designs, workloads }: Report): string {
  return [
    machineLine(machine),
    ...Object.entries(compilers).map(([name, compiler]) => `${name}: ${compiler}`),
    `Medians of ${effort.rounds} interleaved rounds. "x ours": time divided by the shipped design's of the same round.`,
    workloadTable(workloads),
    ...(workloads.every((result) => result.placementsAgree)
      ? ['Every design placed every block alike.']
      : []),
    'Metadata, and the geometric mean of the ratios above:',
    designTable(designs),
    '',
  ].join('\n');
}

/** Measures and reports, as the command line says. */
export async function run(options: EffortOptions & { readonly json?: true }): Promise<void> {
  const report = await bench(effortOf(options));
  printReport(report, options, format);
  failWherePlacementsDiffer(report.workloads);
}
