// Failover to a replica whose link was cut before: what was acknowledged in between, and what becomes of it.

import { afterEach, describe, expect, it } from 'vitest';
import { PostgresLog, RedisLog, ReplicatedArena } from '../../src/replicated.ts';
import { codeOf } from './code-of.ts';
import { hasPostgres, PostgresServer } from './servers/postgres.ts';
import { FaultyProxy } from './servers/proxy.ts';
import { hasRedis, RedisServer } from './servers/redis.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
}, 60_000);

/** Asks until there is an answer. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await isSo()); attempt++) {
    if (attempt === 200) throw new Error('it does not come about');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Three allocations one after another: how many are acknowledged. */
async function acknowledged(arena: ReplicatedArena): Promise<number> {
  let count = 0;
  for (let i = 0; i < 3; i++) if ((await codeOf(arena.alloc(1))) === 'none') count++;
  return count;
}

describe.skipIf(!hasPostgres)(`PostgreSQL${hasPostgres ? '' : ' (apt-get install postgresql)'}`, () => {
  async function failOver(isSynchronous: boolean) {
    const primary = await PostgresServer.start('fsync=off');
    ends.push(() => primary.remove());
    const proxy = await FaultyProxy.start(primary.port);
    ends.push(() => proxy.stop());
    const standby = await PostgresServer.standbyOf(proxy.port, 'standby');
    ends.push(() => standby.remove());
    const [before, after] = [primary.pool(400), standby.pool(30_000)];
    ends.push(() => Promise.all([before.end(), after.end()]));
    const log = new PostgresLog(before);
    await log.install();
    const arena = await ReplicatedArena.open(log, 'pool', { capacity: 64, patience: 0 });
    if (isSynchronous) {
      await before.query(`alter system set synchronous_standby_names = 'standby'`);
      await before.query('select pg_reload_conf()');
      await until(async () => (await log.durability()).settings.synchronous_standby_names === 'standby');
    }
    await arena.alloc(1, { key: 'before' });
    await until(async () => {
      const [of, to] = [
        await before.query('select pg_current_wal_lsn() as at'),
        await after.query('select pg_last_wal_replay_lsn() as at'),
      ];
      return of.rows[0].at === to.rows[0].at;
    });
    await proxy.stop();
    const acked = await acknowledged(arena);
    await primary.kill();
    await after.query('select pg_promote()');
    const other = await ReplicatedArena.open(new PostgresLog(after), 'pool');
    return { acked, given: await acknowledged(other), other };
  }

  it('a synchronous standby has all that was acknowledged', async () => {
    const { acked, other } = await failOver(true);
    expect(acked).toBe(0);
    expect(other.find('before')).toMatchObject({ offset: 0 });
    expect(await other.check()).toEqual([]);
  }, 60_000);

  it('an asynchronous one has not, and blocks are given out twice', async () => {
    const { acked, given, other } = await failOver(false);
    expect(acked).toBe(3);
    expect(given).toBe(3);
    expect(other.list().map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
  }, 60_000);
});

describe.skipIf(!hasRedis)(`Redis${hasRedis ? '' : ' (apt-get install redis-server)'}`, () => {
  /** Three allocations by a process, of which the replica knows nothing, before that takes over. */
  async function failOver(replicas: number) {
    const primary = await RedisServer.start('--repl-diskless-sync-delay', '0');
    ends.push(() => primary.remove());
    const link = await FaultyProxy.start(primary.port);
    ends.push(() => link.stop());
    const replica = await RedisServer.start('--replicaof', `127.0.0.1 ${link.port}`);
    ends.push(() => replica.remove());
    const [before, after] = [primary.client(), replica.client()];
    ends.push(() => {
      before.disconnect();
      after.disconnect();
    });
    await until(async () => (await after.info('replication')).includes('master_link_status:up'));
    let current = before;
    const client = { call: (...command: [string, ...string[]]) => current.call(...command) };
    const log = new RedisLog(client, { replicas, timeout: 100 });
    const arena = await ReplicatedArena.open(log, 'pool', { capacity: 64, patience: 0 });
    await arena.alloc(1, { key: 'before' });
    await until(
      async () => (await after.xlen('buddy:{pool}:log')) === (await before.xlen('buddy:{pool}:log')),
    );
    await link.stop();
    const acked = await acknowledged(arena);
    await primary.kill();
    await after.replicaof('NO', 'ONE');
    current = after;
    return { acked, arena, other: await ReplicatedArena.open(new RedisLog(after), 'pool') };
  }

  it('that waits for its replica has acknowledged nothing that is lost', async () => {
    const { acked, other } = await failOver(1);
    expect(acked).toBe(0);
    expect(other.find('before')).toMatchObject({ offset: 0 });
  }, 60_000);

  it('that does not gives blocks out twice, and a process that has seen the first time stops', async () => {
    const { acked, arena, other } = await failOver(0);
    expect(acked).toBe(3);
    expect(await acknowledged(other)).toBe(3);
    expect(other.list().map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
    expect(await codeOf(arena.alloc(1))).toBe('DIVERGED');
    expect(await codeOf(arena.sync())).toBe('DIVERGED');
    expect(await other.check()).toEqual([]);
  }, 60_000);

  it('is refused by a process that has seen what is lost', async () => {
    const { arena } = await failOver(0);
    expect(await codeOf(arena.alloc(1))).toBe('ROLLED_BACK');
  }, 60_000);
});
