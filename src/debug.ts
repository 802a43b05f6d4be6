// buddy-allocator/debug: a Heap that finds a program's memory bugs.

export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export { DebugHeap, type DebugHeapOptions } from './debug/heap.ts';
export type { Leak } from './debug/leaks.ts';
