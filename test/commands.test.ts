// The command lines of the long tests and of the benchmarks that read theirs in the same way.

import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { integer } from './support/command.ts';

interface End {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
function run(file: string, ...argv: string[]): Promise<End> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', file, ...argv], (error, stdout, stderr) => {
      resolve({ status: error?.code ?? 0, stdout, stderr });
    });
  });
}

/** By command: its options, and some bad usage. */
const COMMANDS = [
  {
    file: 'test/long/conformance.ts',
    options: ['install', 'newest', 'json', 'update'],
    wrong: ['--newst', 'no-such-runtime'],
  },
  {
    file: 'test/long/exhaustive.ts',
    options: ['capacity', 'depth', 'every-operation', 'replay'],
    wrong: ['--wrong', '--capacity=0'],
  },
  {
    file: 'test/long/explore.ts',
    options: ['suite', 'program', 'capacity', 'workers', 'tracked', 'stale', 'random', 'seed', 'json'],
    wrong: ['--wrong', '--suite=no such', '--program=a:0 | b', '--program=a:0 | b:0 | c:0'],
  },
  {
    file: 'test/long/heap-soak.ts',
    options: ['operations', 'seed'],
    wrong: ['--wrong', '--operations=many'],
  },
  {
    file: 'test/long/shared-soak.ts',
    options: ['workers', 'operations', 'kills', 'seed', 'json'],
    wrong: ['--wrong', '--workers=1'],
  },
  { file: 'bench/scaling.ts', options: ['out', 'quick'], wrong: ['--wrong'] },
  { file: 'bench/tail.ts', options: ['json'], wrong: ['--wrong', 'superfluous'] },
];

describe.concurrent.each(COMMANDS)('$file', ({ file, options, wrong }) => {
  it('explains itself', async () => {
    const { status, stdout, stderr } = await run(file, '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect([...stdout.matchAll(/^ {2}(?:-h, )?--([\w-]+)/gm)].map(([, name]) => name)).toEqual([
      ...options,
      'help',
    ]);
  });

  it.each(wrong)('takes %s for bad usage', async (argument) => {
    expect(await run(file, argument)).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^error: .+\n$/),
    });
  });
});

describe('integer', () => {
  const parse = integer(0, 1e7);

  it.each([
    ['0', 0],
    ['12', 12],
    ['1e7', 1e7],
  ])('reads %s', (text, value) => {
    expect(parse(text)).toBe(value);
  });

  it.each(['', ' ', '-1', '1.5', '10000001', 'x', '1x', 'Infinity', 'NaN'])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow('It must be an integer from 0 to 10000000.');
  });
});
