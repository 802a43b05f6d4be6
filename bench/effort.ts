// The options of a benchmark command that say how long to measure.

import type { Command } from 'commander';
import { integer } from '../test/support/command.ts';
import type { Effort } from './measure.ts';

const FULL: Effort = { rounds: 15, warmupRounds: 12 };
const QUICK: Effort = { rounds: 3, warmupRounds: 2 };

/** What `addEffortOptions` makes a command accept. */
export interface EffortOptions {
  readonly quick?: true;
  readonly rounds?: number;
}

/** Adds --quick and --rounds. */
export function addEffortOptions(command: Command): Command {
  return command
    .option('--quick', 'run few rounds: shows that everything works, not how fast it is')
    .option('--rounds <n>', 'number of rounds to measure', integer(1));
}

/** How long to measure by the options. */
export function effortOf({ quick, rounds }: EffortOptions): Effort {
  const effort = quick ? QUICK : FULL;
  return rounds === undefined ? effort : { ...effort, rounds };
}
