// `npm run long -- runtimes`: the conformance suite in every runtime that is here, and a table of what came out.

import { install, type PackageName } from '../conformance/runner/npm.ts';
import { type Absence, allWell, isReport, type Report } from '../conformance/runner/report.ts';
import { runIn } from '../conformance/runner/run.ts';
import { RUNTIMES } from '../conformance/runner/runtimes.ts';
import { failureText, markdownTable, terminalTable } from '../conformance/runner/table.ts';
import { update } from '../conformance/runner/update.ts';

const PAGES = ['docs/runtimes.md'];

interface Options {
  readonly install?: true;
  readonly newest?: true;
  readonly json?: true;
  readonly update?: true;
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/**
 * Runs the suite, as the command line says.
 *
 * @param named - ids of runtimes; none means all that are here.
 */
export async function run(named: readonly string[], options: Options): Promise<void> {
  const wanted = RUNTIMES.filter(({ id }) => named.length === 0 || named.includes(id));

  if (options.install || options.newest) {
    const missing = wanted.filter((runtime) => options.newest || runtime.find() === null);
    const packages = missing.flatMap(({ package: name }): PackageName[] =>
      name === undefined ? [] : [name],
    );
    if (packages.length > 0) {
      console.error(`Installing ${packages.join(', ')} …`);
      await install(packages, options.newest ?? false).catch((error: Error) => fail(error.message));
    }
  }

  const entries: (Report | Absence)[] = [];
  for (const runtime of wanted) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${runtime.name} …`);
    entries.push(await runIn(runtime, '.'));
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');

  const reports = entries.filter(isReport);
  console.log(options.json ? JSON.stringify(entries, null, 2) : terminalTable(entries));
  const failures = failureText(reports);
  if (failures !== '') console.error(failures);

  const absent = entries.filter((entry): entry is Absence => !isReport(entry));
  const names = absent.map(({ runtime }) => runtime).join('; ');
  // Who names a runtime, or publishes the table, means it.
  if (absent.length > 0 && named.length > 0) fail(`Not installed: ${names}.`);
  if (options.update) {
    if (entries.length < RUNTIMES.length || absent.length > 0) {
      fail(
        `Nothing is updated, as the table would lack runtimes. ${names === '' ? '' : `Not installed: ${names}.`}`,
      );
    }
    await update(PAGES, markdownTable(reports)).catch((error: Error) => fail(error.message));
  }
  process.exitCode = allWell(reports) ? 0 : 1;
}
