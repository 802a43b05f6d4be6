// `npm run bench -- WHAT`: the command lines of the benchmarks.

import { Option } from 'commander';
import { commandOf, integer, lazily, lazilyWithBuild, runWhat } from '../test/support/command.ts';
import { addEffortOptions } from './effort.ts';
import { PATTERNS } from './shared/patterns.ts';
import { PATTERN_NAMES } from './shared-heap/suites.ts';

const program = commandOf('npm run bench --', 'Measures this package beside others. Without WHAT: traces.');

addEffortOptions(program.command('traces', { isDefault: true }))
  .description('BuddyAllocator beside the reference and other allocators, on traces and synthetic workloads')
  .option('--all', 'run every synthetic workload instead of a representative few')
  .option('--json', 'print one JSON document instead of tables')
  .option('--only <substring...>', 'run only the workloads or contenders whose name contains it')
  .action(lazilyWithBuild(() => import('./traces.ts')));

program
  .command('native')
  .description('BuddyAllocator beside the classic tree of bytes in C, by the time of the processor')
  .option('--processes <n>', 'processes of each, by turns, of which the median counts', integer(1), 7)
  .option('--quick', 'two processes of few replays: shows that everything works, not how fast it is')
  .option('--json', 'print one JSON document instead of a table')
  .option('--only <substring...>', 'run only the workloads whose name contains it')
  .action(lazilyWithBuild(() => import('./native.ts')));

addEffortOptions(program.command('heap'))
  .description('Heap beside other allocators of bytes, on the traces: time, memory, the slowest call')
  .option('--against <substring...>', 'measure only those other contenders whose name contains it')
  .addOption(new Option('--only <part>', 'only this part').choices(['time', 'footprint', 'slowest']))
  .option('--json', 'print one JSON document instead of tables')
  .action(lazilyWithBuild(() => import('./heap.ts')));

addEffortOptions(program.command('ranges'))
  .description(
    'ranges of exact sizes beside blocks, OffsetAllocator and first fit: footprint, time, refusals',
  )
  .option('--json', 'print one JSON document instead of a table')
  .action(lazilyWithBuild(() => import('./ranges.ts')));

const workers = (list: string): number[] => list.split(',').map(integer(1));

program
  .command('shared')
  .description('SharedBuddyAllocator with 1, 2, 4 and 8 workers, by the patterns of the field')
  .option('--rounds <n>', 'rounds, of which the median counts', integer(1), 9)
  .option('--operations <n>', 'allocations of a round, all workers together', integer(1), 4_000_000)
  .option('--threads <list>', 'numbers of workers', workers, [1, 2, 4, 8])
  .addOption(new Option('--pattern <name>', 'only this one').choices(Object.keys(PATTERNS)))
  .option('--json', 'print everything as JSON')
  .action(lazily(() => import('./shared.ts')));

addEffortOptions(program.command('shared-heap'))
  .description('SharedHeap with 1, 2, 4 and 8 workers beside other heaps, by the patterns of the field')
  .option('--workers <list>', 'numbers of workers', workers, [1, 2, 4, 8])
  .addOption(new Option('--pattern <name>', 'only this one').choices(PATTERN_NAMES))
  .option('--against <substring...>', 'measure only those other contenders whose name contains it')
  .option('--cpu', 'count only the time on processors: for a machine that is busy with other work')
  .option('--json', 'print one JSON document instead of tables')
  .action(lazily(() => import('./shared-heap.ts')));

program
  .command('replicated')
  .description(
    'ReplicatedArena over Redis and PostgreSQL beside a function on the server, and a scan by the client',
  )
  .addOption(new Option('--engine <name>', 'only this one').choices(['redis', 'postgres']))
  .option('--seconds <n>', 'seconds of each measurement', integer(1), 2)
  .option('--quick', 'a moment of each: shows that everything works, not how fast it is')
  .option('--json', 'print one JSON document instead of a table')
  .action(lazilyWithBuild(() => import('./replicated.ts')));

program
  .command('scaling')
  .description('BuddyAllocator from small arenas to large ones: writes scaling.svg and scaling.json')
  .option('--out <folder>', 'folder for the two files (default: docs/figures of this project)')
  .option('--quick', 'few rounds on small arenas: shows that everything works, not how fast it is')
  .action(lazilyWithBuild(() => import('./scaling.ts')));

program
  .command('tail')
  .description('single operations, in time and in positions of the state touched: percentiles and the worst')
  .option('--json', 'print one JSON document instead of a table')
  .action(lazilyWithBuild(() => import('./tail.ts')));

addEffortOptions(program.command('designs'))
  .description('BuddyAllocator built in different ways, on the traces')
  .option('--json', 'print one JSON document instead of tables')
  .action(lazilyWithBuild(() => import('./designs.ts')));

program
  .command('allocation')
  .description('garbage collections that alloc and free cause: status 1 if there is one')
  .option('--operations <n>', 'operations to run', integer(1), 1e8)
  .option('--garbage', 'produce garbage on purpose in the same loop: shows that collections are seen')
  .action(lazilyWithBuild(() => import('./allocation.ts')));

await runWhat(program);
