// buddy-allocator/webgpu: ranges of GPU buffers.

export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export type { BufferAllocation } from './gpu/allocation.ts';
export type { AllocOptions, DefragmentOptions, PoolOptions } from './gpu/options.ts';
export type { AbstractPool, BufferMove, BufferPoolStats, BufferRange } from './gpu/pool.ts';
export {
  FramePool,
  type FramePoolDevice,
  type FramePoolOptions,
  type FramePoolStats,
  type FrameRangeOptions,
} from './webgpu/frame-pool.ts';
export { BufferPool, type BufferPoolOptions } from './webgpu/pool.ts';
export type { GpuBuffer, GpuData, GpuDevice, GpuEncoder } from './webgpu/types.ts';
export type { GpuWriter } from './webgpu/upload.ts';
