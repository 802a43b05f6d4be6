// The heap that finds leaks, overruns and uses after free. The texts of stacks differ between runtimes; the names in
// them do not.

import { DebugHeap } from '../../../dist/debug.js';
import { equal, holds, throws } from '../verdict.mjs';

// Not `return heap.malloc(…)`: by the standard a tail call drops the frame of its function, and JavaScriptCore does so.
function copyName(heap, bytes) {
  const ptr = heap.malloc(bytes.length);
  new Uint8Array(heap.buffer, ptr, bytes.length + 1).set([...bytes, 0]);
  return ptr;
}

export const debug = {
  'finds an overrun and names who allocated'() {
    const heap = new DebugHeap({ size: 65_536 });
    const ptr = copyName(heap, [65, 100, 97]);
    const { message } = throws(() => heap.free(ptr), 'REDZONE', 'free of an overrun block');
    holds(/the red zone behind the block of 3 bytes/.test(message), `the message: ${message}`);
    holds(message.includes('copyName'), `the stack in the message: ${message}`);
    holds(!/Error\n/.test(message), `the stack has a heading: ${message}`);
    heap.free(ptr);
    equal(heap.leaks(), [], 'leaks after the second free');
  },

  'finds double frees and uses after free'() {
    const heap = new DebugHeap({ size: 65_536 });
    const view = heap.allocArray(Int16Array, 8);
    heap.free(view);
    throws(() => heap.free(view), 'NOT_ALLOCATED', 'a double free');
    throws(() => heap.view(view.byteOffset, Int16Array), 'USE_AFTER_FREE', 'a view of a freed block');
    equal(view[0] & 0xff, 0xdd, 'what is left in a freed block');
    view[3] = 1;
    equal(
      heap.verify().map(({ code }) => code),
      ['USE_AFTER_FREE'],
      'verify()',
    );
  },

  'tells an old view from a new block at the same address'() {
    const heap = new DebugHeap({ size: 65_536, quarantine: 0 });
    const array = heap.allocArray(Float64Array, 4);
    const view = heap.view(array.byteOffset + 8, DataView);
    heap.free(array);
    equal(heap.malloc(32), array.byteOffset, 'the next pointer');
    throws(() => heap.free(array), 'NOT_ALLOCATED', 'free of the old array');
    throws(() => heap.reallocArray(array, 1), 'NOT_ALLOCATED', 'realloc of the old array');
    throws(() => heap.free(view), 'INTERIOR', 'free of a view of the middle');
    equal(heap.leaks().length, 1, 'the new block');
  },

  'lists leaks by who allocated them'() {
    const heap = new DebugHeap({ size: 65_536 });
    for (let i = 0; i < 2; i++) copyName(heap, []);
    function loadIndex() {
      heap.callocArray(Float64Array, 100).fill(1);
    }
    loadIndex();
    equal(
      heap.leaks().map(({ size }) => size),
      [0, 0, 800],
      'sizes',
    );
    const report = heap.report();
    holds(/^3 blocks, 800 bytes not freed\n\n1 block, 800 bytes, allocated\n/.test(report), report);
    holds(report.indexOf('loadIndex') !== -1, `loadIndex is not in the report: ${report}`);
    holds(report.indexOf('copyName') > report.indexOf('loadIndex'), `the order of the report: ${report}`);
    holds(/\n2 blocks, 0 bytes, allocated\n/.test(report), `two of the same place are one: ${report}`);
  },
};
