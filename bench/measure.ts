// Interleaved rounds: every contender replays the workload once a round, so that drift of the machine hits all alike.

import { median, type Summary, summarise } from './statistics.ts';

/** One replay on a fresh arena. */
export interface Sample {
  /** Nanoseconds of the timed operations. */
  readonly replayNs: number;
  /** The processor time of the timed operations, in nanoseconds, of runners that count it. */
  readonly cpuNs?: number;
  /** Nanoseconds to create the arena. */
  readonly createNs: number;
  /** Allocations that found no room. */
  readonly failures: number;
  /** Placement hash over all handles, 0 … 2^32 - 1. */
  readonly hash: number;
}

/** A contender ready to replay one workload again and again. */
export interface Runner {
  readonly name: string;
  /** Whether its hash must be the one of every other such runner. */
  readonly placesAsReference: boolean;
  replay(): Promise<Sample>;
}

/** What came out for one contender on one workload. */
export interface Measurement {
  readonly name: string;
  readonly placesAsReference: boolean;
  readonly nsPerOperation: Summary;
  /** Its time divided by the first runner's in the same round. */
  readonly timesBase: Summary;
  /** Median time to create the arena, in nanoseconds. */
  readonly createNs: number;
  readonly failures: number;
  readonly hash: number;
}

/** How long to measure. */
export interface Effort {
  /** Rounds that count. */
  readonly rounds: number;
  /** Most rounds of warming up before them. */
  readonly warmupRounds: number;
}

/** Rounds compared with as many before them to see whether times still fall. */
const WINDOW = 3;

/** Times are steady when the later window's median is at least this share of the earlier one's. */
const STEADY_SHARE = 0.98;

function isSteady(times: readonly number[]): boolean {
  if (times.length < 2 * WINDOW) return false;
  const earlier = median(times.slice(-2 * WINDOW, -WINDOW));
  return median(times.slice(-WINDOW)) >= STEADY_SHARE * earlier;
}

/** One replay of every runner, beginning with another one every round, so that none always follows the same one. */
async function round(runners: readonly Runner[], number: number): Promise<Sample[]> {
  const samples = new Array<Sample>(runners.length);
  for (let i = 0; i < runners.length; i++) {
    const at = (i + number) % runners.length;
    samples[at] = await runners[at].replay();
  }
  return samples;
}

/**
 * Warms up until no runner gets faster any more (or the warm-up rounds are used up), then measures.
 *
 * @param runners the first one is the base of the ratios
 * @param operations number of operations that a replay times
 * @param progress told after every round
 * @throws Error when a runner places blocks differently from round to round
 */
export async function measure(
  runners: readonly Runner[],
  operations: number,
  effort: Effort,
  progress: (phase: 'warm-up' | 'round', number: number) => void,
): Promise<Measurement[]> {
  const warm: number[][] = runners.map(() => []);
  for (let n = 0; n < effort.warmupRounds && !warm.every(isSteady); n++) {
    for (const [i, sample] of (await round(runners, n)).entries()) warm[i].push(sample.replayNs);
    progress('warm-up', n + 1);
  }
  const rounds: Sample[][] = [];
  for (let n = 0; n < effort.rounds; n++) {
    rounds.push(await round(runners, n));
    progress('round', n + 1);
  }
  return runners.map(({ name, placesAsReference }, i) => {
    const samples = rounds.map((of) => of[i]);
    const { failures, hash } = samples[0];
    if (samples.some((sample) => sample.hash !== hash || sample.failures !== failures)) {
      throw new Error(`${name} places blocks differently from round to round`);
    }
    return {
      name,
      placesAsReference,
      nsPerOperation: summarise(samples.map((sample) => sample.replayNs / operations)),
      timesBase: summarise(rounds.map((of) => of[i].replayNs / of[0].replayNs)),
      createNs: median(samples.map((sample) => sample.createNs)),
      failures,
      hash,
    };
  });
}

/** Whether all contenders that must place as the reference does had the same placements and failures. */
export function placementsAgree(measurements: readonly Measurement[]): boolean {
  const placements = measurements.filter((one) => one.placesAsReference);
  return placements.every(
    ({ hash, failures }) => hash === placements[0].hash && failures === placements[0].failures,
  );
}
