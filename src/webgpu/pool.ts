// BufferPool: hands out ranges of GPU buffers, makes and destroys the buffers, and reuses a range only when the GPU is done with it.

import { checkPowerOfTwo, checkWithin, MAX_CAPACITY } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import {
  type BufferAllocation,
  type Entry,
  entryOf,
  makeAllocation,
  type Place,
  placeOf,
} from './allocation.ts';
import { Arena } from './arena.ts';
import { cancel, detour, encode, type PlannedMove, plan } from './defragment.ts';
import type { GpuBuffer, GpuDevice, GpuEncoder } from './types.ts';
import { alignmentOf, COPY_ALIGNMENT, COPY_DST, COPY_SRC, checkUsage } from './usage.ts';

/** The unit unless asked otherwise: the largest texel block, so that copies to textures can begin at any range. */
const DEFAULT_UNIT = 16;

const DEFAULT_BUFFER_SIZE = 2 ** 24;

/** What a {@link BufferPool} is made with. Sizes are in bytes. */
export interface BufferPoolOptions {
  /**
   * `GPUBufferUsage` flags of all its buffers. `COPY_SRC | COPY_DST` must be among them for {@link BufferPool.defragment};
   * `MAP_READ` and `MAP_WRITE` must not, since a buffer is mapped as a whole.
   */
  readonly usage: number;
  /** Size of a buffer: a power of two from the unit to the device's `maxBufferSize`; 16 MiB unless given. */
  readonly bufferSize?: number;
  /** Limit on the size of all buffers together; none unless given. */
  readonly maxBytes?: number;
  /**
   * The least block, and what all offsets are multiples of: a power of two, at least what the device asks for buffers of that
   * usage. Unless given, that or 16, whichever is larger.
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

/** What {@link BufferPool.defragment} moved. */
export interface BufferMove<B extends GpuBuffer> {
  /** The allocation; it says the new place already. */
  readonly allocation: BufferAllocation<B>;
  /** Where it was. */
  readonly source: BufferRange<B>;
  /** Where it is. */
  readonly destination: BufferRange<B>;
}

/** Figures of a {@link BufferPool}, in bytes where nothing else is said. `used + pending + free` is `bytes`. */
export interface BufferPoolStats {
  /** Number of buffers, all included. */
  readonly buffers: number;
  /** Number of buffers for one large request each, or for moves within a buffer. */
  readonly dedicatedBuffers: number;
  /** Size of all buffers. */
  readonly bytes: number;
  /** Number of live allocations. */
  readonly liveBlocks: number;
  /** Their sizes as asked for, rounded up to multiples of 4. */
  readonly requested: number;
  /** In their blocks, rounding up included. */
  readonly used: number;
  /** In blocks that are freed and not to be reused yet. */
  readonly pending: number;
  /** In free blocks. */
  readonly free: number;
  /** Size of the largest request that has room without a new buffer. */
  readonly largestFree: number;
}

/**
 * A pool of GPU buffers of one usage, of which it hands out ranges.
 *
 * Requests are rounded up to a power of two of at least a unit; ranges lie at multiples of that, in the first buffer that has room,
 * as low as possible. When none has, the pool makes another buffer. A request larger than a buffer gets one of its own, of just
 * its size. Of the buffers that become empty one is kept for what comes next, and the others are destroyed.
 *
 * A freed range is reused only after a {@link flush} that follows the free, once the GPU has done all that had been submitted by
 * that flush. So: submit, then flush.
 *
 * When a call throws, nothing has changed. Every method but {@link destroy} and {@link stats} throws a {@link BuddyError}:
 * `DETACHED` once the pool is destroyed, `DEVICE_LOST` once its device is known to be lost.
 */
export class BufferPool<B extends GpuBuffer> {
  readonly #device: GpuDevice<B>;
  readonly #usage: number;
  readonly #unit: number;
  readonly #bufferSize: number;
  readonly #maxBytes: number;
  readonly #label: string | undefined;
  /** Set when the device is lost. An object of its own, so that a device does not keep its pools from being collected. */
  readonly #loss: { message: string | null } = { message: null };
  /** Buffers for many ranges each, in the order of their making. At most one is empty. */
  #shared: Arena<B>[] = [];
  readonly #dedicated = new Set<Arena<B>>();
  readonly #live = new Set<BufferAllocation<B>>();
  /** What no flush has taken up yet. */
  #freed: Place<B>[] = [];
  #pending = 0;
  #flushed: Promise<void> = Promise.resolve();
  #destroyed = false;

  /**
   * A pool without a buffer; the first request makes one. O(1).
   *
   * @throws TypeError when an option is of the wrong type.
   * @throws RangeError when one is out of its range.
   */
  constructor(device: GpuDevice<B>, options: BufferPoolOptions) {
    const { limits } = device;
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
    this.#label = options.label;
    this.#device = device;
    const loss = this.#loss;
    device.lost.then(({ message }) => {
      loss.message = message;
    });
  }

  /** What all offsets are multiples of, in bytes. */
  get unit(): number {
    return this.#unit;
  }

  /**
   * Allocates `bytes` bytes, whatever they hold. O(1) mostly, O(buffers * log) at worst; a new buffer takes what the device takes.
   *
   * @param options.alignment what the offset is to be a multiple of, in bytes: a power of two up to the size of a buffer. Every
   * offset is one of the unit anyway.
   * @returns null when there is no room: the limit is reached, or the request is larger than the device's `maxBufferSize`.
   * @throws TypeError when an argument is not a number.
   * @throws RangeError when `bytes` is not a positive integer, or the alignment not such a power of two.
   */
  alloc(bytes: number, options: { readonly alignment?: number } = {}): BufferAllocation<B> | null {
    this.#checkUsable();
    checkWithin('bytes', bytes, 1, Number.MAX_SAFE_INTEGER);
    const alignment = checkPowerOfTwo('alignment', options.alignment ?? 1, 1, this.#bufferSize);
    const size = Math.ceil(bytes / COPY_ALIGNMENT) * COPY_ALIGNMENT;
    const place = size > this.#bufferSize ? this.#takeDedicated(size) : this.#takeShared(size, alignment);
    if (place === null) return null;
    const allocation = makeAllocation(size, { pool: this, alignment, place });
    this.#live.add(allocation);
    return allocation;
  }

  /**
   * Marks an allocation as no longer needed. Commands that use it may have been encoded, and may be submitted yet, before the next
   * {@link flush}; no new ones are to be encoded. O(log).
   *
   * @throws TypeError when `allocation` is none.
   * @throws BuddyError `NOT_ALLOCATED` when it was freed already, `FOREIGN` when it is another pool's.
   */
  free(allocation: BufferAllocation<B>): void {
    this.#checkUsable();
    const entry = this.#own(allocation);
    const place = placeOf(entry);
    entry.place = null;
    this.#live.delete(allocation);
    this.#retire(place);
  }

  /**
   * Lets all ranges freed so far be reused once the GPU has done what has been submitted so far. Call it after `queue.submit`, when
   * every command that uses one of these ranges has been submitted; once a frame will do. Without it nothing is ever reused. O(1).
   *
   * @returns a promise that resolves when these ranges, and those of earlier flushes, are free; it never rejects. There is no
   * need to wait for it, but it is what to wait for when there is no room.
   */
  flush(): Promise<void> {
    this.#checkUsable();
    if (this.#freed.length === 0) return this.#flushed;
    const done = this.#device.queue.onSubmittedWorkDone();
    const freed = this.#freed;
    this.#freed = [];
    // Such promises resolve in the order of the calls, so this one stands for the earlier ones too.
    this.#flushed = done.then(
      () => this.#recycle(freed),
      // The standard knows no rejection. Should there be one, nothing may be reused on its account.
      () => {
        this.#freed = freed.concat(this.#freed);
      },
    );
    return this.#flushed;
  }

  /**
   * Moves ranges together, where that empties a buffer or makes room for larger requests: encodes copies into `encoder`, and has
   * the moved allocations say their new places from now on. The old ranges are freed as by {@link free}, so emptied buffers go
   * with the {@link flush} after the submit. Large requests' own buffers are left alone.
   *
   * Moves between buffers take one copy. Those within a buffer take two, by way of a temporary buffer as large as the largest of
   * them, because WebGPU does not copy within a buffer. Until the flush that buffer may exceed `maxBytes`.
   *
   * What uses the pool and is encoded, but not yet submitted, must come before the copies: earlier in `encoder`, or submitted
   * before it. Submit before the next `queue.writeBuffer` into a moved range, which would else be overwritten by the copy.
   * O(live * (buffers + log live)).
   *
   * @returns what was moved; bind groups that name a source range must be made anew. Empty when nothing is to be gained.
   * @throws RangeError when the usage of the pool lacks `COPY_SRC` or `COPY_DST`.
   */
  defragment(encoder: GpuEncoder<B>): BufferMove<B>[] {
    this.#checkUsable();
    if (!(this.#usage & COPY_SRC && this.#usage & COPY_DST)) {
      throw new RangeError("the pool's usage must have COPY_SRC and COPY_DST for ranges to be moved");
    }
    const moves = plan(this.#shared, this.#live);
    const size = detour(moves);
    let via: Arena<B> | null = null;
    try {
      if (size > 0) via = new Arena(this.#createBuffer(size, COPY_SRC | COPY_DST), size, 1);
      encode(encoder, moves, via?.buffer ?? null);
    } catch (error) {
      // Not an encoder, for example.
      cancel(moves);
      via?.destroy();
      throw error;
    }
    if (via !== null) {
      // From here on it is like any buffer whose only range is freed.
      this.#dedicated.add(via);
      this.#retire({ arena: via, at: via.take(size, 1) });
    }
    return moves.map((move) => this.#settle(move));
  }

  /** Counts buffers and bytes. O(live + buffers * log). */
  stats(): BufferPoolStats {
    const arenas = [...this.#shared, ...this.#dedicated];
    const bytes = this.#bytes;
    const free = arenas.reduce((sum, { allocator, unit }) => sum + allocator.freeUnits * unit, 0);
    return {
      buffers: arenas.length,
      dedicatedBuffers: this.#dedicated.size,
      bytes,
      liveBlocks: this.#live.size,
      requested: [...this.#live].reduce((sum, { size }) => sum + size, 0),
      used: bytes - free - this.#pending,
      pending: this.#pending,
      free,
      largestFree: this.#shared.reduce(
        (most, { allocator, unit }) => Math.max(most, allocator.largestFree * unit),
        0,
      ),
    };
  }

  /**
   * Destroys all buffers, with whatever is in them. What has been submitted is still done; what has not can no longer be. A second
   * time it does nothing. O(buffers).
   */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const arena of [...this.#shared, ...this.#dedicated]) arena.destroy();
    this.#shared = [];
    this.#dedicated.clear();
    this.#live.clear();
    this.#freed = [];
    this.#pending = 0;
  }

  get #bytes(): number {
    let sum = this.#shared.length * this.#bufferSize;
    for (const { bytes } of this.#dedicated) sum += bytes;
    return sum;
  }

  #checkUsable(): void {
    if (this.#destroyed) throw new BuddyError('DETACHED', 'the pool was destroyed');
    const { message } = this.#loss;
    if (message !== null) throw new BuddyError('DEVICE_LOST', `the device of the pool is lost: ${message}`);
  }

  /** The entry of one of this pool's allocations. */
  #own(allocation: BufferAllocation<B>): Entry<B> {
    const isObject = typeof allocation === 'object' && allocation !== null;
    const entry = isObject ? entryOf(allocation) : undefined;
    if (entry === undefined) throw new TypeError('an allocation of the pool is needed');
    if (entry.pool !== this) throw new BuddyError('FOREIGN', 'the allocation is one of another pool');
    return entry;
  }

  #createBuffer(size: number, usage: number): B {
    return this.#device.createBuffer({
      size,
      usage,
      ...(this.#label === undefined ? {} : { label: this.#label }),
    });
  }

  #takeShared(size: number, alignment: number): Place<B> | null {
    for (const arena of this.#shared) {
      const at = arena.take(size, alignment);
      if (at >= 0) return { arena, at };
    }
    if (this.#bytes + this.#bufferSize > this.#maxBytes) return null;
    const buffer = this.#createBuffer(this.#bufferSize, this.#usage);
    const arena = new Arena(buffer, this.#unit, this.#bufferSize / this.#unit);
    this.#shared.push(arena);
    return { arena, at: arena.take(size, alignment) };
  }

  #takeDedicated(size: number): Place<B> | null {
    if (size > this.#device.limits.maxBufferSize) return null;
    const excess = this.#bytes + size - this.#maxBytes;
    const spare = this.#shared.find(({ isEmpty }) => isEmpty);
    if (excess > (spare?.bytes ?? 0)) return null;
    const buffer = this.#createBuffer(size, this.#usage);
    if (excess > 0 && spare !== undefined) this.#discard(spare);
    const arena = new Arena(buffer, size, 1);
    this.#dedicated.add(arena);
    return { arena, at: arena.take(size, 1) };
  }

  /** From now on the range is nobody's, but it is not to be reused before the next flush is over. */
  #retire(place: Place<B>): void {
    this.#freed.push(place);
    this.#pending += place.arena.blockBytes(place.at);
  }

  /** Has an allocation that was moved say its new place. */
  #settle({ allocation, from, to }: PlannedMove<B>): BufferMove<B> {
    const { size } = allocation;
    const range = ({ arena, at }: Place<B>) => ({ buffer: arena.buffer, offset: at * arena.unit, size });
    this.#own(allocation).place = to;
    this.#retire(from);
    return { allocation, source: range(from), destination: range(to) };
  }

  /** The GPU is done with these. */
  #recycle(freed: readonly Place<B>[]): void {
    if (this.#destroyed) return;
    for (const { arena, at } of freed) this.#pending -= arena.allocator.free(at) * arena.unit;
    for (const arena of this.#dedicated) if (arena.isEmpty) this.#discard(arena);
    for (const arena of this.#shared.filter(({ isEmpty }) => isEmpty).slice(1)) this.#discard(arena);
  }

  #discard(arena: Arena<B>): void {
    arena.destroy();
    this.#shared = this.#shared.filter((one) => one !== arena);
    this.#dedicated.delete(arena);
  }
}
