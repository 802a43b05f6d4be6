// Random sequences of every operation by three attachments in turns to a heap that tracks owners, of which any may die:
// between two calls, or in one before any of its changes. What a dead worker had is free after its recovery, all else is
// as it was: every block keeps its bytes, no two overlap, and nothing else counts as allocated.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedHeap } from '../../src/shared.ts';
import { lifeIn } from '../support/mortal.ts';

const KINDS = ['malloc', 'alignedAlloc', 'realloc', 'free', 'adopt', 'adoptFrom', 'rejoin', 'idle'] as const;

/** One call by attachment `by`, which dies in it before its change number `death`; after it if it makes fewer. */
interface Operation {
  readonly kind: (typeof KINDS)[number];
  readonly by: number;
  /** In [0, 1): picks a live block by its place among them. */
  readonly at: number;
  readonly size: number;
  readonly death: number | undefined;
  /** The same, for the worker that recovers the one that has died. */
  readonly deathInRecovery: number | undefined;
}

const death = (weight: number) =>
  fc.oneof(
    { weight, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.nat(6) },
    { weight: 1, arbitrary: fc.nat(60) },
  );

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constant('malloc') },
    { weight: 4, arbitrary: fc.constantFrom(...KINDS) },
  ) as fc.Arbitrary<Operation['kind']>,
  by: fc.nat(2),
  at: fc.nat(999).map((n) => n / 1000),
  size: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 100 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 3000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 30_000 }) },
  ),
  death: death(6),
  deathInRecovery: death(4),
});

const setting = fc.record({
  size: fc.integer({ min: 12_000, max: 100_000 }),
  growth: fc.constantFrom(0, 50_000, 400_000),
  unit: fc.constantFrom(8, 16, 512),
  keepSizes: fc.boolean(),
});

interface Live {
  ptr: number;
  size: number;
  readonly seed: number;
  /** The id of the worker that owns the block; 0 if nobody does. */
  owner: number;
}

const pattern = (seed: number, i: number) => (Math.imul(seed * 0x10001 + i, 0x9e3779b1) >>> 24) & 0xff;

class Driver {
  readonly tally = { blocks: 0, deaths: 0, inCalls: 0, inRecoveries: 0, recovered: 0, adopted: 0, left: 0 };
  readonly #heaps: SharedHeap[];
  #live: Live[] = [];
  #seed = 0;

  constructor({ size, growth, unit, keepSizes }: typeof setting extends fc.Arbitrary<infer T> ? T : never) {
    const maximum = size + growth;
    const heap = SharedHeap.create({ size, maximum, unit, keepSizes, maxWorkers: 6, trackOwners: true });
    this.#heaps = [heap, this.#attach(heap), this.#attach(heap)];
  }

  perform({ kind, by, at, size, death, deathInRecovery }: Operation): void {
    const heap = this.#heaps[by];
    const { workerId } = heap;
    const live = lifeIn(death);
    const block = this.#live[Math.floor(at * this.#live.length)];
    let lives = true;
    /** The block that the call may have changed without this worker's knowledge. */
    let touched: Live | undefined;
    if (kind === 'malloc' || kind === 'alignedAlloc') {
      let ptr = 0;
      lives = live(() => {
        ptr = kind === 'malloc' ? heap.malloc(size) : heap.alignedAlloc(2 ** Math.floor(at * 13), size);
      });
      // A worker that dies in the call never has the pointer.
      if (lives && ptr !== 0) this.#enter(ptr, size, workerId);
    } else if (kind === 'rejoin') {
      lives = live(() => heap.detach());
      if (lives) {
        for (const each of this.#live) if (each.owner === workerId) each.owner = 0;
        this.tally.left++;
        this.#heaps[by] = this.#attach(this.#heaps[(by + 1) % 3]);
        return;
      }
    } else if (block !== undefined) {
      touched = block;
      if (kind === 'free') {
        lives = live(() => heap.free(block.ptr));
        if (lives) this.#live = this.#live.filter((each) => each !== block);
      } else if (kind === 'realloc') {
        let ptr = 0;
        lives = live(() => {
          ptr = heap.realloc(block.ptr, size);
        });
        if (lives && ptr !== 0) {
          this.#verify({ ...block, ptr, size: Math.min(size, block.size) });
          if (ptr === block.ptr) this.#fill(Object.assign(block, { size }));
          else {
            this.#live = this.#live.filter((each) => each !== block);
            this.#enter(ptr, size, workerId);
          }
        }
      } else if (kind === 'adopt' || (kind === 'adoptFrom' && block.owner !== 0)) {
        lives = live(() => heap.adopt(block.ptr, kind === 'adopt' ? undefined : block.owner));
        if (lives) {
          block.owner = workerId;
          this.tally.adopted++;
        }
      }
    }
    if (death === undefined) return;
    if (!lives) this.tally.inCalls++;
    this.#bury(by, workerId, lives ? undefined : touched, deathInRecovery);
  }

  /** Attachment `by`, of that id, is dead. It was about to free, to resize or to adopt `touched`. */
  #bury(by: number, id: number, touched: Live | undefined, death: number | undefined): void {
    const dead = [id];
    let recoverer = (by + 1) % 3;
    const { workerId } = this.#heaps[recoverer];
    const lives = lifeIn(death)(() => {
      this.#heaps[recoverer].recover(dead[0]);
    });
    this.tally.deaths++;
    if (!lives) {
      this.tally.inRecoveries++;
      dead.push(workerId);
      recoverer = (by + 2) % 3;
    }
    const heap = this.#heaps[recoverer];
    let complete = false;
    for (let tries = 0; !complete; tries++) {
      assert(tries < 5, 'recoveries are never complete');
      complete = dead.map((each) => heap.recover(each)).every((recovered) => recovered.complete);
    }
    const isDead = (owner: number) => dead.includes(owner);
    const before = this.#live.length;
    this.#live = this.#live.filter((each) => {
      if (each !== touched) return !isDead(each.owner);
      // Half of the change, or all of it, or none.
      if (!heap.isAllocated(each.ptr)) return false;
      assert(!isDead(each.owner));
      each.size = Math.min(each.size, heap.usableSize(each.ptr));
      return true;
    });
    this.tally.recovered += before - this.#live.length;
    this.#heaps[by] = this.#attach(heap);
    if (!lives) this.#heaps[(by + 1) % 3] = this.#attach(heap);
  }

  /** The oracle: the live blocks are those of the model, with their bytes, and no two overlap. */
  verify(): void {
    const [heap] = this.#heaps;
    assert.deepEqual(heap.check(), []);
    const sorted = this.#live.toSorted((a, b) => a.ptr - b.ptr);
    const blocks = [...heap.blocks()];
    assert.deepEqual(
      blocks.map(({ ptr }) => ptr),
      sorted.map(({ ptr }) => ptr),
    );
    let last = 0;
    for (const [i, { ptr, size }] of blocks.entries()) {
      assert(ptr >= last && size >= sorted[i].size);
      last = ptr + size;
      this.#verify(sorted[i]);
    }
    assert.equal(heap.stats().workers, 3);
  }

  finish(): void {
    const [heap, second, third] = this.#heaps;
    for (const { ptr } of this.#live) second.free(ptr);
    third.detach();
    heap.recover(second.workerId);
    const { used, liveBlocks, workers } = heap.stats();
    assert.deepEqual([used, liveBlocks, workers, heap.check()], [0, 0, 1, []]);
  }

  #attach(heap: SharedHeap): SharedHeap {
    const other = SharedHeap.attach(heap.handle);
    assert(other !== null);
    return other;
  }

  #enter(ptr: number, size: number, owner: number): void {
    const block = { ptr, size, owner, seed: ++this.#seed };
    this.#fill(block);
    this.#live.push(block);
    this.tally.blocks++;
  }

  #fill({ ptr, size, seed }: Live): void {
    const bytes = this.#heaps[0].view(ptr, Uint8Array, size);
    for (let i = 0; i < size; i++) bytes[i] = pattern(seed, i);
  }

  #verify({ ptr, size, seed }: Live): void {
    const bytes = this.#heaps[0].view(ptr, Uint8Array, size);
    for (let i = 0; i < size; i++)
      if (bytes[i] !== pattern(seed, i)) assert.fail(`byte ${i} of ${size} at ${ptr}`);
  }
}

describe('workers that die', () => {
  it('leave a sound heap, in which they own nothing and all others have what they had', {
    timeout: 300_000,
  }, () => {
    const total = { blocks: 0, deaths: 0, inCalls: 0, inRecoveries: 0, recovered: 0, adopted: 0, left: 0 };
    fc.assert(
      fc.property(
        setting,
        fc.array(operation, { minLength: 1, maxLength: 60, size: 'max' }),
        (where, operations) => {
          const driver = new Driver(where);
          for (const each of operations) {
            driver.perform(each);
            driver.verify();
          }
          driver.finish();
          for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += driver.tally[key];
        },
      ),
      { numRuns: 400 },
    );
    for (const [what, count] of Object.entries(total)) expect(count, what).toBeGreaterThan(100);
  });
});
