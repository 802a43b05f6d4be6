// buddy-allocator/heap: malloc and its family over real memory.

export { BuddyError, type BuddyErrorCode } from '../errors.ts';
export type { AbstractHeap, HeapStats } from './abstract.ts';
export { HeapBlock } from './block.ts';
export { Heap } from './heap.ts';
export type { HeapImports } from './imports.ts';
export type { HeapMemory, WasmMemory } from './memory.ts';
export type { HeapOptions } from './region.ts';
export { HeapScope } from './scope.ts';
export type { ArrayConstructor, HeapView, Plain, ViewOf } from './views.ts';
