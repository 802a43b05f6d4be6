// A worker thread that allocates and frees until it is told to stop, or is terminated. Survivors give some of their
// blocks to others to free, by way of letters.
//
// A worker that frees the block in a letter first writes its name on it. So if it dies, the block in question is known.

import { parentPort, workerData } from 'node:worker_threads';
import { SharedBuddyAllocator } from '../../dist/shared.js';
import { Holdings, randomFrom, randomSize } from './shared-blocks.mjs';

const { buffer, data, cells, letters, seat, survivor, most, fill, seed, at } = workerData;
const below = randomFrom(seed);
const own = at.seats + seat * at.stride;
const arena = SharedBuddyAllocator.attach(buffer);
Atomics.store(cells, own + at.workerId, arena.workerId);
const holdings = new Holdings({
  ...{ arena, data, cells, inside: own + at.inside, clean: false },
  writer: seat + 1,
});
const { blocks } = holdings;
let swept = Atomics.load(cells, at.sweep);

function handleLetter() {
  const i = below(letters.length);
  const letter = Atomics.load(letters, i);
  if (letter > 0) {
    if (Atomics.compareExchange(letters, i, letter, -(seat * at.name + letter)) !== letter) return;
    holdings.free(holdings.received(letter - 1));
    Atomics.store(letters, i, 0);
  } else if (letter === 0 && survivor && blocks.length > 0) {
    const block = holdings.drop(below(blocks.length));
    if (Atomics.compareExchange(letters, i, 0, block.offset + 1) !== 0) holdings.hold(block);
  }
}

function operate() {
  if (below(6) === 0) return handleLetter();
  const few = holdings.units < fill;
  if (blocks.length > 0 && below(8) < (few ? 2 : 6))
    return holdings.free(holdings.drop(below(blocks.length)));
  if (!holdings.allocate(randomSize(below, most)) && blocks.length > 0) {
    holdings.free(holdings.drop(below(blocks.length)));
  }
}

/** Carries out the commands of the main thread. */
function obey() {
  const dead = Atomics.load(cells, own + at.request);
  if (dead !== 0) {
    cells[own + at.inside] = 2;
    const { complete } = arena.recover(dead);
    cells[own + at.inside] = 0;
    holdings.verifyAll();
    Atomics.store(cells, own + at.request, 0);
    Atomics.store(cells, own + at.answer, complete ? 1 : 2);
  }
  const sweep = Atomics.load(cells, at.sweep);
  if (sweep !== swept) holdings.verifyAll();
  swept = sweep;
  const command = Atomics.load(cells, at.command);
  if (command % 3 === at.go) return;
  if (command % 3 === at.freeAll) holdings.freeAll();
  holdings.verifyAll();
  parentPort.postMessage(blocks);
  Atomics.wait(cells, at.command, command);
}

for (;;) {
  obey();
  for (let i = 0; i < 20; i++) operate();
  Atomics.add(cells, own + at.done, 20);
}
