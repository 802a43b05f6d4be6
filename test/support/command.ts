// How the long tests and the benchmarks read their command lines: --help ends with status 0, bad usage with 2
// and one line on standard error. The options stand apart from the modules that do the work, which are loaded
// only to do it: --help answers at once.

import { Command, InvalidArgumentError, Option } from 'commander';
import { setup as buildIfNeeded } from './build.ts';

/** A command whose first argument, WHAT, names one of its own commands. Parsing ends the process as said above. */
export function commandOf(name: string, description: string): Command {
  return new Command(name)
    .usage('WHAT [options]')
    .description(description)
    .helpCommand(false)
    .commandsGroup('WHAT:')
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText('after', `\n\`${name} WHAT --help\` lists the options of WHAT.`)
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replaceAll('\n', ' ')}\n`) })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** Runs what the command line names. */
export async function runWhat(command: Command): Promise<void> {
  const [what = '-'] = process.argv.slice(2);
  const names = command.commands.map((one) => one.name());
  if (!what.startsWith('-') && !names.includes(what)) {
    command.error(`error: ${what} is not one of ${names.join(', ')}`);
  }
  await command.parseAsync();
}

/** A module that does the work of a command. Its arguments are those of a commander's action. */
interface Work<Arguments extends unknown[]> {
  run(...args: Arguments): void | Promise<void>;
}

/** The action that loads a module and runs it. */
export function lazily<Arguments extends unknown[]>(
  load: () => Promise<Work<Arguments>>,
): (...args: Arguments) => Promise<void> {
  return async (...args) => (await load()).run(...args);
}

/** The same for a module that uses dist/, which is built first if it is out of date. */
export function lazilyWithBuild<Arguments extends unknown[]>(
  load: () => Promise<Work<Arguments>>,
): (...args: Arguments) => Promise<void> {
  return lazily(() => {
    buildIfNeeded();
    return load();
  });
}

/** Reads an integer from `least` to `most`, as JavaScript writes it: 1e7, too. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be an integer from ${least} to ${most}.`);
  };
}

/** --seed, an integer from 0 to 2^31. */
export const SEED = new Option('--seed <n>', 'what everything random is made from')
  .argParser(integer(0, 2 ** 31))
  .default(1);
