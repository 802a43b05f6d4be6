// FramePool: ranges of GPU buffers that live for one frame. All of a frame is freed at once, when the GPU is done
// with it.

import { checkWithin } from '../base/arguments.ts';
import type { BufferRange } from '../gpu/pool.ts';
import { checkUsable } from '../gpu/usable.ts';
import { FrameRing, NO_ROOM } from './frame-ring.ts';
import { type Loss, lossOf } from './loss.ts';
import type { GpuBuffer, GpuData, GpuDevice } from './types.ts';
import { checkData, type GpuWriter, writePadded } from './upload.ts';
import { alignmentOf, COPY_ALIGNMENT, COPY_DST, checkUsage } from './usage.ts';

const DEFAULT_BUFFER_SIZE = 2 ** 20;

/** Largest size of a buffer with many ranges: offsets stay int32. */
const MAX_BUFFER_SIZE = 2 ** 30;

/** A buffer is destroyed if none of this many frames had a range in it: a second at 60 frames per second. */
const IDLE_FRAMES = 60;

/** The part of a `GPUDevice` that a {@link FramePool} uses. Its buffers are of type `B`. */
export interface FramePoolDevice<B extends GpuBuffer> extends GpuDevice<B> {
  readonly queue: GpuDevice<B>['queue'] & GpuWriter<B>;
}

/** Options of a {@link FramePool}. Sizes are in bytes. */
export interface FramePoolOptions {
  /**
   * `GPUBufferUsage` flags of all its buffers. {@link FramePool.write} needs `COPY_DST`. `MAP_READ` and `MAP_WRITE`
   * are refused, since a buffer is mapped as a whole.
   */
  readonly usage: number;
  /**
   * Size of a buffer: a multiple of 4, up to the device's `maxBufferSize`, to `maxBytes` and to 2^30. 1 MiB unless
   * given, or less if one of these is less. A size that holds the data of a few frames serves best.
   */
  readonly bufferSize?: number;
  /** Limit on the size of all buffers together, from 4 up; no limit unless given. */
  readonly maxBytes?: number;
  /** Label of the buffers, for error messages and debuggers. */
  readonly label?: string;
}

/** Options of a request of a {@link FramePool}. */
export interface FrameRangeOptions {
  /**
   * The offset is a multiple of this number of bytes: a positive integer up to the size of a buffer, the stride of a
   * vertex for example. It is also a multiple of the alignment that the device requires for the usage, given or not.
   */
  readonly alignment?: number;
}

/** Figures of a {@link FramePool}, in bytes unless they are numbers of things. `used + pending + free` is `bytes`. */
export interface FramePoolStats {
  /** Number of buffers, dedicated ones included. */
  readonly buffers: number;
  /** Number of dedicated buffers: each for one request larger than `bufferSize`. */
  readonly dedicatedBuffers: number;
  /** Size of all buffers together. */
  readonly bytes: number;
  /** Number of ended frames with ranges that the GPU is not known to be done with. */
  readonly framesInFlight: number;
  /** Bytes that the open frame has taken, with those skipped for alignment and at the ends of buffers. */
  readonly used: number;
  /** The same of the frames in flight. */
  readonly pending: number;
  /** Bytes that are neither. */
  readonly free: number;
}

/** One object for all calls without options, so that they make none. */
const NO_OPTIONS: FrameRangeOptions = {};

/** An ended frame that the GPU is not known to be done with. */
interface Frame<B extends GpuBuffer> {
  readonly number: number;
  /** Bytes that it has taken. */
  readonly bytes: number;
  /** The rings that it has ranges in. */
  readonly rings: readonly FrameRing<B>[];
  /** The head of each of `rings` at the end of the frame. */
  readonly heads: readonly number[];
}

/**
 * A pool for data that lives for one frame: uniforms, dynamic vertices, staging. It hands out ranges of GPU buffers
 * one after another. There is no `free`: {@link endFrame} frees all ranges of a frame, once the GPU is done with it.
 *
 * Each buffer is a ring of bytes. A request gets room behind the range before, in the same buffer; if there is none,
 * in the first buffer that has room; if none has room, in a new buffer. A request larger than a buffer gets a
 * dedicated one of just its size, which is destroyed when its frame is done. A buffer is destroyed if it is empty and
 * none of the last 60 frames had a range in it; one buffer is kept.
 *
 * The number of frames in flight has no limit but the one that `maxBytes` sets.
 *
 * The idea is that of the upload heaps of Direct3D 12 ("Fence-Based Resource Management" in its documentation) and of
 * the linear pools of the Vulkan Memory Allocator, used as ring buffers.
 *
 * When a call throws, no range has been taken or freed. Every method but {@link destroy} and {@link stats} throws a
 * {@link BuddyError}: `DETACHED` once the pool is destroyed, `DEVICE_LOST` once its device is known to be lost.
 */
export class FramePool<B extends GpuBuffer> {
  readonly #device: FramePoolDevice<B>;
  readonly #usage: number;
  readonly #label: string | undefined;
  readonly #maxBytes: number;
  readonly #bufferSize: number;
  /** The alignment that the device requires: a power of two. */
  readonly #alignment: number;
  readonly #loss: Loss;
  /** All buffers, the oldest first. A ring larger than `bufferSize` is a dedicated one. */
  #rings: FrameRing<B>[] = [];
  /** The ring of the last range of the open frame, so it is not empty; null if the frame has no range. */
  #current: FrameRing<B> | null = null;
  /** Size of all rings. */
  #bytes = 0;
  /** Number of the open frame. */
  #frame = 1;
  /** Bytes that the open frame has taken. */
  #used = 0;
  /** The frames in flight, the oldest first. */
  #inFlight: Frame<B>[] = [];
  /** Number of the last frame whose ranges are free again. */
  #doneFrame = 0;
  /** Resolves when the ranges of all ended frames are free. */
  #freed: Promise<void> = Promise.resolve();
  #destroyed = false;

  /**
   * A pool without a buffer; the first request makes one. O(1).
   *
   * @throws TypeError if an option has the wrong type.
   * @throws RangeError if an option is out of range.
   */
  constructor(device: FramePoolDevice<B>, options: FramePoolOptions) {
    const { limits } = device;
    this.#usage = checkUsage(options.usage);
    this.#alignment = alignmentOf(this.#usage, limits);
    this.#maxBytes =
      options.maxBytes === undefined
        ? Number.POSITIVE_INFINITY
        : checkWithin('maxBytes', options.maxBytes, COPY_ALIGNMENT, Number.MAX_SAFE_INTEGER);
    const most = Math.min(limits.maxBufferSize, this.#maxBytes, MAX_BUFFER_SIZE);
    const largest = most - (most % COPY_ALIGNMENT);
    const bufferSize = options.bufferSize ?? Math.min(DEFAULT_BUFFER_SIZE, largest);
    this.#bufferSize = checkWithin('bufferSize', bufferSize, COPY_ALIGNMENT, largest);
    if (bufferSize % COPY_ALIGNMENT !== 0) {
      throw new RangeError(`bufferSize must be a multiple of ${COPY_ALIGNMENT}, not ${bufferSize}`);
    }
    this.#label = options.label;
    this.#device = device;
    this.#loss = lossOf(device);
  }

  /**
   * Allocates `bytes` bytes until the end of the frame. The range holds arbitrary old contents. O(1) mostly,
   * O(buffers) if the buffer of the range before has no room; a new buffer takes the time that the device takes. The
   * range is the only object that the call makes, unless it makes a buffer.
   *
   * @returns the range, whose size is `bytes` rounded up to a multiple of 4; null if there is no room: `maxBytes` is
   * reached, or the request is larger than the device's `maxBufferSize`. Room may come back when the promise of the
   * last {@link endFrame} resolves.
   * @throws TypeError if an argument is not a number.
   * @throws RangeError if `bytes` or the alignment is not a positive integer, or the alignment exceeds `bufferSize`.
   */
  alloc(bytes: number, options: FrameRangeOptions = NO_OPTIONS): BufferRange<B> | null {
    checkUsable(this.#destroyed, this.#loss.message);
    checkWithin('bytes', bytes, 1, Number.MAX_SAFE_INTEGER);
    return this.#take(bytes, options, null);
  }

  /**
   * Allocates a range as {@link alloc} does, and writes `data` to it by `queue.writeBuffer`. If the length of the
   * data is not a multiple of 4 bytes, zeros follow up to the next multiple. The data is copied before the call
   * returns. O(bytes).
   *
   * @returns the range; null if there is no room. Then nothing was written.
   * @throws TypeError if `data` is not an ArrayBuffer, a SharedArrayBuffer or a view of one, or the alignment is not a
   * number.
   * @throws RangeError if `data` has no bytes, the usage of the pool lacks `COPY_DST`, or the alignment is out of
   * range.
   */
  write(data: GpuData, options: FrameRangeOptions = NO_OPTIONS): BufferRange<B> | null {
    checkUsable(this.#destroyed, this.#loss.message);
    if (!(this.#usage & COPY_DST)) {
      throw new RangeError("the pool's usage must have COPY_DST for data to be written");
    }
    return this.#take(checkData(data).byteLength, options, data);
  }

  /**
   * Ends the frame: its ranges are free once the GPU has done everything submitted so far. Call it after
   * `queue.submit`, when every command that uses a range of the frame has been submitted, and use none of these
   * ranges afterwards. The next request belongs to the next frame. O(buffers).
   *
   * @returns a promise that resolves when the ranges of this frame and of all earlier ones are free. It never
   * rejects. Wait for it if there is no room, or to limit the number of frames in flight; otherwise there is no need to.
   */
  endFrame(): Promise<void> {
    checkUsable(this.#destroyed, this.#loss.message);
    const number = this.#frame;
    if (this.#used > 0) {
      const done = this.#device.queue.onSubmittedWorkDone();
      const rings = this.#rings.filter(({ lastFrame }) => lastFrame === number);
      this.#inFlight.push({ number, bytes: this.#used, rings, heads: rings.map(({ head }) => head) });
      this.#freed = done.then(
        () => this.#release(number),
        // The standard does not let it reject. If it does, the ranges are freed with those of a later frame.
        () => undefined,
      );
      this.#used = 0;
    }
    this.#frame++;
    // So that a frame begins in the first buffer that has room, and those that are not needed come to be idle.
    this.#current = null;
    this.#trim();
    return this.#freed;
  }

  /** Counts buffers and bytes. O(buffers + frames in flight). */
  stats(): FramePoolStats {
    const pending = this.#inFlight.reduce((sum, { bytes }) => sum + bytes, 0);
    return {
      buffers: this.#rings.length,
      dedicatedBuffers: this.#rings.filter(({ size }) => size > this.#bufferSize).length,
      bytes: this.#bytes,
      framesInFlight: this.#inFlight.length,
      used: this.#used,
      pending,
      free: this.#bytes - this.#used - pending,
    };
  }

  /**
   * Destroys all buffers and their contents. Submitted commands still run; encoded commands that use the buffers can
   * no longer be submitted. A second call does nothing. O(buffers).
   */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const { buffer } of this.#rings) buffer.destroy();
    this.#rings = [];
    this.#current = null;
    this.#inFlight = [];
    this.#bytes = 0;
    this.#used = 0;
  }

  /** Takes a range of `bytes` bytes and writes `data` to it, unless that is null. Null if there is no room. */
  #take(bytes: number, { alignment }: FrameRangeOptions, data: GpuData | null): BufferRange<B> | null {
    const multiple = alignment === undefined ? this.#alignment : this.#combine(alignment);
    const size = Math.ceil(bytes / COPY_ALIGNMENT) * COPY_ALIGNMENT;
    let ring = this.#current;
    let offset = ring === null ? NO_ROOM : ring.find(size, multiple);
    if (ring === null || offset === NO_ROOM) {
      ring = this.#ringWithRoom(size, multiple) ?? this.#addRing(size);
      if (ring === null) return null;
      offset = ring.find(size, multiple);
    }
    // The write comes before the range is taken: the queue may refuse the data.
    if (data !== null) writePadded(this.#device.queue, ring.buffer, offset, data);
    this.#used += ring.take(offset, size, this.#frame);
    this.#current = ring;
    return { buffer: ring.buffer, offset, size };
  }

  /** The least common multiple of `alignment`, which the caller has asked for, and that which the device requires. */
  #combine(alignment: number): number {
    checkWithin('alignment', alignment, 1, this.#bufferSize);
    const power = alignment & -alignment;
    return power >= this.#alignment ? alignment : (alignment / power) * this.#alignment;
  }

  /** The first ring that has room; null if none has. */
  #ringWithRoom(size: number, alignment: number): FrameRing<B> | null {
    for (const ring of this.#rings) if (ring.find(size, alignment) !== NO_ROOM) return ring;
    return null;
  }

  /** Makes a buffer that has room for `size` bytes. Null if the device or `maxBytes` does not allow it. */
  #addRing(size: number): FrameRing<B> | null {
    const bytes = Math.max(size, this.#bufferSize);
    const spare = this.#spareFor(bytes);
    if (spare === null || bytes > this.#device.limits.maxBufferSize) return null;
    const buffer = this.#device.createBuffer({
      size: bytes,
      usage: this.#usage,
      ...(this.#label === undefined ? {} : { label: this.#label }),
    });
    for (const ring of spare) this.#discard(ring);
    const ring = new FrameRing(buffer, bytes, this.#doneFrame);
    this.#rings.push(ring);
    this.#bytes += bytes;
    return ring;
  }

  /**
   * The empty rings, the newest first, that must be destroyed for a buffer of `bytes` bytes. Null if that is too few.
   */
  #spareFor(bytes: number): FrameRing<B>[] | null {
    let excess = this.#bytes + bytes - this.#maxBytes;
    const spare: FrameRing<B>[] = [];
    for (let i = this.#rings.length - 1; i >= 0 && excess > 0; i--) {
      if (!this.#isEmpty(this.#rings[i])) continue;
      spare.push(this.#rings[i]);
      excess -= this.#rings[i].size;
    }
    return excess > 0 ? null : spare;
  }

  #isEmpty({ lastFrame }: FrameRing<B>): boolean {
    return lastFrame <= this.#doneFrame;
  }

  /** Frees the ranges of `number` and of all frames before it: what was submitted before is done as well. */
  #release(number: number): void {
    while (this.#inFlight.length > 0 && this.#inFlight[0].number <= number) {
      const frame = this.#inFlight.shift() as Frame<B>;
      for (const [i, ring] of frame.rings.entries()) ring.release(frame.heads[i], frame.number);
      this.#doneFrame = frame.number;
    }
    this.#trim();
  }

  /** Destroys the empty buffers that are dedicated or idle, but keeps one that is not dedicated. */
  #trim(): void {
    const rings = this.#rings;
    let common = 0;
    for (const { size } of rings) if (size === this.#bufferSize) common++;
    for (let i = rings.length - 1; i >= 0; i--) {
      const ring = rings[i];
      if (!this.#isEmpty(ring)) continue;
      if (ring.size > this.#bufferSize) this.#discard(ring);
      else if (common > 1 && this.#frame - ring.lastFrame > IDLE_FRAMES) {
        this.#discard(ring);
        common--;
      }
    }
  }

  #discard(ring: FrameRing<B>): void {
    ring.buffer.destroy();
    this.#rings = this.#rings.filter((one) => one !== ring);
    this.#bytes -= ring.size;
  }
}
