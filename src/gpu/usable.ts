// What a pool checks before each call.

import { BuddyError } from '../base/errors.ts';

/** Throws `DETACHED` if the pool was destroyed, and `DEVICE_LOST` if its device is known to be lost: `loss` says why, or is null. */
export function checkUsable(destroyed: boolean, loss: string | null): void {
  if (destroyed) throw new BuddyError('DETACHED', 'the pool was destroyed');
  if (loss !== null) throw new BuddyError('DEVICE_LOST', loss);
}
