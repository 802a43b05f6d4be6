// buddy-allocator: the binary buddy system over offsets.

export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export { BuddyAllocator, type BuddyOptions } from './core/allocator.ts';
export type { Block, BuddyStats } from './core/inspect.ts';
