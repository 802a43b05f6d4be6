// Random sequences of every operation of a heap, in every kind of memory: every live block keeps its bytes, no two
// overlap, all are aligned and as large as they should be, answers of no room are right, and a heap that is saved and restored at any point goes on as if nothing had happened.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  HeapDriver,
  MEMORY_KINDS,
  type MemoryKind,
  type Operation,
  type Setting,
} from '../support/heap-driver.ts';

/** A number in [0, 1): a place in a list of unknown length. */
const place = fc.nat(999_999).map((n) => n / 1_000_000);

/** Sizes of all magnitudes, small ones first. */
const size = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 100 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 40_000 }) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(16), fc.integer({ min: -1, max: 1 })).map(([k, d]) => 2 ** k + d) },
);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('malloc', 'calloc'), size }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('alignedAlloc' as const),
      size,
      alignment: fc.nat(13).map((k) => 2 ** k),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('realloc' as const), at: place, size }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('free' as const), at: place }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('grow' as const), size: fc.integer({ min: 1, max: 5000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('restore', 'trim') }) },
);

const growth = fc.record(
  { factor: fc.double({ min: 1, max: 3, noNaN: true }), step: fc.nat(100_000), cap: fc.nat(200_000) },
  { requiredKeys: [] },
);

/** A place for the heap in a memory of `kind` of a few kilobytes, of pages where it has them. */
function setting(kind: MemoryKind, embed: boolean): fc.Arbitrary<Setting> {
  const paged = kind.includes('Wasm') || kind.includes('WebAssembly');
  const length = paged ? fc.constantFrom(65_536, 131_072) : fc.integer({ min: 4500, max: 20_000 });
  const unit = fc.constantFrom(8, 16, 64);
  const flag = fc.boolean();
  return fc
    .record({
      length,
      unit,
      start: fc.integer({ min: 0, max: 1500 }),
      policy: fc.nat(5),
      more: fc.nat(9),
      switches: fc.record({ keepSizes: flag, throwNoRoom: flag }),
      sharing: fc.option(fc.record({ shareGrowth: flag }), { nil: {} }),
      growing: fc.option(fc.record({ growth }), { nil: {} }),
    })
    .map(({ length, unit, start, policy, more, switches, sharing, growing }) => ({
      kind,
      length,
      limit: length + more * 65_536,
      options: {
        unit,
        start,
        embed,
        ...switches,
        ...sharing,
        ...growing,
        ...(policy === 0 ? { end: length - 100 } : {}),
        ...(policy === 1 ? { maximum: length + more * 20_000 } : {}),
      },
    }));
}

describe.each(MEMORY_KINDS)('%s', (kind) => {
  test.each([false, true])('embedded: %s', (embed) => {
    const total = { allocated: 0, moved: 0, stayed: 0, freed: 0, refused: 0, restored: 0 };
    fc.assert(
      fc.property(
        setting(kind, embed),
        fc.array(operation, { minLength: 1, maxLength: 50, size: 'max' }),
        (where, operations) => {
          const driver = new HeapDriver(where);
          for (const op of operations) {
            driver.perform(op);
            assert.deepEqual(driver.heap.check(), []);
          }
          driver.finish();
          for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += driver.tally[key];
        },
      ),
      { numRuns: 120 },
    );
    for (const [what, count] of Object.entries(total)) {
      if (what !== 'restored' || embed) expect(count, what).toBeGreaterThan(0);
    }
  });
});
