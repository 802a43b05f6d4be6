// BufferPool: hands out ranges of GPU buffers, makes and destroys the buffers, and reuses a range once the GPU is done
// with it.

import { checkObject, checkPowerOfTwo, checkWithin, MAX_CAPACITY } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import { BufferAllocation, type Entry, liveBlockOf } from './allocation.ts';
import { cancel, encode, type PlannedMove, plan, temporaryBytes } from './defragment.ts';
import { type BufferBlock, byteOffsetOf, PoolBuffer } from './pool-buffer.ts';
import type { GpuBuffer, GpuDevice, GpuEncoder } from './types.ts';
import { alignmentOf, COPY_ALIGNMENT, COPY_DST, COPY_SRC, checkUsage } from './usage.ts';

/** The unit unless given: the size of the largest texel block, so that copies to textures can begin at any range. */
const DEFAULT_UNIT = 16;

const DEFAULT_BUFFER_SIZE = 2 ** 24;

/** Options of a {@link BufferPool}. Sizes are in bytes. */
export interface BufferPoolOptions {
  /**
   * `GPUBufferUsage` flags of all its buffers. {@link BufferPool.defragment} needs `COPY_SRC | COPY_DST`. `MAP_READ`
   * and `MAP_WRITE` are refused, since a buffer is mapped as a whole.
   */
  readonly usage: number;
  /** Size of a buffer: a power of two from the unit to the device's `maxBufferSize`; 16 MiB unless given. */
  readonly bufferSize?: number;
  /** Limit on the size of all buffers together; no limit unless given. */
  readonly maxBytes?: number;
  /**
   * Size of the smallest block; every offset is a multiple of it. A power of two, at least the alignment that the
   * device requires for the usage. Unless given, that alignment or 16, whichever is larger.
   */
  readonly unit?: number;
  /** Label of the buffers, for error messages and debuggers. */
  readonly label?: string;
}

/** A range of a buffer, in bytes. */
export interface BufferRange<B extends GpuBuffer> {
  readonly buffer: B;
  readonly offset: number;
  readonly size: number;
}

/** A move that {@link BufferPool.defragment} has encoded. */
export interface BufferMove<B extends GpuBuffer> {
  /** The moved allocation. Its `buffer` and `offset` are the new ones already. */
  readonly allocation: BufferAllocation<B>;
  /** The range before the move. */
  readonly source: BufferRange<B>;
  /** The range after the move. */
  readonly destination: BufferRange<B>;
}

/** Figures of a {@link BufferPool}, in bytes unless they are numbers of things. `used + pending + free` is `bytes`. */
export interface BufferPoolStats {
  /** Number of buffers, dedicated ones included. */
  readonly buffers: number;
  /** Number of dedicated buffers: each for one large request, or for moves within a buffer. */
  readonly dedicatedBuffers: number;
  /** Size of all buffers together. */
  readonly bytes: number;
  /** Number of live allocations. */
  readonly liveBlocks: number;
  /** Sizes of the live allocations: the bytes asked for, rounded up to multiples of 4. */
  readonly requested: number;
  /** Sizes of their blocks, so with the rounding up. */
  readonly used: number;
  /** Sizes of the freed blocks that may not be reused yet. */
  readonly pending: number;
  /** Sizes of the free blocks. */
  readonly free: number;
  /** The largest request that has room without a new buffer. */
  readonly largestFree: number;
}

/**
 * A pool of GPU buffers of one usage. It hands out ranges of them.
 *
 * A request is rounded up to a power of two of at least a unit, and its range lies at a multiple of that. It gets the
 * first buffer that has room, at the lowest offset there. If none has room, the pool makes another buffer. A request
 * larger than a buffer gets a dedicated one of just its size. When buffers become empty, the pool keeps one of them and
 * destroys the others.
 *
 * A freed range is reused only after a {@link flush} that follows the free, once the GPU has done everything that had
 * been submitted by that flush. So: submit, then flush.
 *
 * When a call throws, nothing has changed. Every method but {@link destroy} and {@link stats} throws a
 * {@link BuddyError}: `DETACHED` once the pool is destroyed, `DEVICE_LOST` once its device is known to be lost.
 */
export class BufferPool<B extends GpuBuffer> {
  readonly #device: GpuDevice<B>;
  readonly #usage: number;
  readonly #unit: number;
  readonly #bufferSize: number;
  readonly #maxBytes: number;
  readonly #label: string | undefined;
  /** Set when the device is lost. It is a separate object, so that a device does not keep its pools alive. */
  readonly #loss: { message: string | null } = { message: null };
  /** The buffers for many ranges each, the oldest first. At most one is empty. */
  #pooled: PoolBuffer<B>[] = [];
  readonly #dedicated = new Set<PoolBuffer<B>>();
  readonly #live = new Set<BufferAllocation<B>>();
  /** The freed blocks that no flush has followed yet. */
  #freed: BufferBlock<B>[] = [];
  /** Bytes in freed blocks that may not be reused yet. */
  #pending = 0;
  #flushed: Promise<void> = Promise.resolve();
  #destroyed = false;

  /**
   * A pool without a buffer; the first request makes one. O(1).
   *
   * @throws TypeError if an option has the wrong type.
   * @throws RangeError if an option is out of range.
   */
  constructor(device: GpuDevice<B>, options: BufferPoolOptions) {
    const { limits } = checkObject('device', device);
    checkObject('options', options);
    this.#usage = checkUsage(options.usage);
    const least = alignmentOf(this.#usage, limits);
    const largest = 2 ** Math.floor(Math.log2(limits.maxBufferSize));
    this.#unit = checkPowerOfTwo('unit', options.unit ?? Math.max(least, DEFAULT_UNIT), least, largest);
    this.#bufferSize = checkPowerOfTwo(
      'bufferSize',
      options.bufferSize ?? Math.max(this.#unit, Math.min(DEFAULT_BUFFER_SIZE, largest)),
      this.#unit,
      Math.min(largest, this.#unit * MAX_CAPACITY),
    );
    this.#maxBytes =
      options.maxBytes === undefined
        ? Number.POSITIVE_INFINITY
        : checkWithin('maxBytes', options.maxBytes, 1, Number.MAX_SAFE_INTEGER);
    if (options.label !== undefined && typeof options.label !== 'string') {
      throw new TypeError(`label must be of type string, not ${typeof options.label}`);
    }
    this.#label = options.label;
    this.#device = device;
    const loss = this.#loss;
    device.lost.then(({ message }) => {
      loss.message = message;
    });
  }

  /** Size of the smallest block, in bytes. Every offset is a multiple of it. */
  get unit(): number {
    return this.#unit;
  }

  /**
   * Allocates `bytes` bytes. A reused range holds its old contents. O(1) mostly, O(buffers * log) at worst; a new
   * buffer takes the time that the device takes.
   *
   * @param options.alignment alignment of the offset in bytes: a power of two up to the size of a buffer. It is an
   * option, not the first argument as in C's `aligned_alloc`, because every offset is a multiple of the unit, which
   * mostly suffices.
   * @returns null if there is no room: the limit is reached, or the request is larger than the device's
   * `maxBufferSize`.
   * @throws TypeError if an argument is not a number.
   * @throws RangeError if `bytes` is not a positive integer, or the alignment is not such a power of two.
   */
  alloc(bytes: number, options: { readonly alignment?: number } = {}): BufferAllocation<B> | null {
    this.#checkUsable();
    checkObject('options', options);
    checkWithin('bytes', bytes, 1, Number.MAX_SAFE_INTEGER);
    const alignment = checkPowerOfTwo('alignment', options.alignment ?? 1, 1, this.#bufferSize);
    const size = Math.ceil(bytes / COPY_ALIGNMENT) * COPY_ALIGNMENT;
    const block = size > this.#bufferSize ? this.#takeDedicated(size) : this.#takePooled(size, alignment);
    if (block === null) return null;
    const allocation = new BufferAllocation(size, { pool: this, alignment, block });
    this.#live.add(allocation);
    return allocation;
  }

  /**
   * Marks an allocation as no longer needed. Commands that use it and are encoded already may still be submitted, until
   * the next {@link flush}. Encode no new ones. O(log).
   *
   * @throws TypeError if `allocation` is not an allocation of a pool.
   * @throws BuddyError `NOT_ALLOCATED` if it was freed already, `FOREIGN` if it belongs to another pool.
   */
  free(allocation: BufferAllocation<B>): void {
    this.#checkUsable();
    const entry = this.#ownEntry(allocation);
    const block = liveBlockOf(entry);
    entry.block = null;
    this.#live.delete(allocation);
    this.#deferFree(block);
  }

  /**
   * Lets all ranges freed so far be reused once the GPU has done everything submitted so far. Call it after
   * `queue.submit`, when every command that uses one of these ranges has been submitted; once per frame is enough.
   * Without it no range is ever reused. O(1).
   *
   * @returns a promise that resolves when these ranges, and those of earlier flushes, are free. It never rejects. Wait
   * for it if there is no room; otherwise there is no need to.
   */
  flush(): Promise<void> {
    this.#checkUsable();
    if (this.#freed.length === 0) return this.#flushed;
    const done = this.#device.queue.onSubmittedWorkDone();
    const freed = this.#freed;
    this.#freed = [];
    // These promises resolve in the order of the calls, so this one stands for the earlier ones too.
    this.#flushed = done.then(
      () => this.#recycle(freed),
      // The standard does not let it reject. If it does, the blocks must wait for another flush.
      () => {
        this.#freed = freed.concat(this.#freed);
      },
    );
    return this.#flushed;
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
   * Commands that use the pool and are encoded, but not yet submitted, must come before the copies: earlier in
   * `encoder`, or submitted before it. Submit before the next `queue.writeBuffer` into a moved range, or the copy
   * overwrites the new data. O(live * (buffers + log live)).
   *
   * @returns the moves; empty if there is nothing to gain. Bind groups that name a source range must be made anew.
   * @throws RangeError if the usage of the pool lacks `COPY_SRC` or `COPY_DST`.
   */
  defragment(encoder: GpuEncoder<B>): BufferMove<B>[] {
    this.#checkUsable();
    if (!(this.#usage & COPY_SRC && this.#usage & COPY_DST)) {
      throw new RangeError("the pool's usage must have COPY_SRC and COPY_DST for ranges to be moved");
    }
    const moves = plan(this.#pooled, this.#live);
    const size = temporaryBytes(moves);
    let temporary: PoolBuffer<B> | null = null;
    try {
      if (size > 0) temporary = new PoolBuffer(this.#createBuffer(size, COPY_SRC | COPY_DST), size, 1);
      encode(encoder, moves, temporary?.buffer ?? null);
    } catch (error) {
      // For example because `encoder` is not an encoder.
      cancel(moves);
      temporary?.destroy();
      throw error;
    }
    if (temporary !== null) {
      // From here on it is a dedicated buffer like any other, its only range freed.
      this.#dedicated.add(temporary);
      this.#deferFree({ poolBuffer: temporary, offset: temporary.take(size, 1) });
    }
    return moves.map((move) => this.#relocate(move));
  }

  /** Counts buffers and bytes. O(live + buffers * log). */
  stats(): BufferPoolStats {
    const buffers = [...this.#pooled, ...this.#dedicated];
    const bytes = this.#bytes;
    const free = buffers.reduce((sum, { allocator, unit }) => sum + allocator.freeUnits * unit, 0);
    return {
      buffers: buffers.length,
      dedicatedBuffers: this.#dedicated.size,
      bytes,
      liveBlocks: this.#live.size,
      requested: [...this.#live].reduce((sum, { size }) => sum + size, 0),
      used: bytes - free - this.#pending,
      pending: this.#pending,
      free,
      largestFree: this.#pooled.reduce(
        (most, { allocator, unit }) => Math.max(most, allocator.largestFree * unit),
        0,
      ),
    };
  }

  /**
   * Destroys all buffers and their contents. Submitted commands still run; encoded commands that use the buffers can no
   * longer be submitted. A second call does nothing. O(buffers).
   */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const poolBuffer of [...this.#pooled, ...this.#dedicated]) poolBuffer.destroy();
    this.#pooled = [];
    this.#dedicated.clear();
    this.#live.clear();
    this.#freed = [];
    this.#pending = 0;
  }

  get #bytes(): number {
    let sum = this.#pooled.length * this.#bufferSize;
    for (const { bytes } of this.#dedicated) sum += bytes;
    return sum;
  }

  #checkUsable(): void {
    if (this.#destroyed) throw new BuddyError('DETACHED', 'the pool was destroyed');
    const { message } = this.#loss;
    if (message !== null) throw new BuddyError('DEVICE_LOST', `the device of the pool is lost: ${message}`);
  }

  /** The entry of `allocation`, which must be one of this pool. */
  #ownEntry(allocation: BufferAllocation<B>): Entry<B> {
    const isObject = typeof allocation === 'object' && allocation !== null;
    const entry = isObject ? BufferAllocation.entryOf(allocation) : undefined;
    if (entry === undefined) throw new TypeError('allocation must be an allocation of the pool');
    if (entry.pool !== this) throw new BuddyError('FOREIGN', 'the allocation belongs to another pool');
    return entry;
  }

  #createBuffer(size: number, usage: number): B {
    return this.#device.createBuffer({
      size,
      usage,
      ...(this.#label === undefined ? {} : { label: this.#label }),
    });
  }

  #takePooled(size: number, alignment: number): BufferBlock<B> | null {
    for (const poolBuffer of this.#pooled) {
      const offset = poolBuffer.take(size, alignment);
      if (offset >= 0) return { poolBuffer, offset };
    }
    if (this.#bytes + this.#bufferSize > this.#maxBytes) return null;
    const buffer = this.#createBuffer(this.#bufferSize, this.#usage);
    const poolBuffer = new PoolBuffer(buffer, this.#unit, this.#bufferSize / this.#unit);
    this.#pooled.push(poolBuffer);
    return { poolBuffer, offset: poolBuffer.take(size, alignment) };
  }

  #takeDedicated(size: number): BufferBlock<B> | null {
    if (size > this.#device.limits.maxBufferSize) return null;
    const excess = this.#bytes + size - this.#maxBytes;
    const spare = this.#pooled.find(({ isEmpty }) => isEmpty);
    if (excess > (spare?.bytes ?? 0)) return null;
    const buffer = this.#createBuffer(size, this.#usage);
    if (excess > 0 && spare !== undefined) this.#discard(spare);
    const poolBuffer = new PoolBuffer(buffer, size, 1);
    this.#dedicated.add(poolBuffer);
    return { poolBuffer, offset: poolBuffer.take(size, 1) };
  }

  /** Frees `block` at the end of the next flush. Until then it is live in its allocator, but no allocation has it. */
  #deferFree(block: BufferBlock<B>): void {
    this.#freed.push(block);
    this.#pending += block.poolBuffer.blockBytes(block.offset);
  }

  /** Gives a moved allocation its new block, and frees the old one. */
  #relocate({ allocation, from, to }: PlannedMove<B>): BufferMove<B> {
    const { size } = allocation;
    const range = (block: BufferBlock<B>) => ({
      buffer: block.poolBuffer.buffer,
      offset: byteOffsetOf(block),
      size,
    });
    this.#ownEntry(allocation).block = to;
    this.#deferFree(from);
    return { allocation, source: range(from), destination: range(to) };
  }

  /** Frees blocks that the GPU is done with, and destroys the buffers that become empty, but for one. */
  #recycle(freed: readonly BufferBlock<B>[]): void {
    if (this.#destroyed) return;
    for (const { poolBuffer, offset } of freed) {
      this.#pending -= poolBuffer.allocator.free(offset) * poolBuffer.unit;
    }
    for (const poolBuffer of this.#dedicated) if (poolBuffer.isEmpty) this.#discard(poolBuffer);
    for (const poolBuffer of this.#pooled.filter(({ isEmpty }) => isEmpty).slice(1))
      this.#discard(poolBuffer);
  }

  #discard(poolBuffer: PoolBuffer<B>): void {
    poolBuffer.destroy();
    this.#pooled = this.#pooled.filter((one) => one !== poolBuffer);
    this.#dedicated.delete(poolBuffer);
  }
}
