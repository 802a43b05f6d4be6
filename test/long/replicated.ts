// `npm run long -- replicated`: processes that share an arena by way of a real server, with kills, cuts and lost replies.

import { runChaos } from '../replicated/chaos/chaos.ts';
import { hasPostgres } from '../replicated/servers/postgres.ts';
import { hasRedis } from '../replicated/servers/redis.ts';

const ENGINES = { postgres: hasPostgres, redis: hasRedis } as const;

interface Options {
  readonly engine?: keyof typeof ENGINES;
  readonly seconds: number;
  readonly clients: number;
  readonly seed: number;
}

/** Runs the tests, as the command line says. Ends with status 1 if anything was wrong, or if there is no server. */
export async function run({ engine, seconds, clients, seed }: Options): Promise<void> {
  const engines = engine === undefined ? (['postgres', 'redis'] as const) : [engine];
  for (const one of engines) {
    if (!ENGINES[one]) {
      console.error(`error: there is no ${one} here`);
      process.exitCode = 1;
      continue;
    }
    const report = await runChaos({ engine: one, seconds, clients, seed });
    console.log(JSON.stringify({ engine: one, seconds, clients, seed, ...report }));
    const { overlaps, lost, leaked, orderViolations, violations, errors } = report;
    if (overlaps + lost + leaked + orderViolations + violations + errors.length > 0) process.exitCode = 1;
  }
}
