// malloc, calloc, realloc, alignedAlloc, free and usableSize, as C has them, in every kind of memory.

import { describe, expect, test } from 'vitest';
import { BuddyError, Heap } from '../../src/heap.ts';
import { bytesOf, MEMORIES, MEMORY_KINDS } from '../support/heap-driver.ts';
import { roomFor, roomOf } from '../support/room.ts';

/** Of a heap of 64 KiB, with a unit of 16 bytes. */
const ROOM = roomOf({}, 65_536);

/** A heap in 64 KiB of a kind of memory that is full of 0xff. */
function heapIn(kind: keyof typeof MEMORIES, embed = false): Heap<ArrayBufferLike> {
  const memory = MEMORIES[kind](65_536, 65_536);
  bytesOf(memory).fill(0xff);
  return new Heap({ memory, embed });
}

const bytes = (heap: Heap<ArrayBufferLike>, ptr: number, length: number): Uint8Array =>
  new Uint8Array(heap.buffer, ptr, length);

describe.each(
  MEMORY_KINDS.flatMap((kind) => [[kind, false] as const, [kind, true] as const]),
)('in a %s, embedded: %s', (kind, embed) => {
  test('blocks are as large as their size class, at multiples of the unit, none at 0', () => {
    const heap = heapIn(kind, embed);
    expect(heap.buffer).toBe(heap.buffer);
    const sizes = [
      [1, 16],
      [17, 32],
      [100, 112],
      [1000, 1024],
      [9000, 9216],
    ];
    const blocks = sizes.map(([size, usable]) => ({ ptr: heap.malloc(size), usable }));
    for (const { ptr, usable } of blocks) {
      expect(heap.usableSize(ptr)).toBe(usable);
      expect(ptr).toBeGreaterThan(0);
      expect(ptr % 16).toBe(0);
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

  test('realloc in place: within a slot, and of a large block with the pages behind it', () => {
    const heap = heapIn(kind, embed);
    const small = heap.malloc(1000);
    bytes(heap, small, 1000).fill(7);
    for (const size of [600, 513, 1024, 1, 900]) {
      const isHalfEmpty = size <= 512;
      expect(heap.realloc(small, size) === small).toBe(!isHalfEmpty);
      if (isHalfEmpty) break;
      expect(heap.usableSize(small)).toBe(1024);
      expect(bytes(heap, small, 600).every((byte) => byte === 7)).toBe(true);
    }
    const large = heap.malloc(20_000);
    bytes(heap, large, 20_000).fill(8);
    for (const size of [10_000, 9000, 30_000, 30_720, 20_001]) {
      expect(heap.realloc(large, size)).toBe(large);
      expect(heap.usableSize(large)).toBe(roomFor(ROOM, size));
    }
    expect(bytes(heap, large, 9000).every((byte) => byte === 8)).toBe(true);
    expect(heap.check()).toEqual([]);
  });

  test('realloc that must move takes the bytes along', () => {
    for (const [size, larger, room] of [
      [500, 700, 704],
      [5000, 6000, 6144],
      [10_000, 11_000, 11_264],
    ]) {
      const heap = heapIn(kind, embed);
      const ptr = heap.malloc(size);
      const behind = heap.malloc(size);
      expect(behind).toBeGreaterThan(ptr);
      bytes(heap, ptr, size).forEach((_, i, array) => {
        array[i] = i * 3;
      });
      const moved = heap.realloc(ptr, larger);
      expect(moved).not.toBe(ptr);
      expect(heap.isAllocated(ptr)).toBe(false);
      expect(heap.usableSize(moved)).toBe(room);
      expect(bytes(heap, moved, size).every((byte, i) => byte === ((i * 3) & 255))).toBe(true);
      heap.free(moved);
      expect(heap.stats()).toMatchObject({ used: heap.usableSize(behind), liveBlocks: 1 });
    }
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
    expect(heap.usableSize(ptr)).toBe(64); // whole pages of 64 bytes, in so small a heap
    expect(heap.stats().liveBlocks).toBe(1);
  });

  test('no room is 0, and changes nothing', () => {
    const heap = new Heap({ size: 1024 });
    const ptr = heap.malloc(200);
    const before = heap.stats();
    expect(heap.malloc(705)).toBe(0);
    for (const size of [961, 1024, 2 ** 20, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53]) {
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

  test('what is free is handed out, up to the last byte', () => {
    const heap = new Heap({ size: 1024 });
    const ptr = heap.malloc(200); // of 960 bytes
    expect(heap.largestFree).toBe(704);
    const rest = heap.malloc(704);
    expect(heap.stats()).toMatchObject({ used: 960, free: 0, largestFree: 0 });
    expect(heap.malloc(0)).toBe(0);
    heap.free(ptr);
    heap.free(rest);
    expect(heap.malloc(960)).toBeGreaterThan(0);
  });

  test('most of a heap can be one block', () => {
    expect(new Heap({ size: 2 ** 20 }).malloc(900_000)).toBeGreaterThan(0);
    expect(new Heap({ size: 2 ** 20 }).malloc(2 ** 20 - 1024)).toBe(1024);
  });

  /** A full heap but for the last: a large block of `before` pages, one of `size` pages with content, and `after` free pages. */
  const behind = (before: number, size: number, after: number) => {
    const heap = new Heap({ memory: new ArrayBuffer(2 ** 18), end: 1024 * (1 + before + size + after) });
    const low = heap.malloc(before * 1024);
    const ptr = heap.malloc(size * 1024);
    bytes(heap, ptr, size * 1024).forEach((_, i, array) => {
      array[i] = (i * 5) >> 4;
    });
    return { heap, low, ptr };
  };
  const isKept = (heap: Heap<ArrayBufferLike>, ptr: number, length: number) =>
    bytes(heap, ptr, length).every((byte, i) => byte === (((i * 5) >> 4) & 255));

  test('realloc moves a large block to where it takes in its own place', () => {
    const { heap, low, ptr } = behind(40, 64, 0);
    heap.free(low);
    expect(heap.realloc(ptr, 104 * 1024)).toBe(low);
    expect(isKept(heap, low, 64 * 1024)).toBe(true);
    expect(heap.stats()).toMatchObject({ free: 0, liveBlocks: 1 });
    expect(heap.check()).toEqual([]);
  });

  test('realloc without room leaves the block, bytes and all', () => {
    const { heap, ptr } = behind(40, 64, 3);
    const before = heap.stats();
    expect(heap.realloc(ptr, 68 * 1024)).toBe(0);
    expect(heap.stats()).toEqual(before);
    expect(heap.usableSize(ptr)).toBe(64 * 1024);
    expect(isKept(heap, ptr, 64 * 1024)).toBe(true);
    expect(heap.realloc(ptr, 67 * 1024)).toBe(ptr);
    expect(isKept(heap, ptr, 64 * 1024)).toBe(true);
  });

  test('realloc gives the tail of a large block back', () => {
    const { heap, ptr } = behind(40, 64, 0);
    expect(heap.malloc(1)).toBe(0);
    expect(heap.realloc(ptr, 10_000)).toBe(ptr);
    expect(heap.malloc(54 * 1024)).toBe(ptr + 10 * 1024);
    expect(isKept(heap, ptr, 10_000)).toBe(true);
  });

  test('realloc gives most of a large block back in a full heap that has no slot for the rest', () => {
    const { heap, ptr } = behind(40, 64, 0);
    expect(heap.realloc(ptr, 100)).toBe(ptr);
    expect(heap.usableSize(ptr)).toBe(1024);
    expect(isKept(heap, ptr, 100)).toBe(true);
    expect(heap.largestFree).toBe(63 * 1024);
    expect(heap.check()).toEqual([]);
  });

  test.each([1, 2, 8, 16, 32, 256, 4096])('alignedAlloc(%i, …)', (alignment) => {
    const heap = new Heap({ size: 65_536 + 100, start: 100 });
    heap.malloc(1);
    expect(heap.usableSize(heap.malloc(100))).toBe(112);
    for (const size of [0, 1, alignment - 1, alignment, alignment + 1, 3 * alignment]) {
      const ptr = heap.alignedAlloc(alignment, size);
      expect(ptr).toBeGreaterThan(0);
      expect(ptr % alignment).toBe(0);
      expect(heap.usableSize(ptr)).toBe(roomFor(ROOM, size, alignment));
    }
    expect(heap.check()).toEqual([]);
  });

  test.each([8, 16, 32, 4096])('a unit of %i bytes', (unit) => {
    const heap = new Heap({ size: 65_536, unit });
    expect(heap.unit).toBe(unit);
    const [a, b] = [heap.malloc(1), heap.malloc(unit + 1)];
    for (const ptr of [a, b]) expect(ptr % unit).toBe(0);
    expect([a, b].map((ptr) => heap.usableSize(ptr))).toEqual([unit, 2 * unit]);
    const page = Math.max(1024, unit);
    expect(heap.stats()).toMatchObject({ capacity: 65_536 - page, used: 3 * unit, liveBlocks: 2 });
    for (let ptr = a; ptr !== 0; ptr = heap.malloc(5 * unit)) expect(ptr % unit).toBe(0);
    expect(heap.check()).toEqual([]);
  });

  test('a region has its blocks inside, and nothing else is touched', () => {
    const buffer = new ArrayBuffer(4096);
    const all = new Uint8Array(buffer).fill(1);
    const heap = new Heap({ memory: buffer, start: 1001, end: 3003, embed: true });
    expect([heap.start, heap.end]).toEqual([1001, 2944]); // pages of 64 bytes
    const sizes = [1, 16, 64, 128];
    for (let ptr = 1; ptr !== 0; ) {
      ptr = heap.calloc(sizes[heap.stats().liveBlocks % 4], 1);
      if (ptr !== 0) expect(ptr >= 1001 && ptr + heap.usableSize(ptr) <= 2944).toBe(true);
    }
    expect(heap.stats()).toMatchObject({ free: 32, used: 480 }); // the next request was for 64
    expect(all.subarray(0, 1001).every((byte) => byte === 1)).toBe(true);
    expect(all.subarray(2944).every((byte) => byte === 1)).toBe(true);
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
      largestFree: 576,
      liveBlocks: 1,
      externalFragmentation: 1 - 576 / 752,
      metadataBytes: expect.any(Number),
    });
  });

  test('allocFrom copies a view, of this memory, of other memory, of a memory that grows meanwhile', () => {
    const heap = new Heap({ memory: new WebAssembly.Memory({ initial: 1, maximum: 100 }) });
    const own = heap.allocFrom(Uint16Array.of(1, 2, 65_535));
    expect(own).toEqual(Uint16Array.of(1, 2, 65_535));
    expect(own?.buffer).toBe(heap.buffer);
    expect(heap.allocFrom(own as Uint16Array)).toEqual(Uint16Array.of(1, 2, 65_535));
    const part = heap.allocFrom(new DataView(new Uint8Array(100).fill(9).buffer, 10, 5));
    expect(part).toBeInstanceOf(DataView);
    expect(part?.byteLength).toBe(5);
    expect(part?.getUint8(4)).toBe(9);
    const large = heap.allocFrom(new Float64Array(100_000).fill(0.5));
    expect(large?.length).toBe(100_000);
    expect(large?.every((x) => x === 0.5)).toBe(true);
    expect(heap.allocFrom(new Uint8Array(0))?.length).toBe(0);
    expect(heap.stats().liveBlocks).toBe(5);
    const fixed = new Heap({ size: 1024 });
    expect(fixed.allocFrom(new Uint8Array(1000))).toBeNull();
    expect(fixed.stats().liveBlocks).toBe(0);
    for (const value of [undefined, null, 5, [1], new ArrayBuffer(8)])
      expect(() => heap.allocFrom(value as never)).toThrow(TypeError);
  });

  test('the root is a word of the program, and not a byte of the memory that is handed out', () => {
    for (const embed of [false, true]) {
      const heap = new Heap({ size: 16_384, maximum: 2 ** 20, embed });
      expect(heap.root).toBe(0);
      for (const value of [1, 2 ** 31, 2 ** 32 - 1, 12_345]) {
        heap.root = value;
        expect(heap.root).toBe(value);
      }
      for (const value of [-1, 0.5, Number.NaN, 2 ** 32, Number.POSITIVE_INFINITY])
        expect(() => {
          heap.root = value;
        }).toThrow(RangeError);
      for (const value of ['1', 1n, null, undefined])
        expect(() => {
          heap.root = value as never;
        }).toThrow(TypeError);
      while (heap.malloc(1000) !== 0);
      heap.clear();
      expect(heap.root).toBe(12_345);
      if (embed) expect(Heap.attach({ memory: heap.buffer }).root).toBe(12_345);
    }
  });

  test('no room can throw, and changes nothing then either', () => {
    const heap = new Heap({ size: 16_384, throwNoRoom: true });
    const ptr = heap.malloc(10_000);
    const before = heap.stats();
    const noRoom = expect.objectContaining({ code: 'NO_ROOM' });
    for (const call of [
      () => heap.malloc(10_000),
      () => heap.malloc(2 ** 40),
      () => heap.calloc(10, 1000),
      () => heap.alignedAlloc(8192, 8193),
      () => heap.realloc(ptr, 20_000),
      () => heap.allocArray(Uint8Array, 10_000),
      () => heap.callocArray(Float64Array, 2000),
      () => heap.reallocArray(new Uint8Array(heap.buffer, ptr, 10), 20_000),
      () => heap.allocFrom(new Uint8Array(10_000)),
      () => heap.block(10_000),
    ]) {
      expect(call).toThrow(BuddyError);
      expect(call).toThrow(noRoom);
    }
    expect(heap.stats()).toEqual(before);
    expect(heap.malloc(100)).toBeGreaterThan(0);
    expect(heap.check()).toEqual([]);
  });
});

describe('sizes that are kept', () => {
  test.each([false, true])('are those that were asked for, embedded: %s', (embed) => {
    const heap = new Heap({ size: 8192, maximum: 2 ** 20, keepSizes: true, embed });
    const sizes = [0, 1, 15, 16, 17, 1000, 8192, 8193, 100_000];
    const blocks = sizes.map((size) => ({ size, ptr: heap.malloc(size) }));
    blocks.push({ size: 33, ptr: heap.alignedAlloc(64, 33) }, { size: 24, ptr: heap.calloc(3, 8) });
    for (const { ptr, size } of blocks) expect(heap.lengthOf(ptr)).toBe(size);
    const last = heap.realloc(blocks[8].ptr, 99_999);
    expect(heap.lengthOf(last)).toBe(99_999);
    expect(heap.lengthOf(heap.realloc(blocks[5].ptr, 900))).toBe(900);
    const view = heap.allocFrom(Uint16Array.of(1, 2, 3)) as Uint16Array;
    expect(heap.lengthOf(view.byteOffset)).toBe(6);
    if (embed) expect(Heap.attach({ memory: heap.buffer }).lengthOf(last)).toBe(99_999);
    heap.clear();
    expect(heap.lengthOf(heap.malloc(7))).toBe(7);
  });

  test('of the largest unit that has room for them', () => {
    expect(() => new Heap({ size: 2 ** 20, unit: 65_536, keepSizes: true })).toThrow(RangeError);
    const heap = new Heap({ size: 2 ** 20, unit: 32_768, keepSizes: true });
    for (const size of [0, 1, 2, 32_767, 32_768, 32_769]) {
      const ptr = heap.malloc(size);
      expect(heap.lengthOf(ptr)).toBe(size);
      heap.free(ptr, size);
    }
  });

  test('of large blocks that could not move when they shrank', () => {
    const heap = new Heap({ size: 2 ** 20, keepSizes: true });
    const ptr = heap.malloc(2 ** 20 - 1024);
    expect(heap.realloc(ptr, 100)).toBe(ptr);
    expect(heap.lengthOf(ptr)).toBe(100);
  });

  test('not at all unless that was asked for', () => {
    const heap = new Heap({ size: 8192 });
    expect(() => heap.lengthOf(heap.malloc(7))).toThrow(TypeError);
  });

  test('misuse is told as by free', () => {
    const heap = new Heap({ size: 8192, keepSizes: true });
    const ptr = heap.malloc(100);
    expect(() => heap.lengthOf(ptr + 16)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
    expect(() => heap.lengthOf(ptr + 4096)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    expect(() => heap.lengthOf(8192)).toThrow(RangeError);
    expect(() => heap.lengthOf('1' as never)).toThrow(TypeError);
  });
});

describe('free with the size of the block', () => {
  const isRefused = (heap: Heap<ArrayBufferLike>, ptr: number, size: number): void => {
    const before = heap.stats();
    expect(() => heap.free(ptr, size)).toThrow(RangeError);
    expect([heap.stats(), heap.isAllocated(ptr)]).toEqual([before, true]);
  };

  test('takes what the block may have been allocated with', () => {
    const heap = new Heap({ size: 8192 });
    for (const size of [0, 100, 112]) heap.free(heap.malloc(100), size);
    isRefused(heap, heap.malloc(100), 113);
    expect(heap.stats().liveBlocks).toBe(1);
  });

  test('takes the exact size only, where that is kept', () => {
    const heap = new Heap({ size: 8192, keepSizes: true });
    const ptr = heap.malloc(100);
    for (const size of [0, 99, 101, 112]) isRefused(heap, ptr, size);
    heap.free(ptr, 100);
    expect(heap.stats().liveBlocks).toBe(0);
  });

  test('refuses what is no size, and a pointer to no block', () => {
    const heap = new Heap({ size: 8192 });
    const ptr = heap.malloc(100);
    for (const size of [-1, 0.5, Number.NaN, 2 ** 40]) isRefused(heap, ptr, size);
    for (const size of ['1', null, 1n]) expect(() => heap.free(ptr, size as never)).toThrow(TypeError);
    heap.free(ptr, 100);
    expect(() => heap.free(ptr, 100)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    heap.free(0, 100);
  });
});
