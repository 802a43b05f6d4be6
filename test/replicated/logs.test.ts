// The logs in memory, in PostgreSQL and in Redis, by way of all client libraries.

import { PGlite } from '@electric-sql/pglite';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import postgres from 'postgres';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Allocation,
  type Durability,
  type LogRecord,
  MemoryLog,
  PostgresLog,
  RedisLog,
  ReplicatedArena,
} from '../../src/replicated.ts';
import { codeOf } from './code-of.ts';
import { type TestedLog, testLog } from './log-contract.ts';
import { hasPostgres, PostgresServer } from './servers/postgres.ts';
import { hasRedis, RedisServer } from './servers/redis.ts';

const NO_POSTGRES = hasPostgres ? '' : ' (apt-get install postgresql)';
const NO_REDIS = hasRedis ? '' : ' (apt-get install redis-server)';

/** Milliseconds that a server may take to start on a busy machine. */
const START = 60_000;

describe('MemoryLog', () => {
  const log = new MemoryLog();
  testLog(() => ({ log, other: log }));
});

describe('PostgresLog over PGlite', () => {
  let database: PGlite;
  let logs: TestedLog;
  beforeAll(async () => {
    database = await PGlite.create();
    const log = new PostgresLog(database);
    await log.install();
    logs = { log, other: new PostgresLog(database) };
  }, START);
  afterAll(() => database.close());
  testLog(() => logs);

  it('is a part of a transaction of PGlite', async () => {
    const arena = await ReplicatedArena.open(logs.log, 'transactions', { capacity: 64 });
    await database.transaction(async (transaction) => {
      await arena.within(new PostgresLog(transaction)).alloc(8);
      await transaction.rollback();
    });
    expect(await arena.sync()).toBe(0);
    const block = await database.transaction((transaction) =>
      arena.within(new PostgresLog(transaction)).alloc(8),
    );
    expect(await arena.free(block as Allocation)).toBe(8);
  });
});

describe.skipIf(!hasPostgres)(`PostgresLog${NO_POSTGRES}`, () => {
  let server: PostgresServer;
  let pool: Pool;
  let sql: postgres.Sql;
  beforeAll(async () => {
    server = await PostgresServer.start('fsync=off');
    pool = server.pool();
    sql = postgres({ host: '127.0.0.1', port: server.port, user: 'postgres', database: 'postgres' });
    const log = new PostgresLog(pool);
    // Every process of a fleet may do so at its start.
    await Promise.all([log.install(), log.install(), new PostgresLog(sql).install()]);
    await pool.query('create table subnet (name text, first_unit int)');
  }, START);
  afterAll(async () => {
    await pool.end();
    await sql.end();
    await server.remove();
  });

  describe('over pg', () => testLog(() => ({ log: new PostgresLog(pool), other: new PostgresLog(pool) })));
  describe('over postgres.js', () =>
    testLog(() => ({ log: new PostgresLog(sql), other: new PostgresLog(pool) })));

  describe('inside a transaction of the caller', () => {
    let arena: ReplicatedArena;
    const open = async (name: string) => {
      arena = await ReplicatedArena.open(new PostgresLog(pool), name, { capacity: 64 });
    };

    it('commits together with a row of the caller', async () => {
      await open('commit');
      await arena.alloc(8);
      const client = await pool.connect();
      await client.query('begin');
      const inside = arena.within(new PostgresLog(client));
      const block = (await inside.alloc(8, { key: 'a' })) as Allocation;
      const second = (await inside.alloc(4)) as Allocation;
      await client.query('insert into subnet values ($1, $2)', ['a', block.offset]);
      expect(await arena.sync()).toBe(1);
      await client.query('commit');
      client.release();
      expect(await arena.sync()).toBe(3);
      expect(arena.find('a')).toMatchObject({ offset: 8, token: block.token });
      expect(await arena.free(second)).toBe(4);
      expect((await pool.query('select * from subnet')).rows).toEqual([{ name: 'a', first_unit: 8 }]);
    });

    it('leaves nothing when it is rolled back', async () => {
      await open('rollback');
      const client = await pool.connect();
      await client.query('begin');
      expect(await arena.within(new PostgresLog(client)).alloc(64)).toMatchObject({ offset: 0 });
      await client.query('rollback');
      client.release();
      expect(await arena.alloc(64)).toMatchObject({ offset: 0, token: 1 });
      expect(await arena.check()).toEqual([]);
    });

    it('makes others wait, and they get other blocks', async () => {
      await open('waiting');
      const client = await pool.connect();
      await client.query('begin');
      const inside = (await arena.within(new PostgresLog(client)).alloc(8)) as Allocation;
      const outside = arena.alloc(8);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(arena.number).toBe(0);
      await client.query('commit');
      client.release();
      expect((await outside)?.offset).not.toBe(inside.offset);
      expect(arena.list()).toHaveLength(2);
    });

    it('of postgres.js', async () => {
      await open('postgres.js');
      const block = await sql.begin((transaction) => arena.within(new PostgresLog(transaction)).alloc(8));
      expect(await arena.sync()).toBe(1);
      expect(arena.blockOf(0)).toMatchObject({ token: (block as Allocation).token });
    });

    it('that goes back to a savepoint is refused afterwards', async () => {
      await open('savepoint');
      const client = await pool.connect();
      await client.query('begin');
      const inside = arena.within(new PostgresLog(client));
      await inside.alloc(8);
      await client.query('savepoint s');
      await inside.alloc(8);
      await client.query('rollback to savepoint s');
      expect(await codeOf(inside.alloc(8))).toBe('ROLLED_BACK');
      expect(await arena.within(new PostgresLog(client)).alloc(8)).toMatchObject({ offset: 8 });
      await client.query('commit');
      client.release();
      expect(await arena.sync()).toBeGreaterThan(1);
      expect(arena.list().map(({ offset }) => offset)).toEqual([0, 8]);
    });
  });

  it('tells what is set', async () => {
    const log = new PostgresLog(pool);
    const settings = { fsync: 'off', synchronous_commit: 'on', synchronous_standby_names: '' };
    expect(await log.durability()).toEqual({ crash: false, failover: false, settings });
    const told = async (...changes: string[]): Promise<Durability> => {
      const rows = Object.entries({
        ...settings,
        ...Object.fromEntries(changes.map((one) => one.split('='))),
      });
      return new PostgresLog({
        query: async () => ({ rows: rows.map(([name, setting]) => ({ name, setting })) }),
      }).durability();
    };
    expect(await told('fsync=on')).toMatchObject({ crash: true, failover: false });
    expect(await told('fsync=on', 'synchronous_commit=off')).toMatchObject({ crash: false });
    expect(await told('fsync=on', 'synchronous_standby_names=s')).toMatchObject({
      crash: true,
      failover: true,
    });
    expect(await told('fsync=on', 'synchronous_standby_names=s', 'synchronous_commit=local')).toMatchObject({
      crash: true,
      failover: false,
    });
  });

  it('that is not installed passes the error on', async () => {
    const failing = new PostgresLog({
      query: () => Promise.reject(Object.assign(new Error('no schema'), { code: '3F000' })),
    });
    await expect(ReplicatedArena.open(failing, 'x', { capacity: 1 })).rejects.toMatchObject({
      code: '3F000',
    });
  });
});

describe.skipIf(!hasRedis)(`RedisLog${NO_REDIS}`, () => {
  let server: RedisServer;
  let io: Redis;
  let node: ReturnType<typeof createClient>;
  beforeAll(async () => {
    server = await RedisServer.start();
    io = server.client();
    node = createClient({ url: `redis://127.0.0.1:${server.port}` });
    await node.connect();
  });
  afterAll(async () => {
    io.disconnect();
    node.destroy();
    await server.remove();
  });

  describe('over ioredis', () => testLog(() => ({ log: new RedisLog(io), other: new RedisLog(node) })));
  describe('over redis', () => {
    beforeAll(() => io.flushall());
    testLog(() => ({ log: new RedisLog(node), other: new RedisLog(io) }));
  });

  it('cuts the stream', async () => {
    const arena = await ReplicatedArena.open(new RedisLog(io), 'cut', { capacity: 16 });
    for (let done = 0; done < 2 ** 17 + 2 ** 15; done += 256) {
      await Promise.all(Array.from({ length: 256 }, () => arena.reap()));
    }
    expect(arena.stats().snapshotError).toBeNull();
    // A node of a stream has 100 entries, and goes as a whole.
    expect(await io.xlen('buddy:{cut}:log')).toBeLessThan(2 ** 8 + 2 ** 7 + 100);
    expect(await (await ReplicatedArena.open(new RedisLog(node), 'cut')).check()).toEqual([]);
  });

  it('that has lost its data is refused', async () => {
    const arena = await ReplicatedArena.open(new RedisLog(io), 'lost', { capacity: 16 });
    await arena.alloc(1);
    await io.flushall();
    expect(await codeOf(arena.alloc(1))).toBe('ROLLED_BACK');
    expect(await io.exists('buddy:{lost}:log')).toBe(0);
  });

  it('is unsure without the replicas that it is to wait for', async () => {
    await ReplicatedArena.open(new RedisLog(io), 'replicas', { capacity: 16 });
    const log = new RedisLog(io, { replicas: 1, timeout: 20 });
    const arena = await ReplicatedArena.open(log, 'replicas', { patience: 0 });
    await expect(arena.alloc(1, { key: 'k' })).rejects.toMatchObject({
      code: 'UNSURE',
      message: 'the log does not answer: 0 of 1 replicas have answered in 20 ms',
    });
    const patient = await ReplicatedArena.open(new RedisLog(io), 'replicas');
    expect(await patient.alloc(1, { key: 'k' })).toMatchObject({ replayed: true });
  });

  it('is unsure if it was another connection that waited for the replicas', async () => {
    // After a failover, clients send WAIT again, to a server that may not have the record.
    const other = server.client();
    let current = io;
    const client = {
      call: async (...command: [string, ...string[]]) => {
        if (command[0] !== 'WAIT') return current.call(...command);
        current = other;
        return 1;
      },
    };
    const log = new RedisLog(client, { replicas: 1 });
    const { position } = (await new RedisLog(io).append('moved', 'first', null))?.[0] as LogRecord;
    await expect(log.append('moved', 'x', position)).rejects.toThrow('the connection was lost while');
    expect(await log.append('moved', 'y', position)).toMatchObject([{ data: 'x' }, { data: 'y' }]);
    other.disconnect();
  });

  it('runs its script where the server has forgotten it', async () => {
    const log = new RedisLog(io);
    const { position } = (await log.append('script', 'first', null))?.[0] as LogRecord;
    for (const data of ['a', 'b']) {
      await io.script('FLUSH');
      expect((await log.append('script', data, position))?.at(-1)).toMatchObject({ data });
    }
  });

  it('tells what is set, and what it is not told', async () => {
    expect(await new RedisLog(node).durability()).toEqual({
      crash: false,
      failover: false,
      settings: { appendonly: 'no', appendfsync: 'everysec', connected_slaves: '0', replicas: '0' },
    });
    const managed = (message: string, info = '') =>
      new RedisLog(
        {
          call: async (command: string) => {
            if (command === 'CONFIG') throw new Error(message);
            return info;
          },
        },
        { replicas: 1 },
      ).durability();
    expect(await managed('ERR unknown command')).toMatchObject({ crash: null, failover: true });
    expect(await managed('NOPERM', 'x\r\nconnected_slaves:2\r\n')).toMatchObject({
      crash: null,
      failover: false,
    });
    await expect(managed('Connection is closed.')).rejects.toThrow('closed');
    const safe = {
      call: async (command: string) =>
        command === 'CONFIG' ? { appendonly: 'yes', appendfsync: 'always' } : '',
    };
    expect(await new RedisLog(safe).durability()).toMatchObject({ crash: true });
  });
});

describe('a log', () => {
  it.each([null, undefined, 5, 'x', {}, () => {}])('is not made of %o', (client) => {
    expect(() => new PostgresLog(client as never)).toThrow(TypeError);
    expect(() => new RedisLog(client as never)).toThrow(TypeError);
  });

  it('of Redis checks its options', () => {
    const client = { call: async () => null };
    for (const value of [-1, 1.5, Number.NaN, 2 ** 31]) {
      expect(() => new RedisLog(client, { replicas: value })).toThrow(RangeError);
      expect(() => new RedisLog(client, { timeout: value })).toThrow(RangeError);
    }
    expect(() => new RedisLog({ ...client, isCluster: true }, { replicas: 1 })).toThrow(RangeError);
    expect(() => new RedisLog({ ...client, isCluster: true })).not.toThrow();
    expect(() => new RedisLog(client, { replicas: '1' as unknown as number })).toThrow(TypeError);
    expect(() => new RedisLog(client, null as never)).toThrow(TypeError);
  });
});
