// AbstractPool: hands out ranges of GPU buffers, makes and destroys the buffers, and reuses a range only once the GPU
// is done with it.

import { checkBoolean, checkObject, checkWithin } from '../base/arguments.ts';
import { isArrayBuffer, isSharedArrayBuffer } from '../base/buffers.ts';
import { BuddyError } from '../base/errors.ts';
import { BufferAllocation, type Entry, liveSpanOf } from './allocation.ts';
import type { Backend } from './backend.ts';
import { cancel, type PlannedMove, plan } from './defragment.ts';
import { leakMessage } from './leaks.ts';
import {
  type AllocOptions,
  budgetOf,
  checkCallback,
  checkString,
  type DefragmentOptions,
  type PoolOptions,
  type Sizes,
  sizesOf,
} from './options.ts';
import { byteOffsetOf, bytesOf, PoolBuffer, type Span } from './pool-buffer.ts';
import { checkUsable } from './usable.ts';

/** Offsets of writes are multiples of this. */
const WRITE_ALIGNMENT = 4;

/** A range of a buffer, in bytes. */
export interface BufferRange<B> {
  readonly buffer: B;
  readonly offset: number;
  readonly size: number;
}

/** A move that `defragment` has made. */
export interface BufferMove<B> {
  /** The moved allocation. Its `buffer` and `offset` are the new ones already. */
  readonly allocation: BufferAllocation<B>;
  /** The range before the move. */
  readonly source: BufferRange<B>;
  /** The range after the move. */
  readonly destination: BufferRange<B>;
}

/** Figures of a pool, in bytes unless they are numbers of things. `used + pending + free` is `bytes`. */
export interface BufferPoolStats {
  /** Number of buffers, dedicated ones included. */
  readonly buffers: number;
  /** Number of dedicated buffers: each for one range, or for moves within a buffer. */
  readonly dedicatedBuffers: number;
  /** Size of all buffers together. */
  readonly bytes: number;
  /** Number of live allocations. */
  readonly liveBlocks: number;
  /** Sizes of the live allocations: the bytes asked for, rounded up to multiples of 4, or of 16 for uniforms. */
  readonly requested: number;
  /** Sizes of the live allocations, rounded up to multiples of the unit. */
  readonly used: number;
  /** Sizes of the freed ranges that may not be reused yet, rounded up to multiples of the unit. */
  readonly pending: number;
  /** Bytes that are in no range. */
  readonly free: number;
  /** The largest request that has room without a new buffer. */
  readonly largestFree: number;
}

/** Has `copy` copy the ranges; it returns the temporary buffer that it used for that, or null. */
export type Copy<B> = (
  moves: readonly PlannedMove<B>[],
) => { readonly buffer: B; readonly bytes: number } | null;

/**
 * Moves ranges of `pool` together. A friend of the class, for the pools of the graphics APIs: each copies in its own
 * way. If `copy` throws, nothing has changed.
 */
export let moveRanges: <B>(
  pool: AbstractPool<B>,
  options: DefragmentOptions<B>,
  copy: Copy<B>,
) => BufferMove<B>[];

/**
 * The part that the pools of all graphics APIs have in common. A pool has GPU buffers of one usage, and hands out
 * ranges of them.
 *
 * A range has exactly the bytes asked for, rounded up to a multiple of 4, or of 16 for uniforms. It lies at a multiple
 * of the unit and of the alignment asked for, in the first buffer that has room, at the lowest offset there. If none
 * has room, the pool makes another buffer. A request larger than a buffer gets a dedicated one of just its size. When
 * buffers become empty, the pool keeps one of them, the largest, and destroys the others.
 *
 * A freed range is reused only after a {@link flush} that follows the free, once the GPU has done everything that had
 * been submitted by that flush. So: submit, then flush.
 *
 * When a call throws, nothing has changed. Every method but {@link destroy} and {@link stats} throws a
 * {@link BuddyError}: `DETACHED` once the pool is destroyed, `DEVICE_LOST` once its device is known to be lost.
 */
export abstract class AbstractPool<B> {
  readonly #backend: Backend<B>;
  readonly #sizes: Sizes;
  readonly #label: string;
  readonly #onLeak: PoolOptions<B>['onLeak'];
  /** The buffers for many ranges each, the oldest first. At most one is empty. */
  #pooled: PoolBuffer<B>[] = [];
  readonly #dedicated = new Set<PoolBuffer<B>>();
  readonly #live = new Set<BufferAllocation<B>>();
  /** The freed spans that no flush has followed yet. */
  #freed: Span<B>[] = [];
  /** Bytes in freed spans that may not be reused yet. */
  #pending = 0;
  #flushed: Promise<void> = Promise.resolve();
  #destroyed = false;

  static {
    moveRanges = (pool, options, copy) => pool.#move(options, copy);
  }

  /** @internal A pool without a buffer. */
  constructor(backend: Backend<B>, options: PoolOptions<B>) {
    this.#backend = backend;
    this.#sizes = sizesOf(options, backend);
    this.#label = checkString('label', options.label ?? '');
    this.#onLeak = checkCallback('onLeak', options.onLeak);
  }

  /** Every offset is a multiple of it, in bytes. */
  get unit(): number {
    return this.#sizes.unit;
  }

  /**
   * Allocates `bytes` bytes. A reused range holds its old contents. It takes the time of one `allocRange` for each
   * buffer until one has room, O(log) mostly. A new buffer takes the time that the device takes.
   *
   * The alignment is an option, not the first argument as in C's `aligned_alloc`, because every offset is a multiple of
   * the unit, which mostly suffices.
   *
   * @returns null if there is no room: the limit is reached, the request is larger than the largest buffer that the
   * device allows, or the device reports at once that it has no memory.
   * @throws TypeError if an argument has the wrong type.
   * @throws RangeError if `bytes` is not a positive integer, or the alignment is not one up to the size of a buffer; if
   * the range is one for shaders and larger than the device's limit on these.
   */
  alloc(bytes: number, options: AllocOptions = {}): BufferAllocation<B> | null {
    this.#checkUsable();
    checkObject('options', options);
    const size = this.#sizeFor(bytes);
    const { bufferSize } = this.#sizes;
    const alignment = checkWithin('alignment', options.alignment ?? 1, 1, bufferSize);
    const label = checkString('label', options.label ?? '');
    const dedicated = checkBoolean('dedicated', options.dedicated ?? false) || size > bufferSize;
    const span = dedicated ? this.#takeDedicated(size) : this.#takePooled(size, alignment);
    if (span === null) return null;
    const allocation = new BufferAllocation({ pool: this, alignment, size, span }, label, options.userData);
    this.#live.add(allocation);
    return allocation;
  }

  /**
   * Marks an allocation as no longer needed. Commands that use it and are encoded already may still be submitted, until
   * the next {@link flush}. Encode no new ones. O(1).
   *
   * @throws TypeError if `allocation` is not an allocation of a pool.
   * @throws BuddyError `NOT_ALLOCATED` if it was freed already, `FOREIGN` if it belongs to another pool.
   */
  free(allocation: BufferAllocation<B>): void {
    const entry = this.#ownEntry(allocation);
    const span = liveSpanOf(entry);
    entry.span = null;
    this.#live.delete(allocation);
    this.#deferFree(span);
  }

  /**
   * Changes the size of an allocation in place, to `bytes` rounded up as by {@link alloc}. The bytes that it loses at
   * its end are freed as by {@link free}; those that it gains hold old contents. O(log).
   *
   * @returns whether the range has that size now. Less always succeeds; more if the bytes behind the range are free,
   * and not pending. A dedicated buffer stays as large as it is.
   * @throws the errors of {@link free}, and those that {@link alloc} throws for `bytes`.
   */
  resize(allocation: BufferAllocation<B>, bytes: number): boolean {
    const entry = this.#ownEntry(allocation);
    const span = liveSpanOf(entry);
    const size = this.#sizeFor(bytes);
    const resized = span.poolBuffer.resize(span, size);
    if (resized === null) return false;
    entry.size = size;
    entry.span = resized.kept;
    if (resized.rest !== null) this.#deferFree(resized.rest);
    return true;
  }

  /**
   * Writes `data` into the range, from its byte `offset` on. A length that is not a multiple of 4 is filled up with
   * zeros where the API needs that: up to 3 bytes behind the data, in the same range, become 0. The write takes effect
   * in the order of the calls on the queue or the context. O(bytes).
   *
   * @throws TypeError if `data` is neither a buffer nor a view of one, or `offset` is not a number.
   * @throws RangeError if `offset` is not a multiple of 4, the data does not fit into the range, or the usage does not
   * allow writes.
   * @throws BuddyError as {@link free}.
   */
  write(allocation: BufferAllocation<B>, data: ArrayBufferLike | ArrayBufferView, offset = 0): void {
    const entry = this.#ownEntry(allocation);
    const { size } = entry;
    const span = liveSpanOf(entry);
    this.#backend.checkWritable();
    const bytes = bytesIn(data);
    checkWithin('offset', offset, 0, size);
    if (offset % WRITE_ALIGNMENT !== 0) throw new RangeError(`offset must be a multiple of 4, not ${offset}`);
    if (bytes.length > size - offset) {
      throw new RangeError(`${bytes.length} bytes from ${offset} on do not fit into a range of ${size}`);
    }
    if (bytes.length > 0) this.#backend.write(span.poolBuffer.buffer, byteOffsetOf(span) + offset, bytes);
  }

  /** The live allocations, in the order in which they were made. Those freed on the way are left out. O(1) a step. */
  ranges(): IterableIterator<BufferAllocation<B>> {
    this.#checkUsable();
    return this.#live.values();
  }

  /**
   * Lets all ranges freed so far be reused once the GPU has done everything submitted so far. Call it when every
   * command that uses one of these ranges has been submitted; once per frame is enough. Without it no range is ever
   * reused. O(1).
   *
   * @returns a promise that resolves when these ranges, and those of earlier flushes, are free. It never rejects. Wait
   * for it if there is no room; otherwise there is no need to.
   */
  flush(): Promise<void> {
    this.#checkUsable();
    if (this.#freed.length === 0) return this.#flushed;
    const done = this.#backend.done();
    const freed = this.#freed;
    this.#freed = [];
    // These promises resolve in the order of the calls, so this one stands for the earlier ones too.
    this.#flushed = done.then(
      () => this.#recycle(freed),
      // No standard lets it reject as long as the device is there. If it does, the spans must wait for another flush.
      () => {
        this.#freed = freed.concat(this.#freed);
      },
    );
    return this.#flushed;
  }

  /** Counts buffers and bytes. O(live + gaps). */
  stats(): BufferPoolStats {
    const buffers = [...this.#pooled, ...this.#dedicated];
    const bytes = this.#bytes;
    const free = buffers.reduce((sum, { freeBytes }) => sum + freeBytes, 0);
    return {
      buffers: buffers.length,
      dedicatedBuffers: this.#dedicated.size,
      bytes,
      liveBlocks: this.#live.size,
      requested: sizesTogether(this.#live),
      used: bytes - free - this.#pending,
      pending: this.#pending,
      free,
      largestFree: this.#pooled.reduce((most, { largestFree }) => Math.max(most, largestFree), 0),
    };
  }

  /**
   * Destroys all buffers and their contents. Submitted commands still run; encoded commands that use the buffers can no
   * longer be submitted. If ranges are live and the device is not lost, the option `onLeak` is called at the end. A
   * second call does nothing. O(buffers + live).
   */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    const leaks = this.#backend.loss === null ? [...this.#live] : [];
    for (const poolBuffer of [...this.#pooled, ...this.#dedicated]) this.#discard(poolBuffer);
    this.#live.clear();
    this.#freed = [];
    this.#pending = 0;
    this.#backend.close();
    if (leaks.length > 0) this.#onLeak?.(leakMessage(this.#label, leaks), leaks);
  }

  get #bytes(): number {
    const add = (sum: number, { bytes }: PoolBuffer<B>) => sum + bytes;
    return [...this.#dedicated].reduce(add, this.#pooled.reduce(add, 0));
  }

  #checkUsable(): void {
    checkUsable(this.#destroyed, this.#backend.loss);
  }

  /** `bytes` rounded up as the usage needs it, after a check. */
  #sizeFor(bytes: number): number {
    const { granule, binding } = this.#backend;
    checkWithin('bytes', bytes, 1, Number.MAX_SAFE_INTEGER);
    const size = Math.ceil(bytes / granule) * granule;
    if (binding !== null && size > binding.bytes) {
      throw new RangeError(`a range of ${size} bytes is larger than ${binding.limit}, ${binding.bytes}`);
    }
    return size;
  }

  /** The entry of `allocation`, which must be one of this pool, and the pool usable. */
  #ownEntry(allocation: BufferAllocation<B>): Entry<B> {
    this.#checkUsable();
    const isObject = typeof allocation === 'object' && allocation !== null;
    const entry = isObject ? BufferAllocation.entryOf(allocation) : undefined;
    if (entry === undefined) throw new TypeError('allocation must be an allocation of the pool');
    if (entry.pool !== this) throw new BuddyError('FOREIGN', 'the allocation belongs to another pool');
    return entry;
  }

  #takePooled(size: number, alignment: number): Span<B> | null {
    for (const poolBuffer of this.#pooled) {
      const span = poolBuffer.take(size, alignment);
      if (span !== null) return span;
    }
    const bytes = this.#nextBufferSize(size);
    const buffer = bytes > 0 ? this.#backend.createBuffer(bytes) : null;
    if (buffer === null) return null;
    const poolBuffer = new PoolBuffer(buffer, this.unit, bytes / this.unit);
    this.#pooled.push(poolBuffer);
    return poolBuffer.take(size, alignment);
  }

  /** Size of the next buffer, which is to hold a range of `size` bytes; 0 if the limit leaves no room for one. */
  #nextBufferSize(size: number): number {
    const { firstBufferSize, bufferSize, maxBytes } = this.#sizes;
    const room = maxBytes - this.#bytes;
    let bytes = firstBufferSize;
    while (bytes < size) bytes *= 2;
    if (bytes > room) return 0;
    const wanted = this.#pooled.reduce((most, poolBuffer) => Math.max(most, 2 * poolBuffer.bytes), 0);
    while (bytes < wanted && 2 * bytes <= Math.min(bufferSize, room)) bytes *= 2;
    return bytes;
  }

  #takeDedicated(size: number): Span<B> | null {
    if (size > this.#backend.maxBufferSize) return null;
    const excess = this.#bytes + size - this.#sizes.maxBytes;
    const spare = this.#pooled.find(({ isEmpty }) => isEmpty);
    if (excess > (spare?.bytes ?? 0)) return null;
    const buffer = this.#backend.createBuffer(size);
    if (buffer === null) return null;
    if (excess > 0 && spare !== undefined) this.#discard(spare);
    return this.#addDedicated(buffer, size);
  }

  /** The whole of `buffer`, which holds one range only. */
  #addDedicated(buffer: B, bytes: number): Span<B> | null {
    const poolBuffer = new PoolBuffer(buffer, bytes, 1);
    this.#dedicated.add(poolBuffer);
    return poolBuffer.take(bytes, 1);
  }

  /** Frees `span` at the end of the next flush. Until then it is taken, but no allocation has it. */
  #deferFree(span: Span<B>): void {
    this.#freed.push(span);
    this.#pending += bytesOf(span);
  }

  /** Moves ranges, as {@link moveRanges} says. */
  #move(options: DefragmentOptions<B>, copy: Copy<B>): BufferMove<B>[] {
    this.#checkUsable();
    const budget = budgetOf(options);
    const filter = checkCallback('filter', options.filter);
    // The filter is the user's, and may use the pool. So it has been called for all before any range is taken.
    const movable = filter === undefined ? this.#live : [...this.#live].filter((one) => filter(one));
    const moves = plan(this.#pooled, movable, budget);
    let temporary: ReturnType<Copy<B>>;
    try {
      temporary = copy(moves);
    } catch (error) {
      cancel(moves);
      throw error;
    }
    if (temporary !== null) {
      // From here on it is a dedicated buffer like any other, its only range freed.
      const span = this.#addDedicated(temporary.buffer, temporary.bytes);
      if (span !== null) this.#deferFree(span);
    }
    return moves.map((move) => this.#relocate(move));
  }

  /** Gives a moved allocation its new span, and frees the old one. */
  #relocate({ allocation, from, to }: PlannedMove<B>): BufferMove<B> {
    const { size } = allocation;
    const range = (span: Span<B>) => ({ buffer: span.poolBuffer.buffer, offset: byteOffsetOf(span), size });
    this.#ownEntry(allocation).span = to;
    this.#deferFree(from);
    return { allocation, source: range(from), destination: range(to) };
  }

  /** Frees spans that the GPU is done with, and destroys the buffers that become empty, but for the largest. */
  #recycle(freed: readonly Span<B>[]): void {
    if (this.#destroyed) return;
    for (const span of freed) {
      span.poolBuffer.release(span);
      this.#pending -= bytesOf(span);
    }
    for (const poolBuffer of this.#dedicated) if (poolBuffer.isEmpty) this.#discard(poolBuffer);
    const [, ...spare] = this.#pooled.filter(({ isEmpty }) => isEmpty).sort((a, b) => b.bytes - a.bytes);
    for (const poolBuffer of spare) this.#discard(poolBuffer);
  }

  #discard(poolBuffer: PoolBuffer<B>): void {
    poolBuffer.destroyed = true;
    this.#backend.destroyBuffer(poolBuffer.buffer);
    this.#pooled = this.#pooled.filter((one) => one !== poolBuffer);
    this.#dedicated.delete(poolBuffer);
  }
}

/** Sizes of the ranges, added up. */
function sizesTogether(allocations: Iterable<BufferAllocation<unknown>>): number {
  let sum = 0;
  for (const { size } of allocations) sum += size;
  return sum;
}

/** The bytes of a buffer or of a view, without a copy. */
function bytesIn(data: ArrayBufferLike | ArrayBufferView): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (!isArrayBuffer(data) && !isSharedArrayBuffer(data)) {
    throw new TypeError('data must be an ArrayBuffer, a SharedArrayBuffer or a view of one');
  }
  return new Uint8Array(data);
}
