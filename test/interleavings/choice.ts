// The choices that there are in a state, as numbers: each worker makes its next access; the victim is killed; each worker
// makes its next access, a plain read, and sees one of the outdated values that it may see.

import { type Machine, STALE } from './machine.ts';

/** The worker that makes a step by this choice; -1 when it is the killing. */
export function workerOf({ workers }: Machine, choice: number): number {
  if (choice < workers) return choice;
  return choice === workers ? -1 : Math.floor((choice - workers - 1) / STALE);
}

/** Whether a worker sees an outdated value by this choice. */
export function isStale({ workers }: Machine, choice: number): boolean {
  return choice > workers;
}

/** Whether this can be chosen now. */
export function isPossible(machine: Machine, choice: number): boolean {
  const worker = workerOf(machine, choice);
  if (worker < 0) return machine.canKill();
  if (!machine.enabled(worker)) return false;
  return !isStale(machine, choice) || machine.canBeStale(worker, (choice - machine.workers - 1) % STALE);
}

/** Does it. */
export function choose(machine: Machine, choice: number): void {
  const worker = workerOf(machine, choice);
  if (worker < 0) machine.kill();
  else machine.step(worker, isStale(machine, choice) ? (choice - machine.workers - 1) % STALE : -1);
}
