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

/** Walks over the heap's upper half with every call that takes or gives a pointer. */
function exercise(heap: Heap): void {
  const low = heap.malloc(GIB); // at 1 GiB
  const middle = heap.malloc(GIB); // at 2 GiB
  expect([low, middle]).toEqual([GIB, 2 * GIB]);
  const high = heap.malloc(GIB / 2); // fills what is left below 1 GiB
  expect(heap.usableSize(middle)).toBe(GIB);
  const top = heap.malloc(GIB / 2);
  expect(top).toBe(3 * GIB);
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
  expect(heap.realloc(top, 5000)).toBe(top);
  expect(heap.realloc(top, 10_000)).toBe(top);
  expect(heap.view(top, Uint32Array, 1)[0]).toBe(top);
  heap.free(high);
  const array = heap.callocArray(Float64Array, 1000) as Float64Array;
  const moved = heap.realloc(top, 20_000);
  expect(heap.view(moved, Uint32Array, 1)[0]).toBe(top);
  heap.free(array);
  expect(() => heap.free(middle + 16)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
  heap.free(middle);
  expect(() => heap.free(middle)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
  expect(() => heap.free(heap.end)).toThrow(RangeError);

  // As a WebAssembly module sees it.
  const { malloc, free, realloc } = heap.imports;
  const signed = malloc(GIB);
  expect(signed).toBe(middle | 0);
  expect(signed).toBeLessThan(0);
  expect(realloc(signed, 100)).toBe(signed);
  free(signed);
  heap.free(heap.view(moved, Uint8Array));
  for (const ptr of blocks) heap.free(ptr);
  heap.free(low);
  expect(heap.stats()).toMatchObject({ used: 0, liveBlocks: 0, largestFree: GIB });
}

test.skipIf(short)(`a WebAssembly.Memory of 65535 pages ${name}`, () => {
  const heap = new Heap({ memory: new WebAssembly.Memory({ initial: 65_535 }) });
  expect(heap.end).toBe(LENGTH);
  exercise(heap);
});

test.skipIf(short)(`an ArrayBuffer that has grown to 4 GiB less 64 KiB ${name}`, () => {
  const heap = new Heap({ size: 65_536, maximum: LENGTH });
  const ptr = heap.malloc(GIB);
  expect(heap.buffer.byteLength).toBeGreaterThanOrEqual(2 * GIB);
  heap.free(ptr);
  heap.free(heap.malloc(GIB));
  while (heap.end < LENGTH && heap.malloc(GIB) !== 0);
  expect(heap.end).toBe(LENGTH);
  heap.clear();
  exercise(heap);
});

test.skipIf(short)(`a block of 2 GiB ${name}`, () => {
  const heap = new Heap({ memory: new WebAssembly.Memory({ initial: 65_536 }) });
  const ptr = heap.malloc(2 * GIB - 5);
  expect(ptr).toBe(2 * GIB);
  expect(heap.usableSize(ptr)).toBe(2 * GIB);
  heap.view(ptr, Uint8Array)[2 * GIB - 1] = 9;
  expect(heap.realloc(ptr, 1000)).toBe(ptr);
  expect(heap.realloc(ptr, 2 * GIB)).toBe(ptr);
  expect(heap.malloc(2 * GIB)).toBe(0);
  expect(heap.malloc(2 ** 32 - 1)).toBe(0);
  heap.free(ptr);
  expect(heap.alignedAlloc(2 ** 31, 1)).toBe(2 ** 31);
  expect(heap.stats().used).toBe(16);
});

test.skipIf(short)(`a region at the very end, embedded ${name}`, () => {
  const memory = new WebAssembly.Memory({ initial: 65_536 });
  const start = 2 ** 32 - 2 ** 20;
  const heap = new Heap({ memory, start, embed: true, unit: 4096 });
  expect(heap.end).toBe(2 ** 32);
  const pointers: number[] = [];
  for (let ptr = heap.malloc(1); ptr !== 0; ptr = heap.malloc(1)) pointers.push(ptr);
  expect(pointers[pointers.length - 1]).toBe(2 ** 32 - 4096);
  heap.view(2 ** 32 - 4096, Uint8Array, 4096)[4095] = 1;
  const again = Heap.attach({ memory, start });
  expect(again.stats()).toEqual(heap.stats());
  for (const ptr of pointers) again.free(ptr);
  expect(again.stats().used).toBe(0);
});
