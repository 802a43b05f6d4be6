// The types of a heap follow from its memory, so that Web APIs take its views. What this file says is checked by `tsc`.

import { expect, expectTypeOf, test } from 'vitest';
import { DebugHeap } from '../../src/debug.ts';
import { Heap } from '../../src/heap.ts';
import { SharedHeap } from '../../src/shared.ts';

test('a heap of a size, and of a WebAssembly memory, gives views on an ArrayBuffer', () => {
  for (const heap of [
    new Heap({ size: 4096 }),
    new Heap({ size: 4096, maximum: 2 ** 20 }),
    new Heap({ memory: new ArrayBuffer(4096) }),
    new Heap({ memory: new WebAssembly.Memory({ initial: 1 }) }),
    new DebugHeap({ size: 65_536 }),
  ]) {
    expectTypeOf(heap.buffer).toEqualTypeOf<ArrayBuffer>();
    const bytes = heap.allocArray(Uint8Array, 16);
    expectTypeOf(bytes).toEqualTypeOf<Uint8Array<ArrayBuffer> | null>();
    expectTypeOf(heap.view(heap.malloc(16), Float64Array, 2)).toEqualTypeOf<Float64Array<ArrayBuffer>>();
    expectTypeOf(heap.callocArray(DataView, 8)).toEqualTypeOf<DataView<ArrayBuffer> | null>();
    expectTypeOf(heap.allocFrom(new Int16Array(4))).toEqualTypeOf<Int16Array<ArrayBuffer> | null>();
    if (bytes === null) throw new Error('no room');
    expectTypeOf(heap.reallocArray(bytes, 32)).toEqualTypeOf<Uint8Array<ArrayBuffer> | null>();
    expectTypeOf(heap.scope().allocArray(Uint8Array, 1)).toEqualTypeOf<Uint8Array<ArrayBuffer> | null>();
  }
});

test('Web APIs that refuse shared memory take its views', async () => {
  const heap = new Heap({ size: 4096 });
  const bytes = heap.callocArray(Uint8Array, 16);
  if (bytes === null) throw new Error('no room');
  expect(new Blob([bytes]).size).toBe(16);
  expect((await crypto.subtle.digest('SHA-256', bytes)).byteLength).toBe(32);
  expect(await new Response(bytes).arrayBuffer()).toEqual(new ArrayBuffer(16));
  const pixels = heap.allocArray(Uint8ClampedArray, 64);
  const image = (): ImageData => new ImageData(pixels as NonNullable<typeof pixels>, 4, 4);
  const write = (queue: GPUQueue, buffer: GPUBuffer): void => queue.writeBuffer(buffer, 0, bytes);
  expect([image, write]).toHaveLength(2); // there is no such thing in Node
});

test('a heap in shared memory gives views on that', () => {
  const heap = new Heap({ memory: new SharedArrayBuffer(4096) });
  expectTypeOf(heap.buffer).toEqualTypeOf<SharedArrayBuffer>();
  expectTypeOf(heap.allocArray(Int32Array, 4)).toEqualTypeOf<Int32Array<SharedArrayBuffer> | null>();
  const shared = SharedHeap.create({ size: 2 ** 16 });
  expectTypeOf(shared.allocArray(Int32Array, 4)).toEqualTypeOf<Int32Array<SharedArrayBuffer> | null>();
  const general: Heap<ArrayBufferLike> = heap;
  expect(general.buffer).toBe(heap.buffer);
});

test('a heap that is attached to has the type of its memory', () => {
  const heap = new Heap({ size: 4096, embed: true });
  expectTypeOf(Heap.attach({ memory: heap.buffer })).toEqualTypeOf<Heap<ArrayBuffer>>();
  const bytes = new Uint8Array(heap.buffer);
  expectTypeOf(Heap.attach({ memory: bytes }).buffer).toEqualTypeOf<ArrayBuffer>();
});
