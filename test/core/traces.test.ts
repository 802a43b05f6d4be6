// The recorded traces of real programs: every block lands where the reference allocator puts it.

import { expect, test } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import { ReferenceAllocator } from '../spec/reference.ts';
import { loadTrace, TRACE_CAPACITY, TRACE_HASHES, TRACE_NAMES } from '../support/traces.ts';

interface Arena {
  alloc(size: number): number;
  free(offset: number): unknown;
}

/** The offset that each allocation of the trace gets, in order. */
function replay(arena: Arena, operations: Int32Array): Int32Array {
  const offsets = new Int32Array(operations.length);
  let ids = 0;
  for (const operation of operations) {
    if (operation > 0) offsets[ids++] = arena.alloc(operation);
    else if (offsets[~operation] !== -1) arena.free(offsets[~operation]);
  }
  return offsets.subarray(0, ids);
}

function placementHash(offsets: Int32Array): number {
  let hash = 0;
  for (const offset of offsets) hash = (Math.imul(hash, 31) + offset) | 0;
  return hash >>> 0;
}

test.each(TRACE_NAMES)('%s: same placement as the reference', (name) => {
  const operations = loadTrace(name);
  const expected = replay(new ReferenceAllocator(TRACE_CAPACITY), operations);
  expect(placementHash(expected)).toBe(TRACE_HASHES[name]);

  const allocator = new BuddyAllocator({ capacity: TRACE_CAPACITY });
  const offsets = replay(allocator, operations);
  expect(offsets.findIndex((offset, id) => offset !== expected[id])).toBe(-1);
  expect(offsets.length).toBe(expected.length);
  expect(placementHash(offsets)).toBe(TRACE_HASHES[name]);
  expect(allocator.check()).toEqual([]);
});

test.each(TRACE_NAMES)('%s: freeing what is left empties the arena', (name) => {
  const allocator = new BuddyAllocator({ capacity: TRACE_CAPACITY });
  const sizes = new Map<number, number>();
  const operations = loadTrace(name);
  const offsets: number[] = [];
  let used = 0;
  for (const operation of operations) {
    if (operation > 0) {
      const offset = allocator.alloc(operation);
      const size = 2 ** Math.ceil(Math.log2(operation));
      offsets.push(offset);
      sizes.set(offset, size);
      used += size;
    } else {
      const offset = offsets[~operation];
      const size = allocator.free(offset);
      if (size !== sizes.get(offset))
        throw new Error(`free(${offset}) gave ${size}, not ${sizes.get(offset)}`);
      sizes.delete(offset);
      used -= size;
    }
  }
  expect(allocator.freeUnits).toBe(TRACE_CAPACITY - used);
  expect(allocator.stats().liveBlocks).toBe(sizes.size);
  for (const [offset, size] of sizes) {
    if (allocator.free(offset) !== size) throw new Error(`free(${offset}) did not give ${size}`);
  }
  expect([...allocator.blocks()]).toEqual([{ offset: 0, size: TRACE_CAPACITY, free: true }]);
  expect(allocator.check()).toEqual([]);
});
