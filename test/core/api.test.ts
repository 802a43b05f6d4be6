// Each public member by example.

import { freemem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { BuddyAllocator, BuddyError } from '../../src/index.ts';

const free = (offset: number, size: number) => ({ offset, size, free: true });
const live = (offset: number, size: number) => ({ offset, size, free: false });

describe('creation', () => {
  test('a new arena is one free block', () => {
    const allocator = new BuddyAllocator({ capacity: 64 });
    expect(allocator.capacity).toBe(64);
    expect(allocator.freeUnits).toBe(64);
    expect(allocator.largestFree).toBe(64);
    expect([...allocator.blocks()]).toEqual([free(0, 64)]);
    expect(allocator.check()).toEqual([]);
  });

  test('an arena of one unit', () => {
    const allocator = new BuddyAllocator({ capacity: 1 });
    expect(allocator.alloc(2)).toBe(-1);
    expect(allocator.alloc(1)).toBe(0);
    expect(allocator.alloc(1)).toBe(-1);
    expect(allocator.largestFree).toBe(0);
    expect(allocator.free(0)).toBe(1);
    expect([...allocator.blocks()]).toEqual([free(0, 1)]);
  });

  test('a capacity that is no power of two: the free blocks tile it, largest first', () => {
    expect([...new BuddyAllocator({ capacity: 48 }).blocks()]).toEqual([free(0, 32), free(32, 16)]);
    expect([...new BuddyAllocator({ capacity: 7 }).blocks()]).toEqual([free(0, 4), free(4, 2), free(6, 1)]);
    const allocator = new BuddyAllocator({ capacity: 100_000 });
    expect(allocator.freeUnits).toBe(100_000);
    expect(allocator.largestFree).toBe(65_536);
    expect(allocator.alloc(65_537)).toBe(-1);
  });

  test('a capacity that is no power of two: every unit can be had, none beyond', () => {
    const allocator = new BuddyAllocator({ capacity: 100 });
    const offsets = Array.from({ length: 100 }, () => allocator.alloc(1));
    expect(offsets).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(allocator.alloc(1)).toBe(-1);
    expect(() => allocator.free(100)).toThrow(RangeError);
  });

  test('the largest arena, allocated whole, in halves and by the unit', ({ skip }) => {
    const capacity = 2 ** 30;
    skip(freemem() < 2 * 2 ** 30, 'less than 2 GB of memory free');
    const allocator = new BuddyAllocator({ capacity });
    expect(allocator.state.byteLength).toBe(BuddyAllocator.bytesFor(capacity));
    expect(allocator.freeUnits).toBe(capacity);
    expect(allocator.largestFree).toBe(capacity);
    expect(allocator.alloc(capacity)).toBe(0);
    expect(allocator.freeUnits).toBe(0);
    expect(allocator.alloc(1)).toBe(-1);
    expect(allocator.blockOf(capacity - 1)).toBe(0);
    expect(allocator.free(0)).toBe(capacity);
    expect(allocator.alloc(2 ** 29)).toBe(0);
    expect(allocator.alloc(1)).toBe(2 ** 29);
    expect(allocator.alloc(2 ** 29 - 1)).toBe(-1);
    expect(allocator.reserve(capacity - 1, 1)).toBe(true);
    expect(allocator.sizeOf(capacity - 1)).toBe(1);
    expect(allocator.blockOf(capacity - 2)).toBe(-1);
    expect(allocator.free(capacity - 1)).toBe(1);
    expect(allocator.free(2 ** 29)).toBe(1);
    expect(allocator.free(0)).toBe(2 ** 29);
    expect(allocator.largestFree).toBe(capacity);
  });
});

describe('alloc and free', () => {
  test('a size is rounded up to a power of two', () => {
    const allocator = new BuddyAllocator({ capacity: 64 });
    const offset = allocator.alloc(5);
    expect(allocator.sizeOf(offset)).toBe(8);
    expect(allocator.freeUnits).toBe(56);
  });

  test('the lowest-addressed block that fits is taken, even when a closer fit lies higher', () => {
    const allocator = new BuddyAllocator({ capacity: 16 });
    expect(allocator.alloc(8)).toBe(0);
    expect(allocator.alloc(4)).toBe(8);
    expect(allocator.alloc(2)).toBe(12);
    allocator.free(0);
    // Free are now {0,8} and {14,2}.
    expect(allocator.alloc(2)).toBe(0);
    expect(allocator.alloc(4)).toBe(4);
    expect(allocator.alloc(1)).toBe(2);
  });

  test('blocks are aligned to their size', () => {
    const allocator = new BuddyAllocator({ capacity: 64 });
    expect([1, 8, 2, 16, 4].map((size) => allocator.alloc(size))).toEqual([0, 8, 2, 16, 4]);
  });

  test('-1 when there is no room, however large the size', () => {
    const allocator = new BuddyAllocator({ capacity: 16 });
    for (const size of [17, 32, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53, 1e300]) {
      expect(allocator.alloc(size)).toBe(-1);
    }
    expect(allocator.alloc(9)).toBe(0);
    expect(allocator.alloc(1)).toBe(-1);
  });

  test('free gives back the units and merges buddies', () => {
    const allocator = new BuddyAllocator({ capacity: 8 });
    for (let i = 0; i < 8; i++) allocator.alloc(1);
    expect(allocator.free(1)).toBe(1);
    expect(allocator.free(2)).toBe(1);
    // 1 and 2 are neighbours, not buddies.
    expect(allocator.largestFree).toBe(1);
    allocator.free(3);
    expect(allocator.largestFree).toBe(2);
    allocator.free(0);
    expect(allocator.largestFree).toBe(4);
    expect([...allocator.blocks()].slice(0, 2)).toEqual([free(0, 4), live(4, 1)]);
  });

  test('a wrong free says what is wrong with it', () => {
    const allocator = new BuddyAllocator({ capacity: 16 });
    allocator.alloc(4);
    const refused = (code: string) => expect.objectContaining({ name: 'BuddyError', code });
    expect(() => allocator.free(1)).toThrow(refused('INTERIOR'));
    expect(() => allocator.free(8)).toThrow(refused('NOT_ALLOCATED'));
    allocator.free(0);
    expect(() => allocator.free(0)).toThrow(refused('NOT_ALLOCATED'));
    expect(() => allocator.free(0)).toThrow(BuddyError);
  });
});

describe('questions', () => {
  test('sizeOf, isAllocated and blockOf', () => {
    const allocator = new BuddyAllocator({ capacity: 16 });
    allocator.alloc(1);
    expect(allocator.alloc(3)).toBe(4);
    expect(allocator.sizeOf(4)).toBe(4);
    expect(allocator.isAllocated(4)).toBe(true);
    expect(allocator.isAllocated(5)).toBe(false);
    expect(allocator.isAllocated(8)).toBe(false);
    expect([0, 1, 4, 7, 8].map((unit) => allocator.blockOf(unit))).toEqual([0, -1, 4, 4, -1]);
    expect(() => allocator.sizeOf(5)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
    expect(() => allocator.sizeOf(9)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
  });

  test('stats', () => {
    const allocator = new BuddyAllocator({ capacity: 32 });
    for (const size of [1, 1, 4, 8]) allocator.alloc(size);
    expect(allocator.stats()).toEqual({
      capacity: 32,
      usedUnits: 14,
      freeUnits: 18,
      liveBlocks: 4,
      freeBlocks: 2,
      largestFree: 16,
      externalFragmentation: 1 - 16 / 18,
      liveByOrder: [2, 0, 1, 1, 0, 0],
      freeByOrder: [0, 1, 0, 0, 1, 0],
    });
  });

  test('stats of a full arena', () => {
    const allocator = new BuddyAllocator({ capacity: 2 });
    allocator.alloc(2);
    expect(allocator.stats()).toEqual({
      capacity: 2,
      usedUnits: 2,
      freeUnits: 0,
      liveBlocks: 1,
      freeBlocks: 0,
      largestFree: 0,
      externalFragmentation: 0,
      liveByOrder: [0, 1],
      freeByOrder: [0, 0],
    });
  });

  test('blocks go through the arena in address order', () => {
    const allocator = new BuddyAllocator({ capacity: 32 });
    allocator.alloc(1);
    allocator.alloc(8);
    expect([...allocator.blocks()]).toEqual([
      live(0, 1),
      free(1, 1),
      free(2, 2),
      free(4, 4),
      live(8, 8),
      free(16, 16),
    ]);
  });
});

describe('reserve and release', () => {
  test('reserve takes an exact range, as the fewest aligned blocks', () => {
    const allocator = new BuddyAllocator({ capacity: 32 });
    expect(allocator.reserve(3, 10)).toBe(true);
    expect([...allocator.blocks()].filter((block) => !block.free)).toEqual([
      live(3, 1),
      live(4, 4),
      live(8, 4),
      live(12, 1),
    ]);
    expect(allocator.alloc(1)).toBe(0);
    expect(allocator.alloc(8)).toBe(16);
  });

  test('reserve takes nothing when a unit is in use', () => {
    const allocator = new BuddyAllocator({ capacity: 32 });
    allocator.reserve(10, 1);
    expect(allocator.reserve(4, 7)).toBe(false);
    expect(allocator.freeUnits).toBe(31);
    expect(allocator.reserve(4, 6)).toBe(true);
    expect(allocator.reserve(0, 32)).toBe(false);
  });

  test('reserve of the whole arena, also when it is no power of two', () => {
    const allocator = new BuddyAllocator({ capacity: 48 });
    expect(allocator.reserve(0, 48)).toBe(true);
    expect([...allocator.blocks()]).toEqual([live(0, 32), live(32, 16)]);
    expect(allocator.freeUnits).toBe(0);
  });

  test('release frees the blocks of a range, however they came about', () => {
    const allocator = new BuddyAllocator({ capacity: 32 });
    allocator.reserve(3, 10);
    allocator.release(3, 10);
    expect([...allocator.blocks()]).toEqual([free(0, 32)]);
    for (let i = 0; i < 8; i++) allocator.alloc(4);
    allocator.release(8, 16);
    expect([...allocator.blocks()].filter((block) => block.free)).toEqual([free(8, 8), free(16, 8)]);
  });

  test('release wants live blocks that tile the range', () => {
    const allocator = new BuddyAllocator({ capacity: 32 });
    allocator.alloc(8);
    allocator.alloc(8);
    expect(() => allocator.release(0, 4)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
    expect(() => allocator.release(4, 12)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
    expect(() => allocator.release(0, 17)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    expect(() => allocator.release(16, 16)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    expect(allocator.freeUnits).toBe(16);
  });

  test('a range must lie in the arena', () => {
    const allocator = new BuddyAllocator({ capacity: 32 });
    expect(() => allocator.reserve(0, 33)).toThrow(RangeError);
    expect(() => allocator.reserve(31, 2)).toThrow(RangeError);
    expect(() => allocator.reserve(-1, 2)).toThrow(RangeError);
    expect(() => allocator.release(0, 0)).toThrow(RangeError);
  });
});

describe('clear, grow and shrink', () => {
  test('clear frees everything', () => {
    for (const capacity of [1, 16, 48, 5000]) {
      const allocator = new BuddyAllocator({ capacity });
      const fresh = [...allocator.blocks()];
      for (let i = 0; i < capacity; i++) allocator.alloc(1 + (i % 3));
      allocator.clear();
      expect([...allocator.blocks()]).toEqual(fresh);
      expect(allocator.freeUnits).toBe(capacity);
      expect(allocator.alloc(1)).toBe(0);
      expect(allocator.check()).toEqual([]);
    }
  });

  test('grow keeps the live blocks and adds room behind', () => {
    const allocator = new BuddyAllocator({ capacity: 16 });
    allocator.alloc(16);
    allocator.grow(40);
    expect(allocator.capacity).toBe(40);
    expect([...allocator.blocks()]).toEqual([live(0, 16), free(16, 16), free(32, 8)]);
    expect(allocator.alloc(16)).toBe(16);
    allocator.grow(64);
    expect([...allocator.blocks()].slice(-1)).toEqual([free(32, 32)]);
    expect(allocator.state.byteLength).toBe(BuddyAllocator.bytesFor(64));
  });

  test('an empty arena that grows is one free block again', () => {
    const allocator = new BuddyAllocator({ capacity: 5 });
    allocator.grow(4096);
    expect([...allocator.blocks()]).toEqual([free(0, 4096)]);
  });

  test('shrink cuts free units off, never a live block', () => {
    const allocator = new BuddyAllocator({ capacity: 64 });
    allocator.alloc(16);
    allocator.alloc(4);
    expect(allocator.shrink(19)).toBe(false);
    expect(allocator.capacity).toBe(64);
    expect(allocator.shrink(23)).toBe(true);
    expect([...allocator.blocks()]).toEqual([live(0, 16), live(16, 4), free(20, 2), free(22, 1)]);
    expect(allocator.shrink(20)).toBe(true);
    expect(allocator.largestFree).toBe(0);
    allocator.free(16);
    allocator.free(0);
    expect(allocator.shrink(1)).toBe(true);
    expect(allocator.alloc(1)).toBe(0);
  });

  test('neither goes the other way', () => {
    const allocator = new BuddyAllocator({ capacity: 64 });
    expect(() => allocator.grow(63)).toThrow(RangeError);
    expect(() => allocator.shrink(65)).toThrow(RangeError);
    expect(() => allocator.grow(2 ** 30 + 1)).toThrow(RangeError);
    expect(() => allocator.shrink(0)).toThrow(RangeError);
    allocator.grow(64);
    expect(allocator.shrink(64)).toBe(true);
    expect([...allocator.blocks()]).toEqual([free(0, 64)]);
  });

  test('a resized allocator has a new buffer, and leaves the old one as it was', () => {
    const allocator = new BuddyAllocator({ capacity: 64 });
    allocator.alloc(8);
    const old = allocator.state;
    allocator.grow(1000);
    expect(allocator.state).not.toBe(old);
    expect(BuddyAllocator.attach(old).capacity).toBe(64);
    expect([...BuddyAllocator.attach(old).blocks()][0]).toEqual(live(0, 8));
  });
});

describe('state', () => {
  test('its size is known beforehand', () => {
    for (const capacity of [1, 2, 15, 16, 17, 1000, 2 ** 16, 2 ** 20, 2 ** 20 + 1]) {
      expect(new BuddyAllocator({ capacity }).state.byteLength).toBe(BuddyAllocator.bytesFor(capacity));
    }
  });

  test('it takes less than a third of a byte per unit', () => {
    expect(BuddyAllocator.bytesFor(2 ** 20)).toBeLessThanOrEqual(0.32 * 2 ** 20);
    expect(BuddyAllocator.bytesFor(2 ** 24)).toBeLessThanOrEqual(0.32 * 2 ** 24);
  });

  test('a copy of it is a copy of the allocator; both go on by themselves', () => {
    const first = new BuddyAllocator({ capacity: 1000 });
    for (const size of [3, 100, 1, 17]) first.alloc(size);
    const second = BuddyAllocator.attach(structuredClone(first.state));
    expect([...second.blocks()]).toEqual([...first.blocks()]);
    expect(second.stats()).toEqual(first.stats());

    const offset = first.alloc(8);
    expect(second.isAllocated(offset)).toBe(false);
    expect(second.alloc(8)).toBe(offset);
    second.free(offset);
    expect(first.sizeOf(offset)).toBe(8);
    second.clear();
    expect(first.freeUnits).toBe(1000 - 4 - 128 - 1 - 32 - 8);
    expect([...first.check(), ...second.check()]).toEqual([]);
  });

  test('a buffer that was fetched early holds what was done since', () => {
    const allocator = new BuddyAllocator({ capacity: 100 });
    const { state } = allocator;
    allocator.alloc(10);
    allocator.alloc(1);
    allocator.free(0);
    expect([...BuddyAllocator.attach(state.slice(0)).blocks()]).toEqual([...allocator.blocks()]);
  });

  test('it can be written back over, as a snapshot to return to', () => {
    const allocator = new BuddyAllocator({ capacity: 100 });
    allocator.alloc(10);
    const snapshot = new Uint8Array(allocator.state).slice();
    const before = [...allocator.blocks()];
    const offset = allocator.alloc(20);
    allocator.free(0);
    new Uint8Array(allocator.state).set(snapshot);
    expect([...allocator.blocks()]).toEqual(before);
    expect(allocator.alloc(20)).toBe(offset);
    expect(allocator.check()).toEqual([]);
  });

  test('from attaches to the buffer itself', () => {
    const first = new BuddyAllocator({ capacity: 64 });
    const second = BuddyAllocator.attach(first.state);
    expect(second.state).toBe(first.state);
    const offset = second.alloc(4);
    expect(first.sizeOf(offset)).toBe(4);
    expect(first.freeUnits).toBe(60);
  });

  test('moved to another thread, it leaves a detached allocator behind', () => {
    const sender = new BuddyAllocator({ capacity: 64 });
    const offset = sender.alloc(4);
    const receiver = BuddyAllocator.attach(structuredClone(sender.state, { transfer: [sender.state] }));
    expect(receiver.free(offset)).toBe(4);
    expect(() => sender.alloc(1)).toThrow(expect.objectContaining({ name: 'BuddyError', code: 'DETACHED' }));
  });
});
