// The memory under a shared heap: what Heap takes, if it can be shared, and as it is at present.

import { isSharedArrayBuffer } from '../base/buffers.ts';
import { type Backing, backingOf } from '../heap/memory.ts';
import type { SharedHeapMemory } from './options.ts';

/** `memory`, ready for use. Throws a TypeError when it cannot be shared. */
export function sharedBacking(memory: SharedHeapMemory): Backing {
  const backing = backingOf(memory);
  if (!isSharedArrayBuffer(backing.buffer)) {
    throw new TypeError('memory must be a SharedArrayBuffer or a shared WebAssembly.Memory');
  }
  return backing;
}

/**
 * The buffer of `backing`, with `end` bytes if the memory has those. A buffer of a WebAssembly memory keeps its length, and engines
 * tell a thread that another has grown the memory when they see fit; to grow it, even by nothing, brings it up to date.
 */
export function bufferTo(backing: Backing, end: number): SharedArrayBuffer {
  const { byteLength } = backing.buffer;
  if (byteLength < end && backing.granularity > 1) backing.grow(byteLength);
  return backing.buffer as SharedArrayBuffer;
}
