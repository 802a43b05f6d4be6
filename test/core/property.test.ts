// Random sequences of every operation on arenas of any capacity, against the model; failures shrink to a short one.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import { Model } from '../spec/spec.ts';
import { agreeOnStep, agreeOnUnits, agreeOnView, arenaOf, step } from '../support/agreement.ts';
import { withDump } from '../support/with-dump.ts';

/**
 * An operation that fits any state, so that leaving out others keeps it meaningful: `at` and `part` pick a live block
 * or a unit by its place in whatever there is.
 */
type Operation =
  | { readonly kind: 'alloc'; readonly size: number }
  | { readonly kind: 'free' | 'query' | 'misfree'; readonly at: number }
  | { readonly kind: 'reserve' | 'release'; readonly at: number; readonly size: number }
  | { readonly kind: 'allocRange'; readonly size: number; readonly alignment: number }
  | { readonly kind: 'resizeRange'; readonly at: number; readonly count: number; readonly size: number }
  | { readonly kind: 'releaseBlocks'; readonly at: number; readonly count: number }
  | { readonly kind: 'grow' | 'shrink'; readonly part: number }
  | { readonly kind: 'clear' | 'reattach' | 'attach' };

/** A number in [0, 1): a place in whatever there will be. */
const place = fc.integer({ min: 0, max: 999_999 }).map((n) => n / 1_000_000);

/** Sizes of all magnitudes up to `limit`, small ones first. */
const sizeUpTo = (limit: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: Math.min(16, limit) }) },
    {
      weight: 2,
      arbitrary: fc.integer({ min: 0, max: Math.floor(Math.log2(limit)) }).map((order) => 2 ** order),
    },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: limit }) },
  );

const operation = (capacity: number): fc.Arbitrary<Operation> =>
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ kind: fc.constant('alloc' as const), size: sizeUpTo(capacity + 1) }),
    },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('free' as const), at: place }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('allocRange' as const),
        size: sizeUpTo(capacity + 1),
        alignment: fc.oneof({ weight: 2, arbitrary: fc.constant(1) }, sizeUpTo(capacity + 1)),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('resizeRange' as const),
        at: place,
        count: fc.integer({ min: 1, max: 5 }),
        size: sizeUpTo(capacity + 1),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('query', 'misfree'), at: place }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('reserve', 'release'),
        at: place,
        size: sizeUpTo(capacity),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('releaseBlocks' as const),
        at: place,
        count: fc.integer({ min: 1, max: 5 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('grow', 'shrink'), part: place }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('clear', 'reattach', 'attach') }) },
  );

/** A capacity, what is done, and the maximum, if there is one. */
type Program = [capacity: number, operations: Operation[], maximum?: number];

const program = (capacities: fc.Arbitrary<number>, length: number): fc.Arbitrary<Program> =>
  capacities.chain((capacity) =>
    fc.tuple(
      fc.constant(capacity),
      fc.array(operation(capacity), { minLength: 1, maxLength: length, size: 'max' }),
    ),
  );

/** The same on an arena that can grow to so many times its capacity, and no further. */
const withMaximum = (programs: fc.Arbitrary<Program>): fc.Arbitrary<Program> =>
  fc
    .tuple(programs, place)
    .map(([[capacity, operations], part]) => [
      capacity,
      operations,
      Math.floor(capacity * (1 + part ** 3 * 40)),
    ]);

/** The range that `count` live blocks from the chosen one span, gaps and all. */
function spanOf(model: Model, at: number, count: number): [number, number] {
  const { live } = model;
  const first = Math.floor(at * live.length);
  const last = Math.min(live.length - 1, first + count - 1);
  return [live[first][0], live[last][0] + live[last][1] - live[first][0]];
}

/** Runs one operation; the allocator it returns is the one to go on with. */
function perform(allocator: BuddyAllocator, model: Model, op: Operation): BuddyAllocator {
  const { live, capacity } = model;
  switch (op.kind) {
    case 'alloc':
      agreeOnStep(allocator, model, step('alloc', op.size));
      break;
    case 'free':
      if (live.length > 0)
        agreeOnStep(allocator, model, step('free', live[Math.floor(op.at * live.length)][0]));
      break;
    case 'query':
    case 'misfree': {
      const unit = Math.floor(op.at * capacity);
      if (op.kind === 'query') agreeOnUnits(allocator, model, [unit, capacity - 1]);
      else agreeOnStep(allocator, model, step('free', unit));
      break;
    }
    case 'reserve':
    case 'release':
      agreeOnStep(allocator, model, step(op.kind, Math.floor(op.at * capacity), op.size));
      break;
    case 'allocRange':
      agreeOnStep(allocator, model, step('allocRange', op.size, op.alignment));
      break;
    case 'resizeRange':
      if (live.length > 0) {
        agreeOnStep(allocator, model, step('resizeRange', ...spanOf(model, op.at, op.count), op.size));
      }
      break;
    case 'releaseBlocks':
      if (live.length > 0) agreeOnStep(allocator, model, step('release', ...spanOf(model, op.at, op.count)));
      break;
    case 'grow':
      agreeOnStep(allocator, model, step('grow', capacity + Math.floor(op.part ** 3 * 2 * capacity)));
      break;
    case 'shrink':
      agreeOnStep(allocator, model, step('shrink', capacity - Math.floor(op.part ** 3 * capacity)));
      break;
    case 'clear':
      agreeOnStep(allocator, model, step('clear'));
      break;
    case 'reattach':
      return BuddyAllocator.attach(allocator.state.slice(0));
    case 'attach':
      return BuddyAllocator.attach(allocator.state);
  }
  return allocator;
}

function runs([capacity, operations, maximum]: Program): void {
  let allocator = arenaOf(capacity, maximum);
  const model = new Model(capacity, [], maximum);
  for (const op of operations) {
    const before = allocator;
    const { state } = before;
    allocator = withDump(before, () => perform(before, model, op));
    withDump(allocator, () => agreeOnView(allocator, model));
    assert.equal(allocator.state.byteLength, BuddyAllocator.bytesFor(maximum ?? model.capacity));
    if (maximum !== undefined && op.kind !== 'reattach') assert.equal(allocator.state, state);
  }
}

describe('any sequence of operations does what the model does', () => {
  test('tiny arenas', () => {
    fc.assert(fc.property(program(fc.integer({ min: 1, max: 40 }), 60), runs), { numRuns: 500 });
  });

  test('capacities 1 … 5000', () => {
    fc.assert(fc.property(program(fc.integer({ min: 1, max: 5000 }), 80), runs), { numRuns: 300 });
  });

  test('powers of two and their neighbours', () => {
    const capacities = fc
      .tuple(fc.integer({ min: 1, max: 13 }), fc.integer({ min: -1, max: 1 }))
      .map(([order, beside]) => 2 ** order + beside);
    fc.assert(fc.property(program(capacities, 80), runs), { numRuns: 200 });
  });

  test('tiny arenas with a maximum', () => {
    const programs = withMaximum(program(fc.integer({ min: 1, max: 40 }), 60));
    fc.assert(fc.property(programs, runs), { numRuns: 400 });
  });

  test('capacities 1 … 5000 with a maximum', () => {
    const programs = withMaximum(program(fc.integer({ min: 1, max: 5000 }), 80));
    fc.assert(fc.property(programs, runs), { numRuns: 300 });
  });

  test('large arenas', () => {
    const capacities = fc.constantFrom(
      65_535,
      2 ** 16,
      2 ** 16 + 1,
      100_000,
      2 ** 20 - 1,
      2 ** 20,
      1_234_567,
    );
    fc.assert(fc.property(program(capacities, 25), runs), { numRuns: 20 });
  });
});

test('two allocators attached to one buffer are one allocator', () => {
  fc.assert(
    fc.property(program(fc.integer({ min: 1, max: 600 }), 60), ([capacity, operations]) => {
      const maximum = 3 * capacity;
      const first = new BuddyAllocator({ capacity, maximum });
      const second = BuddyAllocator.attach(first.state);
      const model = new Model(capacity, [], maximum);
      operations
        .filter(({ kind }) => kind !== 'attach' && kind !== 'reattach')
        .forEach((op, index) => {
          withDump(first, () => {
            perform(index % 2 === 0 ? first : second, model, op);
            agreeOnView(first, model);
            agreeOnView(second, model);
          });
        });
    }),
    { numRuns: 100 },
  );
});
