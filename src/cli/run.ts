// The `buddy` command: its arguments and its exit status.

import { Command, CommanderError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { printable } from '../trace/printable.ts';
import {
  type AdviseFlags,
  adviseCommand,
  type MapFlags,
  mapCommand,
  type ReplayFlags,
  replayCommand,
} from './commands.ts';
import { type Io, widthOf } from './io.ts';
import {
  parseAllocators,
  parseCapacity,
  parseCount,
  parseFormat,
  parseLength,
  parseLengths,
  parseList,
  parseMinUnit,
  parseSeconds,
  parseUnit,
} from './options.ts';
import type { PostgresFlags } from './postgres-prefixes.ts';
import { type PrefixesFlags, prefixesCommand } from './prefixes.ts';

const FINE = 0;
const NO_ROOM = 1;
/** The exit status for bad usage, or for a file that cannot be read or written. */
export const BAD_INPUT = 2;

/**
 * Runs the command.
 *
 * @param argv the arguments, without the names of the runtime and the program.
 * @returns the exit status: 0 fine, 1 the trace did not fit, or there is no such prefix, 2 bad usage or input (with
 * one line on standard error).
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let status = FINE;
  const program = new Command('buddy')
    .description(
      'Replays allocation traces of real programs on a binary buddy allocator, and allocates prefixes by one.',
    )
    .version(manifest.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(`${printable(text.trim().replaceAll('\n', ' '))}\n`),
      getOutHelpWidth: () => widthOf(io),
    });
  withArenaFlags(program.command('replay'))
    .description('Replay a trace, and show its speed, fragmentation and memory map.')
    .option(
      '--on <allocators>',
      'buddy, ranges, heap, shared, or several with commas to see them side by side',
      parseAllocators,
      ['buddy'],
    )
    .option('--json', 'print the whole report as one JSON document instead')
    .option('--html <file>', 'also write a page with plots')
    .action(async (file: string, flags: ReplayFlags) => {
      if (!(await replayCommand(file, flags, io))) status = NO_ROOM;
    });
  withArenaFlags(program.command('map'))
    .description('Show which parts of the arena are in use.')
    .option('--at <operations>', 'after this many operations (default: at the end)', parseCount)
    .option('--words', "print the words of the allocator's state instead of the map")
    .action(async (file: string, flags: MapFlags) => {
      if (!(await mapCommand(file, flags, io))) status = NO_ROOM;
    });
  withTrace(program.command('advise'))
    .description('Say which allocator suits the trace, and recommend a unit and a capacity.')
    .option(
      '--min-unit <bytes>',
      'the smallest unit to try, a power of two from 8 to 4096; all blocks are aligned to it',
      parseMinUnit,
      8,
    )
    .option('--json', 'print everything as one JSON document instead')
    .action((file: string, flags: AdviseFlags) => adviseCommand(file, flags, io));
  program
    .command('prefixes')
    .description('Say which CIDR prefixes of a pool are free, and pick some.')
    .argument('<pool>', 'the prefix that all others are parts of, such as 10.0.0.0/8')
    .requiredOption('--longest <length>', 'length of the smallest prefixes that are given out', parseLength)
    .option('--used <file>', 'prefixes and addresses that are in use, one a line; - reads standard input')
    .option('--alloc <lengths>', 'print free prefixes of these lengths, such as 24,24,26', parseLengths)
    .option('--list', 'print the prefixes that are in use')
    .option(
      '--postgres [url]',
      'keep the pool in PostgreSQL, for all who use it there; needs the package pg (default: what PGHOST and so on say)',
    )
    .option('--name <text>', 'with --postgres: the name of the pool there (default: the pool)')
    .option('--owner <text>', 'with --postgres: whose the prefixes are')
    .option('--key <text>', 'with --postgres: a name for the request; the same again prints the same prefix')
    .option('--free <prefixes>', 'with --postgres: prefixes to free, separated by commas', parseList)
    .option('--cooldown <seconds>', 'with --postgres: nobody gets the freed ones before', parseSeconds)
    .action(async (pool: string, flags: PrefixesFlags & Partial<PostgresFlags>) => {
      if (!(await prefixes(pool, flags, io))) status = NO_ROOM;
    });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? FINE : BAD_INPUT;
    // The message may quote a file or its name, which must not command the terminal.
    io.stderr.write(`${printable(`error: ${(error as Error).message}`)}\n`);
    return BAD_INPUT;
  }
  return status;
}

/** `buddy prefixes`, in memory or on PostgreSQL. */
async function prefixes(
  pool: string,
  { postgres, ...flags }: PrefixesFlags & Partial<PostgresFlags>,
  io: Io,
): Promise<boolean> {
  if (postgres !== undefined) {
    const { postgresPrefixesCommand } = await import('./postgres-prefixes.ts');
    return postgresPrefixesCommand(pool, { ...flags, postgres }, io);
  }
  for (const name of ['name', 'owner', 'key', 'free', 'cooldown'] as const) {
    if (flags[name] !== undefined) throw new Error(`--${name} needs --postgres`);
  }
  return prefixesCommand(pool, flags, io);
}

/** Adds the argument and the options that all commands have. */
function withTrace(command: Command): Command {
  return command
    .argument(
      '<file>',
      'the trace: int32, mtrace text, or a log of valgrind, ltrace or heaptrack; plain or gzip; - reads standard input',
    )
    .option(
      '--format <name>',
      'the format: int32, mtrace, valgrind, ltrace or heaptrack (default: what the content says)',
      parseFormat,
    )
    .option('--strict', 'refuse a recording that is cut off or has requests above 2^31 - 1 bytes');
}

/** Adds the options of the commands that make an arena. */
function withArenaFlags(command: Command): Command {
  return withTrace(command)
    .option('--unit <bytes>', 'bytes per unit, 1 to 2^30', parseUnit, 16)
    .option(
      '--capacity <units>',
      'units in the arena, e.g. 4096, 64k, 8m (default: the smallest power of two in which the trace fits)',
      parseCapacity,
    );
}
