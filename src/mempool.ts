// buddy-allocator/mempool: a Heap with the interface of MemPool from @thi.ng/malloc, and its NativePool.

export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export { MemPool, type MemPoolOpts } from './mempool/mempool.ts';
export { NativePool } from './mempool/native.ts';
export type { MemPoolStats } from './mempool/statistics.ts';
export type { MemPoolArray, MemPoolType, TypedArrays } from './mempool/types.ts';
