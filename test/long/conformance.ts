// The conformance suite in every runtime that is here, and a table of what came out.

import { Argument } from 'commander';
import { install, type PackageName } from '../conformance/runner/npm.ts';
import { type Absence, allWell, isReport, type Report } from '../conformance/runner/report.ts';
import { runIn } from '../conformance/runner/run.ts';
import { RUNTIMES } from '../conformance/runner/runtimes.ts';
import { failureText, markdownTable, terminalTable } from '../conformance/runner/table.ts';
import { update } from '../conformance/runner/update.ts';
import { commandOf } from '../support/command.ts';

const PAGES = ['docs/runtimes.md', 'README.md'];

interface Options {
  readonly install?: true;
  readonly newest?: true;
  readonly json?: true;
  readonly update?: true;
}

const command = commandOf(
  'npm run test:runtimes --',
  'Runs the same checks of the built package in every runtime that is here. Ends with status 1 when one fails, or when two ' +
    'runtimes differ.',
)
  .addArgument(
    new Argument(
      '[runtime...]',
      'only in these, of which none may be missing (default: in all that are here)',
    ).choices(RUNTIMES.map(({ id }) => id)),
  )
  .option(
    '--install',
    'first install those that npm has and that are missing: up to 400 MB, into node_modules/.cache',
  )
  .option(
    '--newest',
    'the same at the newest versions, rather than those that are tested, even where one is here',
  )
  .option('--json', 'print all results as JSON')
  .option('--update', `write the table into ${PAGES.join(' and ')}, if no runtime is missing`)
  .parse();
const options = command.opts<Options>();
const named = command.args;

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const wanted = RUNTIMES.filter(({ id }) => named.length === 0 || named.includes(id));

if (options.install || options.newest) {
  const missing = wanted.filter((runtime) => options.newest || runtime.find() === null);
  const packages = missing.flatMap(({ package: name }): PackageName[] => (name === undefined ? [] : [name]));
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
