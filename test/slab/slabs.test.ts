// The engine: random sequences of all that slabs do, compared with a list of the live blocks after every step.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Operation, type Setting, SlabsDriver } from '../support/slabs.ts';

const place = fc.nat(999_999).map((n) => n / 1_000_000);

const bytes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 200 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 5000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 60_000 }) },
);

/** Many requests of one size, so that slabs fill up and become empty. */
const pages = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 80 }));

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('malloc' as const), bytes }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('mallocLarge' as const),
      pages,
      alignment: fc.nat(5).map((k) => 2 ** Math.max(0, k - 2)),
    }),
  },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('free' as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('misuse' as const), at: place }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('resizeSlot' as const), at: place, bytes }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('resizeLarge', 'moveLarge'), at: place, pages }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('flush', 'copy') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pages' as const),
      pages: fc.integer({ min: 2, max: 300 }),
      limit: fc.constantFrom(40, 150, 256, 300, 2000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      at: place,
      pages: fc.integer({ min: 1, max: 10 }),
    }),
  },
);

/** Several operations of the same kind in a row, such as make slabs full and empty. */
const operations = fc
  .array(
    fc.tuple(
      operation,
      fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat(90) }),
    ),
    {
      minLength: 1,
      maxLength: 50,
      size: 'max',
    },
  )
  .map((list) => list.flatMap(([op, times]) => new Array<Operation>(times).fill(op)));

const setting: fc.Arbitrary<Setting> = fc
  .record({
    unitShift: fc.constantFrom(3, 4, 6, 9),
    page: fc.constantFrom(6, 7, 9, 10),
    origin: fc.oneof(fc.nat(3), fc.nat(1000), fc.constant(-1)),
    lead: fc.nat(3),
    pages: fc.integer({ min: 2, max: 200 }),
    more: fc.constantFrom(0, 1, 100, 1000),
  })
  .map(({ unitShift, page, origin, lead, pages, more }) => {
    const pageShift = Math.max(unitShift, page);
    // -1 stands for a place at the end of 4 GiB.
    const highest = 2 ** (32 - pageShift);
    const limit = origin === -1 ? pages : pages + more;
    return {
      unitShift,
      pageShift,
      origin: origin === -1 ? highest - pages : origin,
      lead: Math.min(lead, origin === -1 ? 3 : origin),
      pages,
      limit,
    };
  });

describe('all operations', () => {
  test('agree with a list of blocks', () => {
    const effects: Record<string, number> = {};
    fc.assert(
      fc.property(setting, operations, (where, list) => {
        const driver = new SlabsDriver(where);
        for (const op of list) {
          if (driver.perform(op)) effects[op.kind] = (effects[op.kind] ?? 0) + 1;
          driver.verify();
        }
        driver.finish();
      }),
      { numRuns: 150 },
    );
    expect(Object.keys(effects).sort()).toEqual([
      'copy',
      'flush',
      'free',
      'malloc',
      'mallocLarge',
      'misuse',
      'moveLarge',
      'pages',
      'reserve',
      'resizeLarge',
      'resizeSlot',
    ]);
  });
});
