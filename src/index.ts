// buddy-allocator: the binary buddy system over offsets.

export { BuddyAllocator, type BuddyOptions } from './allocator.ts';
export { BuddyError, type BuddyErrorCode } from './errors.ts';
export type { Block, BuddyStats } from './inspect.ts';
