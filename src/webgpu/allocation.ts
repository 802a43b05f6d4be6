// The handle of an allocated range. Defragmentation may move the range, so users ask the handle each time.

import { BuddyError } from '../base/errors.ts';
import { type BufferBlock, byteOffsetOf } from './pool-buffer.ts';
import type { GpuBuffer } from './types.ts';

/** What the pool knows of an allocation. `block` is null once it has been freed. */
export interface Entry<B extends GpuBuffer> {
  readonly pool: object;
  readonly alignment: number;
  block: BufferBlock<B> | null;
}

/** The block in `entry`, which must be live. */
export function liveBlockOf<B extends GpuBuffer>(entry: Entry<B>): BufferBlock<B> {
  if (entry.block === null) throw new BuddyError('NOT_ALLOCATED', 'the allocation was freed already');
  return entry.block;
}

/**
 * A range of a GPU buffer, from {@link BufferPool.alloc}. It is a `GPUBufferBinding`: give it to `createBindGroup` as a
 * resource as it is. `defragment` may change `buffer` and `offset`, so keep the allocation and read them when you
 * encode.
 */
export class BufferAllocation<B extends GpuBuffer> {
  readonly #entry: Entry<B>;

  /** The bytes asked for, rounded up to a multiple of 4. */
  readonly size: number;

  /** @internal For the pool. */
  constructor(size: number, entry: Entry<B>) {
    this.size = size;
    this.#entry = entry;
  }

  /** @internal The entry of `allocation`, for the pool; undefined if it is not a BufferAllocation. */
  static entryOf<B extends GpuBuffer>(allocation: BufferAllocation<B>): Entry<B> | undefined {
    return #entry in allocation ? allocation.#entry : undefined;
  }

  /**
   * The buffer that holds the range.
   *
   * @throws BuddyError `NOT_ALLOCATED` if the range was freed, `DETACHED` if its pool was destroyed.
   */
  get buffer(): B {
    return this.#block().poolBuffer.buffer;
  }

  /**
   * First byte of the range in {@link buffer}: a multiple of the pool's unit and of the alignment asked for.
   *
   * @throws BuddyError as {@link buffer}.
   */
  get offset(): number {
    return byteOffsetOf(this.#block());
  }

  #block(): BufferBlock<B> {
    const block = liveBlockOf(this.#entry);
    if (block.poolBuffer.destroyed) throw new BuddyError('DETACHED', 'the pool was destroyed');
    return block;
  }
}
