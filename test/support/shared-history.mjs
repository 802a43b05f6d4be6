// A worker thread that notes its calls in a shared arena, their times and their results. In each round all workers
// begin together.

import { workerData } from 'node:worker_threads';
import { SharedBuddyAllocator } from '../../dist/shared.js';
import { randomFrom } from './shared-blocks.mjs';

const { buffer, cells, known, log, writer, workers, rounds, calls, most, seed, codes, at } = workerData;
/** Looks at the barrier before a worker sleeps: another worker may need the processor. */
const SPINS = 20_000;

const arena = SharedBuddyAllocator.attach(buffer);
const below = randomFrom(seed * 64 + writer);
const own = [];
let position = writer * rounds * calls * codes.fields;

function barrier() {
  const generation = Atomics.load(cells, at.generation);
  if (Atomics.add(cells, at.arrived, 1) === workers - 1) {
    Atomics.store(cells, at.arrived, 0);
    Atomics.store(cells, at.generation, generation + 1);
    Atomics.notify(cells, at.generation);
    return;
  }
  for (let spins = 0; Atomics.load(cells, at.generation) === generation; spins++) {
    if (spins > SPINS) Atomics.wait(cells, at.generation, generation, 1);
  }
}

/** Waits until all workers are awake, but not forever: they may have to share a processor. */
function meet(round) {
  Atomics.add(cells, at.awake, 1);
  for (let spins = 0; spins < SPINS && Atomics.load(cells, at.awake) < workers * (round + 1); spins++);
}

/** Publishes the offsets of all live blocks, from which each worker picks in this round. No worker is in a call. */
function publish() {
  let count = 0;
  for (const { offset, free } of arena.blocks()) if (!free) known[++count] = offset;
  known[0] = count;
}

function free(offset) {
  try {
    return arena.free(offset);
  } catch (error) {
    return codes[error.code];
  }
}

/**
 * An offset to free: of an own block, of a block that all know, of the inside of one, or any. `common` is the same
 * for all workers in this round.
 */
function target(common) {
  const kind = below(8);
  if (kind < 3 && own.length > 0) return own.pop();
  if (kind === 7 || known[0] === 0) return below(arena.capacity);
  const offset = known[1 + ((kind < 5 ? common : below(known[0])) % known[0])];
  return kind === 6 && offset + 1 < arena.capacity ? offset + 1 : offset;
}

function operate(round) {
  const filling = (round & 8) === 0 ? 5 : 3;
  const isAlloc = below(8) < filling;
  const argument = isAlloc ? 2 ** below(below(most + 1) + 1) : target(Math.imul(round, 0x9e3779b1) >>> 1);
  const called = Atomics.add(cells, at.clock, 1);
  const result = isAlloc ? arena.alloc(argument) : free(argument);
  const returned = Atomics.add(cells, at.clock, 1);
  if (isAlloc && result >= 0) own.push(result);
  log.set([isAlloc ? codes.alloc : codes.free, argument, result, called, returned], position);
  position += codes.fields;
}

for (let round = 0; round < rounds; round++) {
  if (writer === 0) publish();
  barrier();
  meet(round);
  for (let i = 0; i < calls; i++) operate(round);
  barrier();
}
