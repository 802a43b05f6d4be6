// The last blocks below 4 GiB, in every kind of heap: they end at byte 2^32, which no 32-bit integer holds. (The case
// realloc-4gib.mjs: a block that moved from there came without its bytes.) Few pages of the memories are ever touched.

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

/** Heaps whose region ends with the memory. */
const HEAPS: Record<string, () => AbstractHeap> = {
  Heap: () => new Heap({ memory: allOfIt(), start: TOP - 2 ** 17, unit: 256 }),
  'Heap with an end': () => new Heap({ memory: allOfIt(), start: TOP - 8192, end: TOP }),
  'Heap, embedded': () => new Heap({ memory: allOfIt(), start: TOP - 8192, end: TOP, embed: true }),
  'Heap of units of 8 bytes': () => new Heap({ memory: allOfIt(true), start: TOP - 8192, end: TOP, unit: 8 }),
  SharedHeap: () => SharedHeap.create({ memory: allOfIt(true), start: TOP - 2 ** 18, maximum: TOP }),
};

describe.skipIf(isShort)(`blocks that end at byte 2^32${why}`, () => {
  it.each(Object.keys(HEAPS))('of %s', (kind) => {
    const heap = HEAPS[kind]();
    expect([heap.end, heap.maximum]).toEqual([TOP, TOP]);
    const { unit } = heap;
    const all: number[] = [];
    for (let ptr = heap.malloc(unit); ptr !== 0; ptr = heap.malloc(unit)) all.push(ptr);
    all.sort((a, b) => a - b);
    const last = all[all.length - 1];
    expect(last).toBe(TOP - unit);
    expect([heap.usableSize(last), heap.isAllocated(last)]).toEqual([unit, true]);
    expect([...heap.blocks()].at(-1)).toEqual({ ptr: last, size: unit, free: false });

    const bytes = heap.view(last, Uint8Array);
    expect([bytes.byteOffset, bytes.length]).toEqual([last, unit]);
    bytes.fill(0xab);
    expect(() => heap.free(last + 1)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
    expect(() => heap.free(TOP)).toThrow(RangeError);

    // It moves away, and its bytes with it.
    const low = all.findIndex((ptr) => ptr % (4 * unit) === 0);
    for (const ptr of all.slice(low, low + 4)) heap.free(ptr);
    const moved = heap.realloc(last, 2 * unit);
    expect(moved).toBe(all[low]);
    expect([...heap.view(moved, Uint8Array, unit)]).toEqual(Array(unit).fill(0xab));
    expect(heap.isAllocated(last)).toBe(false);

    // And back, as the only block that has room.
    const others = [];
    for (let ptr = heap.malloc(unit); ptr !== last; ptr = heap.malloc(unit)) others.push(ptr);
    heap.free(last);
    expect(heap.calloc(1, unit)).toBe(last);
    expect([...heap.view(last, Uint8Array)]).toEqual(Array(unit).fill(0));
    heap.free(heap.view(last, Uint8Array));
    expect(heap.check()).toEqual([]);
  });

  it('of all sizes', () => {
    const heap = new Heap({ memory: allOfIt(), start: TOP - 8192, end: TOP });
    for (let size = 16; size <= 1024; size *= 2) {
      const blocks: number[] = [];
      for (let ptr = heap.malloc(size); ptr !== 0; ptr = heap.malloc(size)) blocks.push(ptr);
      const last = blocks[blocks.length - 1];
      expect(last).toBe(TOP - size);
      heap.view(last, Uint8Array).fill(size / 16);
      heap.free(blocks[0]);
      heap.free(blocks[1]);
      const moved = heap.realloc(last, 2 * size);
      expect(moved).toBe(blocks[0]);
      expect([...heap.view(moved, Uint8Array, size)]).toEqual(Array(size).fill(size / 16));
      heap.clear();
    }
  });

  it('of DebugHeap, whose red zones end there', () => {
    const heap = new DebugHeap({ memory: allOfIt(), start: TOP - 8192, end: TOP });
    const all: number[] = [];
    for (let ptr = heap.malloc(16); ptr !== 0; ptr = heap.malloc(16)) all.push(ptr);
    const last = all[all.length - 1];
    expect(last).toBe(TOP - 48);
    heap.view(last, Uint8Array).fill(0xab);
    expect(() => heap.view(TOP - 16, Uint8Array)).toThrow(/red zone/);
    new Uint8Array(heap.buffer)[TOP - 1] = 0;
    expect(heap.verify().map(({ message }) => /bytes 4294967295 to 4294967295/.test(message))).toEqual([
      true,
    ]);
    expect(() => heap.free(last)).toThrow(expect.objectContaining({ code: 'REDZONE' }));
    heap.free(all[0]);
    const moved = heap.realloc(last, 10);
    expect([...heap.view(moved, Uint8Array)]).toEqual(Array(10).fill(0xab));
    expect(heap.verify()).toEqual([]);
  });

  it('of MemPool', () => {
    const pool = new MemPool({ buf: allOfIt().buffer, start: TOP - 8192 });
    const all: number[] = [];
    for (let ptr = pool.malloc(8); ptr !== 0; ptr = pool.malloc(8)) all.push(ptr);
    const last = all[all.length - 1];
    expect([last, pool.stats().top]).toEqual([TOP - 8, TOP]);
    new Uint8Array(pool.buf, last, 8).fill(0xab);
    const low = all.findIndex((ptr) => ptr % 16 === 0);
    pool.free(all[low]);
    pool.free(all[low + 1]);
    expect(pool.realloc(last, 16)).toBe(all[low]);
    expect([...new Uint8Array(pool.buf, all[low], 8)]).toEqual(Array(8).fill(0xab));
    expect(pool.free(last)).toBe(false);
  });
});
