// Workers that die at any change of the memory, in any call, attach, adopt, recover and detach included. The living keep
// their blocks, and those that have left keep theirs until they are adopted; the blocks of the dead come back, and no
// others. Blocks are also adopted late, when the giver and the block may be gone and others be in their places. In one
// thread, by random sequences of calls, with owners tracked.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BuddyError, SharedBuddyAllocator, SharedHeap } from '../../src/shared.ts';
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
  readonly kind: 'alloc' | 'free' | 'adopt' | 'adopt late' | 'attach' | 'detach' | 'recover' | 'recover all';
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
    { weight: 3, arbitrary: fc.constantFrom('attach', 'recover', 'adopt late') },
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
  /** The id of the worker that owns it, or has left it. */
  owner: number;
}

const slotOf = (id: number) => id & 255;

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
  /** Where blocks were allocated, by which workers: messages that say so arrive late. */
  readonly #letters: { readonly at: number; readonly from: number }[] = [];
  /** [slot]: the last id of a worker that is known to have had it. */
  readonly #lastIn = new Map<number, number>();
  /** The dead workers that have died in an adoption: each may keep another slot than its own from being taken. */
  #diedAdopting = new Set<number>();
  readonly tally = { died: 0, recovered: 0, diedRecovering: 0, kept: 0, adoptedLate: 0, refused: 0, left: 0 };

  constructor([first, attach]: [Worker, () => Worker | null]) {
    this.living = [first];
    this.#attach = attach;
    this.#lastIn.set(slotOf(first.workerId), first.workerId);
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
      if (!lives) this.#die(worker);
    } else if (kind === 'free' && block !== undefined) {
      this.#live.splice(this.#live.indexOf(block), 1);
      if (life(() => worker.free(block.at))) return;
      this.#unsure.push(block);
      this.#die(worker);
    } else if (kind === 'adopt' && block !== undefined) {
      const from = this.#isReplaced(block.owner) ? undefined : block.owner;
      if (life(() => worker.adopt(block.at, from))) block.owner = worker.workerId;
      else this.#dieAdopting(worker, block);
    } else if (kind === 'adopt late' && this.#letters.length > 0) {
      this.#adoptLate(worker, this.#letters[Math.floor(at * this.#letters.length)], life);
    } else if (kind === 'attach') {
      this.#attachAnother(life);
    } else if (kind === 'detach' && this.living.length > 1) {
      const { workerId } = worker;
      const lives = life(() => worker.detach());
      this.living.splice(this.living.indexOf(worker), 1);
      if (lives) this.tally.left++;
      // It has left all its blocks or none.
      if (this.living[0].workerIds().includes(workerId)) this.#bury(workerId);
    } else if (kind === 'recover' && this.#dead.length > 0) {
      const dead = this.#dead[Math.floor(at * this.#dead.length)];
      this.#doubt((owner) => this.#dead.includes(owner));
      if (life(() => worker.recover(dead))) return;
      this.tally.diedRecovering++;
      this.#die(worker);
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
    this.#diedAdopting.clear();
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
    this.#letters.push({ at, from: worker.workerId });
  }

  /** A worker attaches, or dies while it does. */
  #attachAnother(life: (call: () => void) => boolean): void {
    let other: Worker | null = null;
    const lives = life(() => {
      other = this.#attach();
    });
    const known = [...this.living.map(({ workerId }) => workerId), ...this.#dead];
    const ids = this.living[0].workerIds().filter((id) => !known.includes(id));
    for (const id of ids) this.#lastIn.set(slotOf(id), id);
    if (!lives) {
      assert(ids.length <= 1);
      for (const id of ids) this.#bury(id);
    } else if (other !== null) this.living.push(other);
    else assert(this.living.length + this.#dead.length + this.#diedAdopting.size >= WORKERS);
  }

  /** A worker adopts a block that a letter says it was given, or dies while it does. */
  #adoptLate(
    worker: Worker,
    { at, from }: { readonly at: number; readonly from: number },
    life: (call: () => void) => boolean,
  ): void {
    const isIt = (one: Block) => one.at === at && one.owner === from;
    const block = this.#live.find(isIt);
    let adopted = false;
    const lives = life(() => {
      try {
        worker.adopt(at, from);
        adopted = true;
      } catch (error) {
        if (!(error instanceof BuddyError)) throw error;
      }
    });
    if (!lives) this.#dieAdopting(worker, block);
    else if (adopted) {
      this.tally.adoptedLate++;
      if (block !== undefined) {
        block.owner = worker.workerId;
        return;
      }
      // A dead worker may have got a block there in the call in which it died.
      const unsure = this.#unsure.findIndex(isIt);
      assert(unsure >= 0 || this.#dead.includes(from), `${at} is adopted, but was not ${from}'s`);
      if (unsure >= 0) this.#unsure.splice(unsure, 1);
      this.#enter(worker, at);
    } else {
      assert(block === undefined || this.#isReplaced(from), `${at} is ${from}'s, but cannot be adopted`);
      this.tally.refused++;
    }
  }

  /** Whether a worker has left, and another has had its slot since. */
  #isReplaced(id: number): boolean {
    return this.#lastIn.get(slotOf(id)) !== id;
  }

  #die(worker: Worker): void {
    this.living.splice(this.living.indexOf(worker), 1);
    this.#bury(worker.workerId);
  }

  #dieAdopting(worker: Worker, block: Block | undefined): void {
    if (block !== undefined) {
      this.#live.splice(this.#live.indexOf(block), 1);
      this.#unsure.push(block);
    }
    this.#diedAdopting.add(worker.workerId);
    this.#die(worker);
  }

  #bury(id: number): void {
    this.#dead.push(id);
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
    const total = { died: 0, recovered: 0, diedRecovering: 0, kept: 0, adoptedLate: 0, refused: 0, left: 0 };
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
