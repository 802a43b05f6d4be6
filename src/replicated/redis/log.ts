// A log in a stream of Redis.

import { checkObject, checkWithin } from '../../base/arguments.ts';
import type { Durability, Log, LogRecord, LogSnapshot } from '../log.ts';

/** A client of `ioredis`. */
export interface CallClient {
  call(command: string, ...parameters: string[]): Promise<unknown>;
  /** Whether it is one of a cluster, with a connection to each node. */
  readonly isCluster?: boolean;
}

/** A client of `redis` (node-redis). */
export interface SendClient {
  sendCommand(parameters: string[]): Promise<unknown>;
}

/** How a {@link RedisLog} appends. */
export interface RedisLogOptions {
  /** Replicas that must have a record before it is acknowledged (WAIT); 0 unless given. */
  readonly replicas?: number | undefined;
  /** Milliseconds to wait for them; 1,000 unless given. If they do not answer in that time, it is not known what is recorded. */
  readonly timeout?: number | undefined;
}

/** What {@link APPEND} replies. */
type Appended = null | string | readonly [id: string, others: readonly Entry[]];

/** An entry of a stream, as XRANGE gives it: its id, and fields and values by turns. */
type Entry = readonly [id: string, fields: readonly string[]];

/**
 * Appends a record. Replies with its id alone if the one before it is that at ARGV[2], as is mostly so; else with its id and
 * the records from that one on, without the new one. Nothing if there is no stream.
 */
const APPEND = `
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local id = redis.call('XADD', KEYS[1], 'NOMKSTREAM', '*', 'data', ARGV[1])
if not id or (last and last[1] == ARGV[2]) then return id end
return {id, redis.call('XRANGE', KEYS[1], ARGV[2], '(' .. id)}`;

/**
 * Saves a snapshot of a larger number than the one that is there, if its record is there, and drops records before that one. The
 * stream may keep some more.
 */
const SAVE = `
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 0 end
local old = redis.call('HMGET', KEYS[2], 'position', 'number')
if old[2] and tonumber(old[2]) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[2], 'position', ARGV[1], 'number', ARGV[2], 'data', ARGV[3])
if old[1] then redis.call('XTRIM', KEYS[1], 'MINID', '~', old[1]) end
return 1`;

/**
 * A {@link Log} in Redis 7 or Valkey: a stream for each arena, `buddy:{NAME}:log`, and a hash for its snapshot. One call of a
 * script for each record, whatever the number of operations in it.
 *
 * The client library is yours: `ioredis`, or `redis` (node-redis). Redis acknowledges before it has written to a disk or to a
 * replica, if it is not set to do otherwise, and loses what it had acknowledged at a failover: see
 * {@link RedisLog.durability}. Set `maxmemory-policy` to `noeviction`.
 */
export class RedisLog implements Log {
  readonly #send: (...command: string[]) => Promise<unknown>;
  readonly #replicas: number;
  readonly #timeout: number;
  #script: Promise<string> | null = null;

  /**
   * A log by way of `client`.
   *
   * @throws TypeError if `client` is neither of the two, or an option is not a number.
   * @throws RangeError if an option is not an integer from 0 to 2^31 - 1, or if there are replicas to wait for and `client` is
   * one of a cluster: it asks any of the nodes for replicas. Pass the client of the node that has the stream.
   */
  constructor(client: CallClient | SendClient, options: RedisLogOptions = {}) {
    const given: Partial<CallClient & SendClient> = checkObject('client', client);
    if (typeof given.sendCommand === 'function' && typeof given.call !== 'function') {
      const { sendCommand } = given;
      this.#send = (...command) => sendCommand.call(client, command);
    } else if (typeof given.call === 'function') {
      const { call } = given;
      this.#send = (command, ...parameters) => call.call(client, command, ...parameters);
    } else {
      throw new TypeError(
        'client must have a method call, as those of ioredis, or sendCommand, as those of redis',
      );
    }
    const { replicas = 0, timeout = 1000 } = checkObject('options', options);
    this.#replicas = checkWithin('replicas', replicas, 0, 2 ** 31 - 1);
    this.#timeout = checkWithin('timeout', timeout, 0, 2 ** 31 - 1);
    if (replicas > 0 && given.isCluster === true) {
      throw new RangeError('a client of a cluster cannot wait for replicas; pass the client of one node');
    }
  }

  async append(arena: string, data: string, after: string | null): Promise<readonly LogRecord[] | null> {
    const { log } = keysOf(arena);
    if (after === null) {
      const id = await this.#write('XADD', log, '*', 'data', data);
      return [recordOf([id as string, ['data', data]])];
    }
    const reply = await this.#append(log, data, after);
    if (reply === null) return null;
    if (typeof reply === 'string') return [recordOf([reply, ['data', data]])];
    const [id, others] = reply;
    return recordsAfter([...others, [id, ['data', data]]], after);
  }

  async read(arena: string, after: string): Promise<readonly LogRecord[] | null> {
    return recordsAfter(await this.#send('XRANGE', keysOf(arena).log, after, '+'), after);
  }

  async load(arena: string): Promise<LogSnapshot | null> {
    const reply = await this.#send('HMGET', keysOf(arena).snapshot, 'position', 'number', 'data');
    const [position, number, data] = reply as (string | null)[];
    if (position === null || data === null) return null;
    return { position, number: Number(number), data };
  }

  async save(arena: string, { position, number, data }: LogSnapshot): Promise<boolean> {
    const { log, snapshot } = keysOf(arena);
    return (await this.#send('EVAL', SAVE, '2', log, snapshot, position, String(number), data)) === 1;
  }

  /**
   * What the server is set to. `crash`: `appendonly` is on, and `appendfsync` is `always`; null if the server does not tell.
   * `failover`: this log waits for as many replicas as there are, so that each of them has what was acknowledged. That narrows
   * the window in which a failover loses records; it does not close it, for Redis does not choose the replica by what it has.
   */
  async durability(): Promise<Durability> {
    const [persistence, info] = await Promise.all([
      this.#config('append*'),
      this.#send('INFO', 'replication'),
    ]);
    const connected = /^connected_slaves:(\d+)/m.exec(String(info))?.[1] ?? '0';
    const settings: Record<string, string> = {
      connected_slaves: connected,
      replicas: String(this.#replicas),
    };
    for (const name of ['appendonly', 'appendfsync']) {
      if (persistence?.[name] !== undefined) settings[name] = persistence[name];
    }
    return {
      crash:
        persistence === null
          ? null
          : persistence.appendonly === 'yes' && persistence.appendfsync === 'always',
      failover: this.#replicas > 0 && this.#replicas >= Number(connected),
      settings,
    };
  }

  /** Runs {@link APPEND}, by its name if the server knows it. */
  async #append(...parameters: readonly [log: string, data: string, after: string]): Promise<Appended> {
    this.#script ??= nameOf(APPEND);
    try {
      return (await this.#write('EVALSHA', await this.#script, '1', ...parameters)) as Appended;
    } catch (error) {
      if (!(error as Error).message?.startsWith('NOSCRIPT')) throw error;
      return (await this.#write('EVAL', APPEND, '1', ...parameters)) as Appended;
    }
  }

  /** Sends a command that writes, and waits until the replicas have what it has written. */
  async #write(...command: string[]): Promise<unknown> {
    if (this.#replicas === 0) return this.#send(...command);
    // What is sent without waiting for replies is carried out in its order. But a client that is connected anew, maybe to
    // another server, sends again what has no reply yet. That may be WAIT alone, which then speaks of other writes.
    const [before, reply, reached, after] = await Promise.all([
      this.#send('CLIENT', 'INFO'),
      this.#send(...command),
      this.#send('WAIT', String(this.#replicas), String(this.#timeout)),
      this.#send('CLIENT', 'INFO'),
    ]);
    if (Number(reached) < this.#replicas) {
      throw new Error(`${reached} of ${this.#replicas} replicas have answered in ${this.#timeout} ms`);
    }
    if (connectionIn(before) !== connectionIn(after)) {
      throw new Error('the connection was lost while the replicas were waited for');
    }
    return reply;
  }

  /** Settings by name; null if the server does not tell them, as managed ones do not. */
  async #config(pattern: string): Promise<Readonly<Record<string, string>> | null> {
    try {
      const reply = await this.#send('CONFIG', 'GET', pattern);
      if (!Array.isArray(reply)) return reply as Record<string, string>;
      return Object.fromEntries(reply.flatMap((name, i) => (i % 2 === 0 ? [[name, reply[i + 1]]] : [])));
    } catch (error) {
      if (/^(ERR|NOPERM)\b/.test((error as Error).message)) return null;
      throw error;
    }
  }
}

/** Server, client and number of the connection that an answer to CLIENT INFO speaks of. */
function connectionIn(info: unknown): string {
  return String(info).split(' ', 3).join(' ');
}

/** The name by which a server that has run the script knows it. */
async function nameOf(script: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(script));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The keys of an arena, which lie in one slot of a cluster. */
function keysOf(arena: string): { readonly log: string; readonly snapshot: string } {
  const tag = `buddy:{${encodeURIComponent(arena)}}`;
  return { log: `${tag}:log`, snapshot: `${tag}:snapshot` };
}

/** Ids are the server's clock in milliseconds and a count; they never go back. */
function recordOf([id, fields]: Entry): LogRecord {
  return { position: id, time: Number(id.split('-')[0]), data: fields[1] };
}

/** The records of an answer to XRANGE without the first, which has to be the one at `after`; null if it is not. */
function recordsAfter(reply: unknown, after: string): readonly LogRecord[] | null {
  const [first, ...others] = reply as readonly Entry[];
  return first?.[0] === after ? others.map(recordOf) : null;
}
