// Heaps with an `end`, high in a large memory: their state covers the region alone, and their blocks lie where those of
// a heap lie that counts from the memory's first byte.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Heap } from '../../src/heap.ts';
import { MemPool } from '../../src/mempool.ts';
import { bytesOf, MEMORIES, MEMORY_KINDS } from '../support/heap-driver.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** What a call answers: a result, or the error's class and code. */
function answer(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return [(error as Error).constructor.name, Reflect.get(error as Error, 'code')];
  }
}

test('any region, any sequence of calls: as a heap whose memory ends where the region does', () => {
  const unit = fc.constantFrom(8, 16, 64);
  const call = fc.tuple(fc.constantFrom('malloc', 'aligned', 'realloc', 'free'), fc.nat(1200), fc.nat(999));
  let above = 0;
  fc.assert(
    fc.property(
      fc.nat(20_000),
      fc.integer({ min: 300, max: 9000 }),
      unit,
      fc.array(call, { maxLength: 40, size: 'max' }),
      (start, size, unit, calls) => {
        const end = start + size;
        const whole = new Heap({ memory: new ArrayBuffer(end), start, unit });
        const part = new Heap({ memory: new ArrayBuffer(end + 5000), start, end, unit });
        assert.equal(part.end, whole.end);
        if (part.stats().metadataBytes < whole.stats().metadataBytes) above++;
        const live = [0];
        for (const [kind, bytes, at] of calls) {
          const i = Math.floor((at / 1000) * live.length);
          const ptr = live[i];
          const act = (heap: Heap): unknown => {
            if (kind === 'malloc') return heap.malloc(bytes);
            if (kind === 'aligned') return heap.alignedAlloc(2 ** (at % 13), bytes);
            return kind === 'realloc' ? heap.realloc(ptr, bytes) : heap.free(ptr);
          };
          const given = act(part);
          assert.equal(given, act(whole));
          if (typeof given !== 'number') live[i] = 0;
          else if (given === 0) continue;
          else if (kind === 'realloc') live[i] = given;
          else live.push(given);
          if (typeof given !== 'number' || ptr === 0) continue;
          assert(given >= start && given + part.usableSize(given) <= end);
        }
        assert.deepEqual(part.check(), []);
        const { metadataBytes, ...figures } = part.stats();
        assert.deepEqual(whole.stats(), { ...figures, metadataBytes: whole.stats().metadataBytes });
        for (let ptr = Math.max(0, start - 100); ptr < end + 20; ptr += 4) {
          for (const act of [
            (heap: Heap) => heap.isAllocated(ptr),
            (heap: Heap) => heap.usableSize(ptr),
            (heap: Heap) => heap.view(ptr, Uint8Array).byteLength,
          ]) {
            assert.deepEqual(
              answer(() => act(part)),
              answer(() => act(whole)),
            );
          }
        }
      },
    ),
    { numRuns: 150 },
  );
  expect(above).toBeGreaterThan(50);
});

describe.each(MEMORY_KINDS)('8 KiB near the end of a %s', (kind) => {
  const START = 4 * MIB - 64 * KIB + 24;
  const END = START + 8 * KIB;

  test('hold their own state, and can be restored', () => {
    const memory = MEMORIES[kind](4 * MIB, 4 * MIB);
    bytesOf(memory).fill(1);
    const heap = new Heap({ memory, start: START, end: END, embed: true });
    const { metadataBytes, largestFree } = heap.stats();
    expect(metadataBytes).toBeLessThan((END - START) / 4);
    const pointers = [16, 100, 1000, 2000].map((size) => heap.calloc(size, 1));
    for (const ptr of pointers) {
      expect(ptr % 16).toBe(0);
      expect(ptr > START && ptr + heap.usableSize(ptr) <= END).toBe(true);
    }
    expect(heap.malloc(largestFree)).toBe(0);
    heap.free(pointers[1]);

    // `start` is where the header is, or less than 8 bytes before it.
    for (const start of [START, START - 7]) {
      const restored = Heap.attach({ memory: bytesOf(memory).slice().buffer, start });
      expect(restored.check()).toEqual([]);
      expect(restored.stats()).toEqual(heap.stats());
      expect(restored.usableSize(pointers[3])).toBe(2048);
      expect(restored.malloc(100)).toBe(pointers[1]);
      expect(restored.malloc(largestFree)).toBe(0);
      for (const { ptr } of [...restored.blocks()]) restored.free(ptr);
      expect(restored.malloc(largestFree)).toBeGreaterThan(START);
    }
    expect(bytesOf(memory).findLastIndex((byte, at) => byte !== 1 && at < START)).toBe(-1);
    expect(bytesOf(memory).findIndex((byte, at) => byte !== 1 && at >= END)).toBe(-1);
  });
});

test('what lies outside is not to be freed', () => {
  const start = MIB + 512;
  const heap = new Heap({ memory: new ArrayBuffer(2 * MIB), start, end: start + 4 * KIB, embed: true });
  for (const ptr of [16, MIB - 16, MIB, MIB + 496, start]) {
    expect(() => heap.free(ptr)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    expect(() => heap.realloc(ptr, 5)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    expect(() => heap.view(ptr, Int8Array)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    expect(heap.isAllocated(ptr)).toBe(false);
  }
  for (const ptr of [-16, heap.end, 2 * MIB, 2 ** 32, 2 ** 32 + MIB + 1024]) {
    expect(() => heap.free(ptr)).toThrow(RangeError);
  }
  expect(heap.check()).toEqual([]);
});

test('a region that begins at a multiple of its size is handed out from its first byte on', () => {
  const heap = new Heap({ memory: new ArrayBuffer(64 * KIB), start: 32 * KIB, end: 36 * KIB });
  expect(heap.stats()).toMatchObject({ capacity: 4 * KIB, largestFree: 4 * KIB, liveBlocks: 0 });
  expect(heap.malloc(4 * KIB)).toBe(32 * KIB);
  heap.clear();
  expect(heap.malloc(1)).toBe(32 * KIB);
  expect(heap.check()).toEqual([]);
});

test('a pool high in a large buffer takes little, and its figures are right', () => {
  const start = 8 * MIB - 4096;
  const pool = new MemPool({ buf: new ArrayBuffer(8 * MIB), start });
  const array = pool.mallocAs('u32', 100);
  expect(array?.byteOffset).toBeGreaterThan(start);
  const { top, used, available } = pool.stats();
  expect(used).toEqual({ count: 1, size: 512 });
  expect(top).toBe((array?.byteOffset ?? 0) + 512);
  expect(available + 512).toBe(new MemPool({ size: 4096 }).stats().available);
});
