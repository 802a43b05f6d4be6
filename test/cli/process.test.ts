// The built `buddy` command in a process of its own.

import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const PROGRAM = manifest.bin.buddy;

/** Runs the program to its end, with `input` on its standard input. */
function buddy(
  argv: string[],
  input = '',
): Promise<{ status: number | string; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [PROGRAM, ...argv],
      { maxBuffer: 2 ** 24 },
      (error, stdout, stderr) => {
        resolve({ status: error?.code ?? 0, stdout, stderr });
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

it('is a program', () => {
  expect(readFileSync(PROGRAM, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});

it('knows its version', async () => {
  expect(await buddy(['--version'])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
});

it('replays a recorded trace to its exact placement', async () => {
  const { status, stdout, stderr } = await buddy([
    'replay',
    'data/sqlite.tr.gz',
    '--capacity',
    '8m',
    '--json',
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ placementHash: 4050772520, failures: 0 });
});

it('writes the page, for which it loads a small part of its own', async () => {
  expect(statSync('dist/cli/page.js').size).toBeLessThan(20_000);
  expect(await buddy(['replay', '-', '--json', '--html', '/dev/null'], '+ 0x10 0x40\n')).toMatchObject({
    status: 0,
    stderr: '',
  });
});

it('ends with the status of what happened', async () => {
  expect(await buddy(['map', '-', '--capacity', '1'], '+ 0x10 0x40\n')).toMatchObject({
    status: 1,
    stderr: '',
  });
  expect(await buddy(['map', '-'], 'junk\n')).toEqual({
    status: 2,
    stdout: '',
    stderr: 'error: -: line 1: not a line of mtrace: "junk"\n',
  });
});

it('a reader that leaves early is not an error', async () => {
  const child = spawn(process.execPath, [PROGRAM, 'replay', 'data/sqlite.tr.gz', '--json']);
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  child.stdout.destroy();
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

it.skipIf(!existsSync('/dev/full'))('standard output that cannot be written to is an error', async () => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [PROGRAM, 'replay', 'data/sqlite.tr.gz', '--json'], {
    stdio: ['ignore', full, 'pipe'],
  });
  closeSync(full);
  let stderr = '';
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringMatching(/^error: standard output: .*\n$/),
  });
});

// The case cli-small: it was 1, which means that the trace did not fit.
it.skipIf(!existsSync('/dev/full'))(
  'standard error that cannot be written to does not change the status',
  async () => {
    const full = openSync('/dev/full', 'w');
    const statusOf = (argv: string[]): Promise<unknown> => {
      const child = spawn(process.execPath, [PROGRAM, ...argv], { stdio: ['ignore', 'ignore', full] });
      return new Promise((resolve) => child.on('close', resolve));
    };
    const statuses = [
      await statusOf(['replay', 'nonexistent']),
      await statusOf(['burn']),
      await statusOf(['map', 'data/jq.tr.gz', '--capacity', '1']),
      await statusOf(['map', 'data/jq.tr.gz']),
    ];
    closeSync(full);
    expect(statuses).toEqual([2, 2, 1, 0]);
  },
);
