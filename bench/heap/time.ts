// Prepares a contender to be timed. Mostly one heap is kept through all rounds: before each of them it is empty, its memory is
// mapped, and it has seen the same work. The native allocators cannot be had otherwise.

import { collectGarbage } from '../garbage.ts';
import { loadHeapDriver } from '../load-driver.ts';
import type { Runner, Sample } from '../measure.ts';
import { touchMemory } from '../touch.ts';
import type { Contender } from './contender.ts';
import type { ByteHeap } from './driver.ts';
import type { HeapWorkload } from './workloads.ts';

/** What is done in a replay. */
export interface Work {
  /** Whether every block is asked for at half its size and then resized. */
  readonly resizing: boolean;
  /** Whether every replay has a heap of its own, mapped too, instead of the one that is kept. */
  readonly fresh: boolean;
}

/** A runner with a loop of its own for one workload. What the workload leaves in a heap that is kept is freed, untimed. */
export async function runnerFor(
  { name, create }: Contender,
  workload: HeapWorkload,
  { resizing, fresh }: Work,
): Promise<Runner> {
  const driver = await loadHeapDriver();
  const replay = resizing ? driver.replayResizing : driver.replay;
  const { operations, allocations, leftovers } = workload;
  const pointers = new Int32Array(allocations);
  const createMapped = (): ByteHeap => {
    const { heap, memory } = create(workload);
    if (memory) touchMemory(memory);
    return heap;
  };
  let heap = createMapped();
  const sample = (): Sample => {
    if (fresh) heap = createMapped();
    collectGarbage();
    const start = performance.now();
    const failures = replay(heap, operations, pointers);
    const end = performance.now();
    if (!fresh) for (const id of leftovers) if (pointers[id] !== 0) heap.free(pointers[id]);
    return { replayNs: (end - start) * 1e6, createNs: 0, failures, hash: 0 };
  };
  return { name, placesAsReference: false, replay: async () => sample() };
}
