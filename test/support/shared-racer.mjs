// A worker that frees the same blocks as others at the same time. All blocks of a round lie in one slab, which the first
// worker owns; that worker counts of how many blocks how many workers said that they have freed them.

import { parentPort, workerData } from 'node:worker_threads';
import { SharedHeap } from '../../dist/shared.js';

// `racers`: the numbers of the workers that free, of `workers` in all; this one is number `me`.
const { handle, control, outcomes, pointers, me, workers, racers, rounds, blocks } = workerData;
const heap = SharedHeap.attach(handle);
const cells = new Int32Array(control);
const ptrs = new Uint32Array(pointers);
const results = new Uint8Array(outcomes);
const ARRIVED = 0;
const PROGRESS = 1;

/** Waits for all workers. */
let barriers = 0;
function meet() {
  const all = ++barriers * workers;
  if (Atomics.add(cells, ARRIVED, 1) + 1 === all) {
    Atomics.notify(cells, ARRIVED);
    return;
  }
  for (let seen = Atomics.load(cells, ARRIVED), looks = 0; seen < all; seen = Atomics.load(cells, ARRIVED)) {
    if (looks++ > 10_000) Atomics.wait(cells, ARRIVED, seen, 1);
  }
}

/** Looks for the other racer that are left in a round: it may not be running at all. */
let patience = 0;

/** Gives the other racer a moment to come as far as block `i`, so that both free it in the same moments. */
function keepStep(i, round) {
  const now = round * blocks + i;
  Atomics.store(cells, PROGRESS + me, now);
  const other = racers.find((racer) => racer !== me);
  while (patience > 0 && Atomics.load(cells, PROGRESS + other) < now) patience--;
  // Who comes second goes on first: at times the other is to have the lead.
  for (let looks = (now * 7 + me * 5) & 15; looks > 0; looks--) Atomics.load(cells, PROGRESS + other);
}

const totals = { none: 0, once: 0, more: 0, errors: [] };
const won = racers.map(() => 0);
const kept = me === 0 ? heap.malloc(8) : 0; // the slab is never empty
parentPort.postMessage('ready');
meet();
if (me === 0) {
  // The first remote free marks the slab.
  ptrs[0] = heap.malloc(8);
}
meet();
if (me === 1) heap.free(ptrs[0]);
meet();
for (let round = 0; round < rounds; round++) {
  if (me === 0) {
    for (let i = 0; i < blocks; i++) ptrs[i] = heap.malloc(8);
    if (ptrs.some((ptr) => ptr >>> 12 !== kept >>> 12)) totals.errors.push('the blocks are in several slabs');
  }
  meet();
  if (racers.includes(me)) {
    patience = 50_000;
    for (let i = 0; i < blocks; i++) {
      keepStep(i, round);
      results[me * blocks + i] = 0;
      try {
        heap.free(ptrs[i]);
        results[me * blocks + i] = 1;
      } catch (error) {
        if (error.code !== 'NOT_ALLOCATED') totals.errors.push(String(error));
      }
    }
  }
  meet();
  if (me !== 0) continue;
  for (let i = 0; i < blocks; i++) {
    const said = racers.map((racer) => results[racer * blocks + i]);
    for (const [j, yes] of said.entries()) won[j] += yes;
    const sum = said.reduce((a, b) => a + b);
    if (sum === 0) totals.none++;
    else if (sum === 1) totals.once++;
    else totals.more++;
  }
}
if (me === 0) heap.free(kept);
heap.detach();
parentPort.postMessage({ ...totals, won });
