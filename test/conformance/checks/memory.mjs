// A heap in every kind of memory, and its growth there.

import { Heap } from '../../../dist/heap.js';
import { features, named } from '../features.mjs';
import { detach, equal, holds, needs, throws } from '../verdict.mjs';

const PAGE = 65536;

/**
 * Allocates, grows for a large block, and checks the bytes written before. Returns the view made before the growth.
 */
function growthKeepsBytes(heap) {
  const view = heap.allocArray(Uint32Array, 100);
  const ptr = view.byteOffset;
  view[99] = 42;
  const end = heap.end;
  const large = heap.malloc(3 * PAGE);
  holds(large !== 0 && heap.end > end, 'the heap did not grow');
  equal(heap.view(ptr, Uint32Array, 100)[99], 42, 'the bytes after growth');
  new Uint8Array(heap.buffer, large, 3 * PAGE).fill(1);
  equal(heap.view(ptr, Uint32Array, 100)[99], 42, 'the bytes after the new block was written');
  heap.free(large);
  equal([heap.buffer.byteLength >= heap.end, heap.check()], [true, []], 'the heap');
  return view;
}

/** Growth beyond the memory's maximum is refused, and changes nothing. */
function growthEnds(heap) {
  const before = [heap.end, heap.stats()];
  equal(heap.malloc(64 * PAGE), 0, 'a request beyond the maximum');
  equal([heap.end, heap.stats()], before, 'the heap after that');
}

// (import "env" "memory" (memory 1)) (import "env" "malloc" (func (param i32) (result i32)))
// (global (export "__heap_base") i32 (i32.const 1040))
// (func (export "make") (result i32) (call 0 (i32.const 24)))
const MODULE =
  'AGFzbQEAAAABCgJgAX8Bf2AAAX8CHAIDZW52Bm1lbW9yeQIAAQNlbnYGbWFsbG9jAAADAgEBBgcBfwBBkAgLBxYC' +
  'C19faGVhcF9iYXNlAwAEbWFrZQABCggBBgBBGBAACw==';

export const memory = {
  'a part of an ArrayBuffer'() {
    const buffer = new ArrayBuffer(8192);
    const heap = new Heap({ memory: buffer, start: 1000, end: 5000 });
    for (let ptr = heap.malloc(100); ptr !== 0; ptr = heap.malloc(100)) {
      const size = heap.usableSize(ptr);
      holds(ptr >= 1000 && ptr + size <= 5000, `a block at ${ptr}`);
      new Uint8Array(buffer, ptr, size).fill(1);
    }
    const bytes = new Uint8Array(buffer);
    holds(
      bytes.subarray(0, 1000).every((byte) => byte === 0),
      'bytes before it were written',
    );
    holds(
      bytes.subarray(5000).every((byte) => byte === 0),
      'bytes behind it were written',
    );
  },

  'pointers of 32 bits'() {
    let heap;
    try {
      heap = new Heap({ size: 3 * 2 ** 30, unit: 256 });
    } catch (error) {
      needs(!(error instanceof RangeError), 'room for 3 GiB');
      throw error;
    }
    const pointers = [heap.malloc(2 ** 30), heap.malloc(2 ** 30), heap.malloc(2 ** 29)];
    equal(pointers, [1024, 2 ** 30 + 1024, 2 ** 31 + 1024], 'pointers');
    const [, , high] = pointers;
    heap.view(high, Float64Array, 100).fill(0.5);
    const moved = heap.realloc(high, 800);
    holds(moved > 2 ** 31, `a slot at ${moved}`);
    equal(heap.view(moved, Float64Array, 100)[99], 0.5, 'an element after realloc');
    throws(() => heap.free(moved + 256), 'INTERIOR', 'free inside a block');
    heap.free(heap.view(moved, Uint8Array, 1));
    throws(() => heap.free(moved), 'NOT_ALLOCATED', 'a double free');
    equal(heap.malloc(2 ** 30), 0, 'no room');
  },

  'a resizable ArrayBuffer of its own grows and shrinks'() {
    needs(features.resizable, named.resizable);
    for (const embed of [false, true]) {
      const heap = new Heap({ size: PAGE, maximum: 2 ** 24, embed, resizable: true });
      const view = growthKeepsBytes(heap);
      equal(view[99], 42, 'the view made before growth');
      const grown = heap.buffer.byteLength;
      const given = heap.trim();
      equal(heap.buffer.byteLength, grown - given, 'bytes after trim()');
      holds(given > 2 * PAGE, `trim() gave back ${given}`);
      equal(view[99], 42, 'the view after trim()');
      equal([heap.malloc(2 ** 25), heap.check()], [0, []], 'beyond the maximum');
    }
  },

  'a memory of its own that can grow is a WebAssembly.Memory, or else a resizable ArrayBuffer'() {
    needs(features.wasm || features.resizable, `${named.wasm} or ${named.resizable}`);
    const heap = new Heap({ size: PAGE, maximum: 2 ** 24 });
    const view = growthKeepsBytes(heap);
    equal(view.length, features.wasm ? 0 : 100, 'length of the view made before growth');
  },

  'a resizable ArrayBuffer that somebody cuts short, or transfers away'() {
    needs(features.resizable, named.resizable);
    const buffer = new ArrayBuffer(PAGE, { maxByteLength: 16 * PAGE });
    const heap = new Heap({ memory: buffer });
    const view = heap.allocArray(Uint8Array, 100);
    buffer.resize(PAGE / 2);
    throws(() => heap.malloc(70_000), 'TRUNCATED', 'growth of a memory cut short');
    buffer.resize(PAGE);
    growthKeepsBytes(heap);
    detach(buffer);
    throws(() => heap.malloc(10), 'DETACHED', 'malloc');
    throws(() => heap.free(view), 'DETACHED', 'free of a view');
  },

  'a SharedArrayBuffer'() {
    needs(features.sharedArrayBuffer, named.sharedArrayBuffer);
    const heap = new Heap({ memory: new SharedArrayBuffer(PAGE) });
    const view = heap.callocArray(Float64Array, 100);
    view[99] = 0.5;
    equal(heap.reallocArray(view, 1000)[99], 0.5, 'an element after reallocArray');
    growthEnds(heap);
  },

  'a growable SharedArrayBuffer'() {
    needs(features.growable, named.growable);
    for (const embed of [false, true]) {
      const heap = new Heap({ memory: new SharedArrayBuffer(PAGE, { maxByteLength: 16 * PAGE }), embed });
      equal(growthKeepsBytes(heap)[99], 42, 'the view made before growth');
      growthEnds(heap);
      equal(heap.trim(), 0, 'trim(), which cannot shrink it');
    }
  },

  'a WebAssembly.Memory, whose growth detaches views'() {
    needs(features.wasm, named.wasm);
    for (const embed of [false, true]) {
      const heap = new Heap({ memory: new WebAssembly.Memory({ initial: 1, maximum: 16 }), embed });
      const view = growthKeepsBytes(heap);
      equal(view.length, 0, 'length of the view made before growth');
      throws(() => heap.free(view), 'DETACHED', 'free of that view');
      growthEnds(heap);
    }
  },

  'a WebAssembly.Memory that somebody else grows'() {
    needs(features.wasm, named.wasm);
    const wasm = new WebAssembly.Memory({ initial: 1 });
    const heap = new Heap({ memory: wasm });
    const ptr = heap.calloc(10, 1);
    wasm.grow(3);
    const behind = heap.malloc(2 * PAGE);
    holds(behind >= 4 * PAGE, `a block at ${behind}, in the pages of somebody else`);
    throws(() => heap.free(2 * PAGE), 'NOT_ALLOCATED', 'free in the pages of somebody else');
    heap.free(ptr);
    equal([wasm.buffer.byteLength, heap.check()], [heap.end, []], 'the heap');
  },

  'a WebAssembly.Memory that a heap shares with what else grows it'() {
    needs(features.wasm, named.wasm);
    const wasm = new WebAssembly.Memory({ initial: 1 });
    const heap = new Heap({ memory: wasm, shareGrowth: true });
    const ptr = heap.calloc(10, 1);
    wasm.grow(3);
    holds(heap.malloc(2 * PAGE) !== 0, 'the new pages are not used');
    equal([wasm.buffer.byteLength, heap.end], [4 * PAGE, 4 * PAGE], 'the end');
    heap.free(ptr);
  },

  'a shared WebAssembly.Memory'() {
    needs(features.sharedWasm, named.sharedWasm);
    for (const embed of [false, true]) {
      const wasm = new WebAssembly.Memory({ initial: 1, maximum: 16, shared: true });
      const heap = new Heap({ memory: wasm, embed });
      equal(growthKeepsBytes(heap)[99], 42, 'the view made before growth');
      growthEnds(heap);
    }
  },

  'a WebAssembly.Memory with 64-bit addresses'() {
    needs(features.memory64, named.memory64);
    for (const embed of [false, true]) {
      const wasm = new WebAssembly.Memory({ initial: 1n, maximum: 16n, address: 'i64' });
      const heap = new Heap({ memory: wasm, embed });
      growthKeepsBytes(heap);
      growthEnds(heap);
      const ptr = heap.imports.malloc(100n);
      equal([typeof ptr, heap.usableSize(Number(ptr))], ['bigint', 112], 'the block of a 64-bit module');
    }
  },

  async 'a WebAssembly module that imports malloc'() {
    needs(features.wasm, named.wasm);
    const bytes = Uint8Array.from(atob(MODULE), (character) => character.charCodeAt(0));
    const wasm = new WebAssembly.Memory({ initial: 1 });
    let heap;
    const { instance } = await WebAssembly.instantiate(bytes, {
      env: { memory: wasm, malloc: (size) => heap.imports.malloc(size) },
    });
    heap = new Heap({ memory: wasm, start: instance.exports.__heap_base.value });
    const ptr = instance.exports.make() >>> 0;
    equal([heap.usableSize(ptr), ptr], [32, 2048], 'the block that the module made');
  },

  'memory of another realm is as good'() {
    const frame = globalThis.document?.createElement('iframe');
    needs(frame !== undefined, 'frames');
    document.body.append(frame);
    const { ArrayBuffer: Foreign, Uint8Array: ForeignArray } = frame.contentWindow;
    const heap = new Heap({ memory: new Foreign(PAGE) });
    const ptr = heap.malloc(100);
    heap.free(new ForeignArray(heap.buffer, ptr, 1));
    const array = heap.callocArray(ForeignArray, 10);
    holds(array instanceof ForeignArray && array.length === 10, 'an array of its type');
    heap.free(array);
    equal(heap.stats().used, 0, 'bytes in use');
    frame.remove();
  },
};
