// `@daneren2005/shared-memory-objects`: a fork of `@thi.ng/malloc` behind a lock.

import type { SharedContender } from './contender.ts';
import { MemoryBuffer } from './peer.mjs';

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
