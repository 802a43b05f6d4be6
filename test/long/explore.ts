// All interleavings of the programs in test/model/suites.ts, and schedules at random for as long as one likes.
// Ends with status 1 and the schedule when something is wrong.
//
// usage: tsx test/long/explore.ts [--suite <part of a name>] [--random <runs>] [--seed 1] [--json]
//        tsx test/long/explore.ts --program 'p:0 ; a:0 | -p' [--capacity 32] [--workers 2] [--tracked] [--stale] [--json]

import { parseArgs } from 'node:util';
import { Explorer } from '../model/explore.ts';
import { exploreAtRandom } from '../model/random.ts';
import { boundOf, LONG, programsIn, SHORT, type Suite, subjectOf } from '../model/suites.ts';
import { Violation } from '../model/violation.ts';

const { values } = parseArgs({
  options: {
    suite: { type: 'string', default: '' },
    program: { type: 'string' },
    capacity: { type: 'string', default: '32' },
    workers: { type: 'string', default: '2' },
    tracked: { type: 'boolean', default: false },
    stale: { type: 'boolean', default: false },
    random: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const started = performance.now();
const seconds = (since = started): number => Math.round((performance.now() - since) / 100) / 10;
const capacity = Number(values.capacity);
const workers = Number(values.workers);
const { tracked, stale } = values;

function print(result: Record<string, string | number>): void {
  if (values.json) console.log(JSON.stringify(result));
  else
    console.log(
      Object.entries(result)
        .map(([key, value]) => `${key} ${value}`)
        .join(', '),
    );
}

function explore(suite: Suite): void {
  const since = performance.now();
  const subject = subjectOf(suite);
  const explorer = new Explorer(subject);
  const total = { programs: 0, states: 0, steps: 0, depth: 0, alone: 0 };
  for (const program of programsIn(suite)) {
    const report = explorer.exploreAndExplain(program, {
      stale: suite.stale ?? false,
      bound: boundOf(subject, program),
      onProgress: ({ states }) => {
        console.error(
          `${suite.name}: program ${total.programs} (${program.text}), ${states} states, ${seconds()} s`,
        );
      },
    });
    total.programs++;
    total.states += report.states;
    total.steps += report.steps;
    total.depth = Math.max(total.depth, report.depth);
    total.alone = Math.max(total.alone, report.alone);
  }
  print({ suite: suite.name, ...total, seconds: seconds(since) });
}

function random(runs: number): void {
  for (const [units, killed] of [
    [32, false],
    [144, false],
    [600, false],
    [48, true],
    [144, true],
    [600, true],
  ] as const) {
    const since = performance.now();
    const subject = subjectOf({ name: 'random', capacity: units, workers: 4, tracked: killed, programs: [] });
    const orders = [0, 1, 2, 3, 4, 5, 7];
    const steps = exploreAtRandom(subject, {
      seed: Number(values.seed),
      runs,
      operations: 60,
      orders,
      killed,
    });
    print({ random: units, killed: Number(killed), runs, steps, seconds: seconds(since) });
  }
}

try {
  if (values.program !== undefined) {
    explore({ name: values.program, capacity, workers, tracked, stale, programs: [values.program] });
  } else if (values.random !== '0') {
    random(Number(values.random));
  } else {
    for (const suite of [...SHORT, ...LONG]) if (suite.name.includes(values.suite)) explore(suite);
  }
} catch (violation) {
  if (!(violation instanceof Violation)) throw violation;
  const { message, schedule } = violation;
  if (values.json) console.log(JSON.stringify({ violation: message, schedule }));
  else console.log(`${message}\n\n${schedule.join('\n')}`);
  process.exitCode = 1;
}
