// The figures that a heap gives of itself before and after it is made: bytesFor, maximum, blocks, stats.

import { describe, expect, test } from 'vitest';
import { Heap, type HeapOptions } from '../../src/heap.ts';
import { outcomeOf } from '../support/agreement.ts';
import { MEMORIES, MEMORY_KINDS } from '../support/heap-driver.ts';
import { Random } from '../support/random.ts';

const PAGE = 65_536;

describe('bytesFor', () => {
  test.each<HeapOptions>([
    { size: 4096 },
    { size: 100_003, unit: 8 },
    { size: 2 ** 20, unit: 1024 },
    { size: 4096, start: 1000 },
    { size: 100_000, start: 90_000, end: 95_000 },
    { size: 100_000, start: 90_000, end: 95_000, embed: true },
    { size: 4096, embed: true },
    { size: 4096, maximum: PAGE },
    { size: 100, maximum: PAGE, embed: true },
    { size: 4096, maximum: PAGE, resizable: true },
    { size: 4096, maximum: 3 * PAGE, embed: true, resizable: true },
    { size: 70_000, maximum: 2 ** 30, keepSizes: true },
    { size: 70_000, keepSizes: true, embed: true, unit: 8 },
    { size: 5000, maximum: 9000 },
    { size: PAGE, maximum: PAGE },
  ])('of %o is what the heap takes', (options) => {
    expect(Heap.bytesFor(options)).toBe(new Heap(options).stats().metadataBytes);
  });

  test.each(MEMORY_KINDS)('of a memory, a %s', (kind) => {
    for (const options of [{}, { embed: true }, { start: 500 }, { end: 60_000 }, { maximum: 50_000 }]) {
      for (const length of [PAGE, kind.includes('WebAssembly') ? 0 : PAGE - 1]) {
        const make = () => ({ memory: MEMORIES[kind](length, 4 * PAGE), ...options });
        const made = outcomeOf(() => new Heap(make()).stats().metadataBytes);
        expect(outcomeOf(() => Heap.bytesFor(make()))).toEqual(made);
      }
    }
  });

  test('makes no memory', () => {
    const bytes = Heap.bytesFor({ size: 2 ** 32 });
    expect(bytes / 2 ** 32).toBeGreaterThan(0.019);
    expect(bytes / 2 ** 32).toBeLessThan(0.02);
    expect(Heap.bytesFor({ size: 1, maximum: 2 ** 32 })).toBeLessThan(20_000);
    const memory = MEMORIES['WebAssembly.Memory'](0, 4 * PAGE) as WebAssembly.Memory;
    expect(Heap.bytesFor({ memory })).toBeGreaterThan(0);
    expect(memory.buffer.byteLength).toBe(0);
  });

  test.each<[object, string]>([
    [{}, 'TypeError'],
    [{ size: '1' }, 'TypeError'],
    [{ size: 4096, embed: 1 }, 'TypeError'],
    [{ size: 4096, end: 100, maximum: 5000 }, 'TypeError'],
    [{ size: 8 }, 'RangeError'],
    [{ size: 500, embed: true }, 'RangeError'],
    [{ size: 4096, start: 4097 }, 'RangeError'],
    [{ size: 4096, unit: 24 }, 'RangeError'],
    [{ size: 4096, maximum: 4095 }, 'RangeError'],
  ])('refuses %o as the constructor does', (options, error) => {
    expect(outcomeOf(() => Heap.bytesFor(options as HeapOptions))).toMatchObject({ error });
    expect(outcomeOf(() => new Heap(options as HeapOptions))).toMatchObject({ error });
  });
});

describe('maximum', () => {
  test.each<[HeapOptions, number]>([
    [{ size: 5000 }, 4992],
    [{ size: 5000, end: 3000 }, 2944],
    [{ size: 5000, maximum: 9000 }, 8960],
    [{ size: 5000, maximum: 9000, resizable: true }, 8960],
    [{ memory: MEMORIES['resizable ArrayBuffer'](PAGE, 4 * PAGE) }, 4 * PAGE],
    [{ memory: MEMORIES['resizable ArrayBuffer'](PAGE, 4 * PAGE), maximum: 3 * PAGE }, 3 * PAGE],
    [{ memory: MEMORIES['resizable ArrayBuffer'](PAGE, 4 * PAGE), end: PAGE }, PAGE],
    [{ memory: MEMORIES['growable SharedArrayBuffer'](PAGE, 4 * PAGE), maximum: 5 * PAGE }, 4 * PAGE],
    [{ memory: MEMORIES['WebAssembly.Memory'](PAGE, 4 * PAGE) }, 2 ** 32],
    [{ memory: MEMORIES['WebAssembly.Memory'](PAGE, 4 * PAGE), maximum: 2 * PAGE }, 2 * PAGE],
  ])('of %o', (options, maximum) => {
    const heap = new Heap(options);
    expect(heap.maximum).toBe(maximum);
    while (heap.malloc(1000) !== 0);
    expect(heap.maximum).toBe(maximum);
    expect(heap.end).toBeLessThanOrEqual(maximum);
    if (maximum < 2 ** 32) expect(heap.end).toBe(maximum);
  });
});

describe('blocks', () => {
  test.each<HeapOptions>([
    { size: PAGE },
    { size: PAGE, embed: true },
    { size: 4096, maximum: 4 * PAGE },
    { size: 4096, maximum: 4 * PAGE, embed: true, unit: 32 },
    { size: 4096, maximum: 4 * PAGE, resizable: true },
    { size: PAGE, start: 5000, end: 50_000, embed: true, unit: 8 },
  ])('of %o are the live ones, in address order, and the figures fit', (options) => {
    const heap = new Heap(options);
    const random = new Random(3);
    const live = new Map<number, number>();
    for (let i = 0; i < 300; i++) {
      const pointers = [...live.keys()];
      const ptr = pointers[random.below(pointers.length + 1)] ?? 0;
      if (ptr === 0 || random.below(3) > 0) {
        const fresh = heap.malloc(random.below(400));
        if (fresh !== 0) live.set(fresh, heap.usableSize(fresh));
      } else {
        heap.free(ptr);
        live.delete(ptr);
      }
      if (i % 20 !== 0) continue;
      const blocks = [...heap.blocks()];
      expect(blocks.map(({ ptr, size }) => [ptr, size])).toEqual([...live].sort(([a], [b]) => a - b));
      const { capacity, free, used, largestFree, liveBlocks } = heap.stats();
      expect(blocks.reduce((sum, { size }) => sum + size, 0)).toBe(used);
      expect([liveBlocks, capacity]).toEqual([live.size, used + free]);
      expect([heap.usedBytes, heap.freeBytes, heap.largestFree]).toEqual([used, free, largestFree]);
      let last = heap.start;
      for (const { ptr, size } of blocks) {
        expect(ptr).toBeGreaterThanOrEqual(last);
        last = ptr + size;
      }
      expect(last).toBeLessThanOrEqual(heap.end);
    }
    expect(live.size).toBeGreaterThan(20);
  });

  test('are told at once that the memory is gone', () => {
    const heap = new Heap({ size: PAGE });
    structuredClone(heap.buffer, { transfer: [heap.buffer as ArrayBuffer] });
    expect(outcomeOf(() => heap.blocks())).toMatchObject({ error: 'DETACHED' });
  });

  test('are found by each of their bytes, and by no other', () => {
    const heap = new Heap({ size: PAGE });
    const blocks = [1, 100, 3000, 10_000].map((size) => heap.malloc(size));
    heap.free(blocks[1]);
    const owners = new Map<number, object>();
    for (const block of heap.blocks())
      for (let at = block.ptr; at < block.ptr + block.size; at++) owners.set(at, block);
    for (let at = 0; at < PAGE + 100; at++) expect(heap.blockOf(at)).toEqual(owners.get(at));
    expect(heap.blockOf(2 ** 40)).toBeUndefined();
    for (const at of [-1, 0.5, Number.NaN]) expect(() => heap.blockOf(at)).toThrow(RangeError);
    for (const at of ['1', undefined, 1n]) expect(() => heap.blockOf(at as never)).toThrow(TypeError);
  });
});
