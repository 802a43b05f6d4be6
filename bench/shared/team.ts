// A contender with its workers.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Bundle } from './bundle.ts';
import type { Contender } from './contender.ts';
import { MEETING_CELLS, type PatternModule } from './task.ts';
import type { Done, Modules, Round, Times } from './worker.ts';

/** The module of the workers, to be bundled with those of the contenders and the patterns. */
export const WORKER = 'bench/shared/worker';

/** What a team does in a round. */
export interface Assignment {
  readonly pattern: string;
  /** So many of the team's workers take part. */
  readonly workers: number;
  /** How large the arena is. */
  readonly size: number;
  /** About how often all workers together do what the pattern does. */
  readonly times: number;
}

/** What all workers of a round did together. */
export interface Sample {
  readonly done: number;
  readonly refused: number;
  /** Nanoseconds from the start of the first worker to the end of the last. */
  readonly ns: number;
  /** Nanoseconds that the threads of this process have spent on processors meanwhile. */
  readonly cpuNs: number;
}

/** A contender with its workers, which it keeps for all rounds, so that their code is warm. */
export class Team {
  readonly #contender: Contender<unknown>;
  readonly #cells: number;
  readonly #workers: readonly Worker[];

  private constructor(contender: Contender<unknown>, cells: number, workers: readonly Worker[]) {
    this.#contender = contender;
    this.#cells = cells;
    this.#workers = workers;
  }

  /** `size` workers, which work with the bundled modules `contender` and `patterns`. */
  static async of(bundle: Bundle, contender: string, patterns: string, size: number): Promise<Team> {
    const workerData: Modules = { contender: bundle.url(contender), patterns: bundle.url(patterns) };
    const its = (await import(workerData.contender)) as { contender: Contender<unknown> };
    const { CELLS_PER_WORKER } = (await import(workerData.patterns)) as PatternModule<unknown>;
    const file = new URL(bundle.url(WORKER));
    const workers = Array.from({ length: size }, () => new Worker(file, { workerData }));
    return new Team(its.contender, CELLS_PER_WORKER, workers);
  }

  /** One round in a fresh arena. Rejects if a worker throws. */
  async run({ pattern, workers, size, times }: Assignment): Promise<Sample> {
    const round = {
      arena: this.#contender.create(size, workers),
      pattern,
      workers,
      rounds: Math.ceil(times / workers),
      shared: new SharedArrayBuffer(4 * (workers * this.#cells + MEETING_CELLS)),
    };
    const answers = this.#workers.slice(0, workers).map(async (worker, me) => {
      worker.postMessage({ ...round, me } satisfies Round);
      const [done] = (await once(worker, 'message')) as [Done];
      return done;
    });
    const all = await Promise.all(answers);
    const sum = (key: 'done' | 'refused'): number => all.reduce((total, one) => total + one[key], 0);
    const span = (key: keyof Times): number =>
      Math.max(...all.map(({ end }) => end[key])) - Math.min(...all.map(({ begin }) => begin[key]));
    return { done: sum('done'), refused: sum('refused'), ns: span('clock'), cpuNs: span('cpu') };
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
