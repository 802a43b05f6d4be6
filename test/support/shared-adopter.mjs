// A worker thread that adopts one block again and again, from a worker that is long gone, until it is terminated.

import { parentPort, workerData } from 'node:worker_threads';
import { SharedBuddyAllocator } from '../../dist/shared.js';

const arena = SharedBuddyAllocator.attach(workerData.buffer);
parentPort.postMessage(arena.workerId);
for (;;) {
  try {
    arena.adopt(workerData.offset, workerData.from);
    parentPort.postMessage('adopted');
  } catch (error) {
    if (error.code !== 'NOT_ALLOCATED') throw error;
  }
}
