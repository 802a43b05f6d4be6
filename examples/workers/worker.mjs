// A worker of the pool: counts the letters of a text in the shared heap. One text in seven makes it hang.

import { parentPort, workerData } from 'node:worker_threads';
import { SharedHeap } from 'buddy-allocator/shared';

const heap = SharedHeap.attach(workerData);
if (heap === null) throw new Error('all slots are taken');
parentPort.postMessage({ workerId: heap.workerId });

parentPort.on('message', ({ job, text, from }) => {
  heap.adopt(text, from); // from now on it is freed with this worker's other blocks if the worker dies
  const counts = heap.callocArray(Uint32Array, 26);
  for (const byte of text) {
    const letter = (byte | 32) - 97;
    if (letter >= 0 && letter < 26) counts[letter]++;
  }
  if (job % 7 === 3) for (;;) heap.free(heap.malloc(100));
  heap.free(text);
  parentPort.postMessage({ counts }); // a view on the shared memory: nothing is copied
});
