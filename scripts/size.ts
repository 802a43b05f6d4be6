// Prints what each part of the built package weighs in a program's bundle. Status 1 when one is over its budget.

import Table from 'cli-table3';
import { parts } from './budgets.ts';
import { bundle } from './bundle.ts';

const table = new Table({
  head: ['import', 'from', 'minified', 'gzip', 'brotli', 'budget'],
  colAligns: ['left', 'left', 'right', 'right', 'right', 'right'],
  style: { head: [], border: [] },
});
for (const { names, from, budget } of parts) {
  const { minified, gzip, brotli } = await bundle(`export ${names} from '${from}';`);
  const over = budget !== undefined && brotli > budget;
  if (over) process.exitCode = 1;
  table.push([
    names,
    from,
    minified,
    gzip,
    brotli,
    budget === undefined ? '' : `${budget}${over ? ' exceeded' : ''}`,
  ]);
}
console.log(`${table}\nbytes`);
