// Text from outside, the names and contents of files: no output lets it command a terminal or mislead its reader.
// Case: cli-small.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { run } from '../../src/cli/run.ts';
import { encodeTrace, traceFromOps } from '../../src/trace.ts';

// An escape sequence, a line that looks like another error, a C1 control, an override of the direction, a tag.
const NAME = 'bad\u001b[2J\u001b]0;pwned\u0007\nerror: fake\u009b31m\u202egnp.exe\u2028\u{e0041}';
const SHOWN =
  'bad\\u001b[2J\\u001b]0;pwned\\u0007\\u000aerror: fake\\u009b31m\\u202egnp.exe\\u2028\\udb40\\udc41';
const OBEYED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddy-outside-'));
  writeFileSync(join(folder, NAME), encodeTrace(traceFromOps(Int32Array.of(20, 16, ~0))));
  writeFileSync(join(folder, `${NAME}.txt`), 'x');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function buddy(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const output = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (output[name] += text) });
  const io = { stdout: stream('stdout'), stderr: stream('stderr'), env: {} } as unknown as Io;
  return { status: await run(argv, io), ...output };
}

describe('the name of a file', () => {
  it.each<[string, string[]]>([
    ['that is not a trace', ['replay', `${NAME}.txt`]],
    ['that is not there', ['advise', `no ${NAME}`]],
    ['that cannot be written', ['replay', NAME, '--html', `no-such-folder/${NAME}`]],
  ])('%s is escaped in the error', async (_, [command, file, ...more]) => {
    const { status, stdout, stderr } = await buddy(command, join(folder, file), ...more);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(SHOWN);
    expect(stderr.slice(0, -1)).not.toMatch(OBEYED);
  });

  it('is escaped in JSON, and means the same', async () => {
    for (const command of ['replay', 'advise']) {
      const { stdout } = await buddy(command, join(folder, NAME), '--json');
      expect(stdout.slice(0, -1)).not.toMatch(OBEYED);
      expect(JSON.parse(stdout)).toMatchObject({ file: join(folder, NAME) });
    }
  });

  it('is escaped in the page', async () => {
    const page = join(folder, 'page.html');
    await buddy('replay', join(folder, NAME), '--html', page);
    const html = readFileSync(page, 'utf8');
    expect(html.split(SHOWN).length).toBe(3); // The title and the heading.
    expect(html.replaceAll('\n', '')).not.toMatch(OBEYED);
  });
});

it.each([
  ['a command', [NAME]],
  ['an option', ['replay', 'data/sqlite.tr.gz', `--${NAME}`]],
  ['a value', ['replay', 'data/sqlite.tr.gz', '--unit', NAME]],
])('%s that does not exist is escaped in the error', async (_, argv) => {
  const { status, stderr } = await buddy(...argv);
  expect(status).toBe(2);
  expect(stderr).toContain('\\u001b[2J');
  expect(stderr.slice(0, -1)).not.toMatch(OBEYED);
});
