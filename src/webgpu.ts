// buddy-allocator/webgpu: ranges of GPU buffers.

export { BuddyError, type BuddyErrorCode } from './base/errors.ts';
export type { BufferAllocation } from './webgpu/allocation.ts';
export {
  FramePool,
  type FramePoolDevice,
  type FramePoolOptions,
  type FramePoolStats,
  type FrameRangeOptions,
} from './webgpu/frame-pool.ts';
export {
  type BufferMove,
  BufferPool,
  type BufferPoolOptions,
  type BufferPoolStats,
  type BufferRange,
} from './webgpu/pool.ts';
export type { GpuBuffer, GpuDevice, GpuEncoder } from './webgpu/types.ts';
export type { GpuData, GpuWriter } from './webgpu/upload.ts';
