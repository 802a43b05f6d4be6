// A worker thread that allocates, frees and passes blocks on, a given number of times. It fails if a block has changed.

import { parentPort, workerData } from 'node:worker_threads';
import { SharedBuddyAllocator } from '../../dist/shared.js';
import { Holdings, randomFrom, randomSize } from './shared-blocks.mjs';

/** Operations between two reports of progress. */
const STRETCH = 1024;
/** One in so many operations exchanges a block by way of a mailbox. */
const PASSING = 8;
/** One in so many frees first tries to free the inside of the block. */
const MISUSE = 500;

const { buffer, data, cells, mail, writer, workers, operations, most, fill, seed, positions } = workerData;
const { barrier, done, inside } = positions;
const below = randomFrom(seed);
const arena = SharedBuddyAllocator.attach(buffer);
const holdings = new Holdings({ arena, data, writer, cells, inside: inside + writer, clean: true });
const share = (fill * arena.capacity) / workers;
const tally = { allocations: 0, full: 0, frees: 0, passed: 0, foreign: 0, refused: 0 };

function free(block) {
  holdings.free(block);
  tally.frees++;
  if (((block.tag >>> 26) & 31) !== writer) tally.foreign++;
}

function pass() {
  const { blocks } = holdings;
  const given = blocks.length > 0 ? holdings.drop(below(blocks.length)) : null;
  if (given !== null) holdings.verify(given);
  const got = Atomics.exchange(mail, below(mail.length), given === null ? 0 : given.offset + 1);
  tally.passed++;
  if (got === 0) return;
  const block = holdings.received(got - 1);
  if (below(2) === 0) free(block);
  else holdings.hold(block);
}

function operate() {
  const { blocks } = holdings;
  if (below(PASSING) === 0) return pass();
  const few = holdings.units < share;
  if (blocks.length === 0 || below(8) < (few ? 6 : 2)) {
    if (holdings.allocate(randomSize(below, most))) {
      tally.allocations++;
      return;
    }
    tally.full++;
    if (blocks.length === 0) return;
  }
  const block = holdings.drop(below(blocks.length));
  if (block.size > 1 && below(MISUSE) === 0) {
    if (!holdings.refusesInterior(block)) throw new Error(`the inside of ${block.offset} could be freed`);
    tally.refused++;
  }
  free(block);
}

// All start together.
Atomics.add(cells, barrier, 1);
Atomics.notify(cells, barrier);
for (let here = 0; here < workers; here = Atomics.load(cells, barrier))
  Atomics.wait(cells, barrier, here, 100);
for (let i = 0; i < operations; i++) {
  operate();
  if (i % STRETCH === 0) Atomics.store(cells, done + writer, i);
}
Atomics.store(cells, done + writer, operations);
holdings.freeAll();
arena.detach();
parentPort.postMessage(tally);
