// A heap of a million live blocks: what its slowest call does, in counts that are the same on every machine.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { regionOf } from '../../src/heap/heap.ts';
import { Heap } from '../../src/heap.ts';

const BLOCKS = 1_000_000;
const MIB = 2 ** 20;

/** Cells of the books that the present call has copied or filled. */
let moved = 0;

beforeEach(() => {
  const { set, fill } = Int32Array.prototype;
  vi.spyOn(Int32Array.prototype, 'set').mockImplementation(function (this: Int32Array, from, at) {
    moved += from.length;
    return set.call(this, from, at);
  });
  vi.spyOn(Int32Array.prototype, 'fill').mockImplementation(function (
    this: Int32Array,
    value,
    start = 0,
    end = this.length,
  ) {
    moved += end - start;
    return fill.call(this, value, start, end);
  });
});
afterEach(() => vi.restoreAllMocks());

test.each([false, true])('embedded: %s', (embed) => {
  const heap = new Heap({ size: 4 * MIB, maximum: 512 * MIB, embed });
  const live = new Float64Array(BLOCKS);
  let slowest = 0;
  let all = 0;
  const count = (): number => {
    const now = moved;
    moved = 0;
    all += now;
    slowest = Math.max(slowest, now);
    return now;
  };
  let growths = 0;
  let { end } = heap;
  for (let i = 0; i < BLOCKS; i++) {
    live[i] = heap.malloc(8 + (i % 13) * 16);
    count();
    if (heap.end !== end) growths++;
    end = heap.end;
  }
  const pages = end / 1024;
  // A growth copies the books, 5 cells a page; those of an embedded heap twice, to their place and into the new memory.
  expect(slowest).toBeLessThan((embed ? 2 : 1) * 5 * pages);
  // By an eighth each time, embedded books are copied nine times over; others when their room is used up, and that doubles.
  expect(all).toBeLessThan((embed ? 9 * 2 * 5 : 2 * 5) * pages);
  expect(growths).toBeLessThan(Math.log(end / (4 * MIB)) / Math.log(1.125) + 2);
  expect(growths).toBeGreaterThan(10);

  // With all of them live, no call does more than a slab takes.
  slowest = 0;
  for (let i = 0; i < BLOCKS; i += 3) {
    heap.free(live[i]);
    count();
  }
  for (let i = 0; i < BLOCKS; i += 3) {
    live[i] = heap.malloc(1 + ((i * 7) % 200));
    count();
  }
  if (heap.end === end) expect(slowest).toBe(0);
  for (const ptr of live) {
    heap.free(ptr);
    count();
  }
  expect(heap.stats()).toMatchObject({ used: 0, liveBlocks: 0 });
  expect(heap.check()).toEqual([]);
});

test('a call gives the pages of some 64 empty slabs back at most, unless it has no room otherwise', () => {
  const heap = new Heap({ size: 64 * MIB });
  const { arena } = regionOf(heap).slabs;
  const blocks: number[] = [];
  while (heap.freeBytes > 32 * MIB) blocks.push(heap.malloc(100 + (blocks.length % 900)));
  const release = vi.spyOn(arena, 'release');
  for (const ptr of blocks) heap.free(ptr);
  release.mockClear();
  // Behind all that was ever in use: first the empty slabs give their pages back.
  expect(heap.malloc(10 * MIB)).toBeGreaterThan(0);
  const { length } = release.mock.calls;
  expect(length).toBeGreaterThan(1);
  expect(length).toBeLessThanOrEqual(64 + 1);
});
