// The process that bench/allocation.ts watches: a steady state of mixed sizes, everything it needs made beforehand.
// usage: node --trace-gc allocation-loop.mjs OPERATIONS [garbage]

import { writeSync } from 'node:fs';
import { BuddyAllocator } from '../dist/index.js';

const CAPACITY = 2 ** 20;
const SLOTS = 2 ** 14;
const WARMUP = 2e6;

const operations = Number(process.argv[2]);
const garbage = process.argv[3] === 'garbage';

// Each turn picks a slot: if it holds a block that is freed, else one is allocated. Sizes of every order up to 2^9.
const slots = new Int32Array(2 ** 20);
const sizes = new Int32Array(2 ** 20);
let x = 1;
const random = () => {
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return (x >>> 0) / 2 ** 32;
};
for (let i = 0; i < slots.length; i++) {
  slots[i] = Math.floor(random() * SLOTS);
  sizes[i] = Math.ceil(random() * 2 ** Math.floor(random() * 10));
}

const allocator = new BuddyAllocator({ capacity: CAPACITY });
const held = new Int32Array(SLOTS).fill(-1);
const counts = new Float64Array(2);
let wasted = null;

/** Runs operations from turn `from` on; in a function, so that the engine can compile it while it runs. */
function run(from, count) {
  for (let turn = from; turn < from + count; turn++) {
    const i = turn & (slots.length - 1);
    const slot = slots[i];
    const offset = held[slot];
    if (offset < 0) {
      held[slot] = allocator.alloc(sizes[i]);
      counts[0]++;
    } else {
      allocator.free(offset);
      held[slot] = -1;
      counts[1]++;
    }
    if (garbage) wasted = { offset, before: null };
  }
}

for (let warm = 0; warm < 4; warm++) run((warm * WARMUP) / 4, WARMUP / 4);
counts.fill(0);
// Not console.log, whose own garbage would fall into the loop's account.
writeSync(1, 'loop begins\n');
const heapBefore = process.memoryUsage().heapUsed;
const start = performance.now();
run(WARMUP, operations);
const seconds = (performance.now() - start) / 1000;
const heapBytes = process.memoryUsage().heapUsed - heapBefore;
writeSync(
  1,
  `loop ends ${JSON.stringify({ allocs: counts[0], frees: counts[1], seconds, heapBytes, wasted: wasted !== null })}\n`,
);
