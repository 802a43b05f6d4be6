// buddy-allocator/shared: the buddy system for many workers on one SharedArrayBuffer, without locks.

export { BuddyError, type BuddyErrorCode } from '../errors.ts';
export type { Block, BuddyStats } from '../inspect.ts';
export { SharedBuddyAllocator, type SharedBuddyOptions, type SharedBuddyStats } from './allocator.ts';
export type { LiveBlock } from './rebuild.ts';
export type { Recovered } from './recover.ts';
