// A pool of workers over one SharedHeap. A worker that does not answer in time is terminated, its blocks are taken back, and
// another one takes its place.

import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

export class Member {
  #worker;
  #workerId;
  #heap;

  static async start(heap) {
    const member = new Member();
    member.#heap = heap;
    await member.#start();
    return member;
  }

  async #start() {
    this.#worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: this.#heap.handle });
    const [{ workerId }] = await once(this.#worker, 'message');
    this.#workerId = workerId;
  }

  /** The worker's answer to `job` on `text`, bytes in the heap, which it frees; null if there is none after `limit` ms. */
  async run(job, text, limit) {
    const answer = once(this.#worker, 'message').then(([message]) => message);
    this.#worker.postMessage({ job, text, from: this.#heap.workerId });
    const message = await Promise.race([answer, setTimeout(limit, null)]);
    if (message === null) return null;
    this.#heap.adopt(message.counts, this.#workerId);
    return message.counts;
  }

  /** Ends the worker, whatever it is doing. Returns what was taken back. */
  async end() {
    await this.#worker.terminate(); // once this is done, the worker is dead
    for (;;) {
      const outcome = this.#heap.recover(this.#workerId);
      if (outcome.complete) return outcome;
      await setTimeout(1); // another worker was at work on the same spot
    }
  }

  /** Ends the worker and starts another one. Returns what was taken back. */
  async replace() {
    const outcome = await this.end();
    await this.#start();
    return outcome;
  }
}
