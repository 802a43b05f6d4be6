// One pattern by all contenders of a suite, in rounds: each of them with each number of workers, once a round.

import { cpus } from 'node:os';
import type { Effort } from '../measure.ts';
import type { Bundle } from '../shared/bundle.ts';
import { type Sample, Team } from '../shared/team.ts';
import { type Summary, summarise } from '../statistics.ts';
import type { Entrant, Suite } from './suites.ts';

/** What a contender did of a pattern with some number of workers. */
export interface Measurement {
  readonly name: string;
  readonly workers: number;
  /** Millions per second, of all workers together. */
  readonly rate: Summary;
  /** The rate divided by that of the base, with one worker, in the same round. */
  readonly timesBase: Summary;
  /** The rate divided by that of the same contender with one worker, in the same round; missing if that is not measured. */
  readonly speedup?: Summary;
  /** The share of the requests that had no room. */
  readonly refused: number;
}

/** What came out for one pattern. */
export interface PatternResult {
  readonly pattern: string;
  readonly measurements: readonly Measurement[];
}

/** What to measure. */
export interface Contest {
  readonly suite: Suite;
  readonly pattern: string;
  readonly entrants: readonly Entrant[];
  /** Numbers of workers. */
  readonly workers: readonly number[];
  readonly effort: Effort;
  /** How long a contender works in a round, in milliseconds, about. */
  readonly ms: number;
  /** Whether to count the time that the workers are on processors, and to reckon as if they had all of them for themselves. */
  readonly cpu: boolean;
}

/** Rounds of warming up at least, in which it is also found out how much a contender does in the time that it has. */
const LEAST_WARM_UPS = 4;
/** Pairs of each worker in the first of them. */
const FIRST = 500;
/** From a warm-up to the next one, the work becomes so many times as much at most. */
const MOST_MORE = 16;

/** A contender with some number of workers. */
interface Runner {
  readonly entrant: Entrant;
  readonly team: Team;
  readonly workers: number;
  times: number;
  readonly rates: number[];
  asked: number;
  refused: number;
}

function rateOf({ done, ns, cpuNs }: Sample, workers: number, cpu: boolean): number {
  return (done * 1000) / (cpu ? cpuNs / Math.min(workers, cpus().length) : ns);
}

/** Measures. `progress` is told before every round. Rejects if a worker fails. */
export async function hold(
  contest: Contest,
  bundle: Bundle,
  progress: (text: string) => void,
): Promise<PatternResult> {
  const { suite, pattern, entrants, effort, ms, cpu } = contest;
  const teams: Team[] = [];
  try {
    const runners: Runner[] = [];
    for (const entrant of entrants) {
      // The base is needed with one worker in any case.
      const numbers = new Set(entrant === suite.base ? [1, ...contest.workers] : contest.workers);
      const own = [...numbers].filter((workers) => suite.takesPart(entrant, pattern, workers));
      if (own.length === 0) continue;
      const team = await Team.of(bundle, entrant.module, suite.patterns, Math.max(...own));
      teams.push(team);
      for (const workers of own) {
        runners.push({ entrant, team, workers, times: FIRST * workers, rates: [], asked: 0, refused: 0 });
      }
    }
    const size = suite.size(pattern);
    const warmUps = Math.max(LEAST_WARM_UPS, effort.warmupRounds);
    for (let n = -warmUps; n < effort.rounds; n++) {
      progress(n < 0 ? `warm-up ${n + warmUps + 1}` : `round ${n + 1}`);
      for (let i = 0; i < runners.length; i++) {
        const runner = runners[(i + warmUps + n) % runners.length];
        const { team, workers, times } = runner;
        const sample = await team.run({ pattern, workers, size, times });
        if (n < 0) runner.times = timesFor(rateOf(sample, workers, cpu), ms, runner);
        else {
          runner.rates.push(rateOf(sample, workers, cpu));
          runner.asked += sample.done + sample.refused;
          runner.refused += sample.refused;
        }
      }
    }
    return { pattern, measurements: measurementsOf(runners, suite.base) };
  } finally {
    await Promise.all(teams.map((team) => team.end()));
  }
}

/** How often to do it, so that it takes `ms` milliseconds at `rate` millions per second. */
function timesFor(rate: number, ms: number, { workers, times }: Runner): number {
  return Math.ceil(Math.max(FIRST * workers, Math.min(rate * 1000 * ms, MOST_MORE * times)));
}

function measurementsOf(runners: readonly Runner[], base: Entrant): Measurement[] {
  const ratesOf = (entrant: Entrant): readonly number[] | undefined =>
    runners.find((one) => one.entrant === entrant && one.workers === 1)?.rates;
  return runners.map(({ entrant, workers, rates, asked, refused }) => {
    const over = (others: readonly number[] = []): Summary =>
      summarise(rates.map((rate, n) => rate / others[n]));
    const alone = ratesOf(entrant);
    return {
      name: entrant.name,
      workers,
      rate: summarise(rates),
      timesBase: over(ratesOf(base)),
      ...(alone && { speedup: over(alone) }),
      refused: refused / asked,
    };
  });
}
