// A process of the chaos test: allocates and frees, and writes a line before and after each call, so that others know what it
// did when it is killed. It uses the built package.
//
// Its parameter is JSON: { engine, port, name, workers, unfinished }. It ends when its standard input does.

import { writeSync } from 'node:fs';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { PostgresLog, RedisLog, ReplicatedArena } from '../../../dist/replicated.js';

const { engine, port, name, workers, unfinished } = JSON.parse(process.argv[2]);

/** Time on a clock that all processes of this machine share, in microseconds. */
const now = () => Number(process.hrtime.bigint() / 1000n);
const note = (line) => writeSync(1, `${JSON.stringify(line)}\n`);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function newLog() {
  if (engine === 'postgres') {
    const pool = new Pool({
      host: '127.0.0.1',
      port,
      user: 'postgres',
      database: 'postgres',
      max: 2,
      query_timeout: 700,
    });
    pool.on('error', () => {});
    return new PostgresLog(pool);
  }
  const client = new Redis({ host: '127.0.0.1', port, commandTimeout: 700, retryStrategy: () => 30 });
  client.on('error', () => {});
  return new RedisLog(client);
}

/** Calls until there is an answer that is sure. */
async function surely(call) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      // What the engine throws has no code of ours.
      if (
        ['GONE', 'KEY_MISMATCH', 'NOT_HOLDER', 'DIVERGED', 'ROLLED_BACK', 'CORRUPT', 'VERSION'].includes(
          error.code,
        )
      ) {
        note({ error: error.code, message: error.message });
        process.exit(1);
      }
      await pause(20);
    }
  }
}

const arena = await surely(() => ReplicatedArena.open(newLog(), 'chaos', { patience: 1500 }));
const held = [];
let isEnding = false;
process.stdin.on('end', () => {
  isEnding = true;
});
process.stdin.resume();

async function alloc(key, size, isRetry) {
  const began = now();
  if (!isRetry) note({ begin: 'alloc', key, size });
  const block = await surely(() => arena.alloc(size, { key, owner: 'chaos' }));
  const { offset, token, number, size: units = 0, replayed } = block ?? { number: 0 };
  note({ end: 'alloc', key, began, ended: now(), offset, token, number, units, replayed });
  if (block !== null) held.push(block);
}

async function free(block, isRetry) {
  const { offset, token } = block;
  const began = now();
  if (!isRetry) note({ begin: 'free', offset, token, began });
  await surely(() => arena.free({ offset, token }));
  note({ end: 'free', token, began, ended: now() });
}

for (const one of unfinished) {
  if (one.begin === 'alloc') await alloc(one.key, one.size, true);
  else await free(one, true);
}

let count = 0;
async function work() {
  while (!isEnding) {
    if (Math.random() < held.length / 40) {
      const [block] = held.splice(Math.floor(Math.random() * held.length), 1);
      await free(block, false);
    } else await alloc(`${name} ${++count}`, 1 + Math.floor(Math.random() * 30), false);
  }
}
await Promise.all(Array.from({ length: workers }, work));
process.exit(0);
