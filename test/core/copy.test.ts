// Growing and shrinking, in place or not: the state of another capacity holds the same blocks, and goes on as an arena of that capacity would
// in which just those are live.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import { arenaOf } from '../support/agreement.ts';
import { Random } from '../support/random.ts';

/** Random calls of alloc and free. Keeps `live` up to date. */
function work(
  arenas: readonly BuddyAllocator[],
  live: number[],
  random: Random,
  steps: number,
  largest: number,
): void {
  for (let i = 0; i < steps; i++) {
    if (live.length > 0 && random.below(3) === 0) {
      const [offset] = live.splice(random.below(live.length), 1);
      for (const arena of arenas) arena.free(offset);
      continue;
    }
    const size = 1 + random.below(2 ** random.below(largest + 1));
    const isRange = random.below(4) === 0;
    const [offset, ...others] = arenas.map((arena) => (isRange ? arena.allocRange(size) : arena.alloc(size)));
    for (const other of others) expect(other).toBe(offset);
    // Ranges stay, as blocks of their own.
    if (offset >= 0 && !isRange) live.push(offset);
  }
}

const liveOf = (arena: BuddyAllocator) => [...arena.blocks()].filter(({ free }) => !free);

/** A capacity: few or many words of a level, at and beside the borders of words, groups and levels. */
const capacity = fc.oneof(
  fc.integer({ min: 1, max: 200 }),
  fc.integer({ min: 1, max: 70_000 }),
  fc
    .tuple(fc.integer({ min: 0, max: 17 }), fc.integer({ min: -2, max: 2 }))
    .map(([k, d]) => Math.max(1, 2 ** k + d)),
  fc.tuple(fc.nat(70), fc.integer({ min: -1, max: 1 })).map(([n, d]) => Math.max(1, 1024 * n + d)),
);

describe('a state of another capacity', () => {
  test('holds the same blocks, and places the next ones where a fresh one would', () => {
    const done = { grown: 0, shrunk: 0, refused: 0 };
    fc.assert(
      fc.property(
        capacity,
        capacity,
        fc.nat(),
        fc.integer({ min: 0, max: 150 }),
        fc.boolean(),
        (from, to, seed, steps, stays) => {
          const random = new Random(seed);
          const arena = arenaOf(from, stays ? Math.max(from, to) : undefined);
          const { state } = arena;
          const live: number[] = [];
          work([arena], live, random, steps, random.below(Math.ceil(Math.log2(from)) + 1));
          const before = liveOf(arena);
          const { freeUnits } = arena;
          if (to >= from) {
            arena.grow(to);
            done.grown++;
          } else {
            const end = Math.max(0, ...before.map(({ offset, size }) => offset + size));
            const isShrunk = arena.shrink(to);
            expect(isShrunk).toBe(end <= to);
            if (!isShrunk) done.refused++;
            else done.shrunk++;
          }
          const { capacity } = arena;
          if (stays) expect(arena.state).toBe(state);
          expect(arena.check()).toEqual([]);
          expect(liveOf(arena)).toEqual(before);
          expect(arena.freeUnits).toBe(freeUnits + capacity - from);
          const fresh = new BuddyAllocator({ capacity });
          for (const { offset, size } of before) fresh.reserve(offset, size);
          expect([arena.largestFree, arena.largestRange]).toEqual([fresh.largestFree, fresh.largestRange]);
          work([arena, fresh], live, random, 60, 14);
          expect(arena.check()).toEqual([]);
          expect(liveOf(arena)).toEqual(liveOf(fresh));
        },
      ),
      { numRuns: 1500 },
    );
    for (const count of Object.values(done)) expect(count).toBeGreaterThan(100);
  });

  test('and back again, many times', () => {
    const random = new Random(9);
    for (let round = 0; round < 20; round++) {
      const arena = new BuddyAllocator({ capacity: 1 + random.below(3000) });
      const live: number[] = [];
      for (let i = 0; i < 40; i++) {
        work([arena], live, random, 20, 6);
        const { capacity } = arena;
        if (random.below(2) === 0) arena.grow(capacity + random.below(2 ** (1 + random.below(12))));
        else arena.shrink(1 + random.below(capacity));
        expect(arena.check()).toEqual([]);
        for (const offset of live) expect(arena.isAllocated(offset)).toBe(true);
      }
    }
  });
});
