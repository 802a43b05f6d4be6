// Worker threads on shared arenas for as long as it takes: patterns in all blocks, blocks passed on, workers terminated and
// recovered. Progress on standard error, figures on standard output; exits with 1 when anything is wrong.

import { parseArgs } from 'node:util';
import { type ChurnSetting, churn } from '../support/shared-churn.ts';
import { killing } from '../support/shared-death.ts';
import type { LifeSetting } from '../support/shared-lives.ts';

const HELP = `usage: tsx test/long/shared-soak.ts [options]

  --workers 4        worker threads that churn at once, 2 to 30
  --operations 1e7   operations of each of them, over all arenas together
  --kills 1000       workers to terminate, over all arenas together
  --seed 1           what everything random is made from; the threads' timing is not
  --json             figures as JSON
  --help             this text
`;

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

function parse() {
  try {
    return parseArgs({
      options: {
        workers: { type: 'string', default: '4' },
        operations: { type: 'string', default: '1e7' },
        kills: { type: 'string', default: '1000' },
        seed: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

function fail(message: string): never {
  console.error(`${message}\n\n${HELP}`);
  process.exit(2);
}

function integer(name: 'workers' | 'operations' | 'kills' | 'seed', least: number, most: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  return fail(`--${name} must be an integer from ${least} to ${most}, not ${values[name]}`);
}

/** Adds up what the runs have counted. */
function sum<T extends object>(tallies: readonly T[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const tally of tallies) {
    for (const [what, count] of Object.entries(tally)) total[what] = (total[what] ?? 0) + count;
  }
  return total;
}

function report(what: string): void {
  console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${what}`);
}

const values = parse();
if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}
const workers = integer('workers', 2, 30);
const operations = integer('operations', 0, 1e12);
const kills = integer('kills', 0, 1e9);
const seed = integer('seed', 0, 2 ** 31);
const started = performance.now();

async function soak() {
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

try {
  const figures = { seed, workers, ...(await soak()), seconds: (performance.now() - started) / 1000 };
  if (values.json) console.log(JSON.stringify(figures));
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
