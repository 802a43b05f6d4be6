// What an operation costs, in int32 positions of the state that it touches: the same on every machine. On average over
// a real trace, and at worst, where neither traces nor sequences made for the purpose may exceed a proven bound.

import { describe, expect, test } from 'vitest';
import { layoutOf, ORDERS_PER_LEVEL } from '../../src/core/layout.ts';
import { BuddyAllocator } from '../../src/index.ts';
import { ADVERSARIES, PROBES } from '../support/adversarial.ts';
import { countingAllocator, replayCounting } from '../support/counting.ts';
import { Random } from '../support/random.ts';
import { loadTrace, TRACE_CAPACITY, TRACE_NAMES } from '../support/traces.ts';

interface Cost {
  readonly alloc: number;
  readonly free: number;
}

/**
 * A bound on the different positions that one operation touches, whatever came before. With L levels, 0 the lowest, and
 * T_l tiers of the index of level l, sum T = T_0 + T_1 + … (see the invariants in src/core/run-index.ts):
 *
 * Stale bits. A word with stale bits is the hint of some order q and has its bit: that is where it filled up; and a word
 * that closes had one block left, so half of it free, so all five bits. Let v < w be two stale words of a level and w the
 * hint of q. Then v, before that hint, lacks bit q, so by nesting v's highest bit is below w's. Hence at most five words
 * are stale, with at most 1, 2, 3, 4 and 5 bits, and at most one of them, the last, is closed. To clear them all reads
 * 2 + 3 + 4 + 5 + 5 = 19 positions of the lowest tier, as clearing stops at the first bit that is not set, and touches
 * at most 1 + 2 + 3 + 4 + 5 = 15 of any tier above.
 *
 * alloc: header. Free units and levels; bound, count and position of the words of each level; every tier's position; five
 * hints of each level but the top one, which no allocation opens, and one of that: 8 L - 2 + sum T.
 *
 * alloc: words. A level is searched once, and words of it are looked at only if they are hints beforehand (five,
 * counting the mark past the end), the one at which the search ends, or the one that is opened: 7, of 2 positions. To
 * tell what a closed word is part of, of which there is one a level, takes a word of each level above: l more.
 *
 * alloc: index of a level. Stale bits: 19 in the lowest tier, 15 above. The search goes up from a hint at most five
 * times: 5 above the lowest tier, where it begins in a group that is counted already. It ends at a word: 1 a tier on the
 * way down to it, and 1 in the lowest if its hint leaves it. The word that is opened gets five bits: 5. That is 26 a
 * tier, and 5 bitmaps are all there is in the top tier.
 *
 * free: header. Capacity and free units; bounds but the top one; count, position of the words and five hints of each level;
 * every tier's position: 8 L + 1 + sum T.
 *
 * free: words. One a level on the way up; where it ends, five that hints leave.
 *
 * free: index. A word that closes loses five bits: 5 a tier. Where the way ends, a word gets up to five bits, and five
 * words that hints leave are settled: 5 + 19 in the lowest tier, 5 + 15 above.
 */
function bound(capacity: number): Cost {
  const { levels, count, index } = layoutOf(capacity);
  const sum = (of: readonly number[]): number => of.reduce((a, b) => a + b, 0);
  const tiers = index.map(({ length }) => length);
  /** Index positions of `level`, of which an operation touches so many in the lowest tier and in each above. */
  const indexOf = (level: number, lowest: number, above: number): number => {
    return sum(
      tiersOf(count[level]).map((groups, tier) =>
        Math.min(ORDERS_PER_LEVEL * groups, tier === 0 ? lowest : above),
      ),
    );
  };
  const closing = tiers.map((height) => ORDERS_PER_LEVEL * height);
  return {
    alloc:
      8 * levels -
      2 +
      sum(tiers) +
      sum(count.map((words, level) => 2 * Math.min(7 + level, words + 1))) +
      sum(count.map((_, level) => indexOf(level, 26, 26))),
    free:
      8 * levels +
      1 +
      sum(tiers) +
      2 * (levels + 5) +
      sum(closing) +
      Math.max(...closing.map((path, level) => indexOf(level, 24, 20) - path)),
  };
}

/** Groups in each tier of a bitmap of `bits` bits. */
function tiersOf(bits: number): number[] {
  const groups = Math.ceil(bits / 32);
  return groups === 1 ? [1] : [groups, ...tiersOf(groups)];
}

/** The most positions that an operation of each kind touches, and that one of the last `probes` operations does. */
function worst(
  capacity: number,
  operations: ArrayLike<number> & Iterable<number>,
  probes = 0,
): Cost & { readonly probe: number } {
  const counted = countingAllocator(capacity);
  const most = { alloc: 0, free: 0, probe: 0 };
  replayCounting(counted, operations, (kind, at) => {
    const { positions } = counted.counter;
    most[kind] = Math.max(most[kind], positions);
    if (at >= operations.length - probes) most.probe = Math.max(most.probe, positions);
  });
  expect(BuddyAllocator.attach(counted.made.state).check()).toEqual([]);
  return most;
}

function expectWithin({ alloc, free }: Cost, capacity: number): void {
  const most = bound(capacity);
  expect(alloc).toBeLessThanOrEqual(most.alloc);
  expect(free).toBeLessThanOrEqual(most.free);
}

/**
 * Per operation of the whole sqlite trace: positions of the state, positions of words, writes to the index. As measured, rounded
 * up in the third digit. To lower them is welcome; to raise them needs a reason.
 */
const SQLITE = { positions: 8.32, words: 2.48, indexWrites: 0.967 };

test('sqlite: an operation touches no more of the state than it did', () => {
  const counted = countingAllocator(TRACE_CAPACITY);
  const [, words, index] = counted.counter.areas;
  const operations = loadTrace('sqlite');
  const sum = { positions: 0, words: 0, indexWrites: 0 };
  replayCounting(counted, operations, () => {
    sum.positions += counted.counter.positions;
    sum.words += words.positions;
    sum.indexWrites += index.writes;
  });
  expect(sum.positions / operations.length).toBeLessThanOrEqual(SQLITE.positions);
  expect(sum.words / operations.length).toBeLessThanOrEqual(SQLITE.words);
  expect(sum.indexWrites / operations.length).toBeLessThanOrEqual(SQLITE.indexWrites);
  // Every alloc and free changes a word and the count of free units, or the counter sees nothing.
  expect(sum.words / operations.length).toBeGreaterThan(1);
});

describe('no operation exceeds the bound', () => {
  // The costly operations of a trace are those that fill new parts of the arena, which its beginning has most of.
  test.each(TRACE_NAMES)('%s, first 100,000 operations', (name) => {
    expectWithin(worst(TRACE_CAPACITY, loadTrace(name).subarray(0, 100_000)), TRACE_CAPACITY);
  });

  test.each([2 ** 10, 2 ** 16, 2 ** 20, 700_001])('adversarial sequences, %d units', (capacity) => {
    for (const { operations } of ADVERSARIES)
      expectWithin(worst(capacity, operations(capacity, 1000)), capacity);
  });

  test.each([2 ** 10, 2 ** 16, 700_001])('a search for the worst operation, %d units', (capacity) => {
    expectWithin(climb(capacity), capacity);
  });
});

/** What the preparation may change: how many levels or tiers up the search ends, not what it meets there. */
const A_LEVEL_MORE = 10;

test.each(
  ADVERSARIES.filter(({ name }) => !name.startsWith('random')),
)('a long preparation costs no more than a short one: $name', ({ operations }) => {
  const capacity = 2 ** 20;
  const short = worst(capacity, operations(capacity, 100), PROBES);
  const long = worst(capacity, operations(capacity, 10_000), PROBES);
  expectWithin(long, capacity);
  expect(long.probe).toBeLessThanOrEqual(short.probe + A_LEVEL_MORE);
});

/**
 * Changes a random sequence here and there, and keeps what makes its worst operations no cheaper. A step is two
 * numbers in (0, 1): which order, or which of the live blocks goes.
 */
function climb(capacity: number): Cost {
  const numbers = new Random(capacity);
  const orders = Math.log2(capacity);
  const gene = (): readonly [number, number] => [numbers.next(), numbers.next()];
  let best = Array.from({ length: 200 }, gene);
  let most: Cost = { alloc: 0, free: 0 };
  for (let round = 0; round < 150; round++) {
    const changed = best.map((one) => (numbers.next() < 0.03 ? gene() : one));
    const operations: number[] = [];
    const live: number[] = [];
    let ids = 0;
    for (const [kind, which] of changed) {
      if (kind < 0.6 || live.length === 0) {
        operations.push(2 ** Math.floor(which * orders));
        live.push(ids++);
      } else {
        operations.push(~live.splice(Math.floor(which * live.length), 1)[0]);
      }
    }
    const found = worst(capacity, operations);
    if (found.alloc + found.free < most.alloc + most.free) continue;
    best = changed;
    most = found;
  }
  return most;
}
