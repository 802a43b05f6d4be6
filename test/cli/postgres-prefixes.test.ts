// `buddy prefixes --postgres`, on a real server.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { run } from '../../src/cli/run.ts';
import { hasPostgres, PostgresServer } from '../replicated/servers/postgres.ts';

/** Runs `buddy prefixes` of 10.0.0.0/8 up to /28 with these arguments. */
async function prefixes(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const output = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      output[name] += text;
    },
  });
  const io = { stdout: stream('stdout'), stderr: stream('stderr'), env: {} } as unknown as Io;
  return { status: await run(['prefixes', '10.0.0.0/8', '--longest=28', ...argv], io), ...output };
}

const prints = (stdout: string) => ({ status: 0, stdout, stderr: '' });
const fails = (message: string) => ({ status: 2, stdout: '', stderr: `error: ${message}\n` });

describe.skipIf(!hasPostgres)(`buddy prefixes${hasPostgres ? '' : ' (apt-get install postgresql)'}`, () => {
  let server: PostgresServer;
  let folder: string;
  const shared = (...argv: string[]) =>
    prefixes(`--postgres=postgres://postgres@127.0.0.1:${server.port}/postgres`, ...argv);

  beforeAll(async () => {
    server = await PostgresServer.start('fsync=off');
    folder = mkdtempSync(join(tmpdir(), 'buddy-'));
  }, 60_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
    await server.remove();
  });

  test('keeps a pool, from one call to the next', async () => {
    expect(await shared('--alloc=24,24', '--owner=red')).toEqual(prints('10.0.0.0/24\n10.0.1.0/24\n'));
    expect(await shared('--alloc=24')).toEqual(prints('10.0.2.0/24\n'));
    expect(await shared('--free=10.0.0.0/24')).toEqual(prints(''));
    expect(await shared('--list')).toEqual(prints('10.0.1.0/24 # red\n10.0.2.0/24\n'));
    expect(await shared()).toEqual(
      prints('10.0.0.0/8, up to /28: 0.0 % in use, in 2 blocks; the largest free prefix is a /9\n'),
    );
    expect(await shared('--name=other', '--list')).toEqual(prints(''));
  });

  test('finds the server by the environment', async () => {
    vi.stubEnv('PGHOST', '127.0.0.1');
    vi.stubEnv('PGPORT', String(server.port));
    vi.stubEnv('PGUSER', 'postgres');
    expect(await prefixes('--name=env', '--postgres', '--alloc=9')).toEqual(prints('10.0.0.0/9\n'));
    expect((await shared('--name=env', '--list')).stdout).toBe('10.0.0.0/9\n');
  });

  test('gives the same prefix for the same key', async () => {
    const request = ['--name=keys', '--alloc=24', '--key=cluster 7'];
    expect(await shared(...request)).toEqual(prints('10.0.0.0/24\n'));
    expect(await shared(...request)).toEqual(prints('10.0.0.0/24\n'));
    expect(await shared(...request, '--owner=red')).toEqual(
      fails('the key "cluster 7" belongs to a request of other arguments'),
    );
    expect(await shared('--name=keys', '--free=10.0.0.0/24')).toEqual(prints(''));
    expect(await shared(...request)).toEqual(fails('the block of the key "cluster 7" was given back'));
  });

  test('takes what is in use, as often as it is told', async () => {
    const file = join(folder, 'used');
    writeFileSync(file, '10.0.0.7 # the router\n10.0.1.0/24\n');
    const used = ['--name=used', `--used=${file}`];
    for (let i = 0; i < 2; i++) {
      expect(await shared(...used, '--owner=old', '--list')).toEqual(
        prints('10.0.0.0/28 # old\n10.0.1.0/24 # old\n'),
      );
    }
    writeFileSync(file, '10.0.0.0/24\n10.9.0.0/16\n');
    expect(await shared(...used)).toEqual(fails('10.0.0.0/24 overlaps with a prefix that is in use in part'));
    expect((await shared('--name=used', '--list')).stdout).not.toContain('10.9');
    writeFileSync(file, '11.0.0.0/8\n');
    expect(await shared(...used)).toEqual(fails(`${file}: line 1: 11.0.0.0/8 is not in the pool 10.0.0.0/8`));
  });

  test('keeps what was freed from others for a time', async () => {
    expect(await shared('--name=cool', '--alloc=24')).toEqual(prints('10.0.0.0/24\n'));
    expect(await shared('--name=cool', '--free=10.0.0.0/24', '--cooldown=600', '--alloc=24')).toEqual(
      prints('10.0.1.0/24\n'),
    );
    expect(await shared('--name=cool', '--free=10.0.0.0/24')).toEqual(
      fails('10.0.0.0/24 is not allocated as a whole'),
    );
    expect(await shared('--name=cool', '--list')).toEqual(prints('10.0.0.0/24 # cools down\n10.0.1.0/24\n'));
  });

  test('shows owners with escapes', async () => {
    await shared('--name=escapes', '--alloc=24', '--owner=\u001b[2J\n10.9.0.0/16');
    expect((await shared('--name=escapes', '--list')).stdout).toBe(
      '10.0.0.0/24 # \\u001b[2J\\u000a10.9.0.0/16\n',
    );
  });

  test('prints what there is room for', async () => {
    expect(await shared('--name=full', '--alloc=9,8')).toEqual({
      status: 1,
      stdout: '10.0.0.0/9\n',
      stderr: 'no room for a /8 in 10.0.0.0/8\n',
    });
  });

  test.each([
    [['--free=10.0.0.0/23'], '10.0.0.0/23 is not allocated as a whole'],
    [['--free=10.0.0.1/24'], '10.0.0.1/24 has host bits set; the prefix that contains it is 10.0.0.0/24'],
    [['--alloc=24,24', '--key=k'], '--key needs --alloc with one length'],
    [['--alloc=24,29'], 'length must be an integer from 8 to 28, not 29'],
    [
      ['--longest=24'],
      'the arena "bad" has 1048576 units, not 65536: the pool was made with another --longest',
    ],
  ])('refuses %j', async (argv, message) => {
    await shared('--name=bad', '--alloc=24');
    expect(await shared('--name=bad', ...argv)).toEqual(fails(message));
    expect((await shared('--name=bad', '--list')).stdout).toMatch(/^(10\.0\.\d\.0\/24\n)+$/);
  });
});

test('buddy prefixes says that no server answers', async () => {
  const { status, stderr } = await prefixes('--postgres=postgres://127.0.0.1:1/x');
  expect(status).toBe(2);
  expect(stderr).toMatch(/^error: PostgreSQL: connect ECONNREFUSED/);
});

test.each([
  '--name=x',
  '--owner=x',
  '--key=x',
  '--free=10.0.0.0/24',
  '--cooldown=5',
])('buddy prefixes in memory refuses %s', async (option) => {
  expect(await prefixes(option)).toEqual(fails(`${option.replace(/=.*/, '')} needs --postgres`));
});

test('buddy prefixes in memory lists what is in use', async () => {
  expect(await prefixes('--alloc=24', '--list')).toEqual(prints('10.0.0.0/24\n10.0.0.0/24\n'));
});
