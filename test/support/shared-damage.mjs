// A worker thread that calls everything on shared arenas whose state was damaged at random behind the header. It posts
// what came out wrong: errors other than those documented, and offsets outside the arena. The parent ends it if a call
// does not return.

import { parentPort, workerData } from 'node:worker_threads';
import { BuddyError, SharedBuddyAllocator } from '../../dist/shared.js';
import { randomFrom } from './shared-blocks.mjs';

const { seed, runs, calls, progress } = workerData;
const CAPACITIES = [1, 15, 16, 17, 300, 4096, 70_000];
const HEADER = 16;
const wrong = [];

function damage(state, below) {
  const values = [
    () => below(2 ** 32) | 0,
    () => below(2 ** 31),
    () => below(300),
    () => -1 - below(300),
    () => 2 ** below(31),
    () => 0,
    // Open words, without a used child and with one that is used or subdivided.
    () => 0x10001,
    () => 0x10001 ^ (2 ** below(32)),
    () => below(state.length),
  ];
  const slots = below(3) === 0;
  for (let left = 1 + below(below(2) === 0 ? 3 : 300); left > 0; left--) {
    const span = slots ? Math.min(400, state.length - HEADER) : state.length - HEADER;
    state[HEADER + below(span)] = values[below(values.length)]();
  }
}

for (let run = 0; run < runs; run++) {
  const below = randomFrom(seed + run);
  const capacity = CAPACITIES[below(CAPACITIES.length)];
  const options = { capacity, maxWorkers: 1 + below(8), trackOwners: below(3) > 0 };
  const arena = SharedBuddyAllocator.create(options);
  const state = new Int32Array(arena.buffer);
  const others = [arena];
  while (others.length < options.maxWorkers && below(4) > 0)
    others.push(SharedBuddyAllocator.attach(arena.buffer));
  for (let i = below(200); i > 0; i--) others[below(others.length)].alloc(1 + below(below(2) ? 3 : capacity));
  const known = [];
  const steps = {
    alloc: (worker) => {
      const size = 1 + below(below(3) ? 4 : capacity);
      const offset = worker.alloc(size);
      if (offset < -1 || offset >= capacity || !Number.isInteger(offset))
        return `alloc(${size}) gives ${offset}`;
      if (offset >= 0) known.push(offset);
    },
    free: (worker, offset) => void worker.free(offset),
    sizeOf: (worker, offset) => void worker.sizeOf(offset),
    isAllocated: (worker, offset) => void worker.isAllocated(offset),
    blockOf: (worker, offset) => void worker.blockOf(offset),
    adopt: (worker, offset) =>
      void worker.adopt(offset, below(2) ? undefined : 256 * below(3) + 1 + below(options.maxWorkers)),
    recover: (worker) => void worker.recover(256 * below(3) + 1 + below(options.maxWorkers)),
    workerIds: (worker) => void worker.workerIds(),
    attach: () => {
      const other = SharedBuddyAllocator.attach(arena.buffer);
      if (other !== null && others.length < 8) others.push(other);
    },
    detach: () => {
      if (others.length > 1) others.splice(1 + below(others.length - 1), 1)[0].detach();
    },
    stats: (worker) => void worker.stats(),
    blocks: (worker) => {
      let end = 0;
      for (const { offset, size } of worker.blocks()) {
        if (offset < end) return `blocks() goes back from ${end} to ${offset}`;
        end = offset + size;
      }
    },
    check: (worker) => void worker.check(),
  };
  const names = Object.keys(steps);
  const cheap = ['alloc', 'free', 'sizeOf', 'isAllocated', 'blockOf', 'adopt'];
  damage(state, below);
  Atomics.store(progress, 0, seed + run);
  for (let call = 0; call < calls; call++) {
    const name = below(capacity > 1000 ? 50 : 5) ? cheap[below(cheap.length)] : names[below(names.length)];
    const offset = known.length > 0 && below(4) ? known[below(known.length)] : below(capacity);
    let fault;
    try {
      fault = steps[name](others[below(others.length)], offset);
    } catch (error) {
      // The caller's own id is refused: damage may have changed it.
      const isArgument = /^workerId must be another/.test(error.message);
      if (!(error instanceof BuddyError) && !isArgument) fault = `${name}: ${error.name}: ${error.stack}`;
    }
    if (fault !== undefined) wrong.push(`seed ${seed + run}, capacity ${capacity}: ${fault}`);
  }
}
parentPort.postMessage(wrong);
