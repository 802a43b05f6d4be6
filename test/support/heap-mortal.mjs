// A worker thread on a tracked SharedHeap that allocates, hands on and frees until it is terminated. An oracle of its own:
// each unit of a block has the tag of its worker in memory that the heap does not know, set by CAS from 0.

import { workerData } from 'node:worker_threads';
import { SharedHeap } from '../../dist/shared.js';
import { randomFrom } from './shared-blocks.mjs';

const { handle, tags, cells, letters, seat, tag, survivor, fill, seed, at } = workerData;
const below = randomFrom(seed);
const own = at.seats + seat * at.stride;
const heap = SharedHeap.attach(handle);
Atomics.store(cells, own + at.workerId, heap.workerId);

/** In the place of a pointer: a worker is writing the letter. No block is there. */
const WRITING = 1;

/** Pointers of the blocks. */
const blocks = [];
let slowest = 0;

function mark(ptr, from, to) {
  const end = (ptr + heap.usableSize(ptr)) / heap.unit;
  for (let unit = ptr / heap.unit; unit < end; unit++) {
    const was = Atomics.compareExchange(tags, unit, from, to);
    // The tags of the dead stay, and their blocks come back.
    if (was !== from && (from !== 0 || cells[at.dead + was] === 0)) {
      throw new Error(`unit ${unit} has tag ${was}, not ${from}: two blocks overlap`);
    }
    if (was !== from) Atomics.store(tags, unit, to);
  }
}

function timed(call) {
  const start = performance.now();
  const result = call();
  const time = performance.now() - start;
  if (time > slowest) {
    slowest = time;
    cells[own + at.slowest] = time * 1000;
  }
  return result;
}

const size = () => (below(40) === 0 ? below(60_000) : below(8) === 0 ? below(4000) : 1 + below(300));

function allocate() {
  const ptr = timed(() => heap.malloc(size()));
  if (ptr === 0) return false;
  mark(ptr, 0, tag);
  blocks.push(ptr);
  return true;
}

function free(i) {
  const ptr = blocks[i];
  blocks[i] = blocks[blocks.length - 1];
  blocks.pop();
  mark(ptr, tag, 0);
  timed(() => heap.free(ptr));
}

/** Takes a block out of a letter, and adopts it from its giver; or puts one in. */
function handleLetter() {
  const i = 2 * below(letters.length / 2);
  const letter = Atomics.load(letters, i);
  if (letter === WRITING) return;
  if (letter !== 0) {
    const from = letters[i + 1];
    if (Atomics.compareExchange(letters, i, letter, 0) !== letter) return;
    const ptr = letter >>> 0;
    // The tags first: if this worker dies in between, the block is still the giver's, which does not know it any more.
    mark(ptr, tags[ptr / heap.unit], tag);
    heap.adopt(ptr, from); // only survivors give, so the giver lives
    blocks.push(ptr);
    cells[own + at.adopted]++;
  } else if (survivor && blocks.length > 0) {
    const last = blocks.pop();
    // Only survivors give, so that the id beside the pointer is that of a giver that lives.
    if (Atomics.compareExchange(letters, i, 0, WRITING) !== 0) blocks.push(last);
    else {
      letters[i + 1] = heap.workerId;
      Atomics.store(letters, i, last);
    }
  }
}

for (let n = 0; ; n++) {
  const few = blocks.length < fill;
  if (below(6) === 0) handleLetter();
  else if (blocks.length > 0 && below(8) < (few ? 2 : 6)) free(below(blocks.length));
  else if (!allocate() && blocks.length > 0) free(below(blocks.length));
  if (n % 64 === 0) Atomics.add(cells, own + at.done, 64);
}
