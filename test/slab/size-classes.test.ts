// Size classes against a definition: the numbers of at most four significant bits.

import { expect, test } from 'vitest';
import { classOf, granulesOf, inverseOf, slotOf } from '../../src/slab/size-classes.ts';
import { slotGranules } from '../support/room.ts';

/** Slabs have fewer granules. */
const GRANULES = 2 ** 12;

test('a request gets the least slot that it fits into, and classes have no gaps', () => {
  for (let granules = 1, before = 0; granules <= 20_000; granules++) {
    const c = classOf(granules - 1);
    expect(granulesOf(c)).toBe(slotGranules(granules));
    expect(c === before || c === before + 1).toBe(true);
    before = c;
  }
});

test('every class is that of its own slot', () => {
  for (let c = 0; granulesOf(c) <= 2 ** 30; c++) {
    expect(classOf(granulesOf(c) - 1)).toBe(c);
    expect(classOf(granulesOf(c))).toBe(c + 1);
  }
});

test('the largest requests', () => {
  for (const granules of [2 ** 30, 2 ** 30 + 1, 2 ** 31 - 2 ** 27, 2 ** 31 - 2 ** 27 - 1])
    expect(granulesOf(classOf(granules - 1))).toBe(slotGranules(Math.ceil(granules / 2 ** 20)) * 2 ** 20);
  expect(classOf(2 ** 31 - 1)).toBe(classOf(2 ** 31 - 2 ** 27 + 1));
});

test('at most an eighth is rounded up', () => {
  for (let granules = 17; granules <= 20_000; granules++)
    expect(granulesOf(classOf(granules - 1)) / granules).toBeLessThanOrEqual(1.125);
});

test('a slot is found by its first granule only, in every slab', () => {
  for (let c = 0; granulesOf(c) < GRANULES; c++) {
    const size = granulesOf(c);
    const inverse = inverseOf(size);
    for (let at = 0; at < GRANULES; at++) {
      const slot = slotOf(at, inverse);
      // `free` asks whether the slot starts where the pointer is.
      if ((slot * size === at) !== (at % size === 0))
        expect.fail(`granule ${at} of slots of ${size}: ${slot}`);
    }
  }
});
