// Runs the pipeline repeatedly with each pool, and measures throughput and garbage collection.

import { PerformanceObserver, performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { copyWithChecksums } from './pipeline.mjs';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** Milliseconds after which the observer knows of all collections before. */
const OBSERVER_DELAY = 20;

/** The quantile `p` of the values, interpolated linearly. */
function quantile(values, p) {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * p;
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

const median = (values) => quantile(values, 0.5);

/** Runs the pipeline once. Returns its time and messages, and the pauses for garbage collection during it. */
async function run(pool, from, to, pauses) {
  // Neither pool pays for the garbage of the other.
  collectGarbage();
  const start = performance.now();
  const { count, sum } = await copyWithChecksums(pool, from, to);
  const end = performance.now();
  await setTimeout(OBSERVER_DELAY);
  const during = pauses.filter(({ startTime }) => startTime >= start && startTime < end);
  pauses.length = 0;
  const durations = during.map(({ duration }) => duration);
  return {
    ms: end - start,
    messages: count,
    sum,
    pauses: durations.length,
    pauseMs: durations.reduce((total, ms) => total + ms, 0),
    longestMs: Math.max(0, ...durations),
  };
}

/**
 * Measures `rounds` rounds after one to warm up. Each round runs both pools, in alternating order. The figures are
 * medians over the rounds, but for the longest pause of all.
 *
 * @param pools two pairs [name, pool]
 * @param bytes size of the file `from`
 * @returns `results`, one for each pool, and `ratio`: the throughput of the first divided by that of the second, by
 * round
 */
export async function measure(pools, from, to, bytes, rounds) {
  const pauses = [];
  const observer = new PerformanceObserver((list) => pauses.push(...list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  const runs = pools.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < pools.length; i++) {
      const index = (i + round) % pools.length;
      const result = await run(pools[index][1], from, to, pauses);
      if (round > 0) runs[index].push(result);
    }
  }
  observer.disconnect();
  const results = pools.map(([name, pool], i) => ({
    name,
    messages: runs[i][0].messages,
    checksum: runs[i][0].sum,
    megabytesPerSecond: bytes / 1e3 / median(runs[i].map(({ ms }) => ms)),
    pauses: median(runs[i].map((one) => one.pauses)),
    pauseMs: median(runs[i].map((one) => one.pauseMs)),
    longestPauseMs: Math.max(...runs[i].map((one) => one.longestMs)),
    liveBuffers: pool.liveBuffers,
  }));
  const ratios = runs[0].map(({ ms }, round) => runs[1][round].ms / ms);
  const ratio = { q1: quantile(ratios, 0.25), median: median(ratios), q3: quantile(ratios, 0.75) };
  return { results, ratio };
}
