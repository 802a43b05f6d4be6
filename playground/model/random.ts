// Random requests: they fill an arena to about three quarters, rounding up included, and then blocks come and go.

import { UNIT } from './operations.ts';

const FILL = 0.55;
const MOST = 2 ** 19;

/**
 * Marsaglia's 32-bit xorshift (Journal of Statistical Software 8 (14), 2003): numbers in [0, 1), the same in each run.
 */
function generator(): () => number {
  let x = 0x2545f491;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

/** Entries like a trace's, for an arena of `capacity` units. Most sizes are small: all orders are equally likely. */
export function randomEntries(capacity: number): Int32Array {
  const random = generator();
  const orders = Math.max(2, Math.log2(capacity) - 7);
  const entries = new Int32Array(Math.min(MOST, 64 + 2 * capacity));
  const live: { id: number; units: number }[] = [];
  let used = 0;
  let id = 0;
  for (let i = 0; i < entries.length; i++) {
    const allocates = live.length === 0 || (used < FILL * capacity ? random() < 0.9 : random() < 0.45);
    if (allocates) {
      const units = Math.max(1, Math.floor(2 ** (random() * orders)));
      entries[i] = units * UNIT;
      live.push({ id: id++, units });
      used += units;
    } else {
      const index = Math.floor(random() * live.length);
      entries[i] = ~live[index].id;
      used -= live[index].units;
      live[index] = live[live.length - 1];
      live.pop();
    }
  }
  return entries;
}
