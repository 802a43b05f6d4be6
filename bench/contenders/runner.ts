// Replays a workload on a JavaScript contender.

import type { ReplayState } from '../driver.ts';
import { collectGarbage } from '../garbage.ts';
import { loadDriver } from '../load-driver.ts';
import type { Runner, Sample } from '../measure.ts';
import { touchMemory } from '../touch.ts';
import type { Workload } from '../workloads.ts';
import type { Arena, Contender } from './contender.ts';

/**
 * Touches the memory of an arena. The reference allocator writes its whole tree when it is created, so that is mapped, and
 * cached as far as it fits, before the clock starts; this does the same for the others.
 */
function touch({ untouched }: Arena): void {
  if (untouched) touchMemory(untouched);
}

/** The workload's operations with the sizes as the contender takes them. */
export function operationsFor(contender: Contender, { operations, bytes }: Workload): Int32Array {
  return contender.sizesIn === 'units' ? operations : bytes;
}

/** Makes a fresh arena whose memory is mapped. */
export function warmArena(contender: Contender, workload: Workload): Arena {
  const arena = contender.create(workload);
  touch(arena);
  return arena;
}

/**
 * Prepares a contender, with a driver loop of its own, for one workload. Every replay first collects garbage, so that
 * none pays for what another left behind.
 */
export async function runnerFor(contender: Contender, workload: Workload): Promise<Runner> {
  const { replay } = await loadDriver();
  const operations = operationsFor(contender, workload);
  const handles = new Int32Array(operations.length);
  const { steadyFrom } = workload;
  // One arena and the state always live on until they are replaced: were none alive while garbage is collected, the
  // engine would forget the shape of these objects and with it the code that it had optimised for them.
  let arena: Arena | undefined;
  const state: ReplayState = { allocations: 0, failures: 0, hash: 0 };
  const sample = (): Sample => {
    collectGarbage();
    state.allocations = state.failures = state.hash = 0;
    const beginning = performance.now();
    arena = contender.create(workload);
    const created = performance.now();
    touch(arena);
    replay(arena.allocator, operations, 0, steadyFrom, handles, state);
    const used = process.cpuUsage();
    const start = performance.now();
    replay(arena.allocator, operations, steadyFrom, operations.length, handles, state);
    const end = performance.now();
    const { user, system } = process.cpuUsage(used);
    return {
      replayNs: (end - start) * 1e6,
      cpuNs: (user + system) * 1000,
      createNs: (created - beginning) * 1e6,
      failures: state.failures,
      hash: state.hash >>> 0,
    };
  };
  return {
    name: contender.name,
    placesAsReference: contender.placesAsReference,
    replay: async () => sample(),
  };
}
