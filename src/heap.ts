// buddy-allocator/heap: malloc and its family over real memory.

export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export type { AbstractHeap, HeapStats } from './heap/abstract.ts';
export { HeapBlock } from './heap/block.ts';
export { Heap } from './heap/heap.ts';
export type { HeapImports } from './heap/imports.ts';
export type { HeapMemory, WasmMemory } from './heap/memory.ts';
export type { HeapOptions } from './heap/region.ts';
export { HeapScope } from './heap/scope.ts';
export type { ArrayConstructor, HeapView, Plain, ViewOf } from './heap/views.ts';
