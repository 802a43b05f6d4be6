// buddy-allocator/replicated: one arena for many processes, by way of a log.

export type { Block, BuddyStats } from './base/blocks.ts';
export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export type { BuddyAllocator } from './core/allocator.ts';
export {
  type Allocation,
  type Hold,
  type RangeOptions,
  ReplicatedArena,
  type ReplicatedOptions,
  type ReplicatedStats,
  type RequestOptions,
} from './replicated/arena.ts';
export type { ArenaEvent, HeldBlock } from './replicated/holding.ts';
export type { Durability, Log, LogRecord, LogSnapshot } from './replicated/log.ts';
export { MemoryLog } from './replicated/memory-log.ts';
export { PostgresLog, type QueryClient, type UnsafeClient } from './replicated/postgres/log.ts';
export { type CallClient, RedisLog, type RedisLogOptions, type SendClient } from './replicated/redis/log.ts';
