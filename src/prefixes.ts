// buddy-allocator/prefixes: CIDR prefixes out of a pool.

export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export { BuddyAllocator, type BuddyOptions } from './core/allocator.ts';
export { Prefixes, type PrefixesOptions } from './prefixes/prefixes.ts';
export {
  capacityFor,
  type PrefixArena,
  ReplicatedPrefixes,
  type WithPrefix,
} from './prefixes/replicated.ts';
export type { PoolOptions } from './prefixes/space.ts';
