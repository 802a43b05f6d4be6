// `npm run long -- explore`: all interleavings of the programs in test/interleavings/suites.ts and slab-suites.ts, and
// schedules at random for as long as one likes.

import type { Command } from 'commander';
import { type ExploreOptions, Explorer } from '../interleavings/explore.ts';
import { attachesLater, type Program, parseProgram } from '../interleavings/program.ts';
import { exploreAtRandom } from '../interleavings/random.ts';
import { SlabSubject } from '../interleavings/slab-subject.ts';
import {
  LONG_SLABS,
  SHORT_SLABS,
  type SlabSuite,
  slabBoundOf,
  slabProgramsIn,
  slabSubjectOf,
} from '../interleavings/slab-suites.ts';
import type { Subject } from '../interleavings/subject.ts';
import { boundOf, LONG, programsIn, SHORT, type Suite, subjectOf } from '../interleavings/suites.ts';
import { Violation } from '../interleavings/violation.ts';

interface Options {
  /** A part of the names of suites. */
  readonly suite?: string;
  readonly short?: true;
  readonly list?: true;
  readonly program?: string;
  readonly capacity: number;
  /** Pages of slabs, instead of an arena; 0 for an arena. */
  readonly pages: number;
  readonly workers: number;
  readonly tracked?: true;
  readonly stale?: true;
  readonly random: number;
  readonly seed: number;
  readonly json?: true;
}

/** What came out, as it is printed. */
type Result = Readonly<Record<string, string | number>>;

/** A suite of either kind. */
interface Job {
  readonly name: string;
  readonly subject: Subject;
  readonly programs: () => Iterable<Program>;
  readonly optionsFor: (program: Program) => ExploreOptions;
}

function jobOf(suite: Suite): Job {
  const subject = subjectOf(suite);
  return {
    name: suite.name,
    subject,
    programs: () => programsIn(suite),
    optionsFor: (program) => ({ stale: suite.stale ?? false, bound: boundOf(subject, program) }),
  };
}

function slabJobOf(suite: SlabSuite): Job {
  const subject = slabSubjectOf(suite);
  const { stale = false, preemptions } = suite;
  return {
    name: `slabs: ${suite.name}`,
    subject,
    programs: () => slabProgramsIn(suite),
    optionsFor: (program) => ({
      stale,
      bound: slabBoundOf(subject, program),
      ...(preemptions === undefined ? {} : { preemptions }),
    }),
  };
}

function jobsOf({ short }: Options): readonly Job[] {
  const arenas = short ? SHORT : [...SHORT, ...LONG];
  const slabs = short ? SHORT_SLABS : [...SHORT_SLABS, ...LONG_SLABS];
  return [...arenas.map(jobOf), ...slabs.map(slabJobOf)];
}

function jobsCalled(options: Options, command: Command): readonly Job[] {
  const { suite: part = '' } = options;
  const found = jobsOf(options).filter(({ name }) => name.includes(part));
  if (found.length === 0) command.error(`error: no suite has ${part} in its name; --list prints the names`);
  return found;
}

function parsed(text: string, command: Command): Program {
  try {
    return parseProgram(text);
  } catch (error) {
    return command.error(`error: --program: ${(error as SyntaxError).message}`);
  }
}

/** The suite that has only one program. */
function jobFor(text: string, options: Options, command: Command): Job {
  const { capacity, pages, workers, tracked = false, stale = false } = options;
  const program = parsed(text, command);
  if ((pages & (pages - 1)) !== 0) command.error('error: --pages must be a power of two');
  const lines = Math.max(program.before.length, program.workers.length);
  const needed = Array.from({ length: lines }, (_, w) => w).filter((w) => !attachesLater(program, w)).length;
  if (needed > workers) command.error(`error: the program is of ${needed} workers, --workers is ${workers}`);
  const suite = { name: text, workers, tracked, stale, programs: [text] };
  return pages > 0 ? slabJobOf({ ...suite, pages }) : jobOf({ ...suite, capacity });
}

/** Seconds since a time, which is the start of the process unless told otherwise. */
const seconds = (since = 0): number => Math.round((performance.now() - since) / 100) / 10;

function explore({ name, subject, programs, optionsFor }: Job): Result {
  const since = performance.now();
  const explorer = new Explorer(subject);
  const total = { programs: 0, states: 0, steps: 0, depth: 0, alone: 0 };
  for (const program of programs()) {
    const report = explorer.exploreAndExplain(program, {
      ...optionsFor(program),
      onProgress: ({ states }) => {
        console.error(
          `${name}: program ${total.programs} (${program.text}), ${states} states, ${seconds()} s`,
        );
      },
    });
    total.programs++;
    total.states += report.states;
    total.steps += report.steps;
    total.depth = Math.max(total.depth, report.depth);
    total.alone = Math.max(total.alone, report.alone);
  }
  return { suite: name, ...total, seconds: seconds(since) };
}

/** Larger programs at random, on one arena after another, and on slabs. */
function* random({ random: runs, seed }: Options): Iterable<Result> {
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
    const steps = exploreAtRandom(subject, { seed, runs, operations: 60, orders, killed });
    yield { random: units, killed: Number(killed), runs, steps, seconds: seconds(since) };
  }
  for (const [pages, tracked, killed] of [
    [4, false, false],
    [16, false, true],
    [4, true, true],
    [16, true, true],
  ] as const) {
    const since = performance.now();
    const subject = new SlabSubject({ pages, pageShift: 2, workers: 4, tracked });
    const orders = [0, 0, 0, 1, 1, 2, 3];
    const steps = exploreAtRandom(subject, { seed, runs, operations: 60, orders, killed });
    yield {
      pages,
      tracked: Number(tracked),
      killed: Number(killed),
      runs,
      steps,
      seconds: seconds(since),
    };
  }
}

function* resultsOf(options: Options, command: Command): Iterable<Result> {
  if (options.program !== undefined) yield explore(jobFor(options.program, options, command));
  else if (options.random > 0) yield* random(options);
  else for (const job of jobsCalled(options, command)) yield explore(job);
}

function format(result: Result): string {
  return Object.entries(result)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}

/** Runs the tests, as the command line says. */
export function run(options: Options, command: Command): void {
  const { list, json } = options;
  if (list) {
    for (const { name } of jobsOf(options)) console.log(name);
    return;
  }
  try {
    for (const result of resultsOf(options, command)) {
      console.log(json ? JSON.stringify(result) : format(result));
    }
  } catch (violation) {
    if (!(violation instanceof Violation)) throw violation;
    const { message, schedule } = violation;
    console.log(
      json ? JSON.stringify({ violation: message, schedule }) : `${message}\n\n${schedule.join('\n')}`,
    );
    process.exitCode = 1;
  }
}
