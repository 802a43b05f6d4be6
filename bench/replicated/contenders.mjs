// Ways to allocate from an arena that processes share, as the benchmark's processes use them: `open(connection, capacity)` gives
// `alloc(size)`, a promise of a handle with an offset or of null, and `free(handle)`.

import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { PostgresLog, RedisLog, ReplicatedArena } from '../../dist/replicated.js';

const orderOf = (size) => 32 - Math.clz32(size - 1);

/** The lowest multiple of `size` at which no block of `taken`, pairs of offset and size by offset, lies. */
function firstGap(taken, size, capacity) {
  let at = 0;
  for (const [offset, length] of taken) {
    if (at + size <= offset) break;
    at = Math.max(at, Math.ceil((offset + length) / size) * size);
  }
  return at + size <= capacity ? at : -1;
}

// The classic buddy system on the server. Free blocks are one sorted set of the texts OO:AAAAAAAA, order and address, so that
// the first of each order is the lowest; live blocks a hash of their orders.
const FUNCTION = `
local free, live, top = KEYS[1], KEYS[2], tonumber(ARGV[3])
local function name(order, at) return string.format('%02d:%08x', order, at) end
if ARGV[1] == 'alloc' then
  local order = tonumber(ARGV[2])
  local best, found = nil, nil
  local from = order
  while from <= top do
    local first = redis.call('ZRANGEBYLEX', free, '[' .. string.format('%02d:', from), '+', 'LIMIT', 0, 1)[1]
    if not first then break end
    local at = tonumber(string.sub(first, 4), 16)
    from = tonumber(string.sub(first, 1, 2))
    if not best or at < best then best, found = at, from end
    from = from + 1
  end
  if not best then return -1 end
  redis.call('ZREM', free, name(found, best))
  while found > order do
    found = found - 1
    redis.call('ZADD', free, 0, name(found, best + 2 ^ found))
  end
  redis.call('HSET', live, best, order)
  return best
end
local at = tonumber(ARGV[2])
local order = tonumber(redis.call('HGET', live, at))
redis.call('HDEL', live, at)
while order < top do
  local size = 2 ^ order
  local buddy = at + size
  if at % (2 * size) ~= 0 then buddy = at - size end
  if redis.call('ZREM', free, name(order, buddy)) == 0 then break end
  if buddy < at then at = buddy end
  order = order + 1
end
redis.call('ZADD', free, 0, name(order, at))
return 0`;

function redisClient(port) {
  const client = new Redis({ host: '127.0.0.1', port });
  client.defineCommand('buddy', { numberOfKeys: 2, lua: FUNCTION });
  return client;
}

/** The same as FUNCTION, as one transaction that holds the row of the arena. */
const SQL_FUNCTIONS = `
create schema if not exists bench;
create table if not exists bench.arena (id int primary key);
create table if not exists bench.free (at int primary key, "order" int not null);
create table if not exists bench.live (at int primary key, "order" int not null);
create or replace function bench.alloc(wanted int) returns int language plpgsql as $$
declare
  found_at int;
  found_order int;
begin
  perform 1 from bench.arena where id = 1 for update;
  select f.at, f."order" into found_at, found_order from bench.free f where f."order" >= wanted order by f.at limit 1;
  if not found then return -1; end if;
  delete from bench.free where at = found_at;
  while found_order > wanted loop
    found_order := found_order - 1;
    insert into bench.free values (found_at + (1 << found_order), found_order);
  end loop;
  insert into bench.live values (found_at, wanted);
  return found_at;
end $$;
create or replace function bench.release(from_at int, top int) returns int language plpgsql as $$
declare
  at_now int := from_at;
  order_now int;
begin
  perform 1 from bench.arena where id = 1 for update;
  delete from bench.live where at = from_at returning "order" into order_now;
  while order_now < top loop
    delete from bench.free where at = at_now # (1 << order_now) and "order" = order_now;
    exit when not found;
    at_now := at_now & ~(1 << order_now);
    order_now := order_now + 1;
  end loop;
  insert into bench.free values (at_now, order_now);
  return 0;
end $$;`;

function arenaOver(log) {
  return async (capacity) => {
    const arena = await ReplicatedArena.open(log, 'bench', { capacity });
    return { alloc: (size) => arena.alloc(size), free: (block) => arena.free(block) };
  };
}

const pool = (port) => new Pool({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', max: 4 });

export const CONTENDERS = {
  redis: {
    async prepare(port, capacity) {
      const client = redisClient(port);
      await client.flushall();
      await client.zadd('free', 0, `${orderOf(capacity)}:00000000`);
      client.disconnect();
    },
    ReplicatedArena: (port, capacity) => arenaOver(new RedisLog(redisClient(port)))(capacity),
    async 'server-side function'(port, capacity) {
      const client = redisClient(port);
      const top = orderOf(capacity);
      return {
        async alloc(size) {
          const offset = await client.buddy('free', 'live', 'alloc', orderOf(size), top);
          return offset < 0 ? null : { offset };
        },
        free: ({ offset }) => client.buddy('free', 'live', 'free', offset, top),
      };
    },
    async 'naive: scan, WATCH'(port, capacity) {
      const client = redisClient(port);
      return {
        async alloc(size) {
          const length = 2 ** orderOf(size);
          for (;;) {
            await client.watch('taken');
            const taken = (await client.zrange('taken', 0, -1)).map((member) =>
              member.split(':').map(Number),
            );
            const offset = firstGap(taken, length, capacity);
            if (offset < 0) return null;
            const done = await client.multi().zadd('taken', offset, `${offset}:${length}`).exec();
            if (done !== null) return { offset, member: `${offset}:${length}` };
          }
        },
        free: ({ member }) => client.zrem('taken', member),
      };
    },
  },
  postgres: {
    async prepare(port, capacity) {
      const database = pool(port);
      await database.query(
        `drop schema if exists bench cascade; drop schema if exists buddy_1 cascade; ${SQL_FUNCTIONS}`,
      );
      await database.query(`insert into bench.arena values (1)`);
      await database.query(`insert into bench.free values (0, ${orderOf(capacity)})`);
      await new PostgresLog(database).install();
      await database.end();
    },
    ReplicatedArena: (port, capacity) => arenaOver(new PostgresLog(pool(port)))(capacity),
    async 'server-side function'(port, capacity) {
      const database = pool(port);
      const top = orderOf(capacity);
      return {
        async alloc(size) {
          const { rows } = await database.query('select bench.alloc($1) as at', [orderOf(size)]);
          return rows[0].at < 0 ? null : { offset: rows[0].at };
        },
        async allocAll(sizes) {
          const { rows } = await database.query('select bench.alloc(o) as at from unnest($1::int[]) as o', [
            sizes.map(orderOf),
          ]);
          return rows.map(({ at }) => (at < 0 ? null : { offset: at }));
        },
        free: ({ offset }) => database.query('select bench.release($1, $2)', [offset, top]),
      };
    },
    async 'naive: scan under a lock'(port, capacity) {
      const database = pool(port);
      return {
        async alloc(size) {
          const length = 2 ** orderOf(size);
          const client = await database.connect();
          try {
            await client.query('begin');
            await client.query('select pg_advisory_xact_lock(1)');
            const { rows } = await client.query({
              text: 'select at, 1 << "order" from bench.live order by at',
              rowMode: 'array',
            });
            const offset = firstGap(rows, length, capacity);
            if (offset >= 0)
              await client.query('insert into bench.live values ($1, $2)', [offset, orderOf(size)]);
            await client.query('commit');
            return offset < 0 ? null : { offset };
          } finally {
            client.release();
          }
        },
        free: ({ offset }) => database.query('delete from bench.live where at = $1', [offset]),
      };
    },
  },
};
