// disown: blocks that are nobody's outlive every worker, until somebody frees them.

import { describe, expect, it } from 'vitest';
import { SharedHeap } from '../../src/shared.ts';
import { outcomeOf } from '../support/agreement.ts';

describe.each([true, false])('a heap whose owners are tracked: %s', (trackOwners) => {
  it("keeps small and large blocks that are nobody's, whoever dies", () => {
    const heap = SharedHeap.create({ size: 2 ** 22, trackOwners });
    const other = SharedHeap.attach(heap.handle) as SharedHeap;
    const small = other.malloc(100);
    const large = other.malloc(100_000);
    const view = other.callocArray(Uint8Array, 50) as Uint8Array;
    other.malloc(30);
    for (const block of [small, large, view]) other.disown(block);
    other.disown(small); // it is nobody's already
    expect(heap.recover(other.workerId).blocks).toBe(trackOwners ? 1 : 0);
    for (const block of [small, large, view]) heap.free(block);
    expect(heap.stats().liveBlocks).toBe(trackOwners ? 0 : 1);
    expect(heap.check()).toEqual([]);
  });

  it('refuses what is no block, and changes nothing', () => {
    const heap = SharedHeap.create({ size: 2 ** 22, trackOwners });
    const ptr = heap.malloc(100);
    const large = heap.malloc(100_000);
    const before = heap.stats();
    const error = (call: () => unknown): unknown => (outcomeOf(call) as { error?: string }).error;
    expect(error(() => heap.disown(ptr + 16))).toBe('INTERIOR');
    expect(error(() => heap.disown(large + 4096))).toBe('INTERIOR');
    expect(error(() => heap.disown(0))).toBe('NOT_ALLOCATED');
    expect(error(() => heap.disown(1.5))).toBe('RangeError');
    expect(error(() => heap.disown(2 ** 40))).toBe('RangeError');
    expect(error(() => heap.disown('16' as unknown as number))).toBe('TypeError');
    expect(error(() => heap.disown(new Uint8Array(8)))).toBe('FOREIGN');
    heap.free(ptr);
    heap.free(large);
    expect(error(() => heap.disown(ptr))).toBe('NOT_ALLOCATED');
    expect(error(() => heap.disown(large))).toBe('NOT_ALLOCATED');
    expect(before.liveBlocks).toBe(2);
    expect(heap.check()).toEqual([]);
    heap.detach();
    expect(error(() => heap.disown(ptr))).toBe('DETACHED');
  });
});
