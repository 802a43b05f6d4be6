// Processes that allocate through a proxy that cuts connections and swallows replies, and that are killed, as is the server.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PostgresLog, RedisLog, ReplicatedArena } from '../../../src/replicated.ts';
import { Random } from '../../support/random.ts';
import { PostgresServer } from '../servers/postgres.ts';
import { FaultyProxy } from '../servers/proxy.ts';
import { RedisServer } from '../servers/redis.ts';
import { type Begun, ChaosHistory, type Line } from './history.ts';

/** Units of the arena. */
const CAPACITY = 4096;

/** How long a run is, and what happens in it. */
export interface ChaosOptions {
  readonly engine: 'postgres' | 'redis';
  readonly seconds: number;
  readonly clients: number;
  readonly seed: number;
}

/** What came of a run. All of the second group must be 0. */
export interface ChaosReport {
  readonly acknowledged: number;
  readonly replayed: number;
  readonly clientsKilled: number;
  readonly serversKilled: number;
  readonly cuts: number;
  readonly swallowed: number;

  readonly overlaps: number;
  readonly lost: number;
  readonly leaked: number;
  readonly orderViolations: number;
  readonly violations: number;
  readonly errors: readonly string[];
}

/** A process of the test, which goes on in another one when it is killed. */
class Client {
  readonly #options: { readonly engine: string; readonly port: number };
  readonly #history: ChaosHistory;
  readonly #name: string;
  /** The calls that were begun and have not ended, by their keys and tokens. */
  readonly #unfinished = new Map<string | number, Begun>();
  #child: ChildProcess | null = null;
  #isOver: Promise<unknown> = Promise.resolve();
  #lives = 0;

  constructor(
    name: string,
    options: { readonly engine: string; readonly port: number },
    history: ChaosHistory,
  ) {
    this.#name = name;
    this.#options = options;
    this.#history = history;
  }

  /** Starts a process that first ends what the one before has left. */
  start(): void {
    const parameters = {
      ...this.#options,
      name: `${this.#name} ${++this.#lives}`,
      workers: 4,
      unfinished: [...this.#unfinished.values()],
    };
    const file = fileURLToPath(new URL('client.mjs', import.meta.url));
    const child = spawn(process.execPath, [file, JSON.stringify(parameters)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (text) => this.#note(JSON.parse(text) as Line));
    this.#child = child;
    this.#isOver = new Promise((resolve) => child.once('close', resolve));
  }

  /** Kills the process, or lets it end what it is at. */
  async stop(how: 'kill' | 'end'): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    if (how === 'kill') child.kill('SIGKILL');
    else child.stdin?.end();
    await this.#isOver;
  }

  #note(line: Line): void {
    if ('begin' in line) {
      this.#unfinished.set(line.begin === 'alloc' ? line.key : line.token, line);
      if (line.begin === 'free') this.#history.noteFree(line.token, line.began);
    } else {
      if ('end' in line) this.#unfinished.delete(line.end === 'alloc' ? line.key : line.token);
      this.#history.note(line);
    }
  }
}

/** Runs a test. Needs the built package. */
export async function runChaos({
  engine,
  seconds,
  clients: count,
  seed,
}: ChaosOptions): Promise<ChaosReport> {
  const random = new Random(seed);
  const server =
    engine === 'postgres'
      ? await PostgresServer.start('fsync=off')
      : await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always');
  const proxy = await FaultyProxy.start(server.port);
  const history = new ChaosHistory();
  let clientsKilled = 0;
  let serversKilled = 0;
  const clients = Array.from(
    { length: count },
    (_, i) => new Client(`client ${i}`, { engine, port: proxy.port }, history),
  );
  try {
    const { log, close } = await directLog(server);
    await ReplicatedArena.open(log, 'chaos', { capacity: CAPACITY });
    for (const client of clients) client.start();
    const end = performance.now() + 1000 * seconds;
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 100 + random.below(200)));
      const chance = random.next();
      if (chance < 0.4) proxy.swallowNext();
      else if (chance < 0.7) proxy.cut();
      else if (chance < 0.9) {
        const client = clients[random.below(count)];
        await client.stop('kill');
        client.start();
        clientsKilled++;
      } else {
        await server.kill();
        await server.start();
        serversKilled++;
      }
    }
    // Each process that was killed has a successor, which ends what was left; then it ends.
    await Promise.all(clients.map((client) => client.stop('end')));
    const judge = await ReplicatedArena.open(log, 'chaos');
    const violations = await judge.check();
    const live = new Set(judge.list().map(({ token }) => token));
    const held = history.held();
    await close();
    return {
      acknowledged: history.acknowledged,
      replayed: history.replayed,
      clientsKilled,
      serversKilled,
      cuts: proxy.cuts,
      swallowed: proxy.swallowed,
      overlaps: history.overlaps(CAPACITY),
      lost: [...held.keys()].filter((token) => !live.has(token)).length,
      leaked: [...live].filter((token) => !held.has(token)).length,
      orderViolations: history.orderViolations(),
      violations: violations.length,
      errors: history.errors,
    };
  } finally {
    await Promise.all(clients.map((client) => client.stop('kill')));
    await proxy.stop();
    await server.remove();
  }
}

/** A log that goes to the server itself. */
async function directLog(
  server: PostgresServer | RedisServer,
): Promise<{ readonly log: PostgresLog | RedisLog; readonly close: () => Promise<void> }> {
  if (server instanceof RedisServer) {
    const client = server.client();
    return { log: new RedisLog(client), close: async () => client.disconnect() };
  }
  const pool = server.pool();
  const log = new PostgresLog(pool);
  await log.install();
  return { log, close: () => pool.end() };
}
