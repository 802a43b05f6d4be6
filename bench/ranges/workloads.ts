// Requests for ranges of any size, made from a fixed seed. x > 0 asks for x units and gets the next id from 0; x < 0 gives back
// the range with the id ~x, if there was room for it.

import { Random } from '../../test/support/random.ts';

/** A number of a log-normal distribution, by the method of Box and Muller. */
function logNormal(random: Random, median: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(random.next())) * Math.cos(2 * Math.PI * random.next());
  return median * Math.exp(sigma * normal);
}

/** Bytes per unit of {@link sizesLikeGpu}: the alignment of uniform and storage buffers of a GPU. */
export const GPU_UNIT = 256;

/**
 * Resources as of a GPU, in units of 256 bytes: sizes log-normal with a median of 30 kB. `live` of them are allocated; then
 * `replaced` times, one of them at random is given back and another one allocated.
 */
export function sizesLikeGpu({ live, replaced }: { live: number; replaced: number }): Int32Array {
  const random = new Random(1);
  const operations: number[] = [];
  const ids: number[] = [];
  let next = 0;
  const alloc = (slot: number): void => {
    operations.push(Math.max(1, Math.round(logNormal(random, 30_000, 1) / GPU_UNIT)));
    ids[slot] = next++;
  };
  for (let slot = 0; slot < live; slot++) alloc(slot);
  for (let i = 0; i < replaced; i++) {
    const slot = random.below(live);
    operations.push(~ids[slot]);
    alloc(slot);
  }
  return Int32Array.from(operations);
}

/** Units of 4 bytes per vertex of {@link meshes}: a position, a normal and a colour. */
export const STRIDE = 5;

/**
 * Meshes as of a voxel world, in units of 4 bytes: multiples of a vertex's stride, log-normal with a median of 1,500 vertices.
 * Before each of the `requests`, meshes at random go until it leaves no more than the share `fill` of `capacity` in use.
 */
export function meshes({
  capacity,
  fill,
  requests,
}: {
  capacity: number;
  fill: number;
  requests: number;
}): Int32Array {
  const random = new Random(2);
  const operations: number[] = [];
  const live: { readonly id: number; readonly size: number }[] = [];
  let used = 0;
  for (let id = 0; id < requests; id++) {
    const size = STRIDE * Math.ceil(Math.min(logNormal(random, 1500, 0.8), 20_000));
    while (used + size > fill * capacity) {
      const at = random.below(live.length);
      const gone = live[at];
      live[at] = live[live.length - 1];
      live.pop();
      used -= gone.size;
      operations.push(~gone.id);
    }
    operations.push(size);
    live.push({ id, size });
    used += size;
  }
  return Int32Array.from(operations);
}
