// The tables of the documentation that say which Web API takes views on which kind of memory, in Chromium. (The case
// web-apis.js.) Skipped without it.

import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { type IsolatedPage, open } from '../browser/web-apis/chromium.ts';

const opened = await open();
const reason = typeof opened === 'string' ? opened : null;
if (reason !== null) console.warn(`The tables of Web APIs are not tested: ${reason}.`);
afterAll(async () => {
  if (typeof opened !== 'string') await opened.close();
});

interface Found {
  readonly kinds: readonly string[];
  readonly found: readonly (readonly [string, readonly (boolean | null)[]])[];
}

/** The table between the markers of a page: the kinds of memory, and the answers of each API. */
function tableOf(path: string): string[][] {
  const [, table] = /<!-- web-apis -->([\s\S]*?)<!-- \/web-apis -->/.exec(readFileSync(path, 'utf8')) ?? [];
  if (table === undefined) throw new Error(`${path} has no table of Web APIs`);
  const rows = table.trim().split('\n');
  return rows
    .filter((_row, i) => i !== 1)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

describe.skipIf(reason !== null)(`Web APIs in Chromium${reason === null ? '' : ` (${reason})`}`, () => {
  const { page } = opened as IsolatedPage;
  const run = (name: string): Promise<unknown> =>
    page.evaluate(`import('/takes.mjs').then((module) => module.${name}())`);

  it.each(['docs/heap.md', 'docs/shared-heap.md'])('take what the table of %s says', async (path) => {
    const { kinds, found } = (await run('rows')) as Found;
    const [[, ...listed], ...rows] = tableOf(path);
    expect(kinds).toEqual(expect.arrayContaining(listed));
    expect(listed).toEqual(path === 'docs/heap.md' ? kinds : kinds.filter((kind) => /hared/.test(kind)));
    const answers = found.map(([api, row], i) => [
      api,
      ...listed.map((kind, column) => {
        const answer = row[kinds.indexOf(kind)];
        return answer === null ? rows[i]?.[column + 1] : answer ? 'yes' : 'no';
      }),
    ]);
    expect(rows).toEqual(answers);
  });

  it('take all views of a heap of a size and a maximum', async () => {
    const answers = (await run('chosen')) as boolean[];
    expect(answers.length).toBeGreaterThan(5);
    expect(answers).toEqual(answers.map(() => true));
  });

  it('take a copy of any view', async () => {
    const answers = (await run('copies')) as boolean[];
    expect(answers.length).toBeGreaterThan(5);
    expect(answers).toEqual(answers.map(() => true));
  });
});
