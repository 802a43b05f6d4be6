// One arena or heap that many workers share: several attachments in one thread, and real workers.

import { SharedBuddyAllocator, SharedHeap } from '../../../dist/shared.js';
import { features, named } from '../features.mjs';
import { equal, hash, holds, needs, throws } from '../verdict.mjs';

const WORKERS = 2;
const UNITS = 2 ** 12;
const PAGE = 65536;
const PATIENCE_MS = 20_000;

/** The answers of workers to these messages, one message for each worker. */
async function askWorkers(startWorker, messages) {
  const workers = messages.map(startWorker);
  const timer = { id: 0 };
  const tooLate = new Promise((_, reject) => {
    timer.id = setTimeout(() => reject(new Error(`no answer in ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    const answers = await Promise.race([Promise.all(workers.map(({ answer }) => answer)), tooLate]);
    for (const { error } of answers) if (error !== undefined) throw new Error(`in a worker: ${error}`);
    return answers;
  } finally {
    clearTimeout(timer.id);
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

export const shared = {
  'several attached in one thread'(note) {
    needs(features.sharedArrayBuffer, named.sharedArrayBuffer);
    const arena = SharedBuddyAllocator.create({ capacity: UNITS, maxWorkers: 3 });
    const others = [SharedBuddyAllocator.attach(arena.buffer), SharedBuddyAllocator.attach(arena.buffer)];
    equal(SharedBuddyAllocator.attach(arena.buffer), null, 'attach when all slots are taken');
    const offsets = [];
    for (let i = 1; i <= 30; i++) offsets.push([arena, ...others][i % 3].alloc(i));
    equal(new Set(offsets).size, 30, 'different offsets');
    equal(arena.stats().workers, 3, 'workers');
    for (const offset of offsets) others[0].free(offset);
    equal([arena.stats().usedUnits, arena.check()], [0, []], 'in the end');
    throws(() => arena.free(offsets[0]), 'NOT_ALLOCATED', 'a double free');
    others[1].detach();
    throws(() => others[1].alloc(1), 'DETACHED', 'alloc after detach()');
    note(hash(offsets));
  },

  'takes back the blocks of a dead worker'() {
    needs(features.sharedArrayBuffer, named.sharedArrayBuffer);
    const arena = SharedBuddyAllocator.create({ capacity: 65_536, trackOwners: true });
    const other = SharedBuddyAllocator.attach(arena.buffer);
    other.alloc(100);
    other.alloc(1);
    equal(arena.recover(other.workerId), { blocks: 2, units: 129, complete: true }, 'recover()');
    equal([arena.freeUnits, arena.largestFree, arena.check()], [65_536, 65_536, []], 'in the end');
    const kept = arena.alloc(10);
    arena.alloc(300);
    arena.rebuild([{ offset: kept, size: 16 }]);
    equal([arena.freeUnits, arena.check()], [65_520, []], 'after rebuild()');
  },

  'attaches to a view of the whole buffer'() {
    needs(features.sharedArrayBuffer, named.sharedArrayBuffer);
    const { buffer } = SharedBuddyAllocator.create({ capacity: UNITS });
    const other = SharedBuddyAllocator.attach(new Uint8Array(buffer));
    holds(other?.buffer === buffer, 'it has another buffer');
    throws(() => SharedBuddyAllocator.attach(new Uint8Array(buffer, 4)), TypeError, 'a view of a part');
    other.detach();
    equal([other.capacity, other.maxWorkers, other.trackOwners], [UNITS, 32, false], 'after detach()');
  },

  'refuses a buffer that is not a shared arena'() {
    needs(features.sharedArrayBuffer, named.sharedArrayBuffer);
    throws(() => SharedBuddyAllocator.attach(new ArrayBuffer(4096)), TypeError, 'an ArrayBuffer');
    throws(() => SharedBuddyAllocator.attach(new SharedArrayBuffer(4096)), 'FOREIGN', 'zeros');
    throws(() => SharedHeap.attach({ memory: new SharedArrayBuffer(4096) }), 'FOREIGN', 'zeros, as a heap');
  },

  'a heap that grows in a SharedArrayBuffer'() {
    needs(features.growable, named.growable);
    const heap = SharedHeap.create({ size: PAGE, maximum: 16 * PAGE });
    const other = SharedHeap.attach(heap.handle);
    const view = heap.callocArray(Uint32Array, 100);
    view[99] = 42;
    const large = other.malloc(4 * PAGE);
    holds(large !== 0, 'it did not grow');
    equal(other.view(view.byteOffset, Uint32Array, 100)[99], 42, 'what the other sees');
    heap.free(large);
    other.free(view.byteOffset);
    equal([heap.stats().used, heap.check()], [0, []], 'in the end');
  },

  'a heap that grows in a shared WebAssembly.Memory'() {
    needs(features.sharedWasm, named.sharedWasm);
    const wasm = new WebAssembly.Memory({ initial: 2, maximum: 16, shared: true });
    const heap = SharedHeap.create({ memory: wasm, maximum: 16 * PAGE });
    const other = SharedHeap.attach(heap.handle);
    const view = heap.callocArray(Uint32Array, 100);
    view[99] = 42;
    const large = other.malloc(4 * PAGE);
    holds(large !== 0, 'it did not grow');
    new Uint8Array(heap.buffer, large, 4 * PAGE).fill(1);
    equal(other.view(view.byteOffset, Uint32Array, 100)[99], 42, 'what the other sees');
    heap.free(large);
    other.free(view.byteOffset);
    equal([heap.stats().used, heap.check()], [0, []], 'in the end');
  },

  'a heap of slabs, of which one worker leaves and one dies'(note) {
    needs(features.sharedArrayBuffer, named.sharedArrayBuffer);
    const heap = SharedHeap.create({ size: 4 * PAGE, trackOwners: true, keepSizes: true });
    const [leaver, dead] = [SharedHeap.attach(heap.handle), SharedHeap.attach(heap.handle)];
    const pointers = [];
    for (let i = 0; i < 300; i++) pointers.push([heap, leaver, dead][i % 3].malloc(i));
    equal(new Set(pointers).size, 300, 'different pointers');
    equal(leaver.lengthOf(pointers[99]), 99, 'the size that was asked for');
    heap.root = pointers[299]; // the dead worker's
    heap.adopt(dead.root, dead.workerId);
    leaver.free(pointers[0], 0);
    throws(() => heap.free(pointers[0]), 'NOT_ALLOCATED', 'a double free');
    leaver.detach();
    equal(heap.recover(dead.workerId).blocks, 99, 'blocks of the dead worker');
    equal([heap.stats().liveBlocks, heap.isAllocated(heap.root)], [200, true], 'what is left');
    equal([heap.usedBytes, heap.check()], [heap.stats().used, []], 'the figures');
    for (const { ptr } of [...heap.blocks()]) heap.free(ptr);
    equal([heap.usedBytes, heap.stats().workers, heap.check()], [0, 1, []], 'in the end');
    note(hash(pointers));
  },

  async 'two workers allocate, free and pass blocks on'(_, { startWorker }) {
    needs(features.sharedArrayBuffer, named.sharedArrayBuffer);
    const arena = SharedBuddyAllocator.create({ capacity: UNITS });
    const data = new Int32Array(new SharedArrayBuffer(UNITS * 4));
    const cells = new Int32Array(new SharedArrayBuffer(64));
    const mail = new Int32Array(new SharedArrayBuffer(64));
    const answers = await askWorkers(
      startWorker,
      Array.from({ length: WORKERS }, (_, i) => ({
        task: 'churn',
        parameters: { buffer: arena.buffer, data, cells, mail, writer: i + 1, workers: WORKERS },
      })),
    );
    for (const { allocations, frees } of answers) {
      holds(allocations > 1000 && frees > 1000, `a worker did only ${allocations} + ${frees}`);
    }
    // The blocks in the mailboxes are live when both workers are done.
    const waiting = Array.from(mail).filter((entry) => entry !== 0);
    for (const entry of waiting) arena.free(entry - 1);
    equal([arena.stats().usedUnits, arena.stats().workers, arena.check()], [0, 1, []], 'in the end');
  },

  async 'a worker frees a block of this thread, and gives one back'(_, { startWorker }) {
    needs(features.sharedArrayBuffer, named.sharedArrayBuffer);
    const heap = SharedHeap.create({ size: 4 * PAGE });
    const list = heap.callocArray(Uint32Array, 10);
    list.fill(7);
    const parameters = { handle: heap.handle, given: list.byteOffset };
    const [{ sum, made }] = await askWorkers(startWorker, [{ task: 'exchange', parameters }]);
    equal(sum, 70, 'what the worker read');
    equal(heap.view(made, Uint32Array, 3), [1, 2, 3], 'what the worker wrote');
    heap.free(made);
    equal([heap.stats().used, heap.stats().workers], [0, 1], 'in the end');
  },

  async 'the same in a shared WebAssembly.Memory, which the worker makes grow'(_, { startWorker }) {
    needs(features.sharedWasm, named.sharedWasm);
    const wasm = new WebAssembly.Memory({ initial: 2, maximum: 16, shared: true });
    const heap = SharedHeap.create({ memory: wasm, maximum: 16 * PAGE });
    const list = heap.callocArray(Uint32Array, 10);
    list.fill(7);
    const parameters = { handle: heap.handle, given: list.byteOffset, bytes: 4 * PAGE };
    const [{ sum, made }] = await askWorkers(startWorker, [{ task: 'exchange', parameters }]);
    equal(sum, 70, 'what the worker read');
    equal(heap.view(made, Uint32Array, 3), [1, 2, 3], 'what the worker wrote');
    heap.free(made);
    equal([heap.stats().used, heap.check()], [0, []], 'in the end');
  },
};
