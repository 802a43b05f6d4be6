// One process of the benchmark. Its parameter is JSON. It fills its part of the arena, prints "ready", waits for a line on its
// standard input, measures, and prints what came of it as a line of JSON.

import { once } from 'node:events';
import { CONTENDERS } from './contenders.mjs';

const { engine, contender, port, capacity, live, depth, seconds, seed } = JSON.parse(process.argv[2]);

let state = seed;
/** Park and Miller's generator (Communications of the ACM 31 (10), 1988). */
const below = (n) => {
  state = (state * 48271) % 2147483647;
  return state % n;
};

const arena = await CONTENDERS[engine][contender](port, capacity);
const held = [];
const randomSize = () => 1 + below(16);
const hold = (block, size) => {
  if (block !== null) held.push({ ...block, size: 2 ** (32 - Math.clz32(size - 1)) });
};
const alloc = async () => {
  const size = randomSize();
  hold(await arena.alloc(size), size);
};
const free = () => {
  const i = below(held.length);
  const block = held[i];
  held[i] = held[held.length - 1];
  held.pop();
  return arena.free(block);
};

// A connection can watch for one call at a time.
const atOnce = contender.startsWith('naive') ? 1 : 100;
while (held.length < live) {
  const sizes = Array.from({ length: Math.min(atOnce, live - held.length) }, randomSize);
  // Where each call is a commit, filling would take longer than measuring.
  const blocks = await (arena.allocAll?.(sizes) ?? Promise.all(sizes.map((size) => arena.alloc(size))));
  for (const [i, block] of blocks.entries()) hold(block, sizes[i]);
}
console.log('ready');
await once(process.stdin, 'data');

const latencies = [];
const work = async (end) => {
  for (let now = performance.now(); now < end; ) {
    await (held.length < live ? alloc() : free());
    const after = performance.now();
    latencies.push(after - now);
    now = after;
  }
};
const run = (duration) => {
  const end = performance.now() + 1000 * duration;
  return Promise.all(Array.from({ length: depth }, () => work(end)));
};
// As long as it measures: the engine compiles what it has run often, and with many processes each one runs little.
await run(seconds);
latencies.length = 0;
console.log('warm');
await once(process.stdin, 'data');
const cpu = process.cpuUsage();
const start = performance.now();
await run(seconds);
const { user, system } = process.cpuUsage(cpu);
latencies.sort((a, b) => a - b);
const quantile = (p) => latencies[Math.floor(p * (latencies.length - 1))];
const result = {
  calls: latencies.length,
  milliseconds: performance.now() - start,
  median: quantile(0.5),
  p99: quantile(0.99),
  microseconds: user + system,
  blocks: held.map(({ offset, size }) => [offset, size]),
};
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
