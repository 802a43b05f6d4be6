// A log in a table of PostgreSQL.

import { checkObject } from '../../base/arguments.ts';
import type { Durability, Log, LogRecord, LogSnapshot } from '../log.ts';
import { INSTALL, SCHEMA } from './schema.ts';

/** A pool or a client of `pg`, a PGlite, or whatever else has such a method. */
export interface QueryClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** The `sql` of `postgres` (postgres.js), outside or inside a transaction. */
export interface UnsafeClient {
  unsafe(text: string, values?: never[]): PromiseLike<readonly unknown[]>;
}

/** A row of a record. Numbers are text: drivers differ in what they make of a bigint. */
interface Row {
  readonly n: string;
  readonly tag: string;
  readonly time: string;
  readonly data: string | null;
}

/**
 * A {@link Log} in PostgreSQL 12 or later: one round trip and one commit for each record, whatever the number of operations in
 * it. An append waits for those of the same arena that have not committed.
 *
 * The client library is yours: `pg` (a Pool, or a Client), PGlite, or postgres.js. Records are lost, or given out twice after a
 * failover, if the server is set so: {@link PostgresLog.durability} tells.
 */
export class PostgresLog implements Log {
  readonly #run: (text: string, values: readonly (string | null)[]) => Promise<readonly unknown[]>;

  /**
   * A log by way of `client`, which may be one inside a transaction.
   *
   * @throws TypeError if `client` is neither of the two.
   */
  constructor(client: QueryClient | UnsafeClient) {
    const given: Partial<QueryClient & UnsafeClient> =
      typeof client === 'function' ? client : checkObject('client', client);
    if (typeof given.query === 'function') {
      const { query } = given;
      this.#run = async (text, values) => (await query.call(client, text, [...values])).rows;
    } else if (typeof given.unsafe === 'function') {
      const { unsafe } = given;
      this.#run = async (text, values) => unsafe.call(client, text, [...values] as never[]);
    } else {
      throw new TypeError(
        'client must have a method query, as those of pg and PGlite, or unsafe, as that of postgres',
      );
    }
  }

  /**
   * Makes the schema `buddy_1` with its tables and functions where they are missing. To be run before the first use, by a role
   * that may create a schema; any number of processes may run it at once. Other roles need USAGE on the schema, and SELECT,
   * INSERT, UPDATE and DELETE on its tables.
   */
  async install(): Promise<void> {
    await this.#run(INSTALL, []);
  }

  async append(arena: string, data: string, after: string | null): Promise<readonly LogRecord[] | null> {
    const rows = await this.#run(
      `select n::text, tag::text, "time"::text, data from ${SCHEMA}.append($1, $2, $3::text::bigint)`,
      [arena, data, after === null ? null : numberOf(after)],
    );
    const records = recordsOf(rows as Row[], data);
    return after === null ? records : without(records, after);
  }

  async read(arena: string, after: string): Promise<readonly LogRecord[] | null> {
    const rows = await this.#run(
      `select r.n::text, r.tag::text, r.time::text, case when r.n = $2::text::bigint then null else r.data end as data
      from ${SCHEMA}.record as r where r.arena = $1 and r.n >= $2::text::bigint order by r.n`,
      [arena, numberOf(after)],
    );
    return without(recordsOf(rows as Row[], ''), after);
  }

  async load(arena: string): Promise<LogSnapshot | null> {
    const rows = await this.#run(
      `select n::text, tag::text, number::text, data from ${SCHEMA}.snapshot where arena = $1`,
      [arena],
    );
    const [row] = rows as readonly (Pick<Row, 'n' | 'tag'> & {
      readonly number: string;
      readonly data: string;
    })[];
    return row === undefined
      ? null
      : { position: positionOf(row), number: Number(row.number), data: row.data };
  }

  async save(arena: string, { position, number, data }: LogSnapshot): Promise<boolean> {
    const [n, tag] = position.split('-');
    const [row] = await this.#run(
      `select ${SCHEMA}.save($1, $2::text::bigint, $3::text::bigint, $4::text::bigint, $5) as saved`,
      [arena, n, tag, String(number), data],
    );
    return (row as { readonly saved: boolean }).saved;
  }

  /**
   * What the server is set to, for sessions like this client's. `crash`: `fsync` is on, and `synchronous_commit` is not off.
   * `failover`: besides, `synchronous_standby_names` is set, and `synchronous_commit` is `on` or `remote_apply`.
   */
  async durability(): Promise<Durability> {
    const rows = await this.#run(
      `select name, setting from pg_settings
      where name in ('fsync', 'synchronous_commit', 'synchronous_standby_names') order by name`,
      [],
    );
    const settings = Object.fromEntries(
      (rows as { readonly name: string; readonly setting: string }[]).map(({ name, setting }) => [
        name,
        setting,
      ]),
    );
    const crash = settings.fsync === 'on' && settings.synchronous_commit !== 'off';
    const waits = ['on', 'remote_apply'].includes(settings.synchronous_commit);
    return { crash, failover: crash && waits && settings.synchronous_standby_names !== '', settings };
  }
}

function positionOf({ n, tag }: Pick<Row, 'n' | 'tag'>): string {
  return `${n}-${tag}`;
}

function numberOf(position: string): string {
  return position.split('-')[0];
}

/** The records in `rows`. Those without data are the one that is known already, and the new one. */
function recordsOf(rows: readonly Row[], newData: string): LogRecord[] {
  return rows.map((row) => ({
    position: positionOf(row),
    time: Number(row.time),
    data: row.data ?? newData,
  }));
}

/** `records` without the first, which has to be the one at `after`; null if it is not. */
function without([first, ...others]: LogRecord[], after: string): readonly LogRecord[] | null {
  return first?.position === after ? others : null;
}
