// The last blocks below 4 GiB, in every kind of heap: they end at byte 2^32, which no 32-bit integer holds. (The case
// realloc-4gib.mjs: a block that moved from there came without its bytes.) In embedded heaps it is the state that ends
// there. Few pages of the memories are ever touched.

import { freemem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { DebugHeap } from '../../src/debug.ts';
import { type AbstractHeap, Heap } from '../../src/heap.ts';
import { MemPool } from '../../src/mempool.ts';
import { SharedHeap } from '../../src/shared.ts';

const TOP = 2 ** 32;
const PAGES = 65_536;
const NEEDED = 2 ** 30;

const isShort = freemem() < NEEDED;
const why = isShort ? ` (skipped: ${freemem()} bytes of memory are free, ${NEEDED} are needed)` : '';

function allOfIt(shared = false): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared });
}

/** Where the state begins of the heap that is embedded from `start` on, by its header. */
function stateOf(buffer: ArrayBufferLike, start: number): number {
  const [, , unit, , state] = new Uint32Array(buffer, start, 5);
  return unit * state;
}

/** Heaps whose region ends with the memory. */
const HEAPS: Record<string, () => AbstractHeap> = {
  Heap: () => new Heap({ memory: allOfIt(), start: TOP - 2 ** 17, unit: 256 }),
  'Heap with an end': () => new Heap({ memory: allOfIt(), start: TOP - 8192, end: TOP }),
  'Heap, embedded': () => new Heap({ memory: allOfIt(), start: TOP - 8192, end: TOP, embed: true }),
  'Heap of units of 8 bytes': () => new Heap({ memory: allOfIt(true), start: TOP - 8192, end: TOP, unit: 8 }),
  SharedHeap: () => SharedHeap.create({ memory: allOfIt(true), start: TOP - 2 ** 18, maximum: TOP }),
};

/** All blocks for which a heap has room, in address order. */
function fill(malloc: () => number): number[] {
  const all: number[] = [];
  for (let ptr = malloc(); ptr !== 0; ptr = malloc()) all.push(ptr);
  return all.sort((a, b) => a - b);
}

describe.skipIf(isShort)(`blocks that end at byte 2^32${why}`, () => {
  it.each(Object.keys(HEAPS))('of %s', (kind) => {
    const heap = HEAPS[kind]();
    expect([heap.end, heap.maximum]).toEqual([TOP, TOP]);
    const { unit } = heap;
    const end = kind === 'Heap, embedded' ? stateOf(heap.buffer, heap.start) : TOP;
    const all = fill(() => heap.malloc(unit));
    const last = all[all.length - 1];
    expect(last).toBe(end - unit);
    expect([heap.usableSize(last), heap.isAllocated(last)]).toEqual([unit, true]);
    expect([...heap.blocks()].at(-1)).toEqual({ ptr: last, size: unit });
    expect(heap.blockOf(end - 1)).toEqual({ ptr: last, size: unit });
    expect(heap.blockOf(TOP)).toBeUndefined();

    const bytes = heap.view(last, Uint8Array);
    expect([bytes.byteOffset, bytes.length]).toEqual([last, unit]);
    bytes.fill(0xab);
    expect(() => heap.free(last + 1)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
    expect(() => heap.free(TOP)).toThrow(RangeError);

    // It moves away, and its bytes with it.
    for (const ptr of all.slice(0, -1)) heap.free(ptr);
    const moved = heap.realloc(last, 2 * unit);
    expect(moved).toBeGreaterThan(0);
    expect(moved).not.toBe(last);
    expect([...heap.view(moved, Uint8Array, unit)]).toEqual(Array(unit).fill(0xab));
    expect(heap.isAllocated(last)).toBe(false);

    // And back, as the only block that has room.
    expect(fill(() => heap.malloc(unit)).at(-1)).toBe(last);
    heap.free(last);
    expect(heap.calloc(1, unit)).toBe(last);
    expect([...heap.view(last, Uint8Array)]).toEqual(Array(unit).fill(0));
    heap.free(heap.view(last, Uint8Array));
    expect(heap.check()).toEqual([]);
  });

  it('of all sizes', () => {
    const heap = new Heap({ memory: allOfIt(), start: TOP - 8192, end: TOP });
    for (let size = 16; size <= 2048; size *= 2) {
      const blocks = fill(() => heap.malloc(size));
      const last = blocks[blocks.length - 1];
      expect(last).toBe(TOP - size);
      heap.view(last, Uint8Array).fill(size / 16);
      for (const ptr of blocks.slice(0, -1)) heap.free(ptr);
      const moved = heap.realloc(last, 2 * size);
      expect(moved).toBeLessThan(last);
      expect([...heap.view(moved, Uint8Array, size)]).toEqual(Array(size).fill((size / 16) % 256));
      heap.clear();
    }
  });

  it('that grow in place up to there, or move over themselves', () => {
    const heap = new Heap({ memory: allOfIt(), start: TOP - 8192, end: TOP });
    const low = heap.malloc(1024);
    const ptr = heap.malloc(6144);
    heap.view(ptr, Uint8Array).forEach((_, i, bytes) => {
      bytes[i] = i % 251;
    });
    const expected = heap.view(ptr, Uint8Array).slice();
    expect(heap.realloc(ptr, 7168)).toBe(ptr);
    expect(heap.blockOf(TOP - 1)).toEqual({ ptr: TOP - 7168, size: 7168 });
    expect(heap.realloc(ptr, 7169)).toBe(0);
    heap.free(low);
    expect(heap.realloc(ptr, 8192)).toBe(TOP - 8192);
    expect(heap.view(low, Uint8Array, 6144)).toEqual(expected);
    expect([heap.freeBytes, heap.check()]).toEqual([0, []]);
  });

  it('of DebugHeap, whose red zones end there', () => {
    const heap = new DebugHeap({ memory: allOfIt(), start: TOP - 8192, end: TOP });
    const all = fill(() => heap.malloc(32));
    const last = all[all.length - 1];
    expect(last).toBe(TOP - 48);
    heap.view(last, Uint8Array).fill(0xab);
    expect(() => heap.view(TOP - 15, Uint8Array)).toThrow(/red zone/);
    new Uint8Array(heap.buffer)[TOP - 1] = 0;
    expect(heap.verify().map(({ message }) => /bytes 4294967295 to 4294967295/.test(message))).toEqual([
      true,
    ]);
    expect(() => heap.free(last)).toThrow(expect.objectContaining({ code: 'REDZONE' }));
    for (const ptr of all.slice(0, -1)) heap.free(ptr);
    const moved = heap.realloc(last, 10);
    expect(moved).toBeLessThan(last);
    expect([...heap.view(moved, Uint8Array)]).toEqual(Array(10).fill(0xab));
    expect(heap.verify()).toEqual([]);
  });

  it('of MemPool', () => {
    const pool = new MemPool({ buf: allOfIt().buffer, start: TOP - 8192 });
    const all = fill(() => pool.malloc(8));
    const last = all[all.length - 1];
    const end = stateOf(pool.buf, TOP - 8192);
    expect([last, pool.stats().top]).toEqual([end - 8, end]);
    new Uint8Array(pool.buf, last, 8).fill(0xab);
    for (const ptr of all.slice(0, -1)) pool.free(ptr);
    const moved = pool.realloc(last, 16);
    expect(moved).toBeLessThan(last);
    expect([...new Uint8Array(pool.buf, moved, 8)]).toEqual(Array(8).fill(0xab));
    expect(pool.free(last)).toBe(false);
  });
});
