// The patterns of calls. Each is a function that prepares a worker's task, untimed, and returns the work that is timed. In that
// work, as many blocks are freed as are allocated: `done` counts these pairs.

import { Random } from '../../test/support/random.ts';
import type { Outcome, Task as TaskOf } from '../shared/task.ts';
import type { HeapEnd } from './contender.ts';

type Task = TaskOf<HeapEnd>;

/** Cells that the patterns use, for each worker. */
export const CELLS_PER_WORKER = 2048;

/** Bytes of the memory, unless the pattern is about how full it is. */
const ROOMY = 2 ** 24;
/** Bytes of the memory that is filled. All workers share them. */
const FILLED = 2 ** 22;

const blocksOf = (count: number): Int32Array => new Int32Array(count);
const pairs = (asked: number, refused: number): Outcome => ({ done: asked - refused, refused });

/** Linux scalability (Lever and Boreham 2000; Michael 2004): a block of 8 bytes is allocated and freed, again and again. */
function linuxScalability({ arena: { heap }, rounds }: Task): () => Outcome {
  return () => {
    let refused = 0;
    for (let i = 0; i < rounds; i++) {
      const ptr = heap.malloc(8);
      if (ptr === 0) refused++;
      else heap.free(ptr);
    }
    return pairs(rounds, refused);
  };
}

/** Threadtest (Berger et al., Hoard, 2000): a batch of 1000 blocks of 64 bytes is allocated, then freed in the same order. */
function threadtest({ arena: { heap }, rounds }: Task): () => Outcome {
  return batches(heap, blocksOf(1000), 64, rounds);
}

/** Bulk (Wrenger et al., LLFree, 2023): half of the memory is allocated in blocks of 256 bytes, then freed in the same order. */
function bulk({ arena: { heap }, workers, rounds }: Task): () => Outcome {
  return batches(heap, blocksOf(Math.floor(FILLED / 2 / 256 / workers)), 256, rounds);
}

/** Allocates as many blocks of `bytes` bytes as `blocks` holds, then frees them, until that makes `rounds` pairs at least. */
function batches(heap: HeapEnd['heap'], blocks: Int32Array, bytes: number, rounds: number): () => Outcome {
  const { length } = blocks;
  const times = Math.ceil(rounds / length);
  return () => {
    let refused = 0;
    for (let t = 0; t < times; t++) {
      for (let i = 0; i < length; i++) {
        blocks[i] = heap.malloc(bytes);
        if (blocks[i] === 0) refused++;
      }
      for (let i = 0; i < length; i++) if (blocks[i] !== 0) heap.free(blocks[i]);
    }
    return pairs(times * length, refused);
  };
}

/** Blocks that one worker of larson holds. */
const HELD = 1000;

/**
 * Larson (Larson and Krishnan 1998): a server's worker replaces random ones of 1000 blocks of 8 to 1000 bytes. After 100
 * replacements per block it leaves them to the next worker, as a thread to its successor, and goes on with those of another.
 */
function larson({ arena: { heap }, me, workers, rounds, shared, meet }: Task): () => Outcome {
  const random = new Random(me + 1);
  const size = (): number => 8 + random.below(993);
  for (let i = 0; i < HELD; i++) shared[me * CELLS_PER_WORKER + i] = heap.malloc(size());
  const turn = Math.min(rounds, 100 * HELD);
  const turns = Math.ceil(rounds / turn);
  return () => {
    let refused = 0;
    for (let t = 0; t < turns; t++) {
      if (t > 0) meet();
      const held = ((me + t) % workers) * CELLS_PER_WORKER;
      for (let n = 0; n < turn; n++) {
        const at = held + random.below(HELD);
        if (shared[at] !== 0) heap.free(shared[at]);
        shared[at] = heap.malloc(size());
        if (shared[at] === 0) refused++;
      }
    }
    return pairs(turns * turn, refused);
  };
}

/** Blocks under way from one worker of xmalloc to the next: a power of two. */
const RING = 1024;
/** Blocks that are handed over at once. */
const BATCH = 128;
/** Times that a worker looks for work before it sleeps. */
const LOOKS = 500;

/**
 * Xmalloc (Lever and Boreham 2000): producer and consumer. Each worker hands all its blocks, of 16 to 271 bytes, to the next
 * worker, which frees them; a single one hands them to itself.
 */
function xmalloc({ arena: { heap }, me, workers, rounds, shared }: Task): () => Outcome {
  // A ring of one writer and one reader: [0] blocks put in, [16] blocks taken out, [32 …] the blocks.
  const mine = me * CELLS_PER_WORKER;
  const theirs = ((me + workers - 1) % workers) * CELLS_PER_WORKER;
  return () => {
    let put = 0;
    let taken = 0;
    let refused = 0;
    for (let looks = 0; put < rounds || taken < rounds; looks++) {
      const before = put + taken;
      const full = Atomics.load(shared, mine + 16) + RING;
      for (const end = Math.min(put + BATCH, rounds, full); put < end; put++) {
        const ptr = heap.malloc(16 + (put & 255));
        if (ptr === 0) refused++;
        shared[mine + 32 + (put & (RING - 1))] = ptr;
      }
      Atomics.store(shared, mine, put);
      for (const end = Atomics.load(shared, theirs); taken < end; taken++) {
        const ptr = shared[theirs + 32 + (taken & (RING - 1))];
        if (ptr !== 0) heap.free(ptr);
      }
      Atomics.store(shared, theirs + 16, taken);
      if (put + taken !== before) looks = 0;
      // Where there are more workers than cores, let others run.
      else if (looks > LOOKS) Atomics.wait(shared, theirs, taken, 0.1);
    }
    return pairs(rounds, refused);
  };
}

/** Times that each byte of a block is written by the two patterns of false sharing. */
const WRITES = 100;

/**
 * Cache-thrash (Berger et al. 2000): a block of 8 bytes is allocated, each of its bytes is written 100 times, and it is freed.
 * A heap is slow here if it puts blocks of two workers into one cache line.
 */
function cacheThrash({ arena: { heap, memory }, rounds }: Task): () => Outcome {
  const bytes = new Uint8Array(memory);
  return () => {
    let refused = 0;
    for (let i = 0; i < rounds; i++) {
      const ptr = heap.malloc(8);
      if (ptr === 0) {
        refused++;
        continue;
      }
      for (let n = 0; n < WRITES; n++) for (let k = 0; k < 8; k++) bytes[ptr + k]++;
      heap.free(ptr);
    }
    return pairs(rounds, refused);
  };
}

/**
 * Cache-scratch (Berger et al. 2000): cache-thrash, after each worker has freed a block that the first one has allocated for it,
 * next to those of the others. A heap is slow here if it gives that block to the worker that has freed it.
 */
function cacheScratch(task: Task): () => Outcome {
  const { arena, me, workers, shared, meet } = task;
  if (me === 0) {
    for (let one = 0; one < workers; one++) shared[one * CELLS_PER_WORKER] = arena.heap.malloc(8);
  }
  meet();
  arena.heap.free(shared[me * CELLS_PER_WORKER]);
  return cacheThrash(task);
}

/** Blocks that a worker allocates in its turn, while the memory is filled. */
const AT_ONCE = 64;

/** Cells of the first worker in which the workers that have found no room are counted. */
const AT_FULL = 0;

interface Filling {
  readonly blocks: number[];
  readonly sizes: number[];
}

/**
 * Allocates blocks of 16 to 1024 bytes until there is no room, all workers by turns, and frees random ones: the share `fill`
 * stays, of what this heap has room for.
 */
function filled({ arena: { heap }, me, workers, shared, meet }: Task, fill: number): Filling {
  const random = new Random(me + 1);
  const blocks: number[] = [];
  const sizes: number[] = [];
  for (let isFull = false, stop = false; !stop; ) {
    for (let i = 0; i < AT_ONCE && !isFull; i++) {
      const size = 16 * (1 + random.below(64));
      const ptr = heap.malloc(size);
      if (ptr === 0) {
        isFull = true;
        Atomics.add(shared, AT_FULL, 1);
      } else {
        blocks.push(ptr);
        sizes.push(size);
      }
    }
    meet();
    stop = Atomics.load(shared, AT_FULL) === workers;
    meet();
  }
  for (let count = Math.ceil(blocks.length * (1 - fill)); count > 0; count--) {
    const i = random.below(blocks.length);
    heap.free(blocks[i]);
    for (const list of [blocks, sizes]) {
      list[i] = list[list.length - 1];
      list.pop();
    }
  }
  return { blocks, sizes };
}

/** Repeat (LLFree): a block of 256 bytes is allocated and freed, again and again, while half of the memory is in use. */
function repeat(task: Task): () => Outcome {
  const { heap } = task.arena;
  filled(task, 0.5);
  return batches(heap, blocksOf(1), 256, task.rounds);
}

/** Random (LLFree): random blocks are freed, and blocks of the same sizes allocated, while the share `fill` is in use. */
function random(fill: number): (task: Task) => () => Outcome {
  return (task) => {
    const { heap } = task.arena;
    const { rounds } = task;
    const filling = filled(task, fill);
    const blocks = Int32Array.from(filling.blocks);
    const sizes = Int32Array.from(filling.sizes);
    const random = new Random(~task.me);
    return () => {
      let refused = 0;
      for (let n = 0; n < rounds; n++) {
        const i = random.below(blocks.length);
        if (blocks[i] !== 0) heap.free(blocks[i]);
        blocks[i] = heap.malloc(sizes[i]);
        if (blocks[i] === 0) refused++;
      }
      return pairs(rounds, refused);
    };
  };
}

interface Pattern {
  readonly prepare: (task: Task) => () => Outcome;
  /** Bytes of the memory. */
  readonly size: number;
  /** Whether workers free blocks of each other. */
  readonly handsOver: boolean;
}

const apart = (prepare: Pattern['prepare'], size = ROOMY): Pattern => ({ prepare, size, handsOver: false });
const handingOver = (prepare: Pattern['prepare']): Pattern => ({ prepare, size: ROOMY, handsOver: true });

/** All patterns, by name. */
export const PATTERNS = {
  threadtest: apart(threadtest),
  larson: handingOver(larson),
  xmalloc: handingOver(xmalloc),
  'linux-scalability': apart(linuxScalability),
  'cache-scratch': handingOver(cacheScratch),
  'cache-thrash': apart(cacheThrash),
  bulk: apart(bulk, FILLED),
  repeat: apart(repeat, FILLED),
  'random-50': apart(random(0.5), FILLED),
  'random-75': apart(random(0.75), FILLED),
  'random-90': apart(random(0.9), FILLED),
  'random-99': apart(random(0.99), FILLED),
} as const satisfies Record<string, Pattern>;

export type PatternName = keyof typeof PATTERNS;

/** As a PatternModule says. */
export function prepare(pattern: PatternName, task: Task): () => Outcome {
  return PATTERNS[pattern].prepare(task);
}
