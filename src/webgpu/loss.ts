// Whether a device is lost.

import type { GpuBuffer, GpuDevice } from './types.ts';

/** Says whether a device is lost. It is an object of its own, so that a device does not keep its pools alive. */
export interface Loss {
  /** Says that the device was lost, and why; null while it is not known to be lost. */
  message: string | null;
}

/** A {@link Loss} that learns of the loss of `device`. */
export function lossOf(device: Pick<GpuDevice<GpuBuffer>, 'lost'>): Loss {
  const loss: Loss = { message: null };
  device.lost.then(({ message }) => {
    loss.message = `the device of the pool is lost: ${message}`;
  });
  return loss;
}
