// What the pool needs of WebGPU.

import { checkObject } from '../base/arguments.ts';
import type { Backend } from '../gpu/backend.ts';
import type { PlannedMove } from '../gpu/defragment.ts';
import { byteOffsetOf } from '../gpu/pool-buffer.ts';
import { type Loss, lossOf } from './loss.ts';
import type { GpuBuffer, GpuDevice, GpuEncoder } from './types.ts';
import { writePadded } from './upload.ts';
import { alignmentOf, bindingLimitOf, COPY_DST, COPY_SRC, checkUsage, granuleOf } from './usage.ts';

/** The device of a pool, and the usage of its buffers. */
export class WebGpuBackend<B extends GpuBuffer> implements Backend<B> {
  readonly #device: GpuDevice<B>;
  readonly #usage: number;
  readonly #label: string | undefined;
  readonly #loss: Loss;
  readonly alignment: number;
  readonly granule: number;
  readonly maxBufferSize: number;
  readonly binding: Backend<B>['binding'];

  constructor(device: GpuDevice<B>, usage: number, label: string | undefined) {
    const { limits } = checkObject('device', device);
    this.#device = device;
    this.#usage = checkUsage(usage);
    this.#label = label;
    this.alignment = alignmentOf(usage, limits);
    this.granule = granuleOf(usage);
    this.maxBufferSize = limits.maxBufferSize;
    this.binding = bindingLimitOf(usage, limits);
    this.#loss = lossOf(device);
  }

  get loss(): string | null {
    return this.#loss.message;
  }

  createBuffer(size: number): B {
    return this.#createBuffer(size, this.#usage);
  }

  destroyBuffer(buffer: B): void {
    buffer.destroy();
  }

  checkWritable(): void {
    if (!(this.#usage & COPY_DST)) throw new RangeError("the pool's usage must have COPY_DST for writes");
  }

  write(buffer: B, offset: number, data: Uint8Array): void {
    writePadded(this.#device.queue, buffer, offset, data);
  }

  done(): Promise<unknown> {
    return this.#device.queue.onSubmittedWorkDone();
  }

  close(): void {}

  /** Throws a RangeError if the usage does not allow ranges to be copied. */
  checkMovable(): void {
    if (this.#usage & COPY_SRC && this.#usage & COPY_DST) return;
    throw new RangeError("the pool's usage must have COPY_SRC and COPY_DST for ranges to be moved");
  }

  /**
   * Encodes the copies of `moves`, which run in order. WebGPU does not copy within a buffer: such moves go through a
   * temporary buffer, which is returned; null if there are none.
   */
  encode(encoder: GpuEncoder<B>, moves: readonly PlannedMove<B>[]): { buffer: B; bytes: number } | null {
    const isWithin = ({ from, to }: PlannedMove<B>) => from.poolBuffer === to.poolBuffer;
    const bytes = moves.filter(isWithin).reduce((most, { allocation }) => Math.max(most, allocation.size), 0);
    const temporary = bytes > 0 ? { buffer: this.#createBuffer(bytes, COPY_SRC | COPY_DST), bytes } : null;
    try {
      for (const move of moves) {
        const { size } = move.allocation;
        const source = move.from.poolBuffer.buffer;
        const sourceOffset = byteOffsetOf(move.from);
        const destination = move.to.poolBuffer.buffer;
        const destinationOffset = byteOffsetOf(move.to);
        if (temporary === null || !isWithin(move)) {
          encoder.copyBufferToBuffer(source, sourceOffset, destination, destinationOffset, size);
        } else {
          encoder.copyBufferToBuffer(source, sourceOffset, temporary.buffer, 0, size);
          encoder.copyBufferToBuffer(temporary.buffer, 0, destination, destinationOffset, size);
        }
      }
    } catch (error) {
      // For example because `encoder` is not an encoder.
      temporary?.buffer.destroy();
      throw error;
    }
    return temporary;
  }

  #createBuffer(size: number, usage: number): B {
    return this.#device.createBuffer({
      size,
      usage,
      ...(this.#label === undefined ? {} : { label: this.#label }),
    });
  }
}
