// How the long tests and the benchmarks read their command lines: --help ends with status 0, bad usage with 2 and one line on
// standard error.

import { Command, InvalidArgumentError, Option } from 'commander';

/** A command called `name` in its usage line, still without options. Parsing ends the process where it says so above. */
export function commandOf(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replaceAll('\n', ' ')}\n`) })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
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
