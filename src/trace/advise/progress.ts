// Telling how far the passes of advice are.

import type { Progress } from '../replay/pass.ts';

const EVERY = 1 << 16;

/** Tells `onProgress` of every 65,536th operation. */
export function tick(at: number, operations: number, onProgress: Progress): void {
  if (at % EVERY === 0) onProgress(at, operations);
}

/** Progress over several passes through one trace. */
export class PassesProgress {
  readonly #operations: number;
  readonly #total: number;
  readonly #onProgress: Progress | undefined;
  #before = 0;

  constructor(operations: number, passes: number, onProgress: Progress | undefined) {
    this.#operations = operations;
    this.#total = passes * operations;
    this.#onProgress = onProgress;
  }

  /** What the next pass reports to. A pass may run fewer or more operations than the trace has. */
  next(): Progress {
    const before = this.#before;
    this.#before += this.#operations;
    return (done, total) =>
      this.#onProgress?.(before + Math.floor((done / total) * this.#operations), this.#total);
  }

  /** Reports that all is done. */
  end(): void {
    this.#onProgress?.(this.#total, this.#total);
  }
}
