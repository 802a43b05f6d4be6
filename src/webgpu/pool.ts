// BufferPool: ranges of GPUBuffers.

import { checkObject } from '../base/arguments.ts';
import type { DefragmentOptions, PoolOptions } from '../gpu/options.ts';
import { AbstractPool, type BufferMove, moveRanges } from '../gpu/pool.ts';
import { WebGpuBackend } from './backend.ts';
import type { GpuBuffer, GpuDevice, GpuEncoder } from './types.ts';

/** Options of a {@link BufferPool}. Sizes are in bytes. */
export interface BufferPoolOptions<B extends GpuBuffer = GpuBuffer> extends PoolOptions<B> {
  /**
   * `GPUBufferUsage` flags of all its buffers. {@link BufferPool.write} needs `COPY_DST`, and {@link
   * BufferPool.defragment} `COPY_SRC | COPY_DST`. `MAP_READ` and `MAP_WRITE` are refused, since a buffer is mapped as a
   * whole.
   */
  readonly usage: number;
}

/**
 * A pool of GPUBuffers of one usage, as {@link AbstractPool} describes it. Offsets are multiples of 4 at least, of
 * `minUniformBufferOffsetAlignment` for uniforms, of `minStorageBufferOffsetAlignment` for storage, and of 256 for
 * query results. A request for uniforms larger than `maxUniformBufferBindingSize`, or for storage larger than
 * `maxStorageBufferBindingSize`, is a RangeError.
 */
export class BufferPool<B extends GpuBuffer> extends AbstractPool<B> {
  readonly #backend: WebGpuBackend<B>;

  /**
   * A pool without a buffer; the first request makes one. O(1).
   *
   * @throws TypeError if an option has the wrong type.
   * @throws RangeError if an option is out of range.
   */
  constructor(device: GpuDevice<B>, options: BufferPoolOptions<B>) {
    const { usage, label } = checkObject('options', options);
    const backend = new WebGpuBackend(device, usage, label);
    super(backend, options);
    this.#backend = backend;
  }

  /**
   * Moves ranges together, if that empties a buffer or makes room for larger requests. It encodes the copies into
   * `encoder`. From then on `buffer` and `offset` of the moved allocations are the new ones. The old ranges are freed
   * as by {@link free}, so emptied buffers are destroyed by the {@link flush} after the submit. Dedicated buffers stay
   * as they are.
   *
   * A move between buffers takes one copy. A move within a buffer takes two, because WebGPU does not copy within a
   * buffer: they go through a temporary buffer as large as the largest such move. Until the flush that buffer may
   * exceed `maxBytes`.
   *
   * With `maxMoves` and `maxBytes` a call makes only part of the moves, so that a frame need not pay for all. Repeat
   * it, with a flush in between, until it returns no move.
   *
   * Commands that use the pool and are encoded, but not yet submitted, must come before the copies: earlier in
   * `encoder`, or submitted before it. Submit before the next write into a moved range, or the copy overwrites the new
   * data. O(live * (buffers * log + log live)), whatever the limits: each call plans all moves.
   *
   * @returns the moves; empty if there is nothing to gain. Bind groups that name a source range must be made anew.
   * @throws TypeError if an option has the wrong type.
   * @throws RangeError if the usage of the pool lacks `COPY_SRC` or `COPY_DST`, or a limit is not a positive integer.
   */
  defragment(encoder: GpuEncoder<B>, options: DefragmentOptions<B> = {}): BufferMove<B>[] {
    return moveRanges<B>(this, options, (moves) => {
      this.#backend.checkMovable();
      return this.#backend.encode(encoder, moves);
    });
  }
}
