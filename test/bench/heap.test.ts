// What the benchmark of heaps rests on: its workloads, its first fit, and the allocators that are compiled to WebAssembly.

import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { firstFitFootprint } from '../../bench/heap/footprint.ts';
import { wasmContenders } from '../../bench/heap/wasm.ts';
import { heapWorkloads, workloadOf } from '../../bench/heap/workloads.ts';
import { Random } from '../support/random.ts';

/** Operations on blocks of up to `most` bytes; some blocks are left. */
function operationsOf(seed: number, count: number, most: number): Int32Array {
  const random = new Random(seed);
  const live: number[] = [];
  let next = 0;
  return Int32Array.from({ length: count }, () => {
    if (live.length === 0 || random.next() < 0.55) {
      live.push(next++);
      return 1 + random.below(random.below(4) === 0 ? most : 100);
    }
    return ~live.splice(random.below(live.length), 1)[0];
  });
}

describe('a workload', () => {
  it('knows its peak and what it leaves', () => {
    const { allocations, leftovers, peakBytes } = workloadOf(
      '',
      Int32Array.of(100, 50, ~0, 70, 0, ~2, 1, ~1),
    );
    expect({ allocations, leftovers, peakBytes }).toEqual({
      allocations: 5,
      leftovers: Int32Array.of(3, 4),
      peakBytes: 150,
    });
  });

  it('of random replacement keeps the number of its blocks', () => {
    const larson = heapWorkloads().find(({ name }) => name === 'larson');
    assert(larson);
    const sizes = larson.operations.filter((x) => x >= 0);
    expect([larson.leftovers.length, larson.allocations]).toEqual([5000, 405_000]);
    expect([Math.min(...sizes.slice(0, 100_000)), Math.max(...sizes.slice(0, 100_000))]).toEqual([8, 1000]);
  });
});

describe('first fit with headers', () => {
  it.each([1, 2, 3])('ends where a map of the memory says: seed %i', (seed) => {
    const workload = workloadOf('', operationsOf(seed, 3000, 3000));
    const used: boolean[] = new Array(50_000).fill(false);
    const blocks: { readonly start: number; readonly end: number }[] = [];
    for (const x of workload.operations) {
      if (x < 0) {
        used.fill(false, blocks[~x].start, blocks[~x].end);
        continue;
      }
      const length = Math.floor((x + 8 + 15) / 16);
      let start = 0;
      for (let at = start; at < start + length; at++) if (used[at]) start = at + 1;
      used.fill(true, start, start + length);
      blocks.push({ start, end: start + length });
    }
    expect(firstFitFootprint(workload)).toBe(16 * Math.max(...blocks.map(({ end }) => end)));
  });
});

describe.each(wasmContenders)('$name', ({ create, createGrowing }) => {
  const workload = workloadOf('', operationsOf(7, 20_000, 20_000));

  /** Replays with a mark in every block, which is there when the block is resized and when it is freed. */
  function replay(heap: ReturnType<typeof create>['heap'], buffer: () => ArrayBufferLike): void {
    const blocks: { readonly ptr: number; readonly bytes: number }[] = [];
    const view = (ptr: number, bytes: number): Uint8Array => new Uint8Array(buffer(), ptr, bytes);
    for (const x of workload.operations) {
      if (x >= 0) {
        const half = heap.malloc((x + 1) >> 1);
        const mark = (blocks.length % 255) + 1;
        view(half, (x + 1) >> 1).fill(mark);
        const ptr = heap.realloc(half, x);
        assert(ptr > 0 && ptr % 4 === 0);
        assert(view(ptr, (x + 1) >> 1).every((byte) => byte === mark));
        view(ptr, x).fill(mark);
        blocks.push({ ptr, bytes: x });
      } else {
        const { ptr, bytes } = blocks[~x];
        assert(view(ptr, bytes).every((byte) => byte === (~x % 255) + 1));
        heap.free(ptr);
      }
    }
  }

  it('keeps what is written to its blocks', () => {
    const { heap, memory } = create(workload);
    assert(memory);
    replay(heap, () => memory);
  });

  it('does so when it grows, within its bounds', () => {
    const grown = createGrowing(workload.memoryBytes);
    const before = grown.memoryBytes();
    const ptr = grown.heap.malloc(8);
    expect(ptr).toBeGreaterThanOrEqual(grown.base);
    for (const x of workload.operations.slice(0, 1000))
      if (x >= 0) assert(grown.heap.malloc(x) > ptr - 2 ** 23);
    expect(grown.memoryBytes()).toBeGreaterThan(before);
    expect(grown.heap.malloc(2 * workload.memoryBytes)).toBe(0);
  });
});
