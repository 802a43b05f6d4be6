// Faults that a search for them has found in heaps on slabs, each with what is right.

import { expect, test } from 'vitest';
import { DebugHeap } from '../../src/debug.ts';
import { Heap } from '../../src/heap.ts';
import { MemPool } from '../../src/mempool.ts';
import { withoutMemoryFor } from '../support/no-memory.ts';

const PAGE = 65_536;

test.each([true, false])('no memory for the sizes that are kept changes nothing, embedded: %s', (embed) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2000 });
  const heap = new Heap({ memory, keepSizes: true, embed });
  const ptr = heap.malloc(100);
  const { end } = heap;
  expect(withoutMemoryFor('Uint16Array', () => heap.malloc(640 * PAGE))).toBe(0);
  expect([heap.end, heap.lengthOf(ptr), heap.check()]).toEqual([end, 100, []]);
  expect(heap.lengthOf(heap.malloc(640 * PAGE))).toBe(640 * PAGE);
  expect([heap.lengthOf(ptr), heap.check()]).toEqual([100, []]);
});

test.each([
  Heap,
  DebugHeap,
])('allocFrom takes a view of its own memory, which growth detaches: %o', (Kind) => {
  const heap = new Kind({ memory: new WebAssembly.Memory({ initial: 1, maximum: 10 }) });
  const view = heap.allocArray(Uint8Array, 40_000)?.fill(7) as Uint8Array;
  const copy = heap.allocFrom(view);
  expect(copy?.length).toBe(40_000);
  expect(copy?.every((byte) => byte === 7)).toBe(true);
});

test('allocFrom into a memory that was cut leaves no block', () => {
  const memory = Reflect.construct(ArrayBuffer, [PAGE, { maxByteLength: 2 * PAGE }]) as ArrayBuffer;
  const heap = new Heap({ memory });
  (Reflect.get(memory, 'resize') as (length: number) => void).call(memory, 100);
  expect(() => heap.allocFrom(new Uint8Array(10))).toThrow(expect.objectContaining({ code: 'TRUNCATED' }));
  (Reflect.get(memory, 'resize') as (length: number) => void).call(memory, PAGE);
  expect(heap.usedBytes).toBe(0);
});

test('realloc of the last block grows the memory by what is missing', () => {
  for (const options of [
    { memory: new WebAssembly.Memory({ initial: 1, maximum: 16 }) },
    { size: PAGE, maximum: 16 * PAGE, resizable: true, growth: { factor: 1, step: 0 } },
    { size: PAGE, maximum: 16 * PAGE, resizable: true, embed: true },
  ]) {
    const heap = new Heap(options);
    const ptr = heap.malloc(600_000);
    new Uint8Array(heap.buffer, ptr, 600_000).fill(5);
    expect(heap.realloc(ptr, 700_000)).toBe(ptr);
    expect(new Uint8Array(heap.buffer, ptr, 600_000).every((byte) => byte === 5)).toBe(true);
    expect(heap.realloc(ptr, 2 ** 21)).toBe(0);
    expect(heap.check()).toEqual([]);
  }
});

test('posix_memalign writes beyond what the heap has seen of a shared memory', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
  const heap = new Heap({ memory });
  memory.grow(1);
  expect(heap.imports.posix_memalign(PAGE + 8, 16, 100)).toBe(0);
  expect(heap.isAllocated(new Uint32Array(memory.buffer)[(PAGE + 8) / 4])).toBe(true);
  expect(() => heap.imports.posix_memalign(2 * PAGE, 16, 100)).toThrow(RangeError);
});

test('a DebugHeap that is refused leaves the memory as it was', () => {
  const memory = new ArrayBuffer(PAGE);
  const ptr = new Heap({ memory, embed: true }).malloc(10);
  for (const wrong of [{ redZone: 0 }, { quarantine: -1 }, { throwNoRoom: 1 as unknown as boolean }]) {
    expect(() => new DebugHeap({ memory, embed: true, ...wrong })).toThrow();
  }
  expect(Heap.attach({ memory }).isAllocated(ptr)).toBe(true);
});

test('a DebugHeap knows the views of allocFrom', () => {
  const heap = new DebugHeap({ size: PAGE, quarantine: 0 });
  const make = () => heap.allocFrom(new Uint8Array(4)) as Uint8Array;
  const first = make();
  heap.free(first);
  make();
  expect(() => heap.free(first)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
});

test('a MemPool of a page for its state and none for blocks keeps the state outside', () => {
  for (const [align, size] of [
    [4096, 8192],
    [1024, 2048],
    [65_536, 131_072],
  ]) {
    expect(new MemPool({ size, align }).malloc(1)).toBe(align);
  }
});

test('a maximum inside a page of a WebAssembly memory is enough to open', () => {
  const heap = new Heap({ memory: new WebAssembly.Memory({ initial: 0, maximum: 1 }), maximum: 40_000 });
  expect([heap.end, heap.malloc(100) > 0]).toEqual([39_936, true]);
});
