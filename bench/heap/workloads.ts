// What is done to a heap: the recorded traces, and random replacement. Sizes are bytes.

import { Random } from '../../test/support/random.ts';
import { loadBytes, TRACE_NAMES } from '../../test/support/traces.ts';

/** A sequence of operations and what follows from it. */
export interface HeapWorkload {
  readonly name: string;
  /** x >= 0 allocates x bytes and gets the next id from 0; x < 0 frees the block with id ~x. */
  readonly operations: Int32Array;
  readonly allocations: number;
  /** Ids of the blocks that are live in the end. */
  readonly leftovers: Int32Array;
  /** The most bytes that were live at once, as the program asked for them. */
  readonly peakBytes: number;
  /** Bytes of memory that every heap has: a power of two, at least four times the peak. */
  readonly memoryBytes: number;
}

/** The least memory: mimalloc takes 4 MiB at a time. */
const LEAST_MEMORY = 2 ** 24;

/** What follows from a sequence of operations. */
export function workloadOf(name: string, operations: Int32Array): HeapWorkload {
  const live = new Map<number, number>();
  let allocations = 0;
  let liveBytes = 0;
  let peakBytes = 0;
  for (const x of operations) {
    if (x >= 0) {
      live.set(allocations++, x);
      liveBytes += x;
      peakBytes = Math.max(peakBytes, liveBytes);
    } else {
      liveBytes -= live.get(~x) as number;
      live.delete(~x);
    }
  }
  return {
    name,
    operations,
    allocations,
    leftovers: Int32Array.from(live.keys()),
    peakBytes,
    memoryBytes: Math.max(LEAST_MEMORY, 2 ** Math.ceil(Math.log2(4 * peakBytes))),
  };
}

/** Random replacement: `live` blocks of `least` to `most` bytes are allocated; then, `replaced` times, one of them is freed and another allocated. */
interface Replacement {
  readonly live: number;
  readonly replaced: number;
  readonly least: number;
  readonly most: number;
}

function replacement({ live, replaced, least, most }: Replacement): Int32Array {
  const random = new Random(1);
  const size = (): number => least + random.below(most - least + 1);
  const operations = new Int32Array(live + 2 * replaced);
  const ids = new Int32Array(live);
  let at = 0;
  let next = 0;
  for (; next < live; next++) {
    operations[at++] = size();
    ids[next] = next;
  }
  for (let i = 0; i < replaced; i++) {
    const slot = random.below(live);
    operations[at++] = ~ids[slot];
    operations[at++] = size();
    ids[slot] = next++;
  }
  return operations;
}

/** As one thread of the server that Larson and Krishnan imitate (ISMM 1998), with the sizes and the number of blocks that are usual. */
const LARSON: Replacement = { live: 5000, replaced: 400_000, least: 8, most: 1000 };

/** The traces from beginning to end, and random replacement. */
export function heapWorkloads(): HeapWorkload[] {
  return [
    ...TRACE_NAMES.map((name) => workloadOf(name, loadBytes(name))),
    workloadOf('larson', replacement(LARSON)),
  ];
}

/** The beginnings of the traces, for the slow packages. */
export function heapBeginnings(operations: number): HeapWorkload[] {
  return TRACE_NAMES.map((name) => workloadOf(name, loadBytes(name).slice(0, operations)));
}

/** A heap that grows to a million small blocks; then every other operation is a free. */
export function millionBlocks(): HeapWorkload {
  return workloadOf('million', replacement({ live: 1_000_000, replaced: 500_000, least: 16, most: 256 }));
}
