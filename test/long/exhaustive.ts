// The exhaustive exploration at any capacity and depth, for as long as it takes, with progress on standard error.

import { MAX_CAPACITY } from '../../src/base/arguments.ts';
import { commandOf, integer } from '../support/command.ts';
import { everySize, explore, sizePerOrder } from '../support/state-search.ts';

interface Options {
  readonly capacity: number;
  readonly depth?: number;
  readonly everyOperation?: true;
  readonly replay?: true;
}

const {
  capacity,
  depth = Infinity,
  everyOperation = false,
  replay = false,
} = commandOf(
  'npm run test:exhaustive --',
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
  .parse()
  .opts<Options>();

const started = performance.now();
const seconds = (): string => ((performance.now() - started) / 1000).toFixed(1);

const { states, steps, complete } = explore({
  capacity,
  sizes: capacity <= 8 ? everySize(capacity) : sizePerOrder(capacity),
  depth,
  everyOperation,
  replay,
  onLayer: (layer, statesSoFar, stepsSoFar) => {
    console.error(`depth ${layer}: ${statesSoFar} states, ${stepsSoFar} steps, ${seconds()} s`);
  },
});
console.log(
  `capacity ${capacity}: ${states} states, ${steps} steps, ${complete ? 'all states' : 'stopped at the depth limit'}, ` +
    `no difference, ${seconds()} s`,
);
