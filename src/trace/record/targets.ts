// What can be recorded, and what the calls of its methods mean.

import { orderOf } from '../../base/word.ts';
import type { LiveBlocks } from './blocks.ts';
import type { Note, Notes } from './patches.ts';

/** A heap that {@link record} takes: a Heap, a SharedHeap, a DebugHeap, or anything with these methods. */
export interface RecordableHeap {
  malloc(bytes: number): number;
  calloc(count: number, size: number): number;
  alignedAlloc(alignment: number, bytes: number): number;
  realloc(ptr: number, bytes: number): number;
  free(ptr: number | ArrayBufferView): void;
  allocArray(type: never, length: number): ArrayBufferView | null;
  callocArray(type: never, length: number): ArrayBufferView | null;
  reallocArray(view: never, length: number): ArrayBufferView | null;
  clear?(): void;
  blocks(): Iterable<{ readonly ptr: number; readonly size: number }>;
}

/** An allocator that {@link record} takes: a BuddyAllocator, a SharedBuddyAllocator, or anything with these methods. */
export interface RecordableAllocator {
  alloc(size: number): number;
  free(offset: number): number;
  sizeOf(offset: number): number;
  blocks(): Iterable<{ readonly offset: number; readonly size: number; readonly free: boolean }>;
  resize?(offset: number, size: number): boolean;
  allocRange?(size: number, alignment?: number): number;
  resizeRange?(offset: number, size: number, newSize: number): boolean;
  reserve?(offset: number, size: number): boolean;
  release?(offset: number, size: number): void;
  clear?(): void;
}

/** Whether `target` is a heap, and not an allocator. */
export function isHeap(target: RecordableHeap | RecordableAllocator): target is RecordableHeap {
  return 'malloc' in target;
}

/** The blocks that a heap has already, and what its calls mean for `blocks`. */
export function heapNotes(heap: RecordableHeap, blocks: LiveBlocks): Notes<Required<RecordableHeap>> {
  for (const { ptr, size } of heap.blocks()) blocks.allocate(ptr, size);
  const allocated = (ptr: number, bytes: number): void => {
    if (ptr === 0) blocks.refusedRequests++;
    else blocks.allocate(ptr, bytes);
  };
  const resized = (from: number, to: number, bytes: number): void => {
    if (from === 0 || to === 0) allocated(to, bytes);
    else blocks.move(from, to, bytes);
  };
  const array: Note<RecordableHeap['allocArray']> = {
    after: (view) => allocated(view?.byteOffset ?? 0, view?.byteLength ?? 0),
  };
  return {
    malloc: { after: (ptr, [bytes]) => allocated(ptr, bytes) },
    calloc: { after: (ptr, [count, size]) => allocated(ptr, count * size) },
    alignedAlloc: { after: (ptr, [, bytes]) => allocated(ptr, bytes) },
    allocArray: array,
    callocArray: array,
    realloc: { after: (to, [from, bytes]) => resized(from, to, bytes) },
    reallocArray: {
      // The view may lose its memory when that grows.
      before: ([view]) => addressOf(view),
      after: (view, _, from) => resized(from, view?.byteOffset ?? 0, view?.byteLength ?? 0),
    },
    free: {
      before: ([ptr]) => addressOf(ptr),
      after: (_, __, ptr) => {
        if (ptr !== 0) blocks.free(ptr);
      },
    },
    clear: { after: () => blocks.clear() },
  };
}

/** A pointer, or the one at which a view begins; 0 for all that a heap refuses. */
function addressOf(ptr: unknown): number {
  if (typeof ptr === 'number') return ptr;
  return ArrayBuffer.isView(ptr) ? ptr.byteOffset : 0;
}

/** As {@link heapNotes}, for an allocator of units of `unit` bytes. */
export function allocatorNotes(
  allocator: RecordableAllocator,
  blocks: LiveBlocks,
  unit: number,
): Notes<Required<RecordableAllocator>> {
  for (const { offset, size, free } of allocator.blocks()) {
    if (!free) blocks.allocate(offset, size * unit, offset + size);
  }
  const allocated = (offset: number, size: number, taken: number): void => {
    if (offset < 0) blocks.refusedRequests++;
    else blocks.allocate(offset, size * unit, offset + taken);
  };
  const resized = (done: boolean, offset: number, before: number, size: number, taken: number): void => {
    if (done) blocks.freeUnits(offset, offset + before, unit);
    allocated(done ? offset : -1, size, taken);
  };
  return {
    alloc: { after: (offset, [size]) => allocated(offset, size, blockUnits(size)) },
    free: { after: (units, [offset]) => blocks.freeUnits(offset, offset + units, unit) },
    resize: {
      before: ([offset]) => allocator.sizeOf(offset),
      after: (done, [offset, size], before) => resized(done, offset, before, size, blockUnits(size)),
    },
    allocRange: { after: (offset, [size]) => allocated(offset, size, size) },
    resizeRange: {
      after: (done, [offset, size, newSize]) => resized(done, offset, size, newSize, newSize),
    },
    reserve: { after: (done, [offset, size]) => allocated(done ? offset : -1, size, size) },
    release: { after: (_, [offset, size]) => blocks.freeUnits(offset, offset + size, unit) },
    clear: { after: () => blocks.clear() },
  };
}

/** Units of the block that a request for `size` units gets. */
function blockUnits(size: number): number {
  return 2 ** orderOf(size);
}
