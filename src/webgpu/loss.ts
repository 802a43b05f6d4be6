// Whether a device is lost, and what a pool checks before each call.

import { BuddyError } from '../base/errors.ts';
import type { GpuBuffer, GpuDevice } from './types.ts';

/** Says whether a device is lost. It is an object of its own, so that a device does not keep its pools alive. */
export interface Loss {
  /** Why the device was lost; null while it is not known to be lost. */
  message: string | null;
}

/** A {@link Loss} that learns of the loss of `device`. */
export function lossOf(device: Pick<GpuDevice<GpuBuffer>, 'lost'>): Loss {
  const loss: Loss = { message: null };
  device.lost.then(({ message }) => {
    loss.message = message;
  });
  return loss;
}

/** Throws `DETACHED` if the pool was destroyed, and `DEVICE_LOST` if its device is known to be lost. */
export function checkUsable(destroyed: boolean, { message }: Loss): void {
  if (destroyed) throw new BuddyError('DETACHED', 'the pool was destroyed');
  if (message !== null) throw new BuddyError('DEVICE_LOST', `the device of the pool is lost: ${message}`);
}
