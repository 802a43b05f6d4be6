// Fences: promises that resolve when the GPU has done everything submitted so far. WebGL tells only whoever asks, so a
// timer asks while a fence waits.

import type { GlContext } from './types.ts';

const SYNC_GPU_COMMANDS_COMPLETE = 0x9117;
const ALREADY_SIGNALED = 0x911a;
const CONDITION_SATISFIED = 0x911c;
const TIMEOUT_EXPIRED = 0x911b;

/** Milliseconds between two questions. Browsers make 4 of it after the first few. */
const INTERVAL = 1;

type FenceContext = Pick<GlContext<unknown>, 'fenceSync' | 'clientWaitSync' | 'deleteSync' | 'flush'>;

interface Fence {
  readonly sync: unknown;
  resolve(): void;
  reject(error: Error): void;
}

/** The fences of one pool, in the order in which they were made. */
export class Fences {
  readonly #gl: FenceContext;
  #waiting: Fence[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(gl: FenceContext) {
    this.#gl = gl;
  }

  /** A promise that resolves when the GPU has done everything submitted so far; it rejects if the context is lost. */
  done(): Promise<void> {
    const gl = this.#gl;
    const sync = gl.fenceSync(SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (sync === null) return Promise.reject(lostError());
    gl.flush(); // The GPU need not get to a fence that it has not been sent.
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sync, resolve, reject });
      this.#askLater();
    });
  }

  /** Resolves all promises now, and asks no more. */
  close(): void {
    clearTimeout(this.#timer);
    for (const { sync, resolve } of this.#waiting) {
      this.#gl.deleteSync(sync);
      resolve();
    }
    this.#waiting = [];
  }

  #askLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#ask();
      if (this.#waiting.length > 0) this.#askLater();
    }, INTERVAL);
  }

  /** Settles the promises of the fences that the GPU has passed. It passes them in order. */
  #ask(): void {
    const gl = this.#gl;
    for (let fence = this.#waiting[0]; fence !== undefined; fence = this.#waiting[0]) {
      const status = gl.clientWaitSync(fence.sync, 0, 0);
      if (status === TIMEOUT_EXPIRED) return;
      this.#waiting.shift();
      gl.deleteSync(fence.sync);
      if (status === ALREADY_SIGNALED || status === CONDITION_SATISFIED) fence.resolve();
      else fence.reject(lostError());
    }
  }
}

const lostError = (): Error => new Error('the context is lost');
