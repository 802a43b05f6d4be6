// Blocks that change hands while workers come, leave and die, and others get their slots. Most tests name the report that
// they stand for. The explorer runs the same in all interleavings: test/interleavings/suites.ts.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { BuddyError, SharedBuddyAllocator, SharedHeap } from '../../src/shared.ts';
import { lifeIn } from '../support/mortal.ts';

/** What an arena and a heap have in common here. All blocks have one unit. */
interface Attached {
  readonly workerId: number;
  alloc(): number;
  free(at: number): void;
  adopt(at: number, from?: number): void;
  isAllocated(at: number): boolean;
  recover(worker: number): { readonly blocks: number; readonly complete: boolean };
  detach(): void;
  liveBlocks(): number;
  check(): string[];
}

function inArena(arena: SharedBuddyAllocator): Attached {
  return {
    workerId: arena.workerId,
    alloc: () => arena.alloc(1),
    free: (at) => void arena.free(at),
    adopt: (at, from) => arena.adopt(at, from),
    isAllocated: (at) => arena.isAllocated(at),
    recover: (worker) => arena.recover(worker),
    detach: () => arena.detach(),
    liveBlocks: () => arena.stats().liveBlocks,
    check: () => arena.check(),
  };
}

function inHeap(heap: SharedHeap): Attached {
  return {
    workerId: heap.workerId,
    alloc: () => heap.malloc(16),
    free: (at) => heap.free(at),
    adopt: (at, from) => heap.adopt(at, from),
    isAllocated: (at) => heap.isAllocated(at),
    recover: (worker) => heap.recover(worker),
    detach: () => heap.detach(),
    liveBlocks: () => heap.stats().liveBlocks,
    check: () => heap.check(),
  };
}

/** The first worker of a fresh arena or heap with a few units, and a function that attaches another. */
type Maker = (maxWorkers: number) => [Attached, () => Attached];

const arenaFor: Maker = (maxWorkers) => {
  const arena = SharedBuddyAllocator.create({ capacity: 64, maxWorkers, trackOwners: true });
  return [inArena(arena), () => inArena(there(SharedBuddyAllocator.attach(arena.buffer)))];
};

const heapFor: Maker = (maxWorkers) => {
  const heap = SharedHeap.create({ size: 4096, unit: 16, maxWorkers, trackOwners: true });
  return [inHeap(heap), () => inHeap(there(SharedHeap.attach(heap.handle)))];
};

function there<T>(attached: T | null): T {
  if (attached === null) throw new Error('no slot');
  return attached;
}

/** The code of the BuddyError that `call` throws; 'nothing' if it throws none. */
function codeOf(call: () => void): string {
  try {
    call();
    return 'nothing';
  } catch (error) {
    if (error instanceof BuddyError) return error.code;
    throw error;
  }
}

/** A worker allocates a block at `at`, whatever else it has to allocate and free for that. */
function allocAt(worker: Attached, at: number): void {
  const others: number[] = [];
  for (let got = worker.alloc(); got !== at; got = worker.alloc()) {
    if (got <= 0 && at !== 0) throw new Error(`${at} cannot be had`);
    others.push(got);
  }
  for (const other of others) worker.free(other);
}

/** More changes of memory than any call here makes. */
const LONG_LIFE = 1000;

describe.each([
  ['an arena', arenaFor],
  ['a heap', heapFor],
])('in %s', (_, make) => {
  it('a dead giver’s block is not adopted from its successor that has left it (adopt-after-detach)', () => {
    const [a, join] = make(8);
    const giver = join();
    const { workerId: from } = giver;
    const at = giver.alloc();
    expect(a.recover(from)).toMatchObject({ blocks: 1, complete: true });
    const successor = join();
    expect(successor.workerId & 255).toBe(from & 255);
    allocAt(successor, at);
    successor.detach();
    const heir = join();
    expect(codeOf(() => a.adopt(at, from))).toBe('NOT_ALLOCATED');
    expect(codeOf(() => heir.adopt(at, successor.workerId))).toBe('nothing');
    expect(a.recover(heir.workerId)).toMatchObject({ blocks: 1, complete: true });
    expect(a.isAllocated(at)).toBe(false);
    expect(a.check()).toEqual([]);
  });

  it('a worker that dies in a late adoption takes no block with it (adopt-death)', () => {
    let deaths = 0;
    for (let death = 0; death < LONG_LIFE; death++) {
      const [main, join] = make(8);
      const giver = join();
      const adopter = join();
      const at = giver.alloc();
      main.recover(giver.workerId);
      const successor = join();
      allocAt(successor, at);
      let code = '';
      const lives = lifeIn(death)(() => {
        code = codeOf(() => adopter.adopt(at, giver.workerId));
      });
      if (lives) {
        expect(code).toBe('NOT_ALLOCATED');
        break;
      }
      deaths++;
      expect([death, main.recover(adopter.workerId)]).toEqual([
        death,
        expect.objectContaining({ blocks: 0 }),
      ]);
      expect([death, main.isAllocated(at), main.check()]).toEqual([death, true, []]);
      // The block is still the successor's.
      expect(main.recover(successor.workerId)).toMatchObject({ blocks: 1, complete: true });
      expect([death, main.liveBlocks(), main.check()]).toEqual([death, 0, []]);
    }
    expect(deaths).toBeGreaterThan(1);
  });

  it('a worker that dies in an adoption has the block, or the giver still has it', () => {
    const outcomes = new Set<string>();
    for (let death = 0; death < LONG_LIFE; death++) {
      const [main, join] = make(8);
      const giver = join();
      const adopter = join();
      const at = giver.alloc();
      if (lifeIn(death)(() => adopter.adopt(at, giver.workerId))) break;
      const { blocks } = main.recover(adopter.workerId);
      outcomes.add(blocks === 1 ? 'taken' : 'not taken');
      expect(main.isAllocated(at)).toBe(blocks === 0);
      expect(main.recover(giver.workerId)).toMatchObject({ blocks: 1 - blocks, complete: true });
      expect([death, main.liveBlocks(), main.check()]).toEqual([death, 0, []]);
    }
    expect(outcomes.size).toBe(2);
  });

  it('a worker that dies in detach has left all of its blocks or none (detach-death)', () => {
    const outcomes = new Set<number>();
    for (let death = 0; death < LONG_LIFE; death++) {
      const [main, join] = make(8);
      const leaver = join();
      const blocks = Array.from({ length: 10 }, () => leaver.alloc());
      const lives = lifeIn(death)(() => leaver.detach());
      const recovered = main.recover(leaver.workerId);
      expect(recovered.complete).toBe(true);
      expect([0, blocks.length]).toContain(recovered.blocks);
      expect(main.liveBlocks()).toBe(blocks.length - recovered.blocks);
      outcomes.add(recovered.blocks);
      const code = codeOf(() => main.adopt(blocks[3], leaver.workerId));
      expect(code).toBe(recovered.blocks === 0 ? 'nothing' : 'NOT_ALLOCATED');
      expect(main.check()).toEqual([]);
      if (lives) break;
    }
    expect(outcomes.size).toBe(2);
  });

  it('what a worker has left is adopted from it as long as no other needs its slot', () => {
    const [main, join] = make(3);
    const leaver = join();
    const [kept, left] = [leaver.alloc(), leaver.alloc()];
    leaver.detach();
    // The third slot is free.
    const other = join();
    expect(other.workerId & 255).not.toBe(leaver.workerId & 255);
    main.adopt(kept, leaver.workerId);
    // Now no slot is free but the leaver's.
    const successor = join();
    expect(successor.workerId & 255).toBe(leaver.workerId & 255);
    expect(main.check()).toEqual([]);
    expect(codeOf(() => main.adopt(left, leaver.workerId))).toBe('NOT_ALLOCATED');
    expect(codeOf(() => main.adopt(left, successor.workerId))).toBe('NOT_ALLOCATED');
    expect(main.recover(successor.workerId)).toMatchObject({ blocks: 0, complete: true });
    main.adopt(left);
    expect(other.recover(main.workerId)).toMatchObject({ blocks: 2, complete: true });
    expect(other.check()).toEqual([]);
  });

  it('a slot without blocks is taken before one where blocks are left', () => {
    const [main, join] = make(3);
    const [first, second] = [join(), join()];
    const [kept, given] = [first.alloc(), second.alloc()];
    first.detach();
    second.detach();
    main.adopt(given, second.workerId);
    expect(join().workerId & 255).toBe(second.workerId & 255);
    expect(codeOf(() => main.adopt(kept, first.workerId))).toBe('nothing');
  });

  it('a worker that dies while it takes the slot of one that has left takes no block with it', () => {
    let deaths = 0;
    for (let death = 0; death < LONG_LIFE; death++) {
      const [main, join] = make(2);
      const leaver = join();
      for (let i = 0; i < 5; i++) leaver.alloc();
      leaver.detach();
      let successor: Attached | undefined;
      const lives = lifeIn(death)(() => {
        successor = join();
      });
      const worker = lives ? (successor as Attached).workerId : leaver.workerId + 256;
      expect([death, main.recover(worker)]).toEqual([
        death,
        expect.objectContaining({ blocks: 0, complete: true }),
      ]);
      expect([death, main.liveBlocks(), main.check()]).toEqual([death, 5, []]);
      expect(join().workerId & 255).toBe(leaver.workerId & 255);
      if (lives) break;
      deaths++;
    }
    expect(deaths).toBeGreaterThan(5);
  });
});

it('threads that are terminated in a late adoption take no block with them (adopt-death-threads)', async () => {
  for (let kills = 0; kills < 20; kills++) {
    const arena = SharedBuddyAllocator.create({ capacity: 64, trackOwners: true });
    const giver = there(SharedBuddyAllocator.attach(arena.buffer));
    const { workerId: from } = giver;
    const offset = giver.alloc(1);
    arena.recover(from);
    const successor = there(SharedBuddyAllocator.attach(arena.buffer));
    expect(successor.alloc(1)).toBe(offset);
    const adopter = new Worker(new URL('../support/shared-adopter.mjs', import.meta.url), {
      workerData: { buffer: arena.buffer, offset, from },
    });
    const [workerId] = await once(adopter, 'message');
    const adoptions: string[] = [];
    adopter.on('message', (message: string) => adoptions.push(message));
    await sleep(2 + (kills % 5));
    await adopter.terminate();
    expect(adoptions).toEqual([]);
    expect(arena.recover(workerId)).toEqual({ blocks: 0, units: 0, complete: true });
    expect(arena.isAllocated(offset)).toBe(true);
    expect(arena.check()).toEqual([]);
  }
});
