// buddy-allocator/webgl: ranges of WebGL buffers.

export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export type { BufferAllocation } from './gpu/allocation.ts';
export type { AllocOptions, DefragmentOptions, PoolOptions } from './gpu/options.ts';
export type { AbstractPool, BufferMove, BufferPoolStats, BufferRange } from './gpu/pool.ts';
export { BufferPool, type BufferPoolOptions } from './webgl/pool.ts';
export type { GlContext } from './webgl/types.ts';
