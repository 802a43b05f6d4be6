// The command lines of the benchmarks and of the long tests.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
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

const BAD_USAGE = { status: 2, stdout: '', stderr: expect.stringMatching(/^error: .+\n$/) };

const EFFORT = ['quick', 'rounds'];

/** By npm script: its module, and by WHAT the options and some bad usage. */
const SCRIPTS = {
  bench: {
    file: 'bench/main.ts',
    whats: {
      traces: { options: [...EFFORT, 'all', 'json', 'only'], wrong: ['--wrong', '--only=no such'] },
      native: {
        options: ['processes', 'quick', 'json', 'only'],
        wrong: ['--processes=0', '--only=no such'],
      },
      heap: {
        options: [...EFFORT, 'against', 'only', 'json'],
        wrong: ['--rounds=0', '--against=no such', '--only=x'],
      },
      ranges: { options: [...EFFORT, 'json'], wrong: ['--wrong', '--rounds=0'] },
      shared: {
        options: ['rounds', 'operations', 'threads', 'pattern', 'json'],
        wrong: ['--threads=1,x', '--pattern=x'],
      },
      'shared-heap': {
        options: [...EFFORT, 'workers', 'pattern', 'against', 'cpu', 'json'],
        wrong: ['--workers=0', '--pattern=x', '--against=no such'],
      },
      replicated: {
        options: ['engine', 'seconds', 'quick', 'json'],
        wrong: ['--engine=none', '--seconds=0'],
      },
      scaling: { options: ['out', 'quick'], wrong: ['--wrong'] },
      tail: { options: ['json'], wrong: ['--wrong', 'superfluous'] },
      designs: { options: [...EFFORT, 'json'], wrong: ['--wrong'] },
      allocation: { options: ['operations', 'garbage'], wrong: ['--operations=0'] },
    },
  },
  long: {
    file: 'test/long/main.ts',
    whats: {
      exhaustive: {
        options: ['capacity', 'depth', 'every-operation', 'replay'],
        wrong: ['--wrong', '--capacity=0'],
      },
      explore: {
        options: [
          ...[
            'suite',
            'short',
            'list',
            'program',
            'capacity',
            'pages',
            'workers',
            'tracked',
            'stale',
            'random',
            'seed',
            'json',
          ],
        ],
        wrong: ['--wrong', '--suite=no such', '--program=a:0 | b', '--program=a:0 | b:0 | c:0'],
      },
      soak: { options: ['operations', 'seed'], wrong: ['--wrong', '--operations=many'] },
      shared: {
        options: ['workers', 'operations', 'kills', 'seed', 'json'],
        wrong: ['--wrong', '--workers=1'],
      },
      'shared-heap': { options: ['kills', 'seed', 'json'], wrong: ['--wrong', '--kills=0'] },
      replicated: {
        options: ['engine', 'seconds', 'clients', 'seed'],
        wrong: ['--engine=none', '--seconds=0'],
      },
      runtimes: {
        options: ['install', 'newest', 'json', 'update'],
        wrong: ['--newst', 'no-such-runtime'],
      },
      guests: { options: ['rounds', 'short'], wrong: ['--wrong', '--rounds=0'] },
      mutation: { options: ['mutate'], wrong: ['--wrong', 'superfluous'] },
    },
  },
};

describe.concurrent.each(Object.entries(SCRIPTS))('npm run %s', (script, { file, whats }) => {
  it('lists what there is', async () => {
    const { status, stdout, stderr } = await run(file, '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [, list] = stdout.split('WHAT:\n');
    expect([...list.matchAll(/^ {2}([\w-]+) +\w/gm)].map(([, what]) => what)).toEqual(Object.keys(whats));
  });

  it('refuses what there is not', async () => {
    expect(await run(file, 'no-such')).toEqual(BAD_USAGE);
    expect(await run(file, '--no-such')).toEqual(BAD_USAGE);
  });

  it.each(Object.entries(whats))('explains %s', async (what, { options }) => {
    const { status, stdout, stderr } = await run(file, what, '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`Usage: npm run ${script} -- ${what} [options]`);
    expect([...stdout.matchAll(/^ {2}(?:-h, )?--([\w-]+)/gm)].map(([, name]) => name)).toEqual([
      ...options,
      'help',
    ]);
  });

  it.each(
    Object.entries(whats).flatMap(([what, { wrong }]) => wrong.map((argument) => [what, argument])),
  )('takes %s %s for bad usage', async (what, argument) => {
    expect(await run(file, what, argument)).toEqual(BAD_USAGE);
  });
});

describe('the documentation', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', '.ci/run'].concat(
    readdirSync('docs').flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  );
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

  it.each(pages)('names only commands that there are: %s', (page) => {
    for (const [command, script, what] of readFileSync(page, 'utf8').matchAll(
      /npm\s+run\s+([\w:-]+)(?:\s+--\s+([a-z][a-z-]*))?/g,
    )) {
      expect(Object.keys(scripts), command).toContain(script);
      if (what === undefined || !(script in SCRIPTS)) continue;
      expect(Object.keys(SCRIPTS[script as keyof typeof SCRIPTS].whats), command).toContain(what);
    }
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
