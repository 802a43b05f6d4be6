// A worker thread with structures on a SharedHeap. Bundled.

import { parentPort, workerData } from 'node:worker_threads';
import type { StructureAddress } from '../../bench/shared/peer.mjs';
import type { SharedHeapHandle } from '../../src/shared.ts';
import { fillStructures, SharedHeap, SharedHeapMemory, SharedList } from './structures.ts';

/** What the worker is to do. */
export interface Job {
  readonly handle: SharedHeapHandle;
  /** All begin when this cell is not 0. */
  readonly start: Int32Array;
  readonly me: number;
  /** Inserts `count` numbers into this list, from `me * count` on; without it, fills structures of its own. */
  readonly list?: StructureAddress;
  readonly count: number;
}

const { handle, start, me, list, count } = workerData as Job;
const heap = SharedHeap.attach(handle);
if (heap === null) throw new Error('no slot is left');
const memory = new SharedHeapMemory(heap);
parentPort?.postMessage('ready');
Atomics.wait(start, 0, 0);
if (list === undefined) parentPort?.postMessage(fillStructures(memory, me, count));
else {
  const shared = new SharedList(memory, list);
  for (let n = me * count; n < (me + 1) * count; n++) shared.insert(n);
  parentPort?.postMessage('done');
}
heap.detach();
