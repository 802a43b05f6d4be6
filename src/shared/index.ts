// buddy-allocator/shared: the buddy system for many workers on one SharedArrayBuffer, without locks.

export { BuddyError, type BuddyErrorCode } from '../errors.ts';
export type { AbstractHeap, HeapStats } from '../heap/abstract.ts';
export type { HeapBlock } from '../heap/block.ts';
export type { HeapImports } from '../heap/imports.ts';
export type { WasmMemory } from '../heap/memory.ts';
export type { HeapScope } from '../heap/scope.ts';
export type { ArrayConstructor, HeapView, Plain, ViewOf } from '../heap/views.ts';
export type { Block, BuddyStats } from '../inspect.ts';
export { SharedBuddyAllocator, type SharedBuddyOptions, type SharedBuddyStats } from './allocator.ts';
export { SharedHeap, type SharedHeapRecovered, type SharedHeapStats } from './heap/heap.ts';
export type { SharedHeapHandle, SharedHeapMemory, SharedHeapOptions } from './heap/options.ts';
export type { LiveBlock } from './rebuild.ts';
export type { Recovered } from './recover.ts';
