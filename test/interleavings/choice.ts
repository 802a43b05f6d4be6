// The choices in a state, as numbers. First, for each worker: it makes its next access. Then: the victim is killed.
// Then, for each worker and each outdated value: its next access, a plain read, sees that value.

import { type Machine, STALE } from './machine.ts';

/** The worker that makes the step of this choice; -1 if the choice is the killing. */
export function workerOf({ workers }: Machine, choice: number): number {
  if (choice < workers) return choice;
  return choice === workers ? -1 : Math.floor((choice - workers - 1) / STALE);
}

/** Whether a worker sees an outdated value in this choice. */
export function isStale({ workers }: Machine, choice: number): boolean {
  return choice > workers;
}

/** Whether this choice is possible now. */
export function isPossible(machine: Machine, choice: number): boolean {
  const worker = workerOf(machine, choice);
  if (worker < 0) return machine.canKill();
  if (!machine.enabled(worker)) return false;
  return !isStale(machine, choice) || machine.canBeStale(worker, (choice - machine.workers - 1) % STALE);
}

/** Carries out a choice that is possible. */
export function choose(machine: Machine, choice: number): void {
  const worker = workerOf(machine, choice);
  if (worker < 0) machine.kill();
  else machine.step(worker, isStale(machine, choice) ? (choice - machine.workers - 1) % STALE : -1);
}
