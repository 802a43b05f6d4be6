// All interleavings of the programs in test/interleavings/suites.ts, and schedules at random for as long as one likes.

import { InvalidArgumentError } from 'commander';
import { MAX_CAPACITY } from '../../src/base/arguments.ts';
import { MAX_SLOTS } from '../../src/shared/layout.ts';
import { Explorer } from '../interleavings/explore.ts';
import { type Program, parseProgram } from '../interleavings/program.ts';
import { exploreAtRandom } from '../interleavings/random.ts';
import { boundOf, LONG, programsIn, SHORT, type Suite, subjectOf } from '../interleavings/suites.ts';
import { Violation } from '../interleavings/violation.ts';
import { commandOf, integer, SEED } from '../support/command.ts';

interface Options {
  readonly suite?: readonly Suite[];
  readonly program?: Program;
  readonly capacity: number;
  readonly workers: number;
  readonly tracked?: true;
  readonly stale?: true;
  readonly random: number;
  readonly seed: number;
  readonly json?: true;
}

const SUITES = [...SHORT, ...LONG];

function suitesCalled(part: string): Suite[] {
  const found = SUITES.filter(({ name }) => name.includes(part));
  if (found.length > 0) return found;
  throw new InvalidArgumentError('It is in the name of no suite; --help lists them.');
}

function checkedProgram(text: string): Program {
  try {
    return parseProgram(text);
  } catch (error) {
    throw new InvalidArgumentError((error as SyntaxError).message);
  }
}

const command = commandOf(
  'npm run test:explore --',
  'Tries every order in which the workers of small programs on a shared arena can meet. Ends with status 1 and the ' +
    'schedule when something is wrong.',
)
  .option('--suite <part>', 'only the suites with this in their names (default: all of them)', suitesCalled)
  .option(
    '--program <text>',
    "only this program, such as 'p:0 ; a:0 | -p'; test/interleavings/program.ts describes them",
    checkedProgram,
  )
  .option('--capacity <units>', 'with --program: units in the arena', integer(1, MAX_CAPACITY), 32)
  .option('--workers <n>', 'with --program: workers that the arena is for', integer(1, MAX_SLOTS), 2)
  .option('--tracked', 'with --program: the arena keeps the owner of each block')
  .option('--stale', 'with --program: plain reads may see outdated values')
  .option(
    '--random <runs>',
    'instead of the suites, so many larger programs at random on each of six arenas; 0 for none',
    integer(0, 1e9),
    0,
  )
  .addOption(SEED)
  .option('--json', 'print each result as one line of JSON')
  .addHelpText('after', ['\nSuites:', ...SUITES.map(({ name }) => `  ${name}`)].join('\n'))
  .parse();
const { json, ...options } = command.opts<Options>();

const started = performance.now();
const seconds = (since = started): number => Math.round((performance.now() - since) / 100) / 10;

function print(result: Record<string, string | number>): void {
  if (json) console.log(JSON.stringify(result));
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

function exploreProgram({ text, before, workers: lines }: Program): void {
  const { capacity, workers, tracked = false, stale = false } = options;
  const needed = Math.max(before.length, lines.length);
  if (needed > workers) command.error(`error: the program is of ${needed} workers, --workers is ${workers}`);
  explore({ name: text, capacity, workers, tracked, stale, programs: [text] });
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
      seed: options.seed,
      runs,
      operations: 60,
      orders,
      killed,
    });
    print({ random: units, killed: Number(killed), runs, steps, seconds: seconds(since) });
  }
}

try {
  if (options.program !== undefined) {
    exploreProgram(options.program);
  } else if (options.random > 0) {
    random(options.random);
  } else {
    for (const suite of options.suite ?? SUITES) explore(suite);
  }
} catch (violation) {
  if (!(violation instanceof Violation)) throw violation;
  const { message, schedule } = violation;
  if (json) console.log(JSON.stringify({ violation: message, schedule }));
  else console.log(`${message}\n\n${schedule.join('\n')}`);
  process.exitCode = 1;
}
