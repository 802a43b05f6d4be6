// The allocator of `@daneren2005/shared-memory-objects`: a fork of `@thi.ng/malloc` behind a lock.

import { MemoryBuffer } from '../shared/peer.mjs';
import { contender as arenas } from '../shared/shared-memory-objects.ts';
import type { HeapContender } from './contender.ts';

export const contender: HeapContender = {
  create: (bytes, workers) => arenas.create(bytes / 16, workers),
  attach: (arena) => {
    const memory = arena as SharedArrayBuffer;
    return { heap: new MemoryBuffer({ buf: memory, skipInitialization: true }), memory };
  },
};
