// A block that realloc shrinks: it moves if there is room for it elsewhere, and stays if there is not.

import { describe, expect, it } from 'vitest';
import { Heap } from '../../src/heap.ts';

/** A heap that can grow, all of whose memory is taken, and two of its blocks. */
function fullHeap(): { heap: Heap; small: number; large: number } {
  const heap = new Heap({ size: 65_536, maximum: 2 ** 24 });
  const small = heap.malloc(4096);
  const large = heap.malloc(20_000);
  while (heap.largestFree > 0) heap.malloc(heap.largestFree);
  return { heap, small, large };
}

describe('a shrinking realloc of a full heap', () => {
  it.each(['small', 'large'] as const)('leaves a %s block where it is, and the memory as it is', (which) => {
    const { heap, [which]: ptr } = fullHeap();
    const { buffer, end } = heap;
    expect(heap.realloc(ptr, 300)).toBe(ptr);
    expect([heap.buffer, heap.end]).toEqual([buffer, end]);
    expect(heap.usableSize(ptr)).toBeGreaterThanOrEqual(300);
    expect(heap.check()).toEqual([]);
  });

  it('moves it once there is room', () => {
    const { heap, small, large } = fullHeap();
    const { end } = heap;
    heap.view(small, Uint8Array, 300).fill(7);
    heap.free(large);
    const ptr = heap.realloc(small, 300);
    expect(ptr).not.toBe(small);
    expect(heap.usableSize(ptr)).toBe(320);
    expect(heap.view(ptr, Uint8Array, 300).every((byte) => byte === 7)).toBe(true);
    expect(heap.end).toBe(end);
  });
});
