// The code blocks of docs/replicated.md that need a server.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPostgres, PostgresServer } from './servers/postgres.ts';
import { hasRedis, RedisServer } from './servers/redis.ts';

/** The blocks of JavaScript for an engine. */
function blocksFor(engine: string): string[] {
  const markdown = readFileSync('docs/replicated.md', 'utf8');
  return [...markdown.matchAll(new RegExp(`^\`\`\`js ${engine}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text]) => text,
  );
}

/** What a module prints. */
function outputOf(text: string, env: Record<string, string>): string {
  return execFileSync(process.execPath, ['--input-type=module', '-e', text], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}

describe.skipIf(!hasPostgres)(`for PostgreSQL${hasPostgres ? '' : ' (apt-get install postgresql)'}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start('fsync=off');
  }, 60_000);
  afterAll(() => server.remove());

  it('run', () => {
    const env = { DATABASE_URL: `postgres://postgres@127.0.0.1:${server.port}/postgres` };
    const [pool, subnets] = blocksFor('postgres');
    const lines = [...outputOf(pool, env).split('\n'), ...outputOf(pool, env).split('\n')].filter(
      (line) => line !== '',
    );
    const offsets = lines.map((line) => Number(/has (\d+)/.exec(line)?.[1]));
    expect(offsets).toEqual(Array.from({ length: 20 }, (_, i) => 16 * i));
    expect(outputOf(subnets, env)).toMatch(/^red \{/);
  });
});

describe.skipIf(!hasRedis)(`for Redis${hasRedis ? '' : ' (apt-get install redis-server)'}`, () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  }, 60_000);
  afterAll(() => server.remove());

  it('run', () => {
    const [block, ...others] = blocksFor('redis');
    expect(others).toEqual([]);
    expect(outputOf(block, { REDIS_URL: `redis://127.0.0.1:${server.port}` })).toMatch(/^0 \{/);
  });
});
