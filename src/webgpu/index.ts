// buddy-allocator/webgpu: ranges of GPU buffers.

export { BuddyError, type BuddyErrorCode } from '../errors.ts';
export type { BufferAllocation } from './allocation.ts';
export {
  type BufferMove,
  BufferPool,
  type BufferPoolOptions,
  type BufferPoolStats,
  type BufferRange,
} from './pool.ts';
export type { GpuBuffer, GpuDevice, GpuEncoder } from './types.ts';
