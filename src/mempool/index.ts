// buddy-allocator/mempool: a Heap with the interface of MemPool from @thi.ng/malloc.

export { BuddyError, type BuddyErrorCode } from '../errors.ts';
export { MemPool, type MemPoolOpts } from './mempool.ts';
export type { MemPoolStats } from './statistics.ts';
export type { MemPoolArray, MemPoolType, TypedArrays } from './types.ts';
