// Small arenas explored exhaustively: every operation in every state that can be reached, against model and reference.

import { describe, expect, test } from 'vitest';
import { everySize, explore, filledWithUnits, sizePerOrder } from '../support/state-search.ts';

/**
 * How many sets of live blocks an arena can hold. Halves that are both wholly free are one free block, so a block has
 * as many as its halves together, and one more for being allocated whole; a tail that is cut off has only its own.
 */
function liveSets(capacity: number): number {
  if (capacity === 1) return 2;
  let half = 1;
  while (half * 2 < capacity) half *= 2;
  const halves = liveSets(half) * liveSets(capacity - half);
  return capacity === half * 2 ? halves + 1 : halves;
}

describe('all reachable states', () => {
  test.each([1, 2, 3, 4, 5])('capacity %i, every operation', (capacity) => {
    const explored = explore({
      capacity,
      sizes: everySize(capacity),
      depth: Infinity,
      everyOperation: true,
      everyRange: true,
    });
    expect(explored.complete).toBe(true);
    expect(explored.states).toBeGreaterThanOrEqual(liveSets(capacity));
  });

  test.each([
    [1, 1],
    [1, 40],
    [2, 3],
    [3, 6],
    [4, 7],
    [4, 1100],
  ])('capacity %i of at most %i, every operation', (capacity, maximum) => {
    const explored = explore({
      capacity,
      maximum,
      sizes: everySize(capacity),
      depth: Infinity,
      everyOperation: true,
      everyRange: true,
    });
    expect(explored.complete).toBe(true);
    expect(explored.states).toBeGreaterThanOrEqual(liveSets(capacity));
  });

  test.each([6, 7, 8])('capacity %i, every alloc and free', (capacity) => {
    const explored = explore({ capacity, sizes: everySize(capacity), depth: Infinity });
    expect(explored.complete).toBe(true);
    expect(explored.states).toBeGreaterThanOrEqual(liveSets(capacity));
  });

  test.each([1, 2, 3, 4])('capacity %i, without leaving the allocator that made the state', (capacity) => {
    const explored = explore({
      capacity,
      sizes: everySize(capacity),
      depth: Infinity,
      everyOperation: true,
      everyRange: true,
      replay: true,
    });
    expect(explored.complete).toBe(true);
  });
});

describe('ranges of every size and alignment', () => {
  test.each([6, 7, 8, 9, 10])('capacity %i, three operations from empty', (capacity) => {
    const explored = explore({ capacity, sizes: sizePerOrder(capacity), depth: 3, everyRange: true });
    expect(explored.states).toBeGreaterThan(50);
  });

  test.each([33, 65])('capacity %i, one operation from full but for small gaps', (capacity) => {
    const start = filledWithUnits(capacity, (offset) => offset % 7 === 3 || offset % 32 > 28);
    const explored = explore({ capacity, sizes: [1], start, depth: 1, everyRange: true });
    expect(explored.states).toBeGreaterThan(50);
  });
});

describe('all states near a given one', () => {
  // Just below, at and just above sizes at which a tree of 16 or 32 children a node gets another level; and between.
  const small = [15, 16, 17, 31, 32, 33, 34, 36, 39, 40, 63, 64, 65];
  const large = [255, 256, 257, 1023, 1024, 1025];

  test.each([...small, ...large])('capacity %i, empty', (capacity) => {
    const explored = explore({ capacity, sizes: sizePerOrder(capacity), depth: 3 });
    expect(explored.states).toBeGreaterThan(50);
  });

  test.each([...small, 255, 256, 257])('capacity %i, full of units', (capacity) => {
    const start = filledWithUnits(capacity, () => false);
    const explored = explore({ capacity, sizes: [1, 2, 3], start, depth: capacity > 40 ? 1 : 2 });
    expect(explored.states).toBeGreaterThan(capacity);
  });

  test.each([...small, 255, 256, 257])('capacity %i, one unit in each 16 left', (capacity) => {
    const start = filledWithUnits(capacity, (offset) => offset % 16 !== 5);
    const explored = explore({
      capacity,
      sizes: sizePerOrder(capacity),
      start,
      depth: capacity > 64 ? 2 : 3,
    });
    expect(explored.states).toBeGreaterThan(50);
  });

  test.each(small)('capacity %i, one unit left', (capacity) => {
    const start = filledWithUnits(capacity, (offset) => offset !== capacity - 1);
    const explored = explore({ capacity, sizes: sizePerOrder(capacity), start, depth: 3, replay: true });
    expect(explored.states).toBeGreaterThan(50);
  });

  test.each(large)('capacity %i, one unit left', (capacity) => {
    const start = filledWithUnits(capacity, (offset) => offset !== capacity - 1);
    const explored = explore({ capacity, sizes: sizePerOrder(capacity), start, depth: 2 });
    expect(explored.states).toBeGreaterThan(50);
  });
});
