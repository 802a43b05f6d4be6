// malloc, calloc, realloc, alignedAlloc, free and usableSize, as C has them, in every kind of memory.

import { describe, expect, test } from 'vitest';
import { Heap } from '../../src/heap.ts';
import { bytesOf, MEMORIES, MEMORY_KINDS } from '../support/heap-driver.ts';

/** A heap in 64 KiB of a kind of memory that is full of 0xff. */
function heapIn(kind: keyof typeof MEMORIES, embed = false): Heap {
  const memory = MEMORIES[kind](65_536, 65_536);
  bytesOf(memory).fill(0xff);
  return new Heap({ memory, embed });
}

const bytes = (heap: Heap, ptr: number, length: number): Uint8Array =>
  new Uint8Array(heap.buffer, ptr, length);

describe.each(
  MEMORY_KINDS.flatMap((kind) => [[kind, false] as const, [kind, true] as const]),
)('in a %s, embedded: %s', (kind, embed) => {
  test('blocks are where the buddy system puts them, none at 0', () => {
    const heap = heapIn(kind, embed);
    expect(heap.buffer).toBe(heap.buffer);
    const blocks = [1, 16, 17, 100, 1000].map((size) => ({ size, ptr: heap.malloc(size) }));
    for (const { size, ptr } of blocks) {
      const usable = heap.usableSize(ptr);
      expect(usable).toBe(2 ** Math.ceil(Math.log2(Math.max(size, 16))));
      expect(ptr).toBeGreaterThan(0);
      expect(ptr % usable).toBe(0);
    }
    expect(heap.stats().liveBlocks).toBe(5);
    for (const { ptr } of blocks) heap.free(ptr);
    expect(heap.stats()).toMatchObject({ used: 0, liveBlocks: 0 });
    expect(heap.check()).toEqual([]);
  });

  test('calloc zeroes what was used before', () => {
    const heap = heapIn(kind, embed);
    const ptr = heap.calloc(25, 4);
    expect([...bytes(heap, ptr, 101)]).toEqual([...new Array<number>(100).fill(0), 0xff]);
  });

  test('realloc in place, downwards and upwards, keeps the bytes', () => {
    const heap = heapIn(kind, embed);
    const ptr = heap.alignedAlloc(1024, 1000);
    bytes(heap, ptr, 1000).fill(7);
    for (const size of [600, 90, 0, 50, 200, 1024]) {
      expect(heap.realloc(ptr, size)).toBe(ptr);
      expect(heap.usableSize(ptr)).toBe(2 ** Math.ceil(Math.log2(Math.max(size, 16))));
    }
    expect(bytes(heap, ptr, 1000).every((byte) => byte === 7)).toBe(true);
  });

  test('realloc that must move takes the bytes along', () => {
    const heap = heapIn(kind, embed);
    const ptr = heap.alignedAlloc(1024, 512);
    while (heap.malloc(512) !== ptr + 512); // what lies above is taken
    bytes(heap, ptr, 512).forEach((_, i, array) => {
      array[i] = i * 3;
    });
    const moved = heap.realloc(ptr, 700);
    expect(moved).not.toBe(ptr);
    expect(heap.isAllocated(ptr)).toBe(false);
    expect(bytes(heap, moved, 512).every((byte, i) => byte === ((i * 3) & 255))).toBe(true);
    heap.free(moved);
    expect(heap.stats().used).toBe(512 * heap.stats().liveBlocks);
  });
});

describe('in a plain ArrayBuffer', () => {
  test('malloc(0) gives a block of its own', () => {
    const heap = new Heap({ size: 1024 });
    const [a, b] = [heap.malloc(0), heap.malloc(0)];
    expect([a, b].map((ptr) => heap.usableSize(ptr))).toEqual([16, 16]);
    expect(a).not.toBe(b);
    heap.free(a);
    heap.free(b);
  });

  test('free(0) does nothing, realloc(0, n) is malloc(n)', () => {
    const heap = new Heap({ size: 1024 });
    heap.free(0);
    const ptr = heap.realloc(0, 40);
    expect(heap.usableSize(ptr)).toBe(64);
    expect(heap.stats().liveBlocks).toBe(1);
  });

  test('no room is 0, and changes nothing', () => {
    const heap = new Heap({ size: 1024 });
    const ptr = heap.malloc(200);
    const before = heap.stats();
    for (const size of [513, 1024, 2 ** 20, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53]) {
      expect(heap.malloc(size)).toBe(0);
      expect(heap.calloc(size, 1)).toBe(0);
      expect(heap.realloc(ptr, size)).toBe(0);
      expect(heap.alignedAlloc(8, size)).toBe(0);
    }
    expect(heap.alignedAlloc(2 ** 32, 1)).toBe(0);
    expect(heap.stats()).toEqual(before);
    expect(heap.usableSize(ptr)).toBe(256);
  });

  test('calloc refuses a product that overflows', () => {
    const heap = new Heap({ size: 1024 });
    const factors = [
      [2 ** 31, 2],
      [2 ** 16, 2 ** 16],
      [2 ** 32 - 1, 2 ** 32 - 1],
      [2 ** 53 - 1, 2 ** 53 - 1],
      [641, 6_700_417], // 2^32 + 1
    ];
    for (const [count, size] of factors) expect(heap.calloc(count, size)).toBe(0);
    expect(heap.calloc(0, 2 ** 53)).toBeGreaterThan(0);
  });

  test('calloc zeroes recycled memory', () => {
    const heap = new Heap({ size: 4096 });
    for (let round = 0; round < 20; round++) {
      const ptr = heap.calloc(round + 1, 7);
      const view = bytes(heap, ptr, 7 * (round + 1));
      expect(view.every((byte) => byte === 0)).toBe(true);
      bytes(heap, ptr, heap.usableSize(ptr)).fill(0xee);
      if (round % 3 !== 0) heap.free(ptr);
    }
  });

  test('realloc uses the room that the block itself leaves', () => {
    const heap = new Heap({ size: 1024 });
    heap.malloc(500 - 256); // 256 bytes at 256
    const ptr = heap.malloc(256); // at 512
    const last = heap.malloc(200); // at 768
    heap.free(256);
    bytes(heap, ptr, 256).forEach((_, i, array) => {
      array[i] = i;
    });
    heap.free(last);
    expect(heap.realloc(ptr, 512)).toBe(512); // in place: what lies above is free
    expect(heap.realloc(ptr, 256)).toBe(512);
    expect(heap.malloc(256)).toBe(256);
    heap.free(256);
    expect(bytes(heap, ptr, 256).every((byte, i) => byte === i)).toBe(true);
  });

  test('realloc moves into a block that takes in its own', () => {
    const heap = new Heap({ size: 1024, start: 480, unit: 32 });
    const low = heap.malloc(256);
    const high = heap.malloc(256);
    expect([low, high]).toEqual([512, 768]);
    bytes(heap, high, 256).forEach((_, i, array) => {
      array[i] = i;
    });
    heap.free(low);
    // The block is the upper half of the only 512 bytes.
    expect(heap.realloc(high, 400)).toBe(512);
    expect(bytes(heap, 512, 256).every((byte, i) => byte === i)).toBe(true);
    expect(heap.check()).toEqual([]);
  });

  test('realloc without room leaves the block, bytes and all', () => {
    const heap = new Heap({ size: 1024 });
    const ptr = heap.malloc(200);
    heap.malloc(500);
    bytes(heap, ptr, 200).fill(9);
    const before = heap.stats();
    expect(heap.realloc(ptr, 300)).toBe(0);
    expect(heap.stats()).toEqual(before);
    expect(heap.usableSize(ptr)).toBe(256);
    expect(bytes(heap, ptr, 200).every((byte) => byte === 9)).toBe(true);
  });

  test('realloc gives the tail back', () => {
    const heap = new Heap({ size: 1024 });
    const ptr = heap.malloc(512);
    expect(heap.malloc(256)).toBe(256);
    expect(heap.malloc(256)).toBe(0);
    heap.realloc(ptr, 200);
    expect(heap.malloc(256)).toBe(ptr + 256);
  });

  test.each([1, 2, 8, 16, 32, 256, 4096])('alignedAlloc(%i, …)', (alignment) => {
    const heap = new Heap({ size: 65_536, start: 100 });
    heap.malloc(1);
    for (const size of [0, 1, alignment - 1, alignment, alignment + 1, 3 * alignment]) {
      const ptr = heap.alignedAlloc(alignment, size);
      expect(ptr).toBeGreaterThan(0);
      expect(ptr % alignment).toBe(0);
      // Only the requested bytes are taken.
      expect(heap.usableSize(ptr)).toBe(2 ** Math.ceil(Math.log2(Math.max(size, 16))));
    }
    expect(heap.check()).toEqual([]);
  });

  test.each([8, 16, 32, 4096])('a unit of %i bytes', (unit) => {
    const heap = new Heap({ size: 65_536, unit });
    expect(heap.unit).toBe(unit);
    const [a, b] = [heap.malloc(1), heap.malloc(unit + 1)];
    expect([a, b]).toEqual([unit, 2 * unit]);
    expect([a, b].map((ptr) => heap.usableSize(ptr))).toEqual([unit, 2 * unit]);
    expect(heap.stats()).toMatchObject({ capacity: 65_536 - unit, used: 3 * unit, liveBlocks: 2 });
  });

  test('a region has its blocks inside, and nothing else is touched', () => {
    const buffer = new ArrayBuffer(4096);
    const all = new Uint8Array(buffer).fill(1);
    const heap = new Heap({ memory: buffer, start: 1001, end: 3003, embed: true });
    expect([heap.start, heap.end]).toEqual([1001, 2992]);
    const sizes = [1, 16, 64, 256];
    for (let ptr = 1; ptr !== 0; ) {
      ptr = heap.calloc(sizes[heap.stats().liveBlocks % 4], 1);
      if (ptr !== 0) expect(ptr >= 1001 && ptr + heap.usableSize(ptr) <= 3003).toBe(true);
    }
    expect(heap.stats().free).toBeLessThan(256);
    expect(all.subarray(0, 1001).every((byte) => byte === 1)).toBe(true);
    expect(all.subarray(3003).every((byte) => byte === 1)).toBe(true);
  });

  test('clear frees everything', () => {
    const heap = new Heap({ size: 4096, embed: true });
    const empty = heap.stats();
    for (let i = 0; i < 10; i++) heap.malloc(100);
    heap.clear();
    expect(heap.stats()).toEqual(empty);
    expect(heap.check()).toEqual([]);
    expect(heap.malloc(0)).toBeGreaterThan(0);
  });

  test('stats', () => {
    const heap = new Heap({ size: 1024, start: 256 });
    const ptr = heap.malloc(100);
    heap.malloc(16);
    heap.free(ptr);
    expect(heap.stats()).toEqual({
      capacity: 768,
      used: 16,
      free: 752,
      largestFree: 512,
      liveBlocks: 1,
      externalFragmentation: 1 - 512 / 752,
      metadataBytes: expect.any(Number),
    });
  });
});
