// `npm run long -- shared`: worker threads on shared arenas for as long as it takes. Patterns in all blocks,
// blocks passed on, workers terminated and recovered. Progress on standard error, figures on standard output.

import { type ChurnSetting, churn } from '../support/shared-churn.ts';
import { killing } from '../support/shared-death.ts';
import type { LifeSetting } from '../support/shared-lives.ts';

interface Options {
  readonly workers: number;
  readonly operations: number;
  readonly kills: number;
  readonly seed: number;
  readonly json?: true;
}

/** Tiny arenas, where all meet on the same words, and ones with several levels; half empty, and full. */
const CHURN: readonly Pick<ChurnSetting, 'capacity' | 'most' | 'fill'>[] = [
  { capacity: 16, most: 4, fill: 0.5 },
  { capacity: 17, most: 3, fill: 1.2 },
  { capacity: 40, most: 5, fill: 0.6 },
  { capacity: 256, most: 8, fill: 0.5 },
  { capacity: 300, most: 6, fill: 1.2 },
  { capacity: 300, most: 0, fill: 1.2 },
  { capacity: 70_000, most: 9, fill: 0.9 },
  { capacity: 2 ** 17, most: 6, fill: 1.2 },
];

const DEATH: readonly LifeSetting[] = [
  { capacity: 40, trackOwners: true, survivors: 2, mortals: 2, most: 3, fill: 0.6 },
  { capacity: 300, trackOwners: true, survivors: 2, mortals: 2, most: 6, fill: 0.8 },
  { capacity: 30_000, trackOwners: true, survivors: 2, mortals: 3, most: 7, fill: 0.5 },
  { capacity: 300, trackOwners: true, survivors: 1, mortals: 3, most: 8, fill: 1.2 },
  { capacity: 300, trackOwners: false, survivors: 2, mortals: 2, most: 6, fill: 0.5 },
];

/** Adds up what the runs have counted. */
function sum<T extends object>(tallies: readonly T[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const tally of tallies) {
    for (const [what, count] of Object.entries(tally)) total[what] = (total[what] ?? 0) + count;
  }
  return total;
}

/** Time since the beginning, and what has happened. */
type Log = (what: string) => void;

async function soak({ workers, operations, kills, seed }: Options, report: Log) {
  const churned = [];
  const died = [];
  if (operations > 0) {
    const settings = CHURN.flatMap((setting) =>
      [false, true].map((trackOwners) => ({ ...setting, trackOwners })),
    );
    const each = Math.ceil(operations / settings.length);
    for (const setting of settings) {
      const name = `${setting.capacity} units, filled to ${setting.fill}${setting.trackOwners ? ', tracked' : ''}`;
      const tally = await churn({ ...setting, workers, operations: each, seed }, (done) => {
        report(`${name}: ${done} of ${workers * each} operations`);
      });
      report(`${name}: in order; ${tally.allocations} allocations, ${tally.full} times full`);
      churned.push(tally);
    }
  }
  if (kills > 0) {
    const each = Math.ceil(kills / DEATH.length);
    for (const setting of DEATH) {
      const name = `${setting.capacity} units${setting.trackOwners ? ', tracked' : ''}`;
      let shown = performance.now();
      const tally = await killing(setting, each, seed, (done) => {
        if (performance.now() - shown < 5000) return;
        shown = performance.now();
        report(`${name}: ${done} of ${each} terminated`);
      });
      report(`${name}: in order; ${tally.kills} terminated, ${tally.inCall} of them in a call`);
      died.push(tally);
    }
  }
  return { churn: sum(churned), death: sum(died) };
}

/** Runs the tests, as the command line says. */
export async function run({ json, ...options }: Options): Promise<void> {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const report: Log = (what) => console.error(`${seconds().toFixed(0).padStart(5)} s  ${what}`);
  try {
    const { seed, workers } = options;
    const figures = { seed, workers, ...(await soak(options, report)), seconds: seconds() };
    if (json) console.log(JSON.stringify(figures));
    else {
      for (const [part, counts] of Object.entries({ churn: figures.churn, death: figures.death })) {
        const list = Object.entries(counts).map(([what, count]) => `${what} ${count}`);
        if (list.length > 0) console.log(`${part}: ${list.join(', ')}`);
      }
      console.log(`nothing wrong, in ${figures.seconds.toFixed(0)} s`);
    }
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}
