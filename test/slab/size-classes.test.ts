// Size classes against a definition: the numbers of at most four significant bits.

import { expect, test } from 'vitest';
import { classOf, inverseOf, slotOf, unitsOf } from '../../src/slab/size-classes.ts';
import { slotUnits } from '../support/room.ts';

/** Slabs have fewer units. */
const GRANULES = 2 ** 12;

test('a request gets the least slot that it fits into, and classes have no gaps', () => {
  for (let units = 1, before = 0; units <= 20_000; units++) {
    const c = classOf(units - 1);
    expect(unitsOf(c)).toBe(slotUnits(units));
    expect(c === before || c === before + 1).toBe(true);
    before = c;
  }
});

test('every class is that of its own slot', () => {
  for (let c = 0; unitsOf(c) <= 2 ** 30; c++) {
    expect(classOf(unitsOf(c) - 1)).toBe(c);
    expect(classOf(unitsOf(c))).toBe(c + 1);
  }
});

test('the largest requests', () => {
  for (const units of [2 ** 30, 2 ** 30 + 1, 2 ** 31 - 2 ** 27, 2 ** 31 - 2 ** 27 - 1])
    expect(unitsOf(classOf(units - 1))).toBe(slotUnits(Math.ceil(units / 2 ** 20)) * 2 ** 20);
  expect(classOf(2 ** 31 - 1)).toBe(classOf(2 ** 31 - 2 ** 27 + 1));
});

test('at most an eighth is rounded up', () => {
  for (let units = 17; units <= 20_000; units++)
    expect(unitsOf(classOf(units - 1)) / units).toBeLessThanOrEqual(1.125);
});

test('a slot is found by its first unit only, in every slab', () => {
  for (let c = 0; unitsOf(c) < GRANULES; c++) {
    const size = unitsOf(c);
    const inverse = inverseOf(size);
    for (let at = 0; at < GRANULES; at++) {
      const slot = slotOf(at, inverse);
      // `free` asks whether the slot starts where the pointer is.
      if ((slot * size === at) !== (at % size === 0)) expect.fail(`unit ${at} of slots of ${size}: ${slot}`);
    }
  }
});
