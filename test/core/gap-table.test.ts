// Ranges of any size: each member by example, placement beside first fit of exact sizes, and what a search costs.

import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import { meshes, sizesLikeGpu } from '../../bench/ranges/workloads.ts';
import { BuddyAllocator } from '../../src/index.ts';
import { FirstFit } from '../spec/first-fit.ts';
import { countingAllocator } from '../support/counting.ts';
import { Random } from '../support/random.ts';
import { loadTrace, TRACE_NAMES } from '../support/traces.ts';

describe('by example', () => {
  test('exactly the units asked for, at the lowest place', () => {
    const arena = new BuddyAllocator({ capacity: 100 });
    expect(arena.allocRange(13)).toBe(0);
    expect(arena.allocRange(5)).toBe(13);
    expect(arena.freeUnits).toBe(82);
    arena.release(0, 13);
    expect(arena.allocRange(14)).toBe(18);
    expect(arena.allocRange(13)).toBe(0);
    expect(arena.allocRange(68)).toBe(32);
    expect(arena.freeUnits).toBe(0);
    expect(arena.allocRange(1)).toBe(-1);
    expect(arena.check()).toEqual([]);
  });

  test('the blocks are those that reserve makes', () => {
    const arena = new BuddyAllocator({ capacity: 200 });
    arena.allocRange(3);
    arena.allocRange(150);
    const reserved = new BuddyAllocator({ capacity: 200 });
    reserved.reserve(0, 3);
    reserved.reserve(3, 150);
    expect([...arena.blocks()]).toEqual([...reserved.blocks()]);
  });

  test('any alignment', () => {
    const arena = new BuddyAllocator({ capacity: 100 });
    expect(arena.allocRange(1)).toBe(0);
    expect(arena.allocRange(10, 12)).toBe(12);
    expect(arena.allocRange(10, 7)).toBe(28);
    expect(arena.allocRange(6, 5)).toBe(5);
    expect(arena.allocRange(1, 99)).toBe(99);
    expect(arena.allocRange(1, 100)).toBe(-1); // the only such multiple is 0
    expect(arena.allocRange(1, 2 ** 53)).toBe(-1);
    arena.release(0, 1);
    expect(arena.allocRange(1, 2 ** 53)).toBe(0);
    expect(arena.allocRange(1, 0.1 + 0.9)).toBe(1);
  });

  test.each([
    101,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 32 + 1,
    2 ** 53,
  ])('%d units have no room in 100', (size) => {
    expect(new BuddyAllocator({ capacity: 100 }).allocRange(size)).toBe(-1);
    expect(new BuddyAllocator({ capacity: 100 }).allocRange(size, 3)).toBe(-1);
  });

  test('largestRange is the longest gap, wherever it lies', () => {
    const arena = new BuddyAllocator({ capacity: 5000 });
    expect(arena.largestRange).toBe(5000);
    arena.reserve(2000, 1);
    expect(arena.largestRange).toBe(2999);
    arena.reserve(4000, 1);
    expect(arena.largestRange).toBe(2000);
    expect(arena.largestFree).toBe(1024);
    expect(arena.allocRange(2001)).toBe(-1);
    expect(arena.allocRange(2000)).toBe(0);
    arena.reserve(2001, 1999);
    arena.reserve(4001, 999);
    expect(arena.largestRange).toBe(0);
  });

  test('a range over several stretches leaves the gaps beside it to be found', () => {
    const arena = new BuddyAllocator({ capacity: 5000 });
    arena.reserve(100, 1);
    expect(arena.allocRange(3000)).toBe(101);
    expect(arena.allocRange(101)).toBe(3101);
    expect(arena.allocRange(100)).toBe(0);
    expect(arena.allocRange(1798)).toBe(3202);
    expect(arena.freeUnits).toBe(0);
  });

  test('release takes what alloc, reserve and allocRange made side by side', () => {
    const arena = new BuddyAllocator({ capacity: 64 });
    expect(arena.allocRange(5)).toBe(0);
    expect(arena.alloc(2)).toBe(6);
    expect(arena.reserve(5, 1)).toBe(true);
    expect(() => arena.release(0, 7)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
    expect(() => arena.release(0, 9)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    arena.release(4, 4);
    expect([...arena.blocks()].filter(({ free }) => !free)).toEqual([{ offset: 0, size: 4, free: false }]);
    arena.release(0, 4);
    expect(arena.freeUnits).toBe(64);
  });

  test('resizeRange shrinks always, and grows where what follows is free', () => {
    const arena = new BuddyAllocator({ capacity: 100 });
    arena.allocRange(20);
    arena.allocRange(20);
    expect(arena.resizeRange(0, 20, 21)).toBe(false);
    expect(arena.resizeRange(20, 20, 81)).toBe(false); // beyond the capacity
    expect(arena.resizeRange(20, 20, 80)).toBe(true);
    expect(arena.freeUnits).toBe(0);
    expect(arena.resizeRange(0, 20, 7)).toBe(true);
    expect(arena.allocRange(13)).toBe(7);
    expect(arena.resizeRange(20, 80, 2 ** 53)).toBe(false);
    expect(() => arena.resizeRange(20, 81, 1)).toThrow(RangeError);
    expect(() => arena.resizeRange(1, 6, 1)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
    arena.release(20, 80);
    expect(() => arena.resizeRange(20, 80, 1)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    expect(arena.check()).toEqual([]);
  });
});

/** Replays operations on both and insists on the same offsets. Returns how often there was no room. */
function expectFirstFit(operations: Int32Array, capacity: number): number {
  const arena = new BuddyAllocator({ capacity });
  const firstFit = new FirstFit(capacity);
  const offsets: number[] = [];
  const sizes: number[] = [];
  let refused = 0;
  for (const x of operations) {
    if (x > 0) {
      const offset = arena.allocRange(x);
      assert.equal(offset, firstFit.alloc(x), `allocRange(${x}), the ${offsets.length}th`);
      offsets.push(offset);
      sizes.push(x);
      if (offset === -1) refused++;
    } else if (offsets[~x] !== -1) {
      arena.release(offsets[~x], sizes[~x]);
      firstFit.free(offsets[~x], sizes[~x]);
    }
  }
  expect(arena.check()).toEqual([]);
  return refused;
}

describe('placement is that of first fit of exact sizes', () => {
  test.each(TRACE_NAMES)('%s', (name) => {
    expect(expectFirstFit(loadTrace(name), 2 ** 22)).toBe(0);
  });

  test('sizes as of a GPU, with room and without', () => {
    const operations = sizesLikeGpu({ live: 1500, replaced: 30_000 });
    expect(expectFirstFit(operations, 2 ** 20)).toBe(0);
    expect(expectFirstFit(operations, 2 ** 17)).toBeGreaterThan(100);
  });

  test('meshes', () => {
    const operations = meshes({ capacity: 2 ** 20, fill: 0.7, requests: 20_000 });
    expect(expectFirstFit(operations, 2 ** 20)).toBeGreaterThan(0);
  });
});

/** Where first fit puts a range, by a look at every unit. */
function lowestPlace(used: Uint8Array, size: number, alignment: number): number {
  for (let offset = 0; offset + size <= used.length; offset += alignment) {
    const last = used.subarray(offset, offset + size).lastIndexOf(1);
    if (last === -1) return offset;
  }
  return -1;
}

describe('beside a map of units', () => {
  /** Operations of all kinds, some through a second allocator on the same buffer; every place is checked. */
  function mixed(capacity: number, seed: number, operations: number): void {
    const random = new Random(seed);
    const arena = new BuddyAllocator({ capacity });
    const other = BuddyAllocator.attach(arena.state);
    const used = new Uint8Array(capacity);
    const blocks: number[] = [];
    const ranges: [number, number][] = [];
    const most = [20, 200, 3000][random.below(3)];
    const pick = <T>(from: T[]): T => {
      const at = random.below(from.length);
      const one = from[at];
      from[at] = from[from.length - 1];
      from.pop();
      return one;
    };
    for (let i = 0; i < operations; i++) {
      const target = random.below(4) === 0 ? other : arena;
      const kind = random.next();
      const size = 1 + random.below(most);
      if (kind < 0.45) {
        const alignment = random.below(3) === 0 ? 1 + random.below(70) : 1;
        const offset = target.allocRange(size, alignment);
        assert.equal(
          offset,
          lowestPlace(used, size, alignment),
          `step ${i}: allocRange(${size}, ${alignment})`,
        );
        if (offset === -1) continue;
        used.fill(1, offset, offset + size);
        ranges.push([offset, size]);
      } else if (kind < 0.6) {
        const offset = target.alloc(size);
        if (offset === -1) continue;
        used.fill(1, offset, offset + target.sizeOf(offset));
        blocks.push(offset);
      } else if (kind < 0.75 && blocks.length > 0) {
        const offset = pick(blocks);
        used.fill(0, offset, offset + target.free(offset));
      } else if (kind < 0.95 && ranges.length > 0) {
        const [offset, length] = pick(ranges);
        target.release(offset, length);
        used.fill(0, offset, offset + length);
      } else if (kind < 0.96 && blocks.length > 0) {
        const offset = blocks[random.below(blocks.length)];
        const before = target.sizeOf(offset);
        if (!target.resize(offset, size)) continue;
        used.fill(0, offset, offset + before);
        used.fill(1, offset, offset + target.sizeOf(offset));
      } else if (ranges.length > 0) {
        const range = ranges[random.below(ranges.length)];
        if (!target.resizeRange(...range, size)) continue;
        used.fill(0, range[0], range[0] + range[1]);
        used.fill(1, range[0], range[0] + size);
        range[1] = size;
      }
    }
    assert.deepEqual(arena.check(), []);
    assert.equal(arena.freeUnits, used.filter((unit) => unit === 0).length);
  }

  test.each([31, 1000, 1024, 1025, 4096, 5000, 33_000])('%i units', (capacity) => {
    for (let seed = 0; seed < 6; seed++) mixed(capacity, seed, 1500);
  });

  test('what clear, grow and shrink make free is found', () => {
    // Units at both ends are free, so that the table is asked, and not the number of free units alone.
    const arena = new BuddyAllocator({ capacity: 3000 });
    arena.reserve(1, 2998);
    expect(arena.allocRange(2)).toBe(-1);
    arena.grow(6000);
    expect(arena.allocRange(2)).toBe(2999);
    expect(arena.allocRange(4000)).toBe(-1);
    arena.clear();
    expect(arena.allocRange(4000)).toBe(0);
    arena.clear();
    arena.reserve(1, 3999);
    expect(arena.shrink(4001)).toBe(true);
    expect(arena.allocRange(2)).toBe(-1);
    expect(arena.allocRange(1)).toBe(0);
    expect(arena.allocRange(1)).toBe(4000);
  });

  test('a state that is written anew in its buffer and attached again', () => {
    const arena = new BuddyAllocator({ capacity: 3000 });
    const empty = arena.state.slice();
    // Single units at both ends are free, so that the table is asked, and not the number of free units alone.
    arena.reserve(1, 2998);
    expect(arena.allocRange(2)).toBe(-1);
    new Uint8Array(arena.state).set(new Uint8Array(empty));
    BuddyAllocator.attach(arena.state);
    expect(arena.allocRange(2)).toBe(0);
  });
});

describe('a search in vain is not made again', () => {
  /** An arena in which every `step`th unit is in use, but for `tail` units at the end. */
  function comb(capacity: number, step: number, tail: number): BuddyAllocator {
    const arena = new BuddyAllocator({ capacity });
    for (let offset = 0; offset < capacity - tail; offset += step) arena.reserve(offset, 1);
    return arena;
  }

  // A hint keeps the searches for 2 units short, and the bounds of the stretches those for 64.
  test.each([
    { size: 2, most: 40 },
    { size: 64, most: 250 },
  ])('$size units behind all the gaps that are one unit too short', ({ size, most }) => {
    const capacity = 2 ** 20;
    const { made, counter } = countingAllocator(capacity);
    const state = new Uint8Array(made.state);
    state.set(new Uint8Array(comb(capacity, size, 1024).state));
    const costs: number[] = [];
    for (let i = 0; i < 15; i++) {
      counter.begin();
      expect(made.allocRange(size)).toBe(capacity - 1023 - size + size * i);
      costs.push(counter.positions);
    }
    expect(costs[0]).toBeGreaterThan(5000); // or the comb is none
    expect(Math.max(...costs.slice(1))).toBeLessThan(most);
    expect(BuddyAllocator.attach(made.state.slice()).check()).toEqual([]);
  });
});
