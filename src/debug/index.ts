// buddy-allocator/debug: a Heap that finds a program's memory bugs.

export { BuddyError, type BuddyErrorCode } from '../errors.ts';
export { DebugHeap, type DebugHeapOptions } from './heap.ts';
export type { Leak } from './leaks.ts';
