// buddy-allocator/shared: the buddy system for many workers on one SharedArrayBuffer, without locks.

export type { Block, BuddyStats, LiveBlock } from './base/blocks.ts';
export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export type { AbstractHeap, HeapStats } from './heap/abstract.ts';
export type { HeapBlock } from './heap/block.ts';
export type { MemoryBlock } from './heap/bookkeeping.ts';
export type { HeapImports } from './heap/imports.ts';
export type { MallocFamily } from './heap/malloc.ts';
export type { HeapHandle, WasmMemory } from './heap/memory.ts';
export type { HeapScope } from './heap/scope.ts';
export type { ArrayConstructor, HeapView, Plain, ViewOf } from './heap/views.ts';
export { SharedBuddyAllocator, type SharedBuddyOptions, type SharedBuddyStats } from './shared/allocator.ts';
export type { Recovered } from './shared/recover.ts';
export { Channel, type Received } from './shared-heap/channel.ts';
export { SharedHeap, type SharedHeapStats } from './shared-heap/heap.ts';
export type {
  SharedHeapHandle,
  SharedHeapMemory,
  SharedHeapOptions,
  SharedHeapRecovered,
} from './shared-heap/options.ts';
