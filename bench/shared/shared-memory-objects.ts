// `@daneren2005/shared-memory-objects`: a fork of `@thi.ng/malloc` behind a lock.

import type { SharedContender } from './contender.ts';
import { MemoryBuffer } from './peer.mjs';

// Its lock asks a browser's global object whether it may wait.
Object.assign(globalThis, { self: { WorkerGlobalScope: true } });

export const contender: SharedContender = {
  create: (units) => {
    const buf = new SharedArrayBuffer(16 * units);
    new MemoryBuffer({ buf });
    return buf;
  },
  attach: (arena) => {
    const buffer = new MemoryBuffer({ buf: arena as SharedArrayBuffer, skipInitialization: true });
    return { alloc: (units) => buffer.malloc(16 * units), free: (address) => buffer.free(address) };
  },
};
