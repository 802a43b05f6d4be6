// Growth and trimming: when the memory grows and when it does not, how far, and that pointers stay valid.

import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';
import { Heap } from '../../src/heap.ts';
import {
  bytesOf,
  GROWING_KINDS,
  growMemory,
  MEMORIES,
  MEMORY_KINDS,
  type MemoryKind,
} from '../support/heap-driver.ts';

const PAGE = 65_536;
const both = (kinds: readonly MemoryKind[]): [MemoryKind, boolean][] =>
  kinds.flatMap((kind): [MemoryKind, boolean][] => [
    [kind, false],
    [kind, true],
  ]);

describe.each(both(GROWING_KINDS))('%s, embedded: %s', (kind, embed) => {
  test('doubles up to its limit, and every pointer stays valid', () => {
    const memory = MEMORIES[kind](PAGE, 16 * PAGE);
    const heap = new Heap({ memory, embed });
    const pointers: number[] = [];
    const ends = new Set<number>();
    for (;;) {
      const ptr = heap.malloc(5000);
      if (ptr === 0) break;
      new Uint32Array(heap.buffer, ptr, 1)[0] = pointers.length;
      pointers.push(ptr);
      ends.add(heap.end);
    }
    expect([...ends]).toEqual([1, 2, 4, 8, 16].map((pages) => pages * PAGE));
    expect(bytesOf(memory).length).toBe(16 * PAGE);
    pointers.forEach((ptr, i) => {
      expect(new Uint32Array(heap.buffer, ptr, 1)[0]).toBe(i);
    });
    expect(heap.check()).toEqual([]);
    for (const ptr of pointers) heap.free(ptr);
    expect(heap.stats().used).toBe(0);
    // All free blocks have merged again, except across the units that the heap keeps for itself.
    expect(heap.malloc(4 * PAGE)).toBeGreaterThan(0);
  });

  test('grows at once by as much as the request takes', () => {
    const heap = new Heap({ memory: MEMORIES[kind](PAGE, 64 * PAGE), embed });
    const ptr = heap.malloc(16 * PAGE);
    expect(ptr).toBeGreaterThan(0);
    expect(heap.usableSize(ptr)).toBe(16 * PAGE);
    expect(heap.end).toBeLessThanOrEqual(34 * PAGE);
    expect(heap.check()).toEqual([]);
  });

  test('grows by less than double when only that much can be had', () => {
    const heap = new Heap({ memory: MEMORIES[kind](PAGE, PAGE + PAGE / 2), embed });
    const limit = kind.includes('WebAssembly') ? 2 * PAGE : PAGE + PAGE / 2;
    while (heap.malloc(1000) !== 0);
    expect(heap.end).toBe(limit);
  });

  test('stops at the maximum that was asked for', () => {
    const memory = MEMORIES[kind](PAGE, 16 * PAGE);
    const heap = new Heap({ memory, embed, maximum: 3 * PAGE });
    while (heap.malloc(1000) !== 0);
    expect(heap.end).toBe(3 * PAGE);
    expect(bytesOf(memory).length).toBe(3 * PAGE);
  });

  test('never grows with a fixed end', () => {
    const memory = MEMORIES[kind](PAGE, 16 * PAGE);
    const heap = new Heap({ memory, embed, end: PAGE });
    while (heap.malloc(1000) !== 0);
    expect(heap.end).toBe(PAGE);
    expect(bytesOf(memory).length).toBe(PAGE);
  });

  test('what cannot be had changes nothing', () => {
    const memory = MEMORIES[kind](PAGE, 2 * PAGE);
    const heap = new Heap({ memory, embed });
    const ptr = heap.malloc(100);
    const stats = heap.stats();
    for (const size of [2 * PAGE, 2 ** 31, 2 ** 32]) expect(heap.malloc(size)).toBe(0);
    expect(heap.stats()).toEqual(stats);
    expect(heap.end).toBe(PAGE);
    expect(bytesOf(memory).length).toBe(PAGE);
    expect(heap.isAllocated(ptr)).toBe(true);
    expect(heap.check()).toEqual([]);
  });

  test('follows a memory that somebody else has grown', () => {
    const memory = MEMORIES[kind](PAGE, 8 * PAGE);
    const heap = new Heap({ memory, embed });
    const first = heap.malloc(1000);
    new Uint8Array(heap.buffer, first, 1000).fill(5);
    growMemory(memory, 6 * PAGE);
    const ptr = heap.malloc(2 * PAGE);
    expect(ptr).toBeGreaterThan(0);
    expect(heap.end).toBe(7 * PAGE);
    expect(bytesOf(memory).length).toBe(7 * PAGE);
    expect(new Uint8Array(heap.buffer, first, 1000).every((byte) => byte === 5)).toBe(true);
    heap.free(first);
    expect(heap.check()).toEqual([]);
  });

  test('leaves what somebody else has grown, when that does not do, and goes on from there', () => {
    const memory = MEMORIES[kind](PAGE, 16 * PAGE);
    const heap = new Heap({ memory, embed });
    growMemory(memory, PAGE);
    expect(heap.malloc(4 * PAGE)).toBeGreaterThan(0);
    expect(heap.end).toBe(bytesOf(memory).length);
    expect(heap.end).toBeLessThanOrEqual(9 * PAGE);
  });

  test('a region that begins at the very end of the memory', () => {
    const memory = MEMORIES[kind](PAGE, 4 * PAGE);
    const heap = new Heap({ memory, embed, start: PAGE });
    const ptr = heap.malloc(10);
    expect(ptr).toBeGreaterThanOrEqual(PAGE);
    expect(heap.check()).toEqual([]);
  });

  test('realloc grows the heap and takes the bytes along', () => {
    const heap = new Heap({ memory: MEMORIES[kind](PAGE, 64 * PAGE), embed });
    let ptr = heap.malloc(1);
    new Uint8Array(heap.buffer, ptr, 1)[0] = 1;
    for (let size = 2; size <= 8 * PAGE; size *= 2) {
      ptr = heap.realloc(ptr, size);
      const view = new Uint8Array(heap.buffer, ptr, size);
      expect(view.subarray(0, size / 2).every((byte, i) => byte === ((i + 1) & 255))).toBe(true);
      for (let i = size / 2; i < size; i++) view[i] = i + 1;
    }
    expect(heap.stats()).toMatchObject({ used: 8 * PAGE, liveBlocks: 1 });
  });
});

describe('a memory whose growth is refused', () => {
  test.each([false, true])('embedded: %s', (embed) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
    const heap = new Heap({ memory, embed });
    const ptr = heap.malloc(1000);
    const stats = heap.stats();
    const grow = vi.spyOn(memory, 'grow').mockImplementation(() => {
      throw new RangeError('no');
    });
    expect(heap.malloc(PAGE)).toBe(0);
    expect(grow).toHaveBeenCalled();
    expect(heap.stats()).toEqual(stats);
    expect(heap.end).toBe(PAGE);
    expect(heap.check()).toEqual([]);
    grow.mockRestore();
    expect(heap.malloc(PAGE)).toBeGreaterThan(0);
    expect(heap.usableSize(ptr)).toBe(1024);
  });

  test.each([
    false,
    true,
  ])('as when the runtime has none for the state of a larger heap, embedded: %s', (embed) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
    const heap = new Heap({ memory, embed });
    const { buffer } = memory;
    const original = Int32Array;
    globalThis.Int32Array = new Proxy(original, {
      construct(type, values) {
        if (typeof values[0] === 'number') throw new RangeError('Array buffer allocation failed');
        return Reflect.construct(type, values);
      },
    });
    try {
      expect(heap.malloc(PAGE)).toBe(0);
    } finally {
      globalThis.Int32Array = original;
    }
    expect(memory.buffer).toBe(buffer);
    expect(heap.malloc(PAGE)).toBeGreaterThan(0);
  });

  test.each<[string, () => unknown, boolean]>([
    ['a RangeError', () => new RangeError('no'), true],
    ['a RangeError of another realm', () => runInNewContext('new RangeError("no")'), true],
    ["SpiderMonkey's string", () => 'out of memory', true],
    ['a TypeError', () => new TypeError('a bug'), false],
    ['another string', () => 'out of order', false],
    ['null', () => null, false],
  ])('by %s, which passes unless it says that there is no memory', (_, make, isRefusal) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
    const heap = new Heap({ memory });
    const stats = heap.stats();
    const error = make();
    const grow = vi.spyOn(memory, 'grow').mockImplementation(() => {
      throw error;
    });
    let thrown: unknown = 'nothing';
    try {
      expect(heap.malloc(PAGE)).toBe(0);
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBe(isRefusal ? 'nothing' : error);
    expect([heap.stats(), heap.check()]).toEqual([stats, []]);
    grow.mockRestore();
    expect(heap.malloc(PAGE)).toBeGreaterThan(0);
  });

  test('takes less when double is refused', () => {
    const memory = new WebAssembly.Memory({ initial: 10, maximum: 12 });
    const heap = new Heap({ memory });
    while (heap.malloc(10_000) !== 0);
    expect(heap.end).toBe(12 * PAGE);
  });
});

test('a request beyond all memory, where the state of such a heap would be beyond all arenas', () => {
  const heap = new Heap({ size: PAGE, maximum: 2 ** 32, unit: 8, embed: true });
  expect(heap.malloc(2 ** 32)).toBe(0);
  expect(heap.end).toBe(PAGE);
});

describe('a heap of its own', () => {
  test('grows up to the maximum', () => {
    const heap = new Heap({ size: 1000, maximum: 100_000 });
    expect(heap.end).toBe(992);
    const view = heap.allocArray(Uint8Array, 300);
    while (heap.malloc(500) !== 0);
    expect(heap.end).toBe(100_000 - (100_000 % 16));
    expect(view?.buffer).toBe(heap.buffer);
    expect(view?.length).toBe(300);
  });

  test('does not grow without one', () => {
    const heap = new Heap({ size: 1000 });
    while (heap.malloc(100) !== 0);
    expect(heap.buffer.byteLength).toBe(1000);
  });

  test('a memory of no bytes is enough when it can grow', () => {
    const heap = new Heap({ memory: new WebAssembly.Memory({ initial: 0, maximum: 4 }), embed: true });
    expect(heap.end).toBe(PAGE);
    expect(heap.malloc(100)).toBeGreaterThan(0);
  });
});

describe('trim', () => {
  test.each([
    false,
    true,
  ])('gives back what is free at the end of a resizable buffer, embedded: %s', (embed) => {
    const memory = MEMORIES['resizable ArrayBuffer'](PAGE, 16 * PAGE);
    const heap = new Heap({ memory, embed });
    const small = heap.malloc(100);
    new Uint8Array(heap.buffer, small, 100).fill(3);
    const large = heap.malloc(4 * PAGE);
    const { byteLength } = memory;
    expect(heap.trim()).toBeLessThan(4 * PAGE); // the large block is still there
    heap.free(large);
    const given = heap.trim();
    expect(given).toBeGreaterThan(4 * PAGE);
    expect(memory.byteLength).toBeLessThan(4000);
    expect(heap.end).toBe(memory.byteLength);
    expect(byteLength - memory.byteLength).toBeGreaterThanOrEqual(given);
    expect(heap.trim()).toBe(0);
    expect(heap.check()).toEqual([]);
    expect(new Uint8Array(heap.buffer, small, 100).every((byte) => byte === 3)).toBe(true);
    expect(heap.stats()).toMatchObject({ used: 128, liveBlocks: 1 });
    const again = heap.malloc(4 * PAGE);
    expect(again).toBeGreaterThan(0);
    expect(new Uint8Array(heap.buffer, small, 100).every((byte) => byte === 3)).toBe(true);
  });

  test.each(
    both(MEMORY_KINDS.filter((kind) => kind !== 'resizable ArrayBuffer')),
  )('does nothing in a %s, embedded: %s', (kind, embed) => {
    const memory = MEMORIES[kind](PAGE, 4 * PAGE);
    const heap = new Heap({ memory, embed });
    expect(heap.trim()).toBe(0);
    expect(heap.end).toBe(PAGE);
  });

  test('does nothing to a region that does not reach the end of the memory', () => {
    for (const options of [{ end: 4000 }, { maximum: 4000 }]) {
      const memory = MEMORIES['resizable ArrayBuffer'](PAGE, 4 * PAGE);
      const heap = new Heap({ memory, ...options });
      expect(heap.trim()).toBe(0);
      expect(memory.byteLength).toBe(PAGE);
    }
  });
});

test('a memory that was cut and enlarged again has lost the heap, and is not looked at for ever', () => {
  const memory = MEMORIES['resizable ArrayBuffer'](8192, 16 * PAGE) as ArrayBuffer;
  const heap = new Heap({ memory, embed: true });
  heap.malloc(30_000);
  const { byteLength } = memory;
  for (const length of [8192, byteLength])
    (Reflect.get(memory, 'resize') as (to: number) => void).call(memory, length);
  expect(() => heap.malloc(16)).toThrow(expect.objectContaining({ code: 'DETACHED' }));
});
