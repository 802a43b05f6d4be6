// A worker on a shared heap: allocates, reallocates and frees blocks full of patterns, and passes some on to the others.
//
// A block begins with its seed and its size, both uint32; the pattern follows. A block in the mailbox is whoever's takes it out.

import { parentPort, workerData } from 'node:worker_threads';
import { SharedHeap } from '../../dist/shared.js';

// `frees`: of ten operations, so many free a block. `enough`: after so many it tells that it may be killed.
const { handle, control, mailbox, seed, operations, most, frees, enough } = workerData;
const heap = SharedHeap.attach(handle);
if (heap === null) throw new Error('no place is left');
const flags = new Int32Array(control);
const letters = new Int32Array(mailbox);

let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
function below(n) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % n;
}

const pattern = (of, i) => (Math.imul(of * 0x10001 + i, 0x9e3779b1) >>> 24) & 0xff;

function fill(ptr, size) {
  const bytes = heap.view(ptr, Uint8Array);
  if (bytes.length < size) throw new Error(`${bytes.length} bytes for ${size}`);
  const header = heap.view(ptr, Uint32Array, 2);
  const mine = below(2 ** 30);
  header[0] = mine;
  header[1] = size;
  for (let i = 8; i < size; i++) bytes[i] = pattern(mine, i);
}

function verify(ptr, upTo = Number.POSITIVE_INFINITY) {
  const [its, size] = heap.view(ptr, Uint32Array, 2);
  const end = Math.min(size, upTo);
  const bytes = heap.view(ptr, Uint8Array, end);
  for (let i = 8; i < end; i++) {
    if (bytes[i] !== pattern(its, i))
      throw new Error(`byte ${i} of ${size} at ${ptr} is not what was written`);
  }
}

const sizeOf = () => 8 + below(2 ** (3 + below(10)));
const live = [];
let refused = 0;
let received = 0;
let moved = 0;

parentPort.postMessage(heap.workerId);
Atomics.wait(flags, 0, 0); // all begin at once

for (let n = 0; n < operations; n++) {
  const what = below(10);
  if (live.length >= most || (what < frees && live.length > 0)) {
    const i = below(live.length);
    const ptr = live[i];
    live[i] = live[live.length - 1];
    live.pop();
    verify(ptr);
    if (what < 2 && letters.length > 0) {
      const other = Atomics.exchange(letters, below(letters.length), ptr) >>> 0;
      if (other !== 0) {
        received++;
        verify(other);
        heap.free(other);
      }
    } else heap.free(ptr);
  } else if (what < 6 && live.length > 0) {
    const i = below(live.length);
    const size = sizeOf();
    const ptr = heap.realloc(live[i], size);
    if (ptr === 0) refused++;
    else {
      if (ptr !== live[i]) moved++;
      verify(ptr, size);
      live[i] = ptr;
      fill(ptr, size);
    }
  } else {
    const size = sizeOf();
    const ptr = what === 9 ? heap.calloc(size, 1) : heap.malloc(size);
    if (ptr === 0) refused++;
    else {
      if (what === 9 && heap.view(ptr, Uint8Array, size).some((byte) => byte !== 0)) {
        throw new Error('calloc gave bytes that are not 0');
      }
      fill(ptr, size);
      live.push(ptr);
    }
  }
  if (n === enough) Atomics.store(flags, 1, 1);
}
for (const ptr of live) {
  verify(ptr);
  heap.free(ptr);
}
heap.detach();
parentPort.postMessage({ refused, received, moved });
