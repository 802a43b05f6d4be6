// Random calls of several workers on the slabs of one memory, which may die at any change of the memory: no two live blocks
// overlap, none is lost, and the blocks of the dead come back, and no others. In one thread.

import fc from 'fast-check';
import { describe, test } from 'vitest';
import { type Operation, SlabWorkers } from '../support/slab-workers.ts';

const part = fc.nat(999).map((n) => n / 1000);

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.oneof(
    { weight: 10, arbitrary: fc.constant('malloc') },
    { weight: 7, arbitrary: fc.constant('free') },
    { weight: 2, arbitrary: fc.constantFrom('adopt', 'adopt late') },
    { weight: 1, arbitrary: fc.constantFrom('attach', 'detach', 'recover', 'reclaim', 'look') },
  ) as fc.Arbitrary<Operation['kind']>,
  by: part,
  at: part,
  bytes: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(1, 16, 17, 100, 200) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 600 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 6000 }) },
  ),
  death: fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(30) }),
});

const setting = fc.record({
  pages: fc.constantFrom(4, 16, 64, 300),
  pageShift: fc.constantFrom(6, 8, 10),
  base: fc.constantFrom(0, 1 << 16),
});

describe('slabs of many workers', () => {
  test.each([false, true])('keep every block of the living, owners tracked: %s', (tracked) => {
    fc.assert(
      fc.property(
        setting,
        fc.array(operation, { minLength: 1, maxLength: 300, size: 'max' }),
        (one, operations) => {
          const workers = new SlabWorkers({ ...one, tracked });
          for (const each of operations) workers.perform(each);
          workers.end();
        },
      ),
      { numRuns: 300 },
    );
  });
});
