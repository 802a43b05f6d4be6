// Random workloads for arenas of any size: how blocks are sized, in what order they go, how full the arena is held.

import { Random } from './random.ts';

/** How large the next block is, given the arena's capacity. */
export const SIZES = {
  units: () => 1,
  small: (random: Random) => 1 + random.below(16),
  uniform: (random: Random, capacity: number) => 1 + random.below(Math.max(1, capacity >>> 3)),
  'every order alike': (random: Random, capacity: number) => 2 ** random.below(Math.log2(capacity) + 1),
  'few large, many small': (random: Random, capacity: number) => Math.ceil(capacity ** (random.next() ** 3)),
} as const;

/** Which of the `count` live blocks, the oldest being 0, is freed next. */
export const FREES = {
  'last in, first out': (_random: Random, count: number) => count - 1,
  'first in, first out': () => 0,
  random: (random: Random, count: number) => random.below(count),
} as const;

export interface Workload {
  readonly capacity: number;
  readonly sizes: keyof typeof SIZES;
  readonly frees: keyof typeof FREES;
  /** The part of the arena that the workload tries to hold in use, 0 … 1. At 1 allocations fail all the time. */
  readonly fill: number;
  readonly operations: number;
  readonly seed: number;
}

/** One allocator as a workload drives it; what it does is compared with another's. */
export interface Driver {
  /** The offset, -1 when there is no room. */
  alloc(size: number): number;
  free(offset: number, size: number): void;
}

/** Runs a workload: fills the arena to the wanted level, then keeps it near there. */
export function runWorkload(workload: Workload, driver: Driver): void {
  const { capacity, fill, operations, seed } = workload;
  const random = new Random(seed);
  const live: { offset: number; size: number }[] = [];
  let used = 0;
  for (let i = 0; i < operations; i++) {
    // Nine of ten operations go towards the wanted level, so that the arena swings about it.
    const below = used < fill * capacity;
    const allocates = random.next() < 0.9 ? below : !below;
    if (allocates || live.length === 0) {
      const size = SIZES[workload.sizes](random, capacity);
      const offset = driver.alloc(size);
      if (offset !== -1) {
        const rounded = 2 ** Math.ceil(Math.log2(size));
        live.push({ offset, size: rounded });
        used += rounded;
        continue;
      }
    }
    if (live.length === 0) continue;
    const index = FREES[workload.frees](random, live.length);
    const [block] = live.splice(index, 1);
    driver.free(block.offset, block.size);
    used -= block.size;
  }
}
