// A memory as large as 32-bit pointers reach: pointers from 2^31 up are right. Few of its pages are ever touched.

import { freemem } from 'node:os';
import { expect, test } from 'vitest';
import { Heap } from '../../src/heap.ts';

const GIB = 2 ** 30;
/** The metadata of 4 GiB, with room to spare. */
const NEEDED = GIB;

/** 4 GiB less a page: the largest that a 32-bit length has, without being all of WebAssembly's address space. */
const LENGTH = 2 ** 32 - 65_536;

const short = freemem() < NEEDED;
const name = short
  ? `skipped: ${(freemem() / GIB).toFixed(1)} GiB of memory are free, ${NEEDED / GIB} are needed`
  : '';

/** The page that holds the null pointer is not handed out. */
const FIRST = 1024;

/** Walks over the heap's upper half with every call that takes or gives a pointer. */
function exercise(heap: Heap): void {
  const [low, middle, high, top] = [GIB, GIB, GIB / 2, GIB / 2].map((size) => heap.malloc(size));
  expect([low, middle, high, top]).toEqual([FIRST, FIRST + GIB, FIRST + 2 * GIB, FIRST + 2.5 * GIB]);
  expect(heap.usableSize(middle)).toBe(GIB);
  expect(heap.blockOf(top + GIB / 2 - 1)).toEqual({ ptr: top, size: GIB / 2 });
  expect(heap.malloc(GIB)).toBe(0);

  const blocks = [1, 16, 1000, 100_000].map((size) => heap.alignedAlloc(65_536 * 256, size));
  expect(new Set(blocks).size).toBe(4);
  for (const ptr of [...blocks, top, middle]) {
    expect(ptr % 16).toBe(0);
    const view = heap.view(ptr, Uint32Array, 1);
    view[0] = ptr;
    expect(view.byteOffset).toBe(ptr);
    expect(new DataView(heap.buffer).getUint32(ptr, true)).toBe(ptr);
  }
  expect([...heap.blocks()].map(({ ptr }) => ptr)).toEqual([low, middle, high, top, ...blocks]);

  // In place, to a slot of a slab, and to pages again.
  expect(heap.realloc(top, 10_000)).toBe(top);
  expect(heap.realloc(top, GIB / 4)).toBe(top);
  expect(heap.view(top, Uint32Array, 1)[0]).toBe(top);
  heap.free(high);
  const slot = heap.realloc(top, 5000);
  expect(slot).toBeGreaterThan(2 ** 31);
  expect(heap.view(slot, Uint32Array, 1)[0]).toBe(top);
  const array = heap.callocArray(Float64Array, 1000) as Float64Array;
  const moved = heap.realloc(slot, 20_000);
  expect(heap.view(moved, Uint32Array, 1)[0]).toBe(top);
  heap.free(array);
  expect(() => heap.free(moved + 16)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
  heap.free(heap.view(moved, Uint8Array));
  expect(() => heap.free(moved)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
  expect(() => heap.free(heap.end)).toThrow(RangeError);

  // As a WebAssembly module sees it.
  const { malloc, free, realloc } = heap.imports;
  const signed = malloc(GIB / 2);
  expect(signed).toBeLessThan(0);
  expect(heap.blockOf(signed >>> 0)).toEqual({ ptr: signed >>> 0, size: GIB / 2 });
  expect(realloc(signed, 10_000)).toBe(signed);
  free(signed);
  const small = malloc(100);
  expect(small >>> 0).toBeGreaterThan(2 ** 31);
  expect(realloc(small, 105)).toBe(small);
  free(small);

  for (const ptr of [...blocks, low, middle]) heap.free(ptr);
  const { largestFree } = heap;
  expect(heap.stats()).toMatchObject({ used: 0, liveBlocks: 0, capacity: largestFree });
  expect(largestFree).toBe(LENGTH - FIRST);
  heap.free(heap.malloc(largestFree));
  expect(heap.check()).toEqual([]);
}

test.skipIf(short)(`a WebAssembly.Memory of 65535 pages ${name}`, () => {
  const heap = new Heap({ memory: new WebAssembly.Memory({ initial: 65_535 }) });
  expect(heap.end).toBe(LENGTH);
  exercise(heap);
});

test.skipIf(short)(`an ArrayBuffer that has grown to 4 GiB less 64 KiB ${name}`, () => {
  const heap = new Heap({ size: 65_536, maximum: LENGTH, resizable: true });
  const ptr = heap.malloc(GIB);
  expect(heap.buffer.byteLength).toBeGreaterThan(GIB);
  heap.free(ptr);
  heap.free(heap.malloc(GIB));
  for (let size = GIB; size > 1000; size /= 2) while (heap.malloc(size) !== 0);
  expect([heap.end, heap.freeBytes]).toEqual([LENGTH, 0]);
  heap.clear();
  exercise(heap);
});

test.skipIf(short)(`blocks of 2 GiB and more ${name}`, () => {
  const heap = new Heap({ memory: new WebAssembly.Memory({ initial: 65_536 }) });
  const low = heap.malloc(GIB);
  const ptr = heap.malloc(2 * GIB - 5);
  expect(ptr).toBe(FIRST + GIB);
  expect(heap.usableSize(ptr)).toBe(2 * GIB);
  heap.view(ptr, Uint8Array)[2 * GIB - 1] = 9;
  expect(heap.blockOf(FIRST + 3 * GIB - 1)).toEqual({ ptr, size: 2 * GIB });
  expect(heap.realloc(ptr, GIB)).toBe(ptr);
  expect(heap.realloc(ptr, 3 * GIB - FIRST)).toBe(ptr);
  expect(heap.view(ptr, Uint8Array).at(2 * GIB - 1)).toBe(9);
  expect(heap.malloc(1)).toBe(0);
  expect(heap.malloc(2 ** 32 - 1)).toBe(0);
  heap.free(low);
  heap.free(ptr);
  const most = heap.malloc(2 ** 32 - FIRST);
  expect([most, heap.usableSize(most), heap.freeBytes]).toEqual([FIRST, 2 ** 32 - FIRST, 0]);
  heap.free(most);
  expect(heap.alignedAlloc(2 ** 31, 1)).toBe(2 ** 31);
  expect(heap.alignedAlloc(2 ** 31, 1)).toBe(0);
  expect(heap.stats().used).toBe(1024);
});

test.skipIf(short)(`a region at the very end, embedded ${name}`, () => {
  const memory = new WebAssembly.Memory({ initial: 65_536 });
  const start = 2 ** 32 - 2 ** 20;
  const unit = 4096;
  const heap = new Heap({ memory, start, embed: true, unit });
  expect(heap.end).toBe(2 ** 32);
  const pointers: number[] = [];
  for (let ptr = heap.malloc(1); ptr !== 0; ptr = heap.malloc(1)) pointers.push(ptr);
  // Behind the last block lies the state, up to the last byte.
  const own = Math.ceil(heap.stats().metadataBytes / unit) * unit;
  const last = 2 ** 32 - own - unit;
  expect(pointers[pointers.length - 1]).toBe(last);
  heap.view(last, Uint8Array, unit)[unit - 1] = 1;
  for (const ptr of [last + unit, 2 ** 32 - 1])
    expect(() => heap.free(ptr)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
  const again = Heap.attach({ memory, start });
  expect(again.stats()).toEqual(heap.stats());
  for (const ptr of pointers) again.free(ptr);
  expect(again.stats().used).toBe(0);
});
