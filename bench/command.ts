// What the benchmark commands do alike: parse, measure, print, and say by the exit code how it went.

import type { Command } from 'commander';
import type { WorkloadResult } from './report.ts';

/** Runs `bench` by the command line and prints its report, as JSON with --json. */
export async function runCommand<Options extends { readonly json?: true }, Report>(
  command: Command,
  bench: (options: Options) => Promise<Report>,
  format: (report: Report) => string,
): Promise<Report> {
  const options = command.parse().opts<Options>();
  const report = await bench(options);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : format(report));
  return report;
}

/** Exit code 1 when contenders that must place every block alike have not. */
export function failWherePlacementsDiffer(workloads: readonly WorkloadResult[]): void {
  const differing = workloads.filter((result) => !result.placementsAgree);
  if (differing.length === 0) return;
  console.error(`Placements differ: ${differing.map(({ workload }) => workload).join('; ')}`);
  process.exitCode = 1;
}
