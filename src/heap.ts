// buddy-allocator/heap: malloc and its family over real memory.

export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export type { AbstractHeap, HeapStats } from './heap/abstract.ts';
export { HeapBlock } from './heap/block.ts';
export type { MemoryBlock } from './heap/bookkeeping.ts';
export type { GrowthOptions } from './heap/growth.ts';
export { Heap } from './heap/heap.ts';
export type { HeapImports } from './heap/imports.ts';
export type { MallocFamily } from './heap/malloc.ts';
export type { HeapHandle, HeapMemory, WasmMemory } from './heap/memory.ts';
export type { HeapOptions } from './heap/options.ts';
export { HeapScope } from './heap/scope.ts';
export type { ArrayConstructor, HeapView, Plain, ViewOf } from './heap/views.ts';
