// The exhaustive exploration at any capacity and depth, for as long as it takes, with progress on standard error.
// usage: tsx test/long/exhaustive.ts --capacity 16 [--depth 20] [--every-operation] [--replay]

import { parseArgs } from 'node:util';
import { everySize, explore, sizePerOrder } from '../support/explore.ts';

const { values } = parseArgs({
  options: {
    capacity: { type: 'string', default: '16' },
    depth: { type: 'string', default: 'Infinity' },
    'every-operation': { type: 'boolean', default: false },
    replay: { type: 'boolean', default: false },
  },
});

const capacity = Number(values.capacity);
const started = performance.now();
const seconds = (): string => ((performance.now() - started) / 1000).toFixed(1);

const { states, steps, complete } = explore({
  capacity,
  sizes: capacity <= 8 ? everySize(capacity) : sizePerOrder(capacity),
  depth: Number(values.depth),
  everyOperation: values['every-operation'],
  replay: values.replay,
  onLayer: (depth, statesSoFar, stepsSoFar) => {
    console.error(`depth ${depth}: ${statesSoFar} states, ${stepsSoFar} steps, ${seconds()} s`);
  },
});
console.log(
  `capacity ${capacity}: ${states} states, ${steps} steps, ${complete ? 'all states' : 'stopped at the depth limit'}, ` +
    `no difference, ${seconds()} s`,
);
