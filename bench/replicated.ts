// `npm run bench -- replicated`: an arena that processes share by way of Redis or PostgreSQL: ReplicatedArena beside a function on
// the server and the ways that people use.

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { hasPostgres, PostgresServer } from '../test/replicated/servers/postgres.ts';
import { hasRedis, RedisServer } from '../test/replicated/servers/redis.ts';
import { printReport } from './command.ts';
import { type Machine, machine } from './machine.ts';
import { showProgress } from './progress.ts';
import { CONTENDERS } from './replicated/contenders.mjs';

const CAPACITY = 2 ** 18;

/** Milliseconds of a tick of the clock by which Linux counts the time of processes. */
const TICK = 10;

/** A way to use an arena. */
interface Setting {
  readonly live: number;
  readonly processes: number;
  /** Calls under way at once in each process. */
  readonly depth: number;
}

/** What came of it. */
interface Result extends Setting {
  readonly engine: string;
  readonly contender: string;
  readonly callsPerSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Processor time of the server for each call. */
  readonly serverUs: number;
  /** The same of all clients. */
  readonly clientUs: number;
}

interface Report {
  readonly machine: Machine;
  readonly results: readonly Result[];
}

/** What a process reports. */
interface Measured {
  readonly calls: number;
  readonly milliseconds: number;
  readonly median: number;
  readonly p99: number;
  readonly microseconds: number;
  readonly blocks: readonly (readonly [number, number])[];
}

/** Processor time that a process and its children have used, in milliseconds. */
function timeOf(pid: number): number {
  const times = readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      // What follows the name, which may have spaces: the state, the parent, and from the 12th field on the times, in user
      // mode and in the kernel, of the process and of its children that have ended.
      const fields = readFileSync(`/proc/${entry}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      if (Number(entry) !== pid && Number(fields[1]) !== pid) return [];
      return fields.slice(11, Number(entry) === pid ? 15 : 13).map(Number);
    } catch (error) {
      if (
        (error as NodeJS.ErrnoException).code === 'ENOENT' ||
        (error as NodeJS.ErrnoException).code === 'ESRCH'
      )
        return [];
      throw error;
    }
  });
  return TICK * times.reduce((sum, time) => sum + time, 0);
}

/** A process of the benchmark: resolves at each line of its. */
function start(parameters: object): { next(): Promise<string>; go(): void } {
  const file = fileURLToPath(new URL('replicated/client.mjs', import.meta.url));
  const child = spawn(process.execPath, [file, JSON.stringify(parameters)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error('a process of the benchmark has failed');
      return value as string;
    },
    go: () => child.stdin.write('go\n'),
  };
}

async function measure(
  engine: 'redis' | 'postgres',
  contender: string,
  server: RedisServer | PostgresServer,
  setting: Setting,
  seconds: number,
): Promise<Result> {
  const { live, processes, depth } = setting;
  showProgress(`${engine}: ${contender}, ${live} blocks, ${processes} processes, ${depth} at once`);
  await CONTENDERS[engine].prepare(server.port, CAPACITY);
  const common = {
    engine,
    contender,
    port: server.port,
    capacity: CAPACITY,
    live: live / processes,
    depth,
    seconds,
  };
  const clients = Array.from({ length: processes }, (_, i) => start({ ...common, seed: 7 + i }));
  for (const step of ['ready', 'warm']) {
    await Promise.all(clients.map(async ({ next }) => expectLine(await next(), step)));
    if (step === 'ready') for (const client of clients) client.go();
  }
  const before = timeOf(server.pid);
  for (const client of clients) client.go();
  const measured = await Promise.all(clients.map(async ({ next }) => JSON.parse(await next()) as Measured));
  const used = timeOf(server.pid) - before;
  const sum = (of: (one: Measured) => number) => measured.reduce((total, one) => total + of(one), 0);
  expectApart(
    `${engine}, ${contender}`,
    measured.flatMap(({ blocks }) => blocks),
  );
  const calls = sum((one) => one.calls);
  return {
    engine,
    contender,
    ...setting,
    callsPerSecond: sum((one) => (1000 * one.calls) / one.milliseconds),
    medianMs: sum((one) => one.median * one.calls) / calls,
    p99Ms: Math.max(...measured.map((one) => one.p99)),
    serverUs: (1000 * used) / calls,
    clientUs: sum((one) => one.microseconds) / calls,
  };
}

function expectLine(line: string, expected: string): void {
  if (line !== expected) throw new Error(`a process of the benchmark says ${line}`);
}

/** Throws if two blocks overlap. */
function expectApart(whose: string, blocks: readonly (readonly [number, number])[]): void {
  let end = 0;
  for (const [offset, size] of blocks.toSorted(([a], [b]) => a - b)) {
    if (offset < end) throw new Error(`${whose}: the block at ${offset} was given out twice`);
    end = offset + size;
  }
}

function settings(contender: string, quick: boolean): Setting[] {
  // A connection can watch for one call at a time, and the naive ways take minutes to fill a large arena.
  if (contender.startsWith('naive')) return [{ live: quick ? 200 : 1000, processes: 1, depth: 1 }];
  if (quick) return [{ live: 200, processes: 2, depth: 4 }];
  const lives = [1000, 20_000];
  return lives.flatMap((live) =>
    [1, 4].flatMap((processes) => [1, 32].map((depth) => ({ live, processes, depth }))),
  );
}

function format({ results }: Report): string {
  const table = new Table({
    head: [
      'engine',
      'way',
      'blocks',
      'processes',
      'at once',
      'calls/s',
      'median ms',
      'p99 ms',
      'server µs',
      'clients µs',
    ],
    colAligns: ['left', 'left', ...new Array<'right'>(8).fill('right')],
    style: { head: [], border: [] },
  });
  for (const one of results) {
    table.push([
      ...[one.engine, one.contender, one.live, one.processes, one.depth, Math.round(one.callsPerSecond)],
      ...[one.medianMs.toFixed(2), one.p99Ms.toFixed(1), one.serverUs.toFixed(1), one.clientUs.toFixed(1)],
    ]);
  }
  return `${table}\nserver, clients: processor time for each call. at once: calls under way in each process.\n`;
}

interface Options {
  readonly seconds: number;
  readonly engine?: 'redis' | 'postgres';
  readonly quick?: true;
  readonly json?: true;
}

/** Runs the benchmark: on a Redis that keeps nothing, and a PostgreSQL as it is set when installed. Linux only. */
export async function run(options: Options): Promise<void> {
  const { seconds, quick = false } = options;
  const results: Result[] = [];
  for (const engine of options.engine === undefined ? (['redis', 'postgres'] as const) : [options.engine]) {
    if (!(engine === 'redis' ? hasRedis : hasPostgres)) {
      console.error(`error: there is no ${engine} here`);
      process.exitCode = 1;
      continue;
    }
    const server = engine === 'redis' ? await RedisServer.start() : await PostgresServer.start();
    try {
      const { prepare, ...contenders } = CONTENDERS[engine];
      const all = Object.keys(contenders).flatMap((contender) =>
        settings(contender, quick).map((setting) => ({ contender, setting })),
      );
      // The same setting of all contenders one after another, so that drift of the machine hits them alike.
      const key = ({ setting }: { setting: Setting }) => JSON.stringify(setting);
      for (const { contender, setting } of all.toSorted((a, b) => key(a).localeCompare(key(b)))) {
        results.push(await measure(engine, contender, server, setting, quick ? 0.2 : seconds));
      }
    } finally {
      await server.remove();
    }
  }
  showProgress('');
  printReport({ machine: machine(), results }, options, format);
}
