// Slabs and their owners, through the public API: whose free slots are room for whom, what becomes of the slabs of workers
// that have left or died, and when slabs become pages again.

import { describe, expect, it } from 'vitest';
import { SharedHeap, type SharedHeapOptions } from '../../src/shared.ts';
import { lifeIn } from '../support/mortal.ts';
import { fillPages, roundingOf } from '../support/shared-rounding.ts';

const KIB = 1024;

function attach(heap: SharedHeap): SharedHeap {
  const other = SharedHeap.attach(heap.handle);
  if (other === null) throw new Error('no slot is left');
  return other;
}

/** All blocks of `bytes` bytes that `heap` allocates until there is no room. */
function all(heap: SharedHeap, bytes: number): number[] {
  const pointers: number[] = [];
  for (let ptr = heap.malloc(bytes); ptr !== 0; ptr = heap.malloc(bytes)) pointers.push(ptr);
  return pointers;
}

const pageOf = (heap: SharedHeap, ptr: number): number => Math.floor(ptr / roundingOf(heap).page);

/** A heap of which all pages are in use, one of them by a slab of the second attachment with one block of 48 bytes. */
function full(options: SharedHeapOptions = {}) {
  const heap = SharedHeap.create({ size: 128 * KIB, ...options });
  const owner = attach(heap);
  const ptr = owner.malloc(48);
  fillPages(heap);
  const { slots } = roundingOf(heap);
  return { heap, owner, ptr, slots: slots(48) };
}

describe('a free slot', () => {
  it('in the slab of another worker is no room', () => {
    const { heap, owner, slots } = full();
    const { freeBytes } = heap;
    expect(freeBytes).toBeGreaterThanOrEqual(48);
    expect([heap.malloc(48), heap.malloc(1)]).toEqual([0, 0]);
    expect(heap.freeBytes).toBe(freeBytes);
    expect(all(owner, 48).length).toBe(slots - 1);
    expect(heap.check()).toEqual([]);
  });

  it('of another size is no room, and an empty slab is', () => {
    const { heap, owner, ptr } = full();
    expect(owner.malloc(64)).toBe(0);
    heap.free(ptr);
    const { slots } = roundingOf(heap);
    expect(all(owner, 64).length).toBe(slots(64));
    expect(heap.check()).toEqual([]);
  });
});

describe('the slabs of a worker', () => {
  it.each([
    false,
    true,
  ])('that has detached are taken by others that need such slots; owners tracked: %s', (trackOwners) => {
    const { heap, owner, ptr, slots } = full({ trackOwners });
    const { workerId } = owner;
    owner.detach();
    expect(heap.malloc(64)).toBe(0);
    const pointers = all(heap, 48);
    expect(pointers.length).toBe(slots - 1);
    expect(new Set([ptr, ...pointers].map((each) => pageOf(heap, each))).size).toBe(1);
    expect(new Set([ptr, ...pointers]).size).toBe(slots);
    // The block that was left is nobody's: no recovery takes it, neither that of its worker nor that of the slab's.
    expect(heap.recover(workerId).blocks).toBe(0);
    const other = attach(heap);
    expect(other.recover(heap.workerId).complete).toBe(true);
    expect(other.isAllocated(ptr)).toBe(true);
    other.free(ptr);
    expect(other.check()).toEqual([]);
  });

  it('that has detached and left nothing in them are pages again', () => {
    const { heap, owner, ptr } = full();
    owner.free(ptr);
    expect(heap.largestFree).toBe(0);
    owner.detach();
    expect(heap.largestFree).toBe(roundingOf(heap).page);
  });

  it('that has detached are pages again when their last block is free and there is no other room', () => {
    const { heap, owner, ptr } = full();
    owner.detach();
    heap.free(ptr);
    expect(heap.largestFree).toBe(0);
    expect(heap.malloc(64)).toBeGreaterThan(0);
    expect(heap.check()).toEqual([]);
  });

  it('that has died are free if owners are tracked, but for blocks that others have adopted', () => {
    const { heap, owner, ptr, slots } = full({ trackOwners: true });
    const rest = all(owner, 48);
    heap.adopt(ptr);
    expect(heap.malloc(48)).toBe(0);
    expect(heap.recover(owner.workerId)).toEqual({
      blocks: slots - 1,
      bytes: 48 * (slots - 1),
      complete: true,
    });
    expect(heap.isAllocated(ptr)).toBe(true);
    expect(all(heap, 48).sort((a, b) => a - b)).toEqual(rest.sort((a, b) => a - b));
    // The next worker that dies has the adopted block, and those that it has allocated since.
    const other = attach(heap);
    expect(other.recover(heap.workerId).blocks).toBeGreaterThan(slots);
    expect(other.usedBytes).toBe(0);
    expect(other.check()).toEqual([]);
  });

  it('that has died are taken by others with all blocks in them if owners are not tracked', () => {
    const { heap, owner, ptr, slots } = full();
    expect(heap.malloc(48)).toBe(0);
    expect(heap.recover(owner.workerId)).toEqual({ blocks: 0, bytes: 0, complete: true });
    const pointers = all(heap, 48);
    expect(pointers.length).toBe(slots - 1);
    expect(pointers).not.toContain(ptr);
    for (const each of [ptr, ...pointers]) heap.free(each);
    expect(heap.malloc(64)).toBeGreaterThan(0);
    expect(heap.check()).toEqual([]);
  });

  it.each([
    false,
    true,
  ])('that dies while it makes one, or gives it back, are pages again; owners tracked: %s', (trackOwners) => {
    let deaths = 0;
    for (const calls of [1, 2]) {
      for (let death = 0, lives = false; !lives; death++) {
        const heap = SharedHeap.create({ size: 128 * KIB, trackOwners });
        const { free, largestFree } = heap.stats();
        const owner = attach(heap);
        const { workerId } = owner;
        const ptr = calls === 2 ? owner.malloc(48) : 0;
        if (ptr !== 0) owner.free(ptr);
        lives = lifeIn(death)(() => {
          // The second one gives the empty slab back for the pages of others.
          if (calls === 1) owner.malloc(48);
          else owner.detach();
        });
        if (lives) break;
        deaths++;
        // Pages of which nothing tells yet that they are to be a slab are taken for a block.
        const { blocks, complete } = heap.recover(workerId);
        expect(complete).toBe(true);
        expect(blocks).toBeLessThanOrEqual(1);
        expect(heap.check()).toEqual([]);
        expect(heap.stats()).toMatchObject({ liveBlocks: 0, workers: 1, free, largestFree });
      }
    }
    expect(deaths).toBeGreaterThan(10);
  });

  it('that has adopted its own block, or got it back, are recovered like others', () => {
    const heap = SharedHeap.create({ size: 128 * KIB, trackOwners: true });
    const owner = attach(heap);
    const [own, back, given] = [owner.malloc(48), owner.malloc(48), owner.malloc(48)];
    owner.adopt(own);
    heap.adopt(back, owner.workerId);
    owner.adopt(back, heap.workerId);
    heap.adopt(given);
    expect(heap.recover(owner.workerId)).toMatchObject({ blocks: 2, complete: true });
    expect([own, back, given].map((ptr) => heap.isAllocated(ptr))).toEqual([false, false, true]);
    expect(heap.check()).toEqual([]);
  });

  it('keep no owner of a block that was freed: the next block in its place is the slab owner’s', () => {
    const { heap, owner, ptr } = full({ trackOwners: true });
    for (const freedBy of [owner, heap]) {
      heap.adopt(ptr);
      freedBy.free(ptr);
      expect(all(owner, 48)).toContain(ptr);
      expect(() => owner.adopt(ptr, heap.workerId)).toThrow(
        expect.objectContaining({ code: 'NOT_ALLOCATED' }),
      );
      owner.adopt(ptr, owner.workerId);
      for (const { ptr: each, size } of [...heap.blocks()]) if (size === 48 && each !== ptr) owner.free(each);
    }
    expect(heap.check()).toEqual([]);
  });
});

describe('blocks that other workers have freed', () => {
  it.each([
    16, 48, 1000,
  ])('are allocated again by the owner of their slabs, without growth: %d bytes', (bytes) => {
    const heap = SharedHeap.create({ size: 64 * KIB, maximum: 1024 * KIB });
    const other = attach(heap);
    const count = Math.min(2000, 400_000 / bytes);
    const before = Array.from({ length: count }, () => heap.malloc(bytes));
    const { end } = heap;
    for (let round = 0; round < 3; round++) {
      for (const ptr of before) other.free(ptr);
      const again = before.map(() => heap.malloc(bytes));
      expect(heap.end).toBe(end);
      expect(new Set(again).size).toBe(count);
      expect(again).not.toContain(0);
      before.splice(0, count, ...again);
    }
    // And some of them, wherever they are.
    const freed = before.filter((_, i) => i % 7 === 3);
    for (const ptr of freed) other.free(ptr);
    for (let i = 0; i < freed.length; i++) expect(heap.malloc(bytes)).toBeGreaterThan(0);
    expect(heap.end).toBe(end);
    expect(heap.check()).toEqual([]);
  });

  it('give the owner of their slabs pages for blocks of any size', () => {
    const heap = SharedHeap.create({ size: 128 * KIB });
    const other = attach(heap);
    const pointers = all(heap, 48);
    const { page } = roundingOf(heap);
    for (const ptr of pointers) other.free(ptr);
    expect(heap.usedBytes).toBe(0);
    expect([other.malloc(16 * page), other.malloc(48)]).toEqual([0, 0]); // free slots of another
    for (const size of [16 * page, 8 * page, 500, 64]) expect(heap.malloc(size)).toBeGreaterThan(0);
    expect(heap.check()).toEqual([]);
  });
});

describe('empty slabs', () => {
  it('are pages for all workers again, but for a sixteenth of the heap and one slab per size', () => {
    const heap = SharedHeap.create({ size: 1024 * KIB });
    const other = attach(heap);
    const sizes = [16, 48, 200, 1000];
    const pointers = sizes.flatMap((size) => Array.from({ length: 100_000 / size }, () => heap.malloc(size)));
    for (const ptr of pointers) heap.free(ptr);
    expect(heap.usedBytes).toBe(0);
    fillPages(other);
    expect(other.freeBytes).toBeGreaterThan(0);
    expect(other.freeBytes).toBeLessThanOrEqual(
      heap.maximum / 16 + sizes.length * 16 * roundingOf(heap).page,
    );
    expect(other.malloc(5000)).toBe(0);
    // When their owner finds no room itself, it gives back those, too.
    const more = heap.malloc(5000);
    expect(more).toBeGreaterThan(0);
    heap.free(more);
    expect(heap.check()).toEqual([]);
  });

  it('are pages for their own worker at once', () => {
    const heap = SharedHeap.create({ size: 128 * KIB });
    for (const size of [16, 1000, 64, 16 * KIB, 48, 400]) {
      const pointers = all(heap, size);
      expect(pointers.length * size).toBeGreaterThan(heap.freeBytes);
      for (const ptr of pointers) heap.free(ptr);
    }
    expect(heap.check()).toEqual([]);
  });
});

describe('two workers that take over the same slab', () => {
  it.each([
    false,
    true,
  ])('meet at any step, and neither gets what the other has; owners tracked: %s', (trackOwners) => {
    const names = ['load', 'store', 'compareExchange'] as const;
    let meetings = 0;
    for (let at = 0; meetings === at; at++) {
      const { heap, owner, ptr } = full({ trackOwners });
      owner.detach();
      const real = names.map((name) => [name, Atomics[name]] as const);
      const restore = () => {
        for (const [name, access] of real) Reflect.set(Atomics, name, access);
      };
      let step = 0;
      let theirs = 0;
      for (const [name, access] of real) {
        Reflect.set(Atomics, name, (...operands: unknown[]) => {
          if (step++ === at) {
            restore();
            meetings++;
            // One takes the slab over, empties it and leaves; and one makes a slab of other slots there, and leaves.
            const first = attach(heap);
            const mine = first.malloc(48);
            first.free(ptr);
            if (mine !== 0) first.free(mine);
            first.detach();
            const second = attach(heap);
            theirs = second.malloc(112);
            second.detach();
          }
          return Reflect.apply(access, Atomics, operands);
        });
      }
      let ours = 0;
      try {
        ours = heap.malloc(48);
      } finally {
        restore();
      }
      expect(heap.check()).toEqual([]);
      for (const [block, size] of [
        [ours, 48],
        [theirs, 112],
      ]) {
        if (block === 0) continue;
        expect([at, heap.blockOf(block)]).toEqual([at, { ptr: block, size }]);
        heap.free(block);
      }
      expect(heap.check()).toEqual([]);
    }
    expect(meetings).toBeGreaterThan(10);
  });
});
