// The reports as a table: for a terminal, and for a page of the documentation.

import Table from 'cli-table3';
import { type Absence, differences, having, isReport, type Report } from './report.ts';

/** What the runtime does not offer, each once, with the checks that are skipped for it. */
function notOffered(report: Report): string {
  const counts = new Map<string, number>();
  for (const { message } of having(report, 'skipped')) counts.set(message, (counts.get(message) ?? 0) + 1);
  return [...counts].map(([what, count]) => (count === 1 ? what : `${what} (${count})`)).join(', ');
}

export function terminalTable(entries: readonly (Report | Absence)[]): string {
  const table = new Table({
    head: ['runtime', 'version', 'engine', 'passed', 'failed', 'skipped, for it lacks', 'seconds'],
    style: { head: [], border: [] },
    colWidths: [null, null, null, null, null, 44, null],
    wordWrap: true,
  });
  for (const entry of entries) {
    if (isReport(entry)) {
      const { runtime, version, engine, milliseconds } = entry;
      const counts = [having(entry, 'passed').length, having(entry, 'failed').length];
      table.push([runtime, version, engine, ...counts, notOffered(entry), (milliseconds / 1000).toFixed(1)]);
    } else {
      table.push([entry.runtime, { colSpan: 6, content: `not installed: ${entry.hint}` }]);
    }
  }
  return table.toString();
}

/** What failed, and what is not the same everywhere, a line or more each; empty when all is well. */
export function failureText(reports: readonly Report[]): string {
  const failures = reports.flatMap((report) =>
    having(report, 'failed').map(({ name, message }) => `FAILED in ${report.runtime}: ${name}\n  ${message}`),
  );
  return [...failures, ...differences(reports).map((text) => `NOT THE SAME EVERYWHERE: ${text}`)].join('\n');
}

export function markdownTable(reports: readonly Report[]): string {
  const rows = reports.map((report) => {
    const counts = [having(report, 'passed').length, having(report, 'failed').length];
    return `| ${[report.runtime, report.version, report.engine, ...counts, notOffered(report) || '–'].join(' | ')} |`;
  });
  return [
    '| runtime | version | engine | passed | failed | skipped, for it lacks |',
    '| ------- | ------- | ------ | -----: | -----: | --------------------- |',
    ...rows,
  ].join('\n');
}
