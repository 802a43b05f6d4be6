// `npm run bench -- shared`: many workers on one arena, by the patterns of the field, against a lock and against
// the peer.

import { printReport } from './command.ts';
import { type Machine, machine } from './machine.ts';
import { showProgress } from './progress.ts';
import { machineLine, plainTable } from './report.ts';
import { type Bundle, bundleOf } from './shared/bundle.ts';
import { PATTERNS, type PatternName } from './shared/patterns.ts';
import { Team, WORKER } from './shared/team.ts';
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

const moduleOf = (name: string): string => `bench/shared/${name}`;

/** One pattern by all contenders, in turns. */
async function runPattern(pattern: PatternName, bundle: Bundle, options: Options): Promise<Result[]> {
  const results: Result[] = [];
  for (const threads of options.threads) {
    const names = (Object.keys(CONTENDERS) as ContenderName[]).filter(
      (name) => name !== 'sequential' || threads === 1,
    );
    const teams: Team[] = [];
    const measured = names.map((): number[] => []);
    try {
      for (const name of names)
        teams.push(await Team.of(bundle, moduleOf(name), moduleOf('patterns'), threads));
      for (let n = -1; n < options.rounds; n++) {
        showProgress(`${pattern}, ${threads} workers: ${n < 0 ? 'warm-up' : `round ${n + 1}`}`);
        for (const [i, team] of teams.entries()) {
          const times = options.operations / (SLOWER[names[i]] ?? 1);
          const { done, ns } = await team.run({ pattern, workers: threads, size: UNITS, times });
          if (n >= 0) measured[i].push((done * 1000) / ns);
        }
      }
    } finally {
      for (const team of teams) await team.end();
    }
    for (const [i, contender] of names.entries()) {
      results.push({ pattern, contender, threads, mops: summarise(measured[i]) });
    }
  }
  return results;
}

async function bench(options: Options): Promise<Report> {
  const modules = [WORKER, ...['patterns', ...Object.keys(CONTENDERS)].map(moduleOf)];
  const bundle = await bundleOf(modules);
  try {
    const results: Result[] = [];
    for (const pattern of Object.keys(PATTERNS) as PatternName[]) {
      if (options.pattern === undefined || options.pattern === pattern) {
        results.push(...(await runPattern(pattern, bundle, options)));
      }
    }
    return { machine: machine(), options, results };
  } finally {
    showProgress('');
    bundle.remove();
  }
}

function format({ machine, options, results }: Report): string {
  const lines = [machineLine(machine), ''];
  lines.push(
    'Millions of operations per second of all workers together; in brackets ours divided by it.',
    '',
  );
  const names = Object.keys(CONTENDERS) as ContenderName[];
  const rows: string[][] = [];
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
      rows.push([pattern, String(threads), ...cells]);
    }
  }
  const head = ['pattern', 'workers', ...names.map((name) => CONTENDERS[name])];
  return `${[...lines, plainTable(head, rows)].join('\n')}\n`;
}

/** Measures and reports, as the command line says. */
export async function run(options: Options): Promise<void> {
  printReport(await bench(options), options, format);
}
