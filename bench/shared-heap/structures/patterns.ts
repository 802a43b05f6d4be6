// What is done with the structures of `@daneren2005/shared-memory-objects`.

import { Random } from '../../../test/support/random.ts';
import { SharedList, SharedMap, SharedVector, type StructureMemory } from '../../shared/peer.mjs';
import type { Outcome, Task } from '../../shared/task.ts';

/** Cells that the pattern uses, for each worker. */
export const CELLS_PER_WORKER = 0;

/** Keys that a map may have; half of them are there. */
const KEYS = 200;
/** Numbers in a list. */
const LISTED = 20;
/** Numbers in a vector before it is replaced by an empty one. */
const LONGEST = 500;

/**
 * Each worker has a map, a list and a vector of its own, all in the same memory. `done` counts their changes: a key that comes
 * or goes, a number that enters or leaves the list, a number at the end of the vector.
 */
export function prepare(_: string, { arena, me, rounds }: Task<StructureMemory>): () => Outcome {
  const random = new Random(me + 1);
  const map = new SharedMap<number>(arena);
  for (let key = 0; key < KEYS; key += 2) map.set(key, key);
  const list = new SharedList(arena);
  for (let n = 0; n < LISTED; n++) list.insert(n);
  let vector = new SharedVector(arena);
  const times = Math.ceil(rounds / 4);
  return () => {
    for (let n = 0; n < times; n++) {
      const key = random.below(KEYS);
      if (!map.delete(key)) map.set(key, n);
      list.insert(n);
      list.deleteIndex(0);
      if (vector.length === LONGEST) {
        vector.free();
        vector = new SharedVector(arena);
      }
      vector.push(n);
    }
    return { done: 4 * times, refused: 0 };
  };
}
