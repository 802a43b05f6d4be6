// An arena that was made with a maximum: it grows and shrinks where it is, at a cost that does not depend on its size.

import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import { Model } from '../spec/spec.ts';
import { agreeOnStep, agreeOnUnits, agreeOnView, step } from '../support/agreement.ts';
import { countingAllocator } from '../support/counting.ts';

/** Capacities at which words, and words of words, begin and end. */
const EDGES = [1, 2, 31, 32, 33, 63, 64, 65, 1023, 1024, 1025, 1056, 2047, 2048, 2079, 3000];

describe('every change from capacity to capacity', () => {
  test.each([
    ['empty', () => false],
    ['every unit in use', () => true],
    ['one unit free in 32', (unit: number) => unit % 32 !== 31],
    ['one unit in use in 50', (unit: number) => unit % 50 === 0],
    ['the lower half in use', (unit: number, capacity: number) => unit < capacity / 2],
  ])('%s', (_, inUse) => {
    for (const from of EDGES) {
      const maximum = EDGES[EDGES.length - 1];
      const live = Array.from({ length: from }, (_, unit) => unit).filter((unit) => inUse(unit, from));
      for (const to of EDGES) {
        const allocator = new BuddyAllocator({ capacity: from, maximum });
        const model = new Model(
          from,
          live.map((unit) => [unit, 1]),
          maximum,
        );
        for (const unit of live) allocator.reserve(unit, 1);
        const { state } = allocator;
        for (const capacity of [to, from]) {
          agreeOnStep(allocator, model, step(capacity < model.capacity ? 'shrink' : 'grow', capacity));
          assert.deepEqual(allocator.check(), []);
          assert.equal(allocator.freeUnits, model.freeUnits);
          assert.deepEqual([...allocator.blocks()], model.blocks());
        }
        agreeOnView(allocator, model);
        assert.equal(allocator.state, state);
      }
    }
  });
});

test('what lies beyond the capacity does not exist', () => {
  const allocator = new BuddyAllocator({ capacity: 50, maximum: 5000 });
  const model = new Model(50, [], 5000);
  agreeOnUnits(allocator, model, [-1, 0, 49, 50, 63, 64, 1024, 4999, 5000]);
  for (const size of [64, 51, 50, 32, 33, 16, 2, 1]) agreeOnStep(allocator, model, step('alloc', size));
  expect(allocator.reserve(0, 1)).toBe(false);
  expect(() => allocator.reserve(50, 1)).toThrow(RangeError);
  expect(allocator.allocRange(51)).toBe(-1);
});

test('the maximum is part of the state', () => {
  const allocator = new BuddyAllocator({ capacity: 50, maximum: 5000 });
  expect(allocator.state.byteLength).toBe(BuddyAllocator.bytesFor(5000));
  const copy = BuddyAllocator.attach(allocator.state.slice());
  expect(copy.maximum).toBe(5000);
  copy.clear();
  copy.grow(5000);
  expect(() => copy.grow(5001)).toThrow(RangeError);
  expect(copy.shrink(1)).toBe(true);
  expect([copy.capacity, copy.maximum, copy.largestFree]).toEqual([1, 5000, 1]);
  expect(allocator.capacity).toBe(50);
});

test('without one, the arena can grow to 2^30 units', () => {
  expect(new BuddyAllocator({ capacity: 50 }).maximum).toBe(2 ** 30);
});

test('a range is found in what has come, also after the gap table was made', () => {
  const allocator = new BuddyAllocator({ capacity: 3000, maximum: 2 ** 20 });
  expect(allocator.allocRange(2990)).toBe(0);
  expect(allocator.allocRange(20)).toBe(-1);
  allocator.grow(100_000);
  expect(allocator.allocRange(90_000)).toBe(2990);
  expect(allocator.largestRange).toBe(7010);
  expect(allocator.shrink(93_000)).toBe(true);
  expect(allocator.allocRange(11)).toBe(-1);
  expect(allocator.allocRange(10)).toBe(92_990);
});

test('growing and shrinking cost the same however many units come or go', () => {
  const maximum = 2 ** 23;
  const { made, counter } = countingAllocator(1, maximum);
  for (const capacity of [2, 33, 1025, 2 ** 15 + 1, 700_001, maximum - 1, maximum]) {
    counter.begin();
    made.grow(capacity);
    const grown = counter.positions;
    counter.begin();
    made.shrink(1);
    expect(Math.max(grown, counter.positions)).toBeLessThan(400);
    made.grow(capacity);
  }
});
