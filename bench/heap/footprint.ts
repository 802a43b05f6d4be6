// How much memory a workload takes: the highest address, the memory in the end, and the state.

import { FirstFit } from '../../test/spec/first-fit.ts';
import type { GrowingContender } from './contender.ts';
import type { HeapWorkload } from './workloads.ts';

/** What one heap, which began small and grew, took for one workload. All numbers are bytes. */
export interface Footprint {
  readonly name: string;
  /** From the beginning of the heap to the end of the highest block that there ever was, and all state that lies elsewhere. */
  readonly footprint: number;
  /** What the memory, and the state that lies elsewhere, have grown to in the end. */
  readonly memory: number;
  /** State outside the memory in the end. */
  readonly state: number;
}

/** Replays a workload. Throws an Error if there is no room for a block. */
export function footprintOf({ name, createGrowing }: GrowingContender, workload: HeapWorkload): Footprint {
  const { heap, base, memoryBytes, stateBytes } = createGrowing(workload.memoryBytes);
  const pointers = new Float64Array(workload.allocations);
  let id = 0;
  let highest = 0;
  for (const x of workload.operations) {
    if (x >= 0) {
      const ptr = heap.malloc(x);
      if (ptr === 0) throw new Error(`${name} has no room for ${workload.name}`);
      highest = Math.max(highest, ptr + x);
      pointers[id++] = ptr;
    } else {
      heap.free(pointers[~x]);
    }
  }
  const state = stateBytes();
  return {
    name,
    footprint: highest - base + state,
    memory: memoryBytes() + state,
    state,
  };
}

export const FIRST_FIT = 'first fit, 8-byte headers';

const ALIGNMENT = 16;
const HEADER = 8;

/**
 * The highest address of a heap that puts each block, with a header of 8 bytes before it, into the lowest gap that holds it, and
 * joins free neighbours. Blocks are multiples of 16 bytes, header included. Bytes.
 */
export function firstFitFootprint({ operations, allocations, memoryBytes }: HeapWorkload): number {
  const gaps = new FirstFit(memoryBytes / ALIGNMENT);
  const offsets = new Int32Array(allocations);
  const sizes = new Int32Array(allocations);
  let id = 0;
  let end = 0;
  for (const x of operations) {
    if (x >= 0) {
      sizes[id] = Math.ceil((x + HEADER) / ALIGNMENT);
      offsets[id] = gaps.alloc(sizes[id]);
      end = Math.max(end, offsets[id] + sizes[id]);
      id++;
    } else {
      gaps.free(offsets[~x], sizes[~x]);
    }
  }
  return end * ALIGNMENT;
}
