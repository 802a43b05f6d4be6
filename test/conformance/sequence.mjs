// A fixed sequence of allocations and frees that every runtime must place alike.

import { randomFrom, randomSize } from '../support/shared-blocks.mjs';

export const SEQUENCE_CAPACITY = 2 ** 12;
const OPERATIONS = 20_000;

/**
 * Runs the sequence on anything with `alloc` and `free` that allocates in an arena of `SEQUENCE_CAPACITY` units. It fills the
 * arena now and then, so that there are answers of -1 too. Returns what every `alloc` answered.
 */
export function runSequence(arena) {
  const below = randomFrom(1963);
  const live = [];
  const offsets = [];
  for (let i = 0; i < OPERATIONS; i++) {
    const filling = i % 4000 < 2400;
    if (live.length === 0 || below(8) < (filling ? 5 : 3)) {
      const offset = arena.alloc(randomSize(below, 8));
      offsets.push(offset);
      if (offset !== -1) live.push(offset);
    } else {
      const at = below(live.length);
      arena.free(live[at]);
      live[at] = live[live.length - 1];
      live.pop();
    }
  }
  return offsets;
}
