// buddy-allocator: the binary buddy system over offsets.

export type { Block, BuddyStats } from './base/blocks.ts';
export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export { BuddyAllocator, type BuddyOptions } from './core/allocator.ts';
