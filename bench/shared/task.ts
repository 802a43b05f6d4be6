// What a worker of a benchmark is told to do, and how a pattern of calls is written.

/** The task of a worker. */
export interface Task<End> {
  readonly arena: End;
  /** Index of the worker, 0 … workers - 1. */
  readonly me: number;
  readonly workers: number;
  /** About how often to do what the pattern does. */
  readonly rounds: number;
  /** Cells that all workers share, for the use of the pattern. All zero at the beginning. */
  readonly shared: Int32Array;
  /** Waits until all workers have called it as often as this one. */
  readonly meet: () => void;
}

/** What came out of a task. */
export interface Outcome {
  /** How often it was done. */
  readonly done: number;
  /** Requests that had no room. */
  readonly refused: number;
}

/** Module of patterns: prepares a task, untimed, and returns the work to be timed. */
export interface PatternModule<End> {
  prepare(pattern: string, task: Task<End>): () => Outcome;
  /** Cells that the patterns use, for each worker. */
  readonly CELLS_PER_WORKER: number;
}

/** Cells behind those of the patterns, for the workers to meet: the one in the middle has a cache line of its own. */
export const MEETING_CELLS = 32;

/** Looks that a worker takes, some microseconds, before it asks the kernel to be woken. */
const LOOKS = 2000;

/** The function `meet` of a task: `cell` counts the workers that have come. */
export function meetingAt(cells: Int32Array, cell: number, workers: number): () => void {
  let due = 0;
  return () => {
    due += workers;
    if (Atomics.add(cells, cell, 1) + 1 === due) Atomics.notify(cells, cell);
    for (let looks = 0; looks < LOOKS && Atomics.load(cells, cell) < due; looks++);
    for (let n = Atomics.load(cells, cell); n < due; n = Atomics.load(cells, cell)) {
      Atomics.wait(cells, cell, n, 10);
    }
  };
}
