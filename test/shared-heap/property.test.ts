// Random sequences of every operation by three attachments in turns, in every kind of memory, growth included: every
// live block keeps its bytes, no two overlap, each lies at a multiple of the unit, and no room is said only where there
// is none for its pages or those of a new slab.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedHeap, type SharedHeapMemory } from '../../src/shared.ts';
import { MEMORIES } from '../support/heap-driver.ts';
import { roundingOf } from '../support/shared-rounding.ts';

const PAGE = 65_536;

interface Live {
  readonly ptr: number;
  readonly size: number;
  readonly seed: number;
}

/** One call by attachment `by`. `at`, in [0, 1), picks a live block by its place among them. */
interface Operation {
  readonly kind: 'malloc' | 'calloc' | 'alignedAlloc' | 'realloc' | 'free' | 'rejoin';
  readonly by: number;
  readonly at: number;
  readonly size: number;
  readonly alignment: number;
}

const size = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 100 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(17), fc.integer({ min: -1, max: 1 })).map(([k, d]) => 2 ** k + d) },
);

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('malloc', 'calloc', 'realloc', 'free') },
    { weight: 1, arbitrary: fc.constantFrom('alignedAlloc', 'rejoin') },
  ) as fc.Arbitrary<Operation['kind']>,
  by: fc.nat(2),
  at: fc.nat(999).map((n) => n / 1000),
  size,
  alignment: fc.nat(13).map((k) => 2 ** k),
});

const setting = fc.record({
  length: fc.integer({ min: 15_000, max: 2 * PAGE }),
  growth: fc.nat(5 * PAGE),
  unit: fc.constantFrom(8, 16, 64),
  start: fc.nat(1500),
  trackOwners: fc.boolean(),
});

const pattern = (seed: number, i: number) => (Math.imul(seed * 0x10001 + i, 0x9e3779b1) >>> 24) & 0xff;

class Driver {
  readonly heaps: SharedHeap[] = [];
  readonly live: Live[] = [];
  readonly tally = { allocated: 0, refused: 0, grown: 0, moved: 0, stayed: 0, freed: 0, rejoined: 0 };
  #seed = 0;

  constructor(kind: keyof typeof MEMORIES, where: typeof setting extends fc.Arbitrary<infer T> ? T : never) {
    const { length, growth, unit, start, trackOwners } = where;
    const memory = MEMORIES[kind](length, length + growth) as SharedHeapMemory;
    const { buffer } = 'buffer' in memory ? memory : { buffer: memory };
    new Uint8Array(buffer).fill(0xa5);
    const maximum = Math.max(length + growth, buffer.byteLength);
    const first = SharedHeap.create({ memory, maximum, unit, start, trackOwners, maxWorkers: 3 });
    this.heaps.push(first, this.#attach(first), this.#attach(first));
  }

  #attach(heap: SharedHeap): SharedHeap {
    const other = SharedHeap.attach(structuredClone(heap.handle));
    assert(other !== null);
    return other;
  }

  perform({ kind, by, at, size, alignment }: Operation): void {
    const heap = this.heaps[by];
    const { end } = heap;
    const block = this.live[Math.floor(at * this.live.length)];
    if (kind === 'rejoin') {
      heap.detach();
      this.heaps[by] = this.#attach(this.heaps[(by + 1) % 3]);
      this.tally.rejoined++;
    } else if (kind === 'free' && block !== undefined) {
      this.#verify(block, block.size);
      heap.free(block.ptr);
      this.#forget(block);
      this.tally.freed++;
    } else if (kind === 'realloc' && block !== undefined) {
      const before = heap.usableSize(block.ptr);
      const ptr = heap.realloc(block.ptr, size);
      if (ptr === 0) {
        assert(size > before);
        this.#refused(by, size, end);
        this.#verify(block, block.size);
        return;
      }
      this.tally[ptr === block.ptr ? 'stayed' : 'moved']++;
      this.#verify({ ...block, ptr }, Math.min(size, block.size));
      this.#forget(block);
      this.#enter(by, ptr, size, 1);
    } else if (kind === 'malloc' || kind === 'calloc' || kind === 'alignedAlloc') {
      const ptr =
        kind === 'malloc'
          ? heap.malloc(size)
          : kind === 'calloc'
            ? heap.calloc(1, size)
            : heap.alignedAlloc(alignment, size);
      const aligned = kind === 'alignedAlloc' ? alignment : 1;
      if (ptr === 0) {
        this.#refused(by, Math.max(size, aligned), end);
        return;
      }
      if (kind === 'calloc') {
        assert(heap.view(ptr, Uint8Array, size).every((byte) => byte === 0));
      }
      this.#enter(by, ptr, size, aligned);
    }
    if (this.heaps[by].end > end) this.tally.grown++;
  }

  verify(): void {
    const [heap] = this.heaps;
    assert.deepEqual(heap.check(), []);
    const sorted = [...this.live].sort((a, b) => a.ptr - b.ptr);
    let used = 0;
    let last = heap.start;
    for (const block of sorted) {
      const usable = heap.usableSize(block.ptr);
      assert(block.ptr >= last && block.ptr % heap.unit === 0 && usable >= block.size);
      last = block.ptr + usable;
      used += usable;
      this.#verify(block, block.size);
    }
    assert(last <= heap.end && heap.end <= heap.maximum && heap.end <= heap.buffer.byteLength);
    const stats = heap.stats();
    assert.deepEqual([stats.used, stats.liveBlocks, stats.workers], [used, sorted.length, 3]);
    assert.equal(stats.capacity, stats.used + stats.free);
  }

  finish(): void {
    for (const [i, block] of this.live.entries()) this.heaps[i % 3].free(block.ptr);
    for (const heap of this.heaps.slice(1)) heap.detach();
    const { used, workers } = this.heaps[0].stats();
    assert.deepEqual([used, workers, this.heaps[0].check()], [0, 1, []]);
  }

  #enter(by: number, ptr: number, size: number, alignment: number): void {
    const heap = this.heaps[by];
    assert.equal(ptr % alignment, 0);
    const block = { ptr, size, seed: ++this.#seed };
    const bytes = heap.view(ptr, Uint8Array, size);
    for (let i = 0; i < size; i++) bytes[i] = pattern(block.seed, i);
    this.live.push(block);
    this.tally.allocated++;
  }

  #forget(block: Live): void {
    this.live.splice(this.live.indexOf(block), 1);
  }

  /**
   * No other worker is in a call, so a refusal must be right: there is no room for so many pages, or for the least slab of
   * such slots, and the heap cannot grow by them.
   */
  #refused(by: number, size: number, end: number): void {
    const heap = this.heaps[by];
    const run = roundingOf(heap).run(Math.max(1, size));
    assert(heap.stats().largestFree < run, `refused ${size} bytes`);
    assert(Math.ceil(end / run) * run + run > heap.maximum, `refused ${size} bytes at ${end}`);
    assert.equal(heap.end, end);
    this.tally.refused++;
  }

  #verify({ ptr, seed }: Live, size: number): void {
    const bytes = this.heaps[0].view(ptr, Uint8Array, size);
    for (let i = 0; i < size; i++) {
      if (bytes[i] !== pattern(seed, i)) assert.fail(`byte ${i} of ${size} at ${ptr} is ${bytes[i]}`);
    }
  }
}

describe.each([
  'SharedArrayBuffer',
  'growable SharedArrayBuffer',
  'shared WebAssembly.Memory',
] as const)('%s', (kind) => {
  it('keeps every block, whoever allocates, resizes and frees', () => {
    const total = { allocated: 0, refused: 0, grown: 0, moved: 0, stayed: 0, freed: 0, rejoined: 0 };
    fc.assert(
      fc.property(
        setting,
        fc.array(operation, { minLength: 1, maxLength: 60, size: 'max' }),
        (where, ops) => {
          const driver = new Driver(kind, where);
          for (const op of ops) {
            driver.perform(op);
            driver.verify();
          }
          driver.finish();
          for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += driver.tally[key];
        },
      ),
      { numRuns: 60 },
    );
    for (const [what, count] of Object.entries(total)) {
      if (what !== 'grown' || kind !== 'SharedArrayBuffer') expect(count, what).toBeGreaterThan(0);
    }
  });
});
