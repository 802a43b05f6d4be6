// `npm run long -- exhaustive`: the exhaustive exploration at any capacity and depth, for as long as it takes,
// with progress on standard error.

import { everySize, explore, sizePerOrder } from '../support/state-search.ts';

interface Options {
  readonly capacity: number;
  readonly depth?: number;
  readonly everyOperation?: boolean;
  readonly replay?: boolean;
}

/** Runs the tests, as the command line says. */
export function run({ capacity, depth = Infinity, everyOperation = false, replay = false }: Options): void {
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
}
