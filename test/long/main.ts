// `npm run long -- WHAT`: the command lines of the tests that take too long for each change.

import { Argument, Option } from 'commander';
import { MAX_CAPACITY } from '../../src/base/arguments.ts';
import { MAX_SLOTS } from '../../src/shared/slots.ts';
import { RUNTIMES } from '../conformance/runner/runtimes.ts';
import { commandOf, integer, lazily, lazilyWithBuild, runWhat, SEED } from '../support/command.ts';

const program = commandOf(
  'npm run long --',
  'Tests for as long as told. Ends with status 1 when anything is wrong.',
);

program
  .command('exhaustive')
  .summary('every state of a small arena; minutes to hours')
  .description(
    'Tries every operation in every state that an arena can reach, against the model and the reference.',
  )
  .option('--capacity <units>', 'units in the arena', integer(1, MAX_CAPACITY), 16)
  .option(
    '--depth <operations>',
    'operations from the empty arena to the farthest state (default: no limit)',
    integer(0, 1e9),
  )
  .option('--every-operation', 'try reserve, release, clear, grow and shrink too, not only alloc and free')
  .option('--replay', 'reach each state by all operations that lead to it, instead of by its bytes')
  .action(lazily(() => import('./exhaustive.ts')));

program
  .command('explore')
  .summary('every order in which workers can meet on a shared arena; up to an hour')
  .description(
    'Tries every order in which the workers of small programs on a shared arena, or on slabs, can meet. Prints the ' +
      'schedule when something is wrong.',
  )
  .option('--suite <part>', 'only the suites with this in their names (default: all of them)')
  .option('--short', 'only the suites that npm test explores, which take less than a minute together')
  .option('--list', 'print the names of the suites and end')
  .option(
    '--program <text>',
    "only this program, such as 'p:0 ; a:0 | -p'; test/interleavings/program.ts describes them",
  )
  .option('--capacity <units>', 'with --program: units in the arena', integer(1, MAX_CAPACITY), 32)
  .option('--pages <n>', 'with --program: pages of slabs, instead of an arena', integer(0, 2 ** 10), 0)
  .option('--workers <n>', 'with --program: workers that the arena is for', integer(1, MAX_SLOTS), 2)
  .option('--tracked', 'with --program: the arena keeps the owner of each block')
  .option('--stale', 'with --program: plain reads may see outdated values')
  .option(
    '--random <runs>',
    'instead of the suites, so many larger programs at random on each of six arenas and four heaps of slabs; 0 for none',
    integer(0, 1e9),
    0,
  )
  .addOption(SEED)
  .option('--json', 'print each result as one line of JSON')
  .action(lazily(() => import('./explore.ts')));

program
  .command('soak')
  .summary('random operations on heaps, for as long as told')
  .description('Runs random operations on heaps in every kind of memory, with a pattern in each block.')
  .option('--operations <n>', 'operations, over all heaps together', integer(1, 1e12), 1_000_000)
  .addOption(SEED)
  .action(lazily(() => import('./soak.ts')));

program
  .command('shared')
  .summary('workers on shared arenas, killed and recovered, for as long as told')
  .description(
    'Runs worker threads on shared arenas, with a pattern in each block, and terminates and recovers some. ' +
      'Their timing does not follow from the seed.',
  )
  .option('--workers <n>', 'worker threads that churn at once, 2 to 30', integer(2, 30), 4)
  .option(
    '--operations <n>',
    'operations of each of them, over all arenas together; 0 for no churning',
    integer(0, 1e12),
    1e7,
  )
  .option('--kills <n>', 'workers to terminate, over all arenas together; 0 for none', integer(0, 1e9), 1000)
  .addOption(SEED)
  .option('--json', 'print the figures as JSON')
  .action(lazilyWithBuild(() => import('./shared.ts')));

program
  .command('shared-heap')
  .summary('workers on a SharedHeap, killed and recovered, as many as told')
  .description(
    'Runs worker threads on a SharedHeap that grows, which allocate, hand blocks on and free, and terminates and recovers ' +
      'some. Fails if two blocks overlap, or if a block is lost. Their timing does not follow from the seed.',
  )
  .option('--kills <n>', 'workers to terminate', integer(1, 1e6), 10_000)
  .addOption(SEED)
  .option('--json', 'print the figures as JSON')
  .action(lazilyWithBuild(() => import('./shared-heap.ts')));

program
  .command('replicated')
  .summary('processes that share an arena by way of PostgreSQL or Redis, killed and cut off')
  .description(
    'Runs processes that share an arena by way of a real server, through a proxy that cuts connections and ' +
      'swallows replies, and kills the processes and the server. Prints a line of JSON for each engine. Their timing does not ' +
      'follow from the seed.',
  )
  .addOption(new Option('--engine <name>', 'only this one').choices(['postgres', 'redis']))
  .option('--seconds <n>', 'seconds for each engine', integer(1, 1e6), 60)
  .option('--clients <n>', 'processes', integer(1, 64), 4)
  .addOption(SEED)
  .action(lazilyWithBuild(() => import('./replicated.ts')));

program
  .command('runtimes')
  .summary('the built package in every runtime that is here')
  .description(
    'Runs the same checks of the built package in every runtime that is here. Ends with status 1 when one ' +
      'fails, or when two runtimes differ.',
  )
  .addArgument(
    new Argument(
      '[runtime...]',
      'only in these, of which none may be missing (default: in all that are here)',
    ).choices(RUNTIMES.map(({ id }) => id)),
  )
  .option(
    '--install',
    'first install those that npm has and that are missing: up to 400 MB, into node_modules/.cache',
  )
  .option(
    '--newest',
    'the same at the newest versions, rather than those that are tested, even where one is here',
  )
  .option('--json', 'print all results as JSON')
  .option('--update', 'write the table into docs/runtimes.md, if no runtime is missing')
  .action(lazilyWithBuild(() => import('./runtimes.ts')));

program
  .command('guests')
  .summary('Lua and SQLite on a heap; minutes')
  .description(
    'Builds Lua and SQLite from their sources for WebAssembly, runs programs in them with the malloc of a Heap ' +
      'and with that of wasi-libc, and compares results, times and memory. Needs the tools of a Debian machine.',
  )
  .option('--rounds <n>', 'rounds to measure', integer(1, 1000), 9)
  .option('--short', 'only small programs in one round; without the tools nothing, and no error')
  .action(lazilyWithBuild(() => import('./guests.ts')));

program
  .command('mutation')
  .summary('breaks the core in some 300 ways and counts those that no test notices')
  .description(
    'Runs Stryker, which breaks the core in some 300 ways and counts the ways that no test notices.',
  )
  .option(
    '--mutate <files>',
    'break only these, such as src/base/word.ts:10-20 (default: those of stryker.config.json)',
  )
  .action(lazily(() => import('./mutation.ts')));

await runWhat(program);
