// Changing a live block's size in place, against the rules of the buddy system on the model's set of live blocks.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import { Model } from '../spec/spec.ts';
import { agreeOnView, hasState, outcomeOf, stateBytes } from '../support/agreement.ts';

/** The power of two that a request is rounded up to. */
function rounded(size: number): number {
  let power = 1;
  while (power < size) power *= 2;
  return power;
}

/** The model after a resize; undefined when the block cannot have that size where it is. */
function resized(model: Model, offset: number, size: number): Model | undefined {
  const after = rounded(size);
  const others = model.live.filter(([at]) => at !== offset);
  const clear = others.every(([at, length]) => at + length <= offset || offset + after <= at);
  if (offset % after !== 0 || offset + after > model.capacity || !clear) return undefined;
  return new Model(model.capacity, [...others, [offset, after]]);
}

/** Resizes in both and insists that they agree. Returns the model to go on with. */
function agreeOnResize(allocator: BuddyAllocator, model: Model, offset: number, size: number): Model {
  const before = stateBytes(allocator);
  const expected = resized(model, offset, size);
  assert.equal(allocator.resize(offset, size), expected !== undefined, `resize(${offset}, ${size})`);
  agreeOnView(allocator, expected ?? model);
  if (expected === undefined) assert(hasState(allocator, before), `resize(${offset}, ${size}) left a trace`);
  return expected ?? model;
}

test('every size of every block, in every arena of up to 70 units', () => {
  for (let capacity = 1; capacity <= 70; capacity++) {
    for (let from = 1; from <= capacity; from *= 2) {
      for (let offset = 0; offset + from <= capacity; offset += from) {
        for (let to = 1; to <= 2 * capacity; to *= 2) {
          const allocator = new BuddyAllocator({ capacity });
          allocator.reserve(offset, from);
          agreeOnResize(allocator, new Model(capacity, [[offset, from]]), offset, to);
        }
      }
    }
  }
});

describe('neighbours', () => {
  /** Live are {0,4} {8,2} {12,1}. */
  const example = (): [BuddyAllocator, Model] => {
    const live: [number, number][] = [
      [0, 4],
      [8, 2],
      [12, 1],
    ];
    const allocator = new BuddyAllocator({ capacity: 16 });
    for (const [offset, size] of live) allocator.reserve(offset, size);
    return [allocator, new Model(16, live)];
  };

  test.each([
    [0, 8, true],
    [0, 9, false], // up to 16, where 8 is live
    [8, 4, true],
    [8, 5, false], // up to 16, where 12 is live
    [12, 4, true],
    [12, 5, false], // no multiple of 8
    [0, 1, true],
    [0, 17, false],
    [0, 2 ** 53, false],
  ])('resize(%i, %i) is %s', (offset, size, done) => {
    const [allocator, model] = example();
    agreeOnResize(allocator, model, offset, size);
    expect(allocator.sizeOf(offset) === rounded(size)).toBe(done);
  });

  test('a size that rounds to the same changes nothing', () => {
    const [allocator] = example();
    const before = stateBytes(allocator);
    expect(allocator.resize(0, 3)).toBe(true);
    expect(hasState(allocator, before)).toBe(true);
  });
});

test('any sequence of alloc, free and resize does what the model does', () => {
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 5 }),
    fc.nat(11).map((k) => 2 ** k),
    fc.integer({ min: 1, max: 3000 }),
  );
  const place = fc.nat(999).map((n) => n / 1000);
  const operations = fc.array(fc.tuple(fc.constantFrom('alloc', 'alloc', 'free', 'resize'), place, sizes), {
    maxLength: 60,
    size: 'max',
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), operations, (capacity, steps) => {
      const allocator = new BuddyAllocator({ capacity });
      let model = new Model(capacity);
      for (const [kind, at, size] of steps) {
        const { live } = model;
        if (kind === 'alloc') {
          assert.equal(allocator.alloc(size), model.alloc(size));
        } else if (live.length > 0) {
          const [offset] = live[Math.floor(at * live.length)];
          if (kind === 'resize') model = agreeOnResize(allocator, model, offset, size);
          else assert.equal(allocator.free(offset), model.free(offset));
        }
        agreeOnView(allocator, model);
      }
    }),
    { numRuns: 300 },
  );
});

describe('misuse changes nothing', () => {
  const NAN = Number.NaN;
  test.each<[unknown, unknown, string]>([
    [0, 0, 'RangeError'],
    [0, -1, 'RangeError'],
    [0, 1.5, 'RangeError'],
    [0, NAN, 'RangeError'],
    [0, Infinity, 'RangeError'],
    [0, '2', 'TypeError'],
    [0, 2n, 'TypeError'],
    [0, undefined, 'TypeError'],
    ['0', 2, 'TypeError'],
    [undefined, 2, 'TypeError'],
    [1.5, 2, 'RangeError'],
    [-1, 2, 'RangeError'],
    [100, 2, 'RangeError'],
    [1, 2, 'INTERIOR'],
    [4, 2, 'NOT_ALLOCATED'],
  ])('resize(%s, %s) is a %s', (offset, size, error) => {
    const allocator = new BuddyAllocator({ capacity: 100 });
    allocator.alloc(4);
    const before = stateBytes(allocator);
    const outcome = outcomeOf(() => allocator.resize(offset as number, size as number));
    expect(outcome).toMatchObject({ error });
    expect(hasState(allocator, before)).toBe(true);
  });

  test('a state that is gone', () => {
    const allocator = new BuddyAllocator({ capacity: 100 });
    allocator.alloc(4);
    structuredClone(allocator.state, { transfer: [allocator.state] });
    expect(outcomeOf(() => allocator.resize(0, 2))).toMatchObject({ error: 'DETACHED' });
  });
});

describe('sizes above any arena', () => {
  test.each([
    2 ** 30 + 1,
    2 ** 31,
    2 ** 32,
    2 ** 32 + 1,
    2 ** 40,
    Number.MAX_SAFE_INTEGER,
  ])('%d has no room', (size) => {
    const allocator = new BuddyAllocator({ capacity: 64 });
    const offset = allocator.alloc(8);
    const before = allocator.state.slice(0);
    expect(allocator.resize(offset, size)).toBe(false);
    expect(new Uint8Array(allocator.state)).toEqual(new Uint8Array(before));
  });
});
