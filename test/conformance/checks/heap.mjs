// malloc and its family, views, scopes and saving, in an ArrayBuffer.

import { BuddyError, Heap } from '../../../dist/heap.js';
import { features, named } from '../features.mjs';
import { detach, equal, hash, holds, needs, throws } from '../verdict.mjs';

const TYPES = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
];

/** The symbol by which `using` finds the method to call, in runtimes that know it and from compilers for the others. */
const DISPOSE = Symbol.dispose ?? Symbol.for('Symbol.dispose');

export const heap = {
  'malloc, calloc, realloc and free'(note) {
    const heap = new Heap({ size: 2 ** 20 });
    const ptr = heap.malloc(100);
    equal(heap.usableSize(ptr), 112, 'usableSize');
    new Uint8Array(heap.buffer, ptr, 112).fill(7);
    const neighbour = heap.malloc(100);
    const larger = heap.realloc(ptr, 1000);
    equal(new Uint8Array(heap.buffer, larger, 112), new Array(112).fill(7), 'the bytes after realloc');
    heap.free(neighbour);
    const zeroed = heap.calloc(25, 4);
    equal(new Uint8Array(heap.buffer, zeroed, 100), new Array(100).fill(0), 'calloc in used memory');
    const aligned = heap.alignedAlloc(4096, 10);
    equal([aligned % 4096, heap.usableSize(aligned)], [0, 1024], 'alignedAlloc');
    note(hash([ptr, neighbour, larger, zeroed, aligned]));
    for (const block of [larger, zeroed, aligned, 0]) heap.free(block);
    equal([heap.stats().used, heap.check()], [0, []], 'in the end');
  },

  'no room is 0 or null'() {
    const heap = new Heap({ size: 65536 });
    equal(
      [heap.malloc(1e6), heap.calloc(2 ** 31, 2 ** 31), heap.allocArray(Float64Array, 1e6)],
      [0, 0, null],
      'requests without room',
    );
    equal(heap.malloc(2 ** 45), 0, 'more than any memory');
    const ptr = heap.malloc(10);
    equal([heap.realloc(ptr, 1e6), heap.usableSize(ptr)], [0, 16], 'realloc without room');
  },

  'views of every type'() {
    const heap = new Heap({ size: 65536 });
    for (const type of TYPES) {
      const view = heap.callocArray(type, 10);
      holds(view.constructor === type, `the type of ${type.name}`);
      equal(view.byteLength, 10 * (type.BYTES_PER_ELEMENT ?? 1), `bytes of ${type.name}`);
      const same = heap.reallocArray(view, 1000);
      holds(same.constructor === type, `the type of ${type.name} after reallocArray`);
      heap.free(same);
    }
    equal(heap.stats().liveBlocks, 0, 'live blocks');
    throws(() => heap.allocArray(Array, 1), TypeError, 'a view of no type');
  },

  'errors have their class and code'() {
    const heap = new Heap({ size: 65536 });
    const ptr = heap.malloc(100);
    const error = throws(() => heap.free(ptr + 16), 'INTERIOR', 'free inside a block');
    holds(error instanceof BuddyError, 'it is a BuddyError');
    heap.free(ptr);
    throws(() => heap.free(ptr), 'NOT_ALLOCATED', 'a double free');
    throws(() => heap.free(new Uint8Array(8)), 'FOREIGN', 'a foreign view');
    throws(() => heap.view(ptr, Uint8Array, 1), 'NOT_ALLOCATED', 'a view of a freed block');
    throws(() => heap.malloc(-1), RangeError, 'malloc(-1)');
    throws(() => heap.malloc('1'), TypeError, "malloc('1')");
    throws(() => heap.free(70_000), RangeError, 'free beyond the memory');
    for (const memory of [{}, null, new Uint8Array(8), Object.create(ArrayBuffer.prototype)]) {
      throws(() => new Heap({ memory }), TypeError, 'no memory');
    }
  },

  'scopes and blocks free themselves, without `using`'() {
    const heap = new Heap({ size: 65536 });
    const scope = heap.scope();
    scope.malloc(100);
    scope.calloc(10, 10);
    const kept = scope.keep(scope.allocArray(Int16Array, 10));
    scope[DISPOSE]();
    equal(heap.stats().liveBlocks, 1, 'live blocks after the scope');
    heap.free(kept);
    const block = heap.block(1000);
    block.view(Float64Array).fill(1);
    block[DISPOSE]();
    block.free();
    equal(heap.stats().liveBlocks, 0, 'live blocks after the block');
  },

  'scopes and blocks free themselves, by `using`'() {
    needs(features.using, named.using);
    const heap = new Heap({ size: 65536 });
    const run = new Function(
      'heap',
      `{ using scope = heap.scope(); using block = heap.block(10); scope.malloc(100);
         if (heap.stats().liveBlocks !== 2) throw new Error('they were freed at once'); }`,
    );
    run(heap);
    equal(heap.stats().liveBlocks, 0, 'live blocks');
  },

  'a saved heap goes on as the original does'() {
    const heap = new Heap({ size: 65536, embed: true });
    const list = heap.callocArray(Uint32Array, 10);
    list[3] = 33;
    const restored = Heap.attach({ memory: heap.buffer.slice(0) });
    equal(restored.view(list.byteOffset, Uint32Array, 10), list, 'the array');
    equal(restored.malloc(1000), heap.malloc(1000), 'the next pointer');
    throws(() => Heap.attach({ memory: new ArrayBuffer(65536) }), 'FOREIGN', 'attach to zeros');
    throws(() => Heap.attach({ memory: heap.buffer.slice(0, 32768) }), 'TRUNCATED', 'attach to half of it');
  },

  'a view of its bytes is as good'() {
    const heap = new Heap({ size: 4096, embed: true });
    const ptr = heap.malloc(100);
    const whole = Heap.attach({ memory: new DataView(heap.buffer) });
    holds(whole.buffer === heap.buffer, 'a view of the whole buffer is that buffer');
    const larger = new Uint8Array(5000);
    larger.set(new Uint8Array(heap.buffer), 5);
    const copied = Heap.attach({ memory: larger.subarray(5, 5 + 4096) });
    equal(
      [copied.usableSize(ptr), copied.buffer.byteLength],
      [128, 4096],
      'the heap in a part, of pages of 128 bytes',
    );
    throws(() => Heap.attach(heap.buffer), TypeError, 'attach to a bare buffer');
  },

  'lists its blocks, and tells its state beforehand'() {
    for (const embed of [false, true]) {
      const heap = new Heap({ size: 4096, embed });
      const ptr = heap.malloc(100);
      // In so small a heap, a block of more than 64 bytes is a run of pages of 128.
      equal([...heap.blocks()], [{ ptr, size: 128 }], 'live blocks');
      equal([heap.blockOf(ptr + 127), heap.blockOf(ptr + 128)], [{ ptr, size: 128 }, undefined], 'blockOf');
      const { capacity, used, free, metadataBytes } = heap.stats();
      equal([used, used + free], [128, capacity], 'bytes of all blocks');
      equal(metadataBytes, Heap.bytesFor({ size: 4096, embed }), 'bytes of state');
      equal(heap.maximum, heap.end, 'the maximum of a heap that does not grow');
    }
  },

  'memory that was transferred away is noticed by every call'() {
    for (const embed of [false, true]) {
      const heap = new Heap({ size: 65536, embed });
      const view = heap.allocArray(Uint8Array, 100);
      const ptr = view.byteOffset;
      const block = heap.block(10);
      detach(heap.buffer);
      const calls = {
        malloc: () => heap.malloc(10),
        calloc: () => heap.calloc(1, 1),
        realloc: () => heap.realloc(ptr, 1000),
        free: () => heap.free(ptr),
        freeOfView: () => heap.free(view),
        view: () => heap.view(ptr, Uint8Array),
        usableSize: () => heap.usableSize(ptr),
        allocArray: () => heap.allocArray(Uint8Array, 1),
        blockView: () => block.view(Uint8Array),
        buffer: () => heap.buffer,
      };
      for (const [name, call] of Object.entries(calls)) {
        throws(call, 'DETACHED', `${name}, ${embed ? '' : 'not '}embedded`);
      }
    }
  },
};
