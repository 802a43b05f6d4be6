// A short form of `npm run long -- replicated`: kills, cuts and lost replies, over real servers.

import { describe, expect, it } from 'vitest';
import { runChaos } from './chaos/chaos.ts';
import { ChaosHistory } from './chaos/history.ts';
import { hasPostgres } from './servers/postgres.ts';
import { hasRedis } from './servers/redis.ts';

it.each([
  ['postgres', hasPostgres, 'postgresql'],
  ['redis', hasRedis, 'redis-server'],
] as const)('nothing is lost, leaked or given out twice: %s', async (engine, isHere, program) => {
  if (!isHere) return console.warn(`left out: apt-get install ${program}`);
  const report = await runChaos({ engine, seconds: 3, clients: 2, seed: 1 });
  expect(report).toMatchObject({
    overlaps: 0,
    lost: 0,
    leaked: 0,
    orderViolations: 0,
    violations: 0,
    errors: [],
  });
  expect(report.acknowledged).toBeGreaterThan(100);
  expect(report.clientsKilled + report.serversKilled + report.cuts + report.swallowed).toBeGreaterThan(5);
});

describe('the history', () => {
  const alloc = (token: number, offset: number, began: number) => ({
    ...({
      end: 'alloc',
      key: `${token}`,
      began,
      ended: began + 5,
      offset,
      token,
      number: token,
      units: 4,
    } as const),
  });

  it('knows what is held at once', () => {
    const history = new ChaosHistory();
    history.note(alloc(1, 0, 0));
    history.noteFree(1, 10);
    history.note(alloc(2, 0, 20));
    expect(history.overlaps(8)).toBe(0);
    history.note(alloc(3, 2, 30));
    expect(history.overlaps(8)).toBe(2);
    expect([...history.held().keys()]).toEqual([2, 3]);
  });

  it('knows which operation was before another', () => {
    const history = new ChaosHistory();
    history.note(alloc(2, 0, 0));
    history.note(alloc(1, 4, 4));
    expect(history.orderViolations()).toBe(0);
    history.note({ ...alloc(3, 8, 10), number: 1 });
    expect(history.orderViolations()).toBe(1);
  });
});
