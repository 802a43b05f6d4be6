// The benchmark of shared heaps: what its patterns do, and a moment of it with real workers.

import { describe, expect, it } from 'vitest';
import { meetingAt, type Task } from '../../bench/shared/task.ts';
import type { Calls, HeapEnd } from '../../bench/shared-heap/contender.ts';
import { CELLS_PER_WORKER, PATTERNS, type PatternName, prepare } from '../../bench/shared-heap/patterns.ts';
import { bench } from '../../bench/shared-heap.ts';
import { Heap } from '../../src/heap.ts';

/** A heap that notes what is asked of it. Every free of what is not live throws. */
class Witness implements Calls {
  readonly heap: Heap;
  readonly sizes: number[] = [];
  /** Sizes of the live blocks, by pointer. */
  readonly live = new Map<number, number>();
  /** The most bytes that were live at once. */
  peak = 0;
  /** The most blocks that were live at once. */
  most = 0;
  frees = 0;
  #bytes = 0;

  constructor(size: number) {
    this.heap = new Heap({ size });
  }

  /** Bytes in live blocks. */
  get bytes(): number {
    return this.#bytes;
  }

  malloc(bytes: number): number {
    const ptr = this.heap.malloc(bytes);
    if (ptr === 0) return 0;
    this.sizes.push(bytes);
    this.live.set(ptr, bytes);
    this.#bytes += bytes;
    this.peak = Math.max(this.peak, this.#bytes);
    this.most = Math.max(this.most, this.live.size);
    return ptr;
  }

  free(ptr: number): void {
    this.heap.free(ptr);
    this.#bytes -= this.live.get(ptr) as number;
    this.live.delete(ptr);
    this.frees++;
  }
}

/** The task of a worker that is alone. */
function taskOf(heap: Witness, rounds: number): Task<HeapEnd> {
  const shared = new Int32Array(new SharedArrayBuffer(4 * (CELLS_PER_WORKER + 1)));
  const meet = meetingAt(shared, CELLS_PER_WORKER, 1);
  return { arena: { heap, memory: heap.heap.buffer }, me: 0, workers: 1, rounds, shared, meet };
}

/** By pattern: the least and the largest block, the most that are live at once, and the share of the peak that stays in use. */
const EXPECTED: Record<PatternName, { sizes: [number, number]; blocks?: number; fill?: number }> = {
  threadtest: { sizes: [64, 64], blocks: 1000 },
  larson: { sizes: [8, 1000], blocks: 1000 },
  xmalloc: { sizes: [16, 271], blocks: 128 },
  'linux-scalability': { sizes: [8, 8], blocks: 1 },
  'cache-scratch': { sizes: [8, 8], blocks: 1 },
  'cache-thrash': { sizes: [8, 8], blocks: 1 },
  bulk: { sizes: [256, 256], blocks: 8192 },
  repeat: { sizes: [256, 256], fill: 0.5 },
  'random-50': { sizes: [16, 1024], fill: 0.5 },
  'random-75': { sizes: [16, 1024], fill: 0.75 },
  'random-90': { sizes: [16, 1024], fill: 0.9 },
  'random-99': { sizes: [16, 1024], fill: 0.99 },
};

describe.each(Object.entries(EXPECTED))('%s', (name, { sizes, blocks, fill }) => {
  const pattern = name as PatternName;
  const rounds = 20_000;

  it('frees as many blocks as it allocates, of the sizes and as many at once as it is known for', () => {
    const heap = new Witness(PATTERNS[pattern].size);
    const work = prepare(pattern, taskOf(heap, rounds));
    const before = { live: heap.live.size, bytes: heap.bytes, frees: heap.frees };
    heap.sizes.length = 0;
    const { done, refused } = work();
    expect({ done: heap.sizes.length, refused }).toEqual({ done, refused: 0 });
    expect(heap.frees - before.frees).toBe(done);
    expect(heap.live.size).toBe(before.live);
    expect(done).toBeGreaterThanOrEqual(rounds);
    expect(done).toBeLessThan(1.5 * rounds);
    expect([Math.min(...heap.sizes), Math.max(...heap.sizes)]).toEqual(sizes);
    if (fill === undefined) {
      expect(heap.most).toBe(blocks);
      return;
    }
    expect(heap.peak).toBeGreaterThan(0.9 * PATTERNS[pattern].size);
    expect(Math.abs(before.bytes / heap.peak - fill)).toBeLessThan(0.02);
  });
});

describe('a moment of', () => {
  const HEAP = 'Heap, one for each worker';
  const LOCKED = 'Heap behind a lock';
  const FORMER = 'the former SharedHeap';
  const OURS = ['SharedHeap', 'SharedHeap, owners tracked'];
  const PEER = '@daneren2005/shared-memory-objects';

  it.each([
    { pattern: 'xmalloc', base: HEAP, others: [LOCKED, FORMER, PEER], against: undefined },
    { pattern: 'larson', base: HEAP, others: [LOCKED, FORMER], against: ['lock', 'former'] },
    { pattern: 'random-99', base: HEAP, others: [LOCKED], against: ['lock'] },
    { pattern: 'structures', base: 'its own MemoryHeap', others: [], against: undefined },
  ])('$pattern measures everyone with one worker and with two', async ({
    pattern,
    base,
    others,
    against,
  }) => {
    const options = { quick: true, rounds: 2, workers: [1, 2], pattern } as const;
    const { suites } = await bench({ ...options, ...(against && { against }) });
    const [{ patterns }] = suites;
    const [{ measurements }] = patterns;
    // Blocks of a heap that is one worker's own cannot change hands.
    const isAlone = base === HEAP && pattern !== 'random-99';
    expect(measurements.map(({ name, workers }) => `${name}: ${workers}`)).toEqual(
      [...OURS, base, ...others].flatMap((name) =>
        name === base && isAlone ? [`${name}: 1`] : [`${name}: 1`, `${name}: 2`],
      ),
    );
    for (const { name, workers, rate, timesBase, speedup, refused } of measurements) {
      expect(rate.min).toBeGreaterThan(0);
      if (name === base && workers === 1) expect(timesBase).toMatchObject({ min: 1, max: 1 });
      else expect(timesBase.min).toBeGreaterThan(0);
      if (workers === 1) expect(speedup).toMatchObject({ min: 1, max: 1 });
      else expect(speedup?.min).toBeGreaterThan(0);
      if (pattern !== 'random-99') expect(refused).toBe(0);
    }
  });
});
