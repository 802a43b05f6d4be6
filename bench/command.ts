// What the benchmark commands do alike: print, and say by the exit code how it went.

import type { WorkloadResult } from './report.ts';

/** Prints a report, as JSON with --json. */
export function printReport<Report>(
  report: Report,
  { json }: { readonly json?: true },
  format: (report: Report) => string,
): void {
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : format(report));
}

/** Exit code 1 when contenders that must place every block alike have not. */
export function failWherePlacementsDiffer(workloads: readonly WorkloadResult[]): void {
  const differing = workloads.filter((result) => !result.placementsAgree);
  if (differing.length === 0) return;
  console.error(`Placements differ: ${differing.map(({ workload }) => workload).join('; ')}`);
  process.exitCode = 1;
}
