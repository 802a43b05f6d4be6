// Workers that die at any change of the memory, in any call, recover and detach included. The living keep their
// blocks; the blocks of the dead come back, and no others. In one thread, by random sequences of calls, with owners
// tracked.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedBuddyAllocator, SharedHeap } from '../../src/shared.ts';
import { lifeIn } from '../support/mortal.ts';

/** An attachment to an arena or to a heap. Sizes are in units. */
interface Worker {
  readonly workerId: number;
  /** Undefined if there is no room. */
  alloc(size: number): number | undefined;
  free(at: number): void;
  /** 0 if no live block starts there. */
  sizeOf(at: number): number;
  adopt(at: number, from: number | undefined): void;
  /** Whether the recovery is complete. */
  recover(worker: number): boolean;
  detach(): void;
  workerIds(): number[];
  used(): number;
  check(): string[];
}

const WORKERS = 6;

function inArena(arena: SharedBuddyAllocator): Worker {
  return {
    workerId: arena.workerId,
    alloc(size) {
      const offset = arena.alloc(size);
      return offset < 0 ? undefined : offset;
    },
    free: (at) => void arena.free(at),
    sizeOf: (at) => (arena.isAllocated(at) ? arena.sizeOf(at) : 0),
    adopt: (at, from) => arena.adopt(at, from),
    recover: (worker) => arena.recover(worker).complete,
    detach: () => arena.detach(),
    workerIds: () => arena.workerIds(),
    used: () => arena.stats().usedUnits,
    check: () => arena.check(),
  };
}

/** The first worker of a fresh arena, and a function that attaches another. */
function arenaOf(capacity: number): [Worker, () => Worker | null] {
  const arena = SharedBuddyAllocator.create({ capacity, maxWorkers: WORKERS, trackOwners: true });
  const attach = () => {
    const other = SharedBuddyAllocator.attach(arena.buffer);
    return other && inArena(other);
  };
  return [inArena(arena), attach];
}

const UNIT = 16;

function inHeap(heap: SharedHeap): Worker {
  return {
    workerId: heap.workerId,
    alloc: (size) => heap.malloc(size * UNIT) || undefined,
    free: (at) => heap.free(at),
    sizeOf: (at) => (heap.isAllocated(at) ? heap.usableSize(at) : 0),
    adopt: (at, from) => heap.adopt(at, from),
    recover: (worker) => heap.recover(worker).complete,
    detach: () => heap.detach(),
    workerIds: () => heap.workerIds(),
    used: () => heap.stats().used,
    check: () => heap.check(),
  };
}

/** The same for a heap that can grow from `capacity` units to twice as many. */
function heapOf(capacity: number): [Worker, () => Worker | null] {
  const size = 20_000 + capacity * UNIT;
  const maximum = size + capacity * UNIT;
  const heap = SharedHeap.create({ size, maximum, unit: UNIT, maxWorkers: WORKERS, trackOwners: true });
  const attach = () => {
    const other = SharedHeap.attach(heap.handle);
    return other && inHeap(other);
  };
  return [inHeap(heap), attach];
}

/**
 * One call. `by` and `at`, in [0, 1), pick a worker and a block. With `death`, the worker dies before that change
 * number.
 */
interface Operation {
  readonly kind: 'alloc' | 'free' | 'adopt' | 'attach' | 'detach' | 'recover' | 'recover all';
  readonly by: number;
  readonly at: number;
  readonly size: number;
  readonly death: number | undefined;
}

const part = fc.nat(999).map((n) => n / 1000);

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('alloc') },
    { weight: 5, arbitrary: fc.constant('free') },
    { weight: 2, arbitrary: fc.constantFrom('attach', 'recover') },
    { weight: 1, arbitrary: fc.constantFrom('adopt', 'detach', 'recover all') },
  ) as fc.Arbitrary<Operation['kind']>,
  by: part,
  at: part,
  size: fc.oneof(
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 1, max: 300 }),
    fc.nat(11).map((k) => 2 ** k),
  ),
  death: fc.option(fc.oneof(fc.nat(12), fc.nat(80)), { freq: 5, nil: undefined }),
});

interface Block {
  readonly at: number;
  readonly size: number;
  /** The id of the worker that owns it; 0 for nobody. */
  owner: number;
}

const overlap = (a: Block, b: Block) => a.at < b.at + b.size && b.at < a.at + a.size;

class Model {
  readonly living: Worker[];
  readonly #attach: () => Worker | null;
  /** Ids of the dead workers that are not recovered. */
  #dead: number[] = [];
  /** Blocks that are certainly live. */
  #live: Block[] = [];
  /**
   * Blocks that may be live: the block of a call in which a worker died, and those of the dead once a recovery has
   * begun.
   */
  #unsure: Block[] = [];
  readonly tally = { died: 0, recovered: 0, diedRecovering: 0, kept: 0 };

  constructor([first, attach]: [Worker, () => Worker | null]) {
    this.living = [first];
    this.#attach = attach;
  }

  perform({ kind, by, at, size, death }: Operation): void {
    const worker = this.living[Math.floor(by * this.living.length)];
    const block = this.#live[Math.floor(at * this.#live.length)];
    // One worker at least lives on.
    const life = lifeIn(this.living.length > 1 ? death : undefined);
    if (kind === 'alloc') {
      let offset: number | undefined;
      const lives = life(() => {
        offset = worker.alloc(size);
      });
      if (lives && offset !== undefined) this.#enter(worker, offset);
      if (!lives) this.#bury(worker);
    } else if (kind === 'free' && block !== undefined) {
      this.#live.splice(this.#live.indexOf(block), 1);
      if (life(() => worker.free(block.at))) return;
      this.#unsure.push(block);
      this.#bury(worker);
    } else if (kind === 'adopt' && block !== undefined) {
      if (life(() => worker.adopt(block.at, block.owner || undefined))) block.owner = worker.workerId;
      else {
        this.#live.splice(this.#live.indexOf(block), 1);
        this.#unsure.push(block);
        this.#bury(worker);
      }
    } else if (kind === 'attach') {
      const other = this.#attach();
      assert(other !== null || this.living.length + this.#dead.length >= WORKERS);
      if (other !== null) this.living.push(other);
    } else if (kind === 'detach' && this.living.length > 1) {
      const lives = life(() => worker.detach());
      // When it dies, some of its blocks may belong to nobody already.
      if (!lives) this.#doubt((owner) => owner === worker.workerId);
      for (const one of [...this.#live, ...this.#unsure]) if (one.owner === worker.workerId) one.owner = 0;
      if (lives) this.living.splice(this.living.indexOf(worker), 1);
      else this.#bury(worker);
    } else if (kind === 'recover' && this.#dead.length > 0) {
      const dead = this.#dead[Math.floor(at * this.#dead.length)];
      this.#doubt((owner) => this.#dead.includes(owner));
      if (life(() => worker.recover(dead))) return;
      this.tally.diedRecovering++;
      this.#bury(worker);
      this.#doubt((owner) => owner === worker.workerId);
    } else if (kind === 'recover all') this.recoverAll();
  }

  /** Recovers all dead workers, and checks everything. */
  recoverAll(): void {
    const [worker] = this.living;
    let left = this.#dead;
    for (let round = 0; left.length > 0; round++) {
      assert(round < WORKERS, `${left} cannot be recovered`);
      left = left.filter((dead) => !worker.recover(dead));
    }
    this.tally.recovered += this.#dead.length;
    this.#doubt((owner) => this.#dead.includes(owner));
    const ofTheDead = ({ owner }: Block) => this.#dead.includes(owner);
    // The same units may have been two such blocks, one after the other. A block that is there now is one that may be
    // live.
    for (const block of this.#unsure.toSorted((a, b) => Number(ofTheDead(a)) - Number(ofTheDead(b)))) {
      if (this.#live.some((other) => overlap(block, other)) || worker.sizeOf(block.at) !== block.size)
        continue;
      assert(!ofTheDead(block), `${block.at} of the dead ${block.owner} is not taken back`);
      this.#live.push(block);
      this.tally.kept++;
    }
    this.#unsure = [];
    this.#dead = [];
    assert.deepEqual(worker.check(), []);
    for (const { at, size } of this.#live) assert.equal(worker.sizeOf(at), size);
    assert.equal(
      worker.used(),
      this.#live.reduce((sum, { size }) => sum + size, 0),
    );
    const ids = this.living.map(({ workerId }) => workerId);
    assert.deepEqual(worker.workerIds().toSorted(), ids.toSorted());
  }

  finish(): void {
    this.recoverAll();
    const [worker] = this.living;
    for (const { at } of this.#live) worker.free(at);
    assert.equal(worker.used(), 0);
    assert.deepEqual(worker.check(), []);
  }

  #enter(worker: Worker, at: number): void {
    const block = { at, size: worker.sizeOf(at), owner: worker.workerId };
    assert(block.size > 0);
    for (const other of this.#live) assert(!overlap(block, other), `${at} overlaps ${other.at}`);
    this.#live.push(block);
  }

  #bury(worker: Worker): void {
    this.living.splice(this.living.indexOf(worker), 1);
    this.#dead.push(worker.workerId);
    this.tally.died++;
  }

  /** Moves the blocks of some owners to the unsure ones. */
  #doubt(whose: (owner: number) => boolean): void {
    this.#unsure.push(...this.#live.filter(({ owner }) => whose(owner)));
    this.#live = this.#live.filter(({ owner }) => !whose(owner));
  }
}

describe.each([
  ['an arena', arenaOf],
  ['a heap', heapOf],
])('workers of %s that die at any change', (_, create) => {
  it('harm no living worker, and leave nothing behind', () => {
    const total = { died: 0, recovered: 0, diedRecovering: 0, kept: 0 };
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 5000 })),
        fc.array(operation, { minLength: 1, maxLength: 80, size: 'max' }),
        (capacity, operations) => {
          const model = new Model(create(capacity));
          for (const one of operations) model.perform(one);
          model.finish();
          for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += model.tally[key];
        },
      ),
      { numRuns: 2000 },
    );
    for (const [what, count] of Object.entries(total)) expect(count, what).toBeGreaterThan(0);
  });
});
