// The patterns of calls: those of the NBBS paper (Marotta et al., CLUSTER 2018), and one with blocks that change hands.
//
// Each pattern is one function, which each worker calls with its task. It returns the number of operations.

import type { Attached } from './contender.ts';
import type { Outcome, Task as TaskOf } from './task.ts';

type Task = TaskOf<Attached>;

/** Cells that the patterns use, for each worker. */
export const CELLS_PER_WORKER = 1024;

const BATCH = 1000;
const POOL = 4000;
const RING = 512;

/** Linux scalability (Lever and Boreham 2000): allocate a block of one unit, free it, again and again. */
function linuxScalability({ arena, rounds }: Task): number {
  for (let i = 0; i < rounds; i++) arena.free(arena.alloc(1));
  return 2 * rounds;
}

/** Threadtest (Berger et al., Hoard, 2000): allocate a batch of blocks of one unit, then free them all. */
function threadtest({ arena, rounds }: Task): number {
  const batch = new Int32Array(BATCH);
  const times = Math.ceil(rounds / BATCH);
  for (let t = 0; t < times; t++) {
    for (let i = 0; i < BATCH; i++) batch[i] = arena.alloc(1);
    for (let i = 0; i < BATCH; i++) arena.free(batch[i]);
  }
  return 2 * BATCH * times;
}

/** Constant occupancy (NBBS): random blocks of a pool of mixed sizes are freed and allocated anew. */
function constantOccupancy({ arena, me, rounds }: Task): number {
  const pool = new Int32Array(POOL);
  for (let i = 0; i < POOL; i++) pool[i] = arena.alloc(1 << (i & 3));
  let random = me + 1;
  for (let n = 0; n < rounds; n++) {
    random = (Math.imul(random, 1664525) + 1013904223) | 0;
    const i = (random >>> 8) % POOL;
    arena.free(pool[i]);
    pool[i] = arena.alloc(1 << ((random >>> 4) & 3));
  }
  for (let i = 0; i < POOL; i++) arena.free(pool[i]);
  return 2 * (rounds + POOL);
}

/**
 * Producer and consumer: each worker passes its blocks on to the next one, which frees them. Rings of one writer and
 * one reader.
 */
function producerConsumer({ arena, me, workers, rounds, shared }: Task): number {
  const mine = me * CELLS_PER_WORKER;
  const theirs = ((me + workers - 1) % workers) * CELLS_PER_WORKER;
  // A ring: [0] blocks put in, [16] blocks taken out, [32 …] the blocks.
  let produced = 0;
  let consumed = 0;
  while (produced < rounds || consumed < rounds) {
    const before = produced + consumed;
    if (produced < rounds && produced - Atomics.load(shared, mine + 16) < RING) {
      shared[mine + 32 + (produced % RING)] = arena.alloc(1 + (produced & 7));
      Atomics.store(shared, mine, ++produced);
    }
    if (consumed < Atomics.load(shared, theirs)) {
      arena.free(shared[theirs + 32 + (consumed % RING)]);
      Atomics.store(shared, theirs + 16, ++consumed);
    }
    // Nothing to do: let others run, where there are more workers than cores.
    if (produced + consumed === before) Atomics.wait(shared, theirs, consumed, 0.1);
  }
  return 2 * rounds;
}

/** All patterns, by name. */
export const PATTERNS = {
  'linux-scalability': linuxScalability,
  threadtest,
  'constant occupancy': constantOccupancy,
  'producer-consumer': producerConsumer,
} as const;

export type PatternName = keyof typeof PATTERNS;

/** As a {@link PatternModule} says. All of a pattern is timed. */
export function prepare(pattern: PatternName, task: Task): () => Outcome {
  return () => ({ done: PATTERNS[pattern](task), refused: 0 });
}
