// An entry point that package.json exports is not forgotten where there is more to say of it than its name.

import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parts } from '../scripts/budgets.ts';
import { entryPoints } from '../scripts/entry-points.mjs';

const read = (path: string): string => readFileSync(path, 'utf8');

const packageCheck = read('scripts/check-package.mjs');
const pages = readdirSync('docs').flatMap((name) => (name.endsWith('.md') ? [read(`docs/${name}`)] : []));
/** The modules of the conformance suite with its checks. */
const checks = [...read('test/conformance/suite.mjs').matchAll(/from '\.\/(checks\/[\w-]+\.mjs)'/g)].map(
  ([, file]) => read(`test/conformance/${file}`),
);

it.each(entryPoints)('$specifier', ({ name, specifier, built }) => {
  const used = `from '${specifier}';`;
  expect(built).toEqual([`./dist/${name}.d.ts`, `./dist/${name}.js`]);
  expect(parts.map(({ from }) => from)).toContain(specifier);
  expect(packageCheck, 'check-package.mjs imports it').toContain(used);
  expect(
    pages.some((page) => page.includes(used)),
    'a page of docs/ imports it',
  ).toBe(true);
  expect(
    checks.some((check) => check.includes(`/dist/${name}.js'`)),
    'the conformance suite imports it',
  ).toBe(true);
});
