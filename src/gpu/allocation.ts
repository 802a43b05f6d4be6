// The handle of an allocated range. Defragmentation may move the range, so users ask the handle each time.

import { BuddyError } from '../base/errors.ts';
import { byteOffsetOf, type Span } from './pool-buffer.ts';

/** What the pool knows of an allocation. `span` is null once it has been freed. */
export interface Entry<B> {
  readonly pool: object;
  readonly alignment: number;
  size: number;
  span: Span<B> | null;
}

/** The span of `entry`, which must be live. */
export function liveSpanOf<B>(entry: Entry<B>): Span<B> {
  if (entry.span === null) throw new BuddyError('NOT_ALLOCATED', 'the allocation was freed already');
  return entry.span;
}

/**
 * A range of a GPU buffer, from {@link AbstractPool.alloc}. With WebGPU it is a `GPUBufferBinding`: give it to
 * `createBindGroup` as a resource as it is. `defragment` may change `buffer` and `offset`, so keep the allocation and
 * read them when you encode or draw.
 */
export class BufferAllocation<B> {
  readonly #entry: Entry<B>;

  /** A name of the user's, for {@link AbstractPool.ranges} and reports of leaks; `''` unless given. */
  label: string;

  /** Whatever the user wants to find with the range. The pool does not look at it. */
  userData: unknown;

  /** @internal For the pool. */
  constructor(entry: Entry<B>, label: string, userData: unknown) {
    this.#entry = entry;
    this.label = label;
    this.userData = userData;
  }

  /** @internal The entry of `allocation`, for the pool; undefined if it is not a BufferAllocation. */
  static entryOf<B>(allocation: BufferAllocation<B>): Entry<B> | undefined {
    return #entry in allocation ? allocation.#entry : undefined;
  }

  /**
   * The bytes asked for, rounded up to a multiple of 4, or of 16 for uniforms. {@link AbstractPool.resize} changes it.
   */
  get size(): number {
    return this.#entry.size;
  }

  /**
   * The buffer that holds the range.
   *
   * @throws BuddyError `NOT_ALLOCATED` if the range was freed, `DETACHED` if its pool was destroyed.
   */
  get buffer(): B {
    return this.#span().poolBuffer.buffer;
  }

  /**
   * First byte of the range in {@link buffer}: a multiple of the pool's unit and of the alignment asked for.
   *
   * @throws BuddyError as {@link buffer}.
   */
  get offset(): number {
    return byteOffsetOf(this.#span());
  }

  #span(): Span<B> {
    const span = liveSpanOf(this.#entry);
    if (span.poolBuffer.destroyed) throw new BuddyError('DETACHED', 'the pool was destroyed');
    return span;
  }
}
