// Growth and trimming: when the memory grows and when it does not, how far, and that pointers stay valid.

import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';
import { Heap, type HeapOptions } from '../../src/heap.ts';
import {
  bytesOf,
  GROWING_KINDS,
  growMemory,
  MEMORIES,
  MEMORY_KINDS,
  type MemoryKind,
} from '../support/heap-driver.ts';
import { withoutMemoryFor } from '../support/no-memory.ts';

const PAGE = 65_536;
const both = (kinds: readonly MemoryKind[]): [MemoryKind, boolean][] =>
  kinds.flatMap((kind): [MemoryKind, boolean][] => [
    [kind, false],
    [kind, true],
  ]);

describe.each(both(GROWING_KINDS))('%s, embedded: %s', (kind, embed) => {
  test('grows by an eighth, 64 KiB at least, up to its limit, and every pointer stays valid', () => {
    const memory = MEMORIES[kind](PAGE, 16 * PAGE);
    const heap = new Heap({ memory, embed });
    const pointers: number[] = [];
    const ends = new Set([heap.end]);
    for (;;) {
      const ptr = heap.malloc(5000);
      if (ptr === 0) break;
      new Uint32Array(heap.buffer, ptr, 1)[0] = pointers.length;
      pointers.push(ptr);
      ends.add(heap.end);
    }
    const granularity = kind.includes('WebAssembly') ? PAGE : 1024;
    const expected = [PAGE];
    for (let end = PAGE; end < 16 * PAGE; expected.push(end)) {
      const wish = end + Math.max(PAGE, Math.floor(end / 8));
      end = Math.min(16 * PAGE, Math.ceil(wish / granularity) * granularity);
      if (granularity === 1024) end = Math.min(end, Math.floor(wish / 1024) * 1024);
    }
    expect([...ends]).toEqual(expected);
    expect(bytesOf(memory).length).toBe(16 * PAGE);
    pointers.forEach((ptr, i) => {
      expect(new Uint32Array(heap.buffer, ptr, 1)[0]).toBe(i);
    });
    expect(heap.check()).toEqual([]);
    for (const ptr of pointers) heap.free(ptr);
    expect(heap.stats().used).toBe(0);
    // All that is free is in one piece again.
    expect(heap.largestFree).toBe(heap.freeBytes);
    expect(heap.malloc(15 * PAGE)).toBeGreaterThan(0);
  });

  test('grows at once by as much as the request takes', () => {
    const heap = new Heap({ memory: MEMORIES[kind](PAGE, 64 * PAGE), embed });
    const ptr = heap.malloc(16 * PAGE);
    expect(ptr).toBeGreaterThan(0);
    expect(heap.usableSize(ptr)).toBe(16 * PAGE);
    expect(heap.end).toBeLessThanOrEqual(18 * PAGE);
    expect(heap.check()).toEqual([]);
  });

  test('grows by less than it would when only that much can be had', () => {
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

  test('follows a memory that somebody else has grown, if it may', () => {
    const memory = MEMORIES[kind](PAGE, 8 * PAGE);
    const heap = new Heap({ memory, embed, shareGrowth: true });
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
    const heap = new Heap({ memory, embed, shareGrowth: true });
    growMemory(memory, PAGE);
    expect(heap.malloc(4 * PAGE)).toBeGreaterThan(0);
    expect(heap.end).toBe(bytesOf(memory).length);
    expect(heap.end).toBeLessThanOrEqual(7 * PAGE);
  });

  test('never uses what somebody else has grown, if it may not, and goes on behind it', () => {
    const memory = MEMORIES[kind](PAGE, 64 * PAGE);
    const heap = new Heap({ memory, embed, shareGrowth: false });
    const theirs: [number, number][] = [];
    let blocks = 0;
    for (let ptr = heap.calloc(3000, 1), i = 0; ptr !== 0; ptr = heap.calloc(3000, 1), i++) {
      new Uint8Array(heap.buffer, ptr, 3000).fill(0xee);
      blocks++;
      if (i % 100 !== 50 || bytesOf(memory).length > 60 * PAGE) continue;
      const from = bytesOf(memory).length;
      growMemory(memory, 2 * PAGE + 7);
      bytesOf(memory).fill(0x55, from);
      theirs.push([from, bytesOf(memory).length]);
    }
    expect(theirs.length).toBeGreaterThan(5);
    for (const [from, to] of theirs)
      expect(
        bytesOf(memory)
          .subarray(from, to)
          .every((byte) => byte === 0x55),
      ).toBe(true);
    expect(heap.check()).toEqual([]);
    expect(heap.stats().liveBlocks).toBe(blocks);
    const { free } = heap.stats();
    const all = bytesOf(memory).length;
    const foreign = theirs.reduce((sum, [from, to]) => sum + to - from, 0);
    expect(heap.usedBytes + free + foreign).toBeLessThanOrEqual(all);
    const copy = embed ? Heap.attach({ memory: bytesOf(memory).slice().buffer }) : heap;
    copy.clear();
    for (let ptr = copy.malloc(30_000); ptr !== 0; ptr = copy.malloc(30_000))
      for (const [from, to] of theirs) expect(ptr + 30_000 <= from || ptr >= to).toBe(true);
    expect(heap.check()).toEqual([]);
  });

  test('uses what somebody else has grown unless told otherwise in a buffer, but not in a WebAssembly memory', () => {
    const memory = MEMORIES[kind](PAGE, 2 * PAGE);
    const heap = new Heap({ memory, embed });
    growMemory(memory, PAGE);
    expect(heap.malloc(PAGE) > 0).toBe(!kind.includes('WebAssembly'));
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
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2000 });
    const heap = new Heap({ memory, embed });
    expect(heap.malloc(5000)).toBeGreaterThan(0);
    // More than the 32 MiB that the state has room for from the beginning.
    const { buffer } = memory;
    expect(withoutMemoryFor('Int32Array', () => heap.malloc(640 * PAGE))).toBe(0);
    expect(memory.buffer).toBe(buffer);
    expect(heap.malloc(640 * PAGE)).toBeGreaterThan(0);
  });

  test('or none for the state of the largest heap, but for what growth takes now', () => {
    const heap = new Heap({ memory: new WebAssembly.Memory({ initial: 1, maximum: 2000 }) });
    const blocks = [640, 10, 100, 640].map((pages) =>
      withoutMemoryFor('Int32Array', () => heap.malloc(pages * PAGE), 2 ** 20),
    );
    expect(blocks).not.toContain(0);
    expect(heap.check()).toEqual([]);
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

  test('takes less when an eighth is refused', () => {
    const memory = new WebAssembly.Memory({ initial: 30, maximum: 32 });
    const heap = new Heap({ memory });
    while (heap.malloc(10_000) !== 0);
    expect(heap.end).toBe(32 * PAGE);
  });
});

test('a request beyond all memory, where the state of such a heap would be beyond all arenas', () => {
  const heap = new Heap({ size: PAGE, maximum: 2 ** 32, unit: 8, embed: true });
  expect(heap.malloc(2 ** 32)).toBe(0);
  expect(heap.end).toBe(PAGE);
});

test('the state moves once, beyond 32 MiB, and can be cleared then', () => {
  const heap = new Heap({ memory: new WebAssembly.Memory({ initial: 1, maximum: 4000 }) });
  const first = heap.malloc(640 * PAGE);
  const small = heap.malloc(100);
  expect(withoutMemoryFor('Int32Array', () => heap.malloc(2000 * PAGE))).toBeGreaterThan(first);
  expect([...heap.blocks()].map(({ size }) => size)).toEqual([640 * PAGE, 112, 2000 * PAGE]);
  expect(heap.isAllocated(small)).toBe(true);
  heap.root = 7;
  heap.clear();
  expect([heap.usedBytes, heap.root, [...heap.blocks()], heap.check()]).toEqual([0, 7, [], []]);
  expect(heap.largestFree).toBe(heap.freeBytes);
  expect(heap.malloc(2640 * PAGE)).toBe(first);
});

test('the sizes move along with the state', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4000 });
  const heap = new Heap({ memory, keepSizes: true });
  const sizes = [100, 640 * PAGE - 5, 3, 2000 * PAGE - 7, 11];
  const blocks = sizes.map((size) => heap.malloc(size));
  expect(blocks.map((ptr) => heap.lengthOf(ptr))).toEqual(sizes);
  expect(heap.check()).toEqual([]);
});

describe('growth as the options say', () => {
  const endAfter = (options: HeapOptions): number => {
    const heap = new Heap(options);
    const { end } = heap;
    while (heap.end === end) heap.malloc(1000);
    return heap.end - end;
  };
  const MIB = 2 ** 20;
  test.each<[object | undefined, number]>([
    [undefined, MIB / 8],
    [{}, MIB / 8],
    [{ factor: 2 }, MIB],
    [{ factor: 1.5 }, MIB / 2],
    [{ factor: 1 }, PAGE],
    [{ factor: 1, step: 3 * PAGE }, 3 * PAGE],
    [{ step: 2 * MIB }, 2 * MIB],
    [{ factor: 2, cap: 2 * PAGE }, 2 * PAGE],
    [{ step: MIB, cap: 100_000 }, 99_328],
  ])('%o', (growth, bytes) => {
    for (const embed of [false, true]) {
      const memory = MEMORIES['resizable ArrayBuffer'](MIB, 8 * MIB);
      expect(endAfter({ memory, embed, ...(growth && { growth }) })).toBe(bytes);
    }
  });

  test('a heap of less than 64 KiB doubles', () => {
    expect(endAfter({ memory: MEMORIES['resizable ArrayBuffer'](16_384, MIB) })).toBe(16_384);
  });

  test('no step at all is as much as the request takes', () => {
    const memory = MEMORIES['resizable ArrayBuffer'](MIB, 8 * MIB);
    const heap = new Heap({ memory, growth: { factor: 1, step: 0 } });
    const ptr = heap.malloc(MIB - 1024);
    expect(heap.malloc(3000)).toBe(MIB);
    expect(heap.end).toBe(MIB + 3072);
    heap.free(ptr);
    expect(heap.malloc(2 * MIB)).toBeGreaterThan(0);
    expect(heap.end).toBe(3 * MIB + 3072);
  });

  test('a cap does not refuse what a request takes', () => {
    const heap = new Heap({ size: MIB, maximum: 8 * MIB, growth: { cap: 1 } });
    expect(heap.malloc(4 * MIB)).toBeGreaterThan(0);
  });

  test.each<[unknown, typeof RangeError | typeof TypeError]>([
    [{ factor: 0.9 }, RangeError],
    [{ factor: 17 }, RangeError],
    [{ factor: Number.NaN }, RangeError],
    [{ factor: '2' }, TypeError],
    [{ step: -1 }, RangeError],
    [{ step: 0.5 }, RangeError],
    [{ step: 2 ** 33 }, RangeError],
    [{ cap: Number.POSITIVE_INFINITY }, RangeError],
    [{ cap: null }, TypeError],
    [2, TypeError],
    [null, TypeError],
  ])('%o is refused', (growth, type) => {
    expect(() => new Heap({ size: MIB, growth: growth as never })).toThrow(type);
  });
});

describe('a heap of its own', () => {
  test('grows up to the maximum, as a resizable buffer', () => {
    const heap = new Heap({ size: 1000, maximum: 100_000, resizable: true });
    expect(heap.end).toBe(2048); // two pages
    const view = heap.allocArray(Uint8Array, 300);
    while (heap.malloc(500) !== 0);
    expect(heap.end).toBe(100_000 - (100_000 % 1024));
    expect(view?.buffer).toBe(heap.buffer);
    expect(view?.length).toBe(300);
  });

  test('grows up to the maximum, as a WebAssembly memory unless told otherwise', () => {
    const heap = new Heap({ size: 1000, maximum: 100_000 });
    expect(heap.end).toBe(PAGE);
    const view = heap.allocArray(Uint8Array, 300);
    while (heap.malloc(500) !== 0);
    expect(heap.end).toBe(100_000 - (100_000 % 1024));
    expect(view?.length).toBe(0);
    expect(Reflect.get(heap.buffer, 'resizable')).not.toBe(true);
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
    expect(given).toBeGreaterThanOrEqual(4 * PAGE);
    // Page 0, the slab, and the state if that is embedded.
    expect(memory.byteLength).toBe(1024 * (embed ? 5 : 2));
    expect(heap.end).toBe(memory.byteLength);
    expect(byteLength - memory.byteLength).toBeGreaterThanOrEqual(given);
    expect(heap.trim()).toBe(0);
    expect(heap.check()).toEqual([]);
    expect(new Uint8Array(heap.buffer, small, 100).every((byte) => byte === 3)).toBe(true);
    expect(heap.stats()).toMatchObject({ used: 112, liveBlocks: 1 });
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
