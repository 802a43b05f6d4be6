// What a run of the suite in one runtime came to, and what several runs have in common.

/** What suite.mjs returns for a check. */
export interface Result {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly message: string;
  readonly fingerprint: number | null;
}

export interface Report {
  /** The runtime's name. */
  readonly runtime: string;
  readonly version: string;
  readonly engine: string;
  readonly milliseconds: number;
  readonly results: readonly Result[];
}

/** A runtime that the suite did not run in. */
export interface Absence {
  readonly runtime: string;
  /** How to get it. */
  readonly hint: string;
}

export function isReport(entry: Report | Absence): entry is Report {
  return 'results' in entry;
}

/** The results that have that status. */
export function having(report: Report, status: Result['status']): readonly Result[] {
  return report.results.filter((result) => result.status === status);
}

/** A run that gave no results counts as one failed check. */
export function failedRun(message: string): Result[] {
  return [{ name: 'suite: runs to its end', status: 'failed', message, fingerprint: null }];
}

/** The checks whose fingerprints are not the same in all runtimes, in words. */
export function differences(reports: readonly Report[]): string[] {
  const seen = new Map<string, Map<number, string[]>>();
  for (const { runtime, results } of reports) {
    for (const { name, fingerprint } of results) {
      if (fingerprint === null) continue;
      const byValue = seen.get(name) ?? new Map<number, string[]>();
      seen.set(name, byValue);
      byValue.set(fingerprint, [...(byValue.get(fingerprint) ?? []), runtime]);
    }
  }
  return [...seen]
    .filter(([, byValue]) => byValue.size > 1)
    .map(([name, byValue]) => {
      const sides = [...byValue].map(([value, runtimes]) => `${value} in ${runtimes.join(', ')}`);
      return `${name}: ${sides.join('; ')}`;
    });
}

/** Whether all checks passed or were skipped, and alike in all runtimes. */
export function allWell(reports: readonly Report[]): boolean {
  return (
    reports.every((report) => having(report, 'failed').length === 0) && differences(reports).length === 0
  );
}
