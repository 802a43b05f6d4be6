// `npm run bench -- shared`: many workers on one arena, by the patterns of the field, against a lock and against
// the peer.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import Table from 'cli-table3';
import { build } from 'tsdown';
import { printReport } from './command.ts';
import { type Machine, machine } from './machine.ts';
import { showProgress } from './progress.ts';
import { machineLine } from './report.ts';
import type { SharedContender } from './shared/contender.ts';
import { CELLS_PER_WORKER, PATTERNS, type PatternName } from './shared/patterns.ts';
import type { Done, Round } from './shared/worker.ts';
import { type Summary, summarise } from './statistics.ts';

/** Units of 16 bytes: 16 MiB. */
const UNITS = 2 ** 20;

const CONTENDERS = {
  ours: 'SharedBuddyAllocator',
  tracked: 'with owners tracked',
  sequential: 'BuddyAllocator, alone',
  locked: 'BuddyAllocator behind a lock',
  'shared-memory-objects': '@daneren2005/shared-memory-objects',
} as const;

type ContenderName = keyof typeof CONTENDERS;

/** The peer looks for a block along lists of all blocks: so many rounds of its own would take hours. */
const SLOWER: Partial<Record<ContenderName, number>> = { 'shared-memory-objects': 200 };

interface Options {
  readonly rounds: number;
  readonly operations: number;
  readonly threads: readonly number[];
  readonly pattern?: PatternName;
  readonly json?: true;
}

/** Millions of operations per second that all workers did together. */
interface Result {
  readonly pattern: PatternName;
  readonly contender: ContenderName;
  readonly threads: number;
  readonly mops: Summary;
}

interface Report {
  readonly machine: Machine;
  readonly options: Options;
  readonly results: readonly Result[];
}

/** A contender with its workers, which it keeps for all rounds, so that their code is warm. */
class Team {
  readonly name: ContenderName;
  readonly #contender: SharedContender;
  readonly #workers: readonly Worker[];

  private constructor(name: ContenderName, contender: SharedContender, workers: readonly Worker[]) {
    this.name = name;
    this.#contender = contender;
    this.#workers = workers;
  }

  static async of(name: ContenderName, folder: string, size: number): Promise<Team> {
    const url = pathToFileURL(join(folder, `${name}.mjs`)).href;
    const { contender } = (await import(url)) as { contender: SharedContender };
    const file = join(folder, 'worker.mjs');
    const workers = Array.from({ length: size }, () => new Worker(file, { workerData: { contender: url } }));
    return new Team(name, contender, workers);
  }

  /** Millions of operations per second of `threads` workers in a fresh arena. */
  async run(pattern: PatternName, threads: number, allocations: number): Promise<number> {
    const round = {
      arena: this.#contender.create(UNITS, threads),
      pattern,
      workers: threads,
      rounds: Math.ceil(allocations / threads),
      shared: new SharedArrayBuffer(4 * (threads * CELLS_PER_WORKER + 16)),
    };
    const answers = this.#workers.slice(0, threads).map(async (worker, me) => {
      worker.postMessage({ ...round, me } satisfies Round);
      const [done] = (await once(worker, 'message')) as [Done];
      return done;
    });
    const all = await Promise.all(answers);
    const begin = all.reduce((least, done) => (done.begin < least ? done.begin : least), all[0].begin);
    const end = all.reduce((most, done) => (done.end > most ? done.end : most), all[0].end);
    return (all.reduce((sum, { operations }) => sum + operations, 0) * 1000) / Number(end - begin);
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** One pattern by all contenders, in turns. */
async function runPattern(pattern: PatternName, folder: string, options: Options): Promise<Result[]> {
  const results: Result[] = [];
  for (const threads of options.threads) {
    const teams: Team[] = [];
    for (const name of Object.keys(CONTENDERS) as ContenderName[]) {
      if (name !== 'sequential' || threads === 1) teams.push(await Team.of(name, folder, threads));
    }
    const measured = teams.map((): number[] => []);
    for (let n = -1; n < options.rounds; n++) {
      showProgress(`${pattern}, ${threads} workers: ${n < 0 ? 'warm-up' : `round ${n + 1}`}`);
      for (const [i, team] of teams.entries()) {
        const mops = await team.run(pattern, threads, options.operations / (SLOWER[team.name] ?? 1));
        if (n >= 0) measured[i].push(mops);
      }
    }
    for (const [i, team] of teams.entries()) {
      results.push({ pattern, contender: team.name, threads, mops: summarise(measured[i]) });
      await team.end();
    }
  }
  return results;
}

async function bench(options: Options): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-bench-shared-'));
  try {
    // Bundled as the package is, because a loader of TypeScript makes worker threads several times slower.
    const entry = ['worker', ...Object.keys(CONTENDERS)].map((name) => `bench/shared/${name}.ts`);
    await build({
      entry,
      outDir: folder,
      platform: 'node',
      noExternal: /./,
      outExtensions: () => ({ js: '.mjs' }),
      dts: false,
      logLevel: 'silent',
      config: false,
    });
    const results: Result[] = [];
    for (const pattern of Object.keys(PATTERNS) as PatternName[]) {
      if (options.pattern === undefined || options.pattern === pattern) {
        results.push(...(await runPattern(pattern, folder, options)));
      }
    }
    return { machine: machine(), options, results };
  } finally {
    showProgress('');
    rmSync(folder, { recursive: true });
  }
}

function format({ machine, options, results }: Report): string {
  const lines = [machineLine(machine), ''];
  lines.push(
    'Millions of operations per second of all workers together; in brackets ours divided by it.',
    '',
  );
  const names = Object.keys(CONTENDERS) as ContenderName[];
  const table = new Table({
    head: ['pattern', 'workers', ...names.map((name) => CONTENDERS[name])],
    colAligns: ['left', ...names.map((): 'right' => 'right'), 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const pattern of Object.keys(PATTERNS) as PatternName[]) {
    for (const threads of options.threads) {
      const of = (name: ContenderName) =>
        results.find((r) => r.pattern === pattern && r.contender === name && r.threads === threads)?.mops
          .median;
      const ours = of('ours');
      if (ours === undefined) continue;
      const cells = names.map((name) => {
        const mops = of(name);
        if (mops === undefined) return '';
        return name === 'ours' ? mops.toFixed(1) : `${mops.toPrecision(3)} (${(ours / mops).toPrecision(2)})`;
      });
      table.push([pattern, String(threads), ...cells]);
    }
  }
  return `${[...lines, table.toString()].join('\n')}\n`;
}

/** Measures and reports, as the command line says. */
export async function run(options: Options): Promise<void> {
  printReport(await bench(options), options, format);
}
