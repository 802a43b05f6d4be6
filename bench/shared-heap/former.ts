// What SharedHeap was before it had slabs: every block is one of SharedBuddyAllocator, in units of 16 bytes.

import { SharedBuddyAllocator } from '../../src/shared.ts';
import type { Attached } from '../shared/contender.ts';
import { contender as arenas } from '../shared/ours.ts';
import type { Calls, HeapContender } from './contender.ts';

/** log2 of the unit. */
const SHIFT = 4;

interface Arena {
  readonly state: unknown;
  readonly memory: SharedArrayBuffer;
}

class Former implements Calls {
  readonly #arena: Attached;

  constructor(arena: Attached) {
    this.#arena = arena;
  }

  malloc(bytes: number): number {
    const offset = this.#arena.alloc(((bytes - 1) >> SHIFT) + 1);
    return offset < 0 ? 0 : offset << SHIFT;
  }

  free(ptr: number): void {
    if (ptr !== 0) this.#arena.free(ptr >>> SHIFT);
  }
}

export const contender: HeapContender = {
  create: (bytes, workers) => {
    const arena = SharedBuddyAllocator.create({ capacity: bytes >>> SHIFT, maxWorkers: workers + 1 });
    arena.alloc(1); // the unit at the null pointer
    return { state: arena.buffer, memory: new SharedArrayBuffer(bytes) } satisfies Arena;
  },
  attach: (arena) => {
    const { state, memory } = arena as Arena;
    return { heap: new Former(arenas.attach(state)), memory };
  },
};
