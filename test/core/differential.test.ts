// Random workloads on arenas of many sizes: same offsets, same free space as the reference allocator, step by step.

import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import { referenceWith } from '../spec/reference.ts';
import { FREES, runWorkload, SIZES, type Workload } from '../support/workload.ts';

const FILLS = [0.3, 0.6, 0.9, 1];

/** Runs the workload on both and compares every answer; `checks` times on the way the allocator checks itself. */
function compare(workload: Workload, checks: number): { allocations: number; failures: number } {
  const { capacity, operations } = workload;
  const allocator = new BuddyAllocator({ capacity });
  const reference = referenceWith(capacity);
  const live = new Map<number, number>();
  const interval = Math.ceil(operations / checks);
  let freeUnits = capacity;
  let calls = 0;
  let allocations = 0;
  let failures = 0;
  const afterCall = (): void => {
    assert.equal(allocator.freeUnits, freeUnits);
    assert.equal(allocator.largestFree, reference.largestFree);
    if (++calls % interval !== 0) return;
    assert.deepEqual(allocator.check(), []);
    const stats = allocator.stats();
    assert.equal(stats.liveBlocks, live.size);
    assert.equal(stats.usedUnits, capacity - freeUnits);
    assert.equal(stats.freeUnits, freeUnits);
    assert.equal(stats.largestFree, reference.largestFree);
    const sorted = [...live]
      .sort((a, b) => a[0] - b[0])
      .map(([offset, size]) => ({ offset, size, free: false }));
    assert.deepEqual(
      [...allocator.blocks()].filter((block) => !block.free),
      sorted,
    );
  };
  runWorkload(workload, {
    alloc(size) {
      const offset = allocator.alloc(size);
      assert.equal(offset, reference.alloc(size), `alloc(${size})`);
      if (offset === -1) {
        failures++;
      } else {
        allocations++;
        live.set(offset, 2 ** Math.ceil(Math.log2(size)));
        freeUnits -= live.get(offset) ?? 0;
      }
      afterCall();
      return offset;
    },
    free(offset, size) {
      assert.equal(allocator.free(offset), size, `free(${offset})`);
      reference.free(offset);
      live.delete(offset);
      freeUnits += size;
      afterCall();
    },
  });
  assert.deepEqual(allocator.check(), []);
  return { allocations, failures };
}

const sizes = Object.keys(SIZES) as (keyof typeof SIZES)[];
const frees = Object.keys(FREES) as (keyof typeof FREES)[];

describe('powers of two', () => {
  test.each(Array.from({ length: 21 }, (_, order) => order))('2^%i units', (order) => {
    let seed = order;
    let failures = 0;
    for (const size of sizes) {
      for (const free of frees) {
        for (const fill of FILLS) {
          const workload = {
            capacity: 2 ** order,
            sizes: size,
            frees: free,
            fill,
            operations: 800,
            seed: seed++,
          };
          const { allocations, failures: failed } = compare(workload, order > 16 ? 1 : 4);
          expect(allocations).toBeGreaterThan(30);
          failures += failed;
        }
      }
    }
    // A workload that never runs out of room would not have tried what happens then.
    expect(failures).toBeGreaterThan(0);
  });
});

describe('other capacities', () => {
  test.each([
    3, 5, 15, 17, 31, 33, 48, 100, 255, 257, 1000, 1023, 1025, 4095, 4097, 5000, 65537, 99_999, 1_000_003,
  ])('%i units', (capacity) => {
    let seed = capacity;
    for (const size of sizes) {
      for (const free of frees) {
        const fill = FILLS[seed % FILLS.length];
        compare({ capacity, sizes: size, frees: free, fill, operations: 800, seed: seed++ }, 2);
      }
    }
  });
});

describe('long runs', () => {
  test.each([
    { capacity: 2 ** 12, sizes: 'units', frees: 'random', fill: 0.9, operations: 60_000, seed: 1 },
    { capacity: 2 ** 12, sizes: 'small', frees: 'random', fill: 1, operations: 60_000, seed: 2 },
    {
      capacity: 2 ** 16,
      sizes: 'few large, many small',
      frees: 'random',
      fill: 0.9,
      operations: 60_000,
      seed: 3,
    },
    {
      capacity: 2 ** 20,
      sizes: 'every order alike',
      frees: 'first in, first out',
      fill: 0.6,
      operations: 60_000,
      seed: 4,
    },
    {
      capacity: 2 ** 24,
      sizes: 'few large, many small',
      frees: 'random',
      fill: 0.9,
      operations: 30_000,
      seed: 5,
    },
    { capacity: 2 ** 24, sizes: 'small', frees: 'random', fill: 0.3, operations: 30_000, seed: 6 },
  ] satisfies Workload[])('$capacity units, $sizes, $frees, $fill', (workload) => {
    const { allocations } = compare(workload, 3);
    expect(allocations).toBeGreaterThan(workload.operations / 4);
  });
});
