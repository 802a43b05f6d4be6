// `buddy prefixes --postgres`: the prefixes of a pool that processes share by way of PostgreSQL.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { formatPrefix, parsePrefix } from '../prefixes/prefix.ts';
import { Space } from '../prefixes/space.ts';
import { capacityFor, ReplicatedPrefixes, type WithPrefix } from '../prefixes.ts';
import {
  type Allocation,
  type HeldBlock,
  PostgresLog,
  type QueryClient,
  ReplicatedArena,
} from '../replicated.ts';
import { printable } from '../trace/printable.ts';
import type { Io } from './io.ts';
import { naming } from './naming.ts';
import { noRoom, type PrefixesFlags, prefixesIn, summary } from './prefixes.ts';

/** Arguments of `buddy prefixes --postgres`. */
export interface PostgresFlags extends PrefixesFlags {
  /** Where the server is; true for what the environment says (PGHOST and so on). */
  readonly postgres: string | true;
  /** The name of the arena; the pool unless given. */
  readonly name?: string;
  readonly owner?: string;
  readonly key?: string;
  readonly free?: readonly string[];
  /** Seconds. */
  readonly cooldown?: number;
}

/** What is used of a client of `pg`. */
interface PgClient extends QueryClient {
  connect(): Promise<unknown>;
  end(): Promise<unknown>;
  on(event: 'error', listener: () => void): unknown;
}

/** SQLSTATE of a schema and of a table that are not there. */
const MISSING = ['3F000', '42P01'];

/**
 * `buddy prefixes POOL --postgres`: takes those in use, then frees, then allocates. What it has done stays done if it
 * fails later on. Resolves to whether all prefixes asked for have been found.
 *
 * @throws Error if an argument is wrong, the list cannot be read, `pg` is not installed, or the server refuses.
 */
export async function postgresPrefixesCommand(
  poolText: string,
  flags: PostgresFlags,
  io: Io,
): Promise<boolean> {
  const { longest, used, free = [], alloc, owner, key } = flags;
  if (key !== undefined && alloc?.length !== 1) throw new Error('--key needs --alloc with one length');
  const space = new Space({ pool: poolText, longest });
  const inUse = used === undefined ? [] : await naming(used, prefixesIn(used, space, io));
  const toFree = free.map((text) => formatPrefix(parsePrefix(text)));
  for (const length of alloc ?? []) space.sizeOf(length);
  const client = clientOf(flags.postgres);
  await client.connect().catch((cause: Error & { readonly code?: string }) => {
    // Where a name has several addresses, the error of them all has no message.
    throw new Error(`PostgreSQL: ${cause.message || cause.code}`, { cause });
  });
  try {
    const pool = formatPrefix(space.pool);
    const arena = await openArena(
      new PostgresLog(client),
      flags.name ?? pool,
      capacityFor({ pool, longest }),
    );
    const prefixes = new ReplicatedPrefixes({ pool, longest, arena });
    await takeAll(arena, space, inUse, owner);
    const cooldown = flags.cooldown === undefined ? undefined : 1000 * flags.cooldown;
    for (const prefix of toFree) {
      const block = prefixes.list().find((one) => one.prefix === prefix && !one.cooling);
      if (block === undefined) throw new Error(`${prefix} is not allocated as a whole`);
      await prefixes.free(block, { cooldown });
    }
    for (const length of alloc ?? []) {
      const block = await prefixes.alloc(length, { owner, key });
      if (block === null) return noRoom(length, pool, io);
      io.stdout.write(`${block.prefix}\n`);
    }
    if (flags.list) {
      for (const one of prefixes.list()) io.stdout.write(lineOf(one));
    } else if (alloc === undefined && free.length === 0)
      io.stdout.write(summary({ arena, pool, longest, largestFree: prefixes.largestFree }));
    return true;
  } finally {
    await client.end();
  }
}

/** A client of the `pg` that is installed where the command runs, or else beside it. */
function clientOf(postgres: string | true): PgClient {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    const require = createRequire(from);
    let path: string;
    try {
      path = require.resolve('pg');
    } catch {
      continue;
    }
    const { Client } = require(path) as { Client: new (options: object) => PgClient };
    const client = new Client(postgres === true ? {} : { connectionString: postgres });
    // A connection that is lost while nothing is asked is found by what is asked next.
    client.on('error', () => {});
    return client;
  }
  throw new Error('--postgres needs the package pg: npm install pg');
}

/** The arena, and the tables that it lies in, made where they are missing. */
async function openArena(log: PostgresLog, name: string, capacity: number): Promise<ReplicatedArena> {
  const open = () =>
    ReplicatedArena.open(log, name, { capacity }).catch((error: unknown) => {
      if (!(error instanceof RangeError)) throw error;
      throw new Error(`${error.message}: the pool was made with another --longest`, { cause: error });
    });
  try {
    return await open();
  } catch (error) {
    if (!MISSING.includes((error as { code?: string }).code ?? '')) throw error;
    await log.install();
    return open();
  }
}

/** Takes what is in use, but for what lies in a block that is held already. All of it goes as one record, mostly. */
async function takeAll(
  arena: ReplicatedArena,
  space: Space,
  inUse: readonly string[],
  owner: string | undefined,
): Promise<void> {
  const missing = space.extentsInUse(inUse).filter(({ offset, size }) => {
    const block = arena.blockOf(offset);
    return block === null || block.cooling || block.offset + block.size < offset + size;
  });
  const taken = await Promise.all(missing.map(({ offset, size }) => arena.reserve(offset, size, { owner })));
  const refused = missing.filter((_, i) => taken[i] === null);
  if (refused.length === 0) return;
  // All or nothing.
  await Promise.all(
    taken.filter((block): block is Allocation => block !== null).map((one) => arena.free(one)),
  );
  throw new Error(`${space.prefixAt(refused[0])} overlaps with a prefix that is in use in part`);
}

/** A line that `--used` reads. Others have written what it says of the owner, which must not command the terminal. */
function lineOf({
  prefix,
  owner,
  cooling,
}: Pick<WithPrefix<HeldBlock>, 'prefix' | 'owner' | 'cooling'>): string {
  const remark = cooling ? 'cools down' : owner;
  return remark === null ? `${prefix}\n` : `${prefix} # ${printable(remark)}\n`;
}
