// One GPU buffer of a pool, and the allocator that hands out its units.

import { BuddyAllocator } from '../core/allocator.ts';
import type { GpuBuffer } from './types.ts';

/** A block of a pool buffer. */
export interface BufferBlock<B extends GpuBuffer> {
  readonly poolBuffer: PoolBuffer<B>;
  /** First unit of the block. */
  readonly offset: number;
}

/** First byte of `block` in its buffer. */
export function byteOffsetOf({ poolBuffer, offset }: BufferBlock<GpuBuffer>): number {
  return offset * poolBuffer.unit;
}

/** A buffer of `capacity` units. A dedicated buffer is one unit. */
export class PoolBuffer<B extends GpuBuffer> {
  readonly buffer: B;
  /** Bytes per unit. */
  readonly unit: number;
  readonly allocator: BuddyAllocator;
  destroyed = false;

  constructor(buffer: B, unit: number, capacity: number) {
    this.buffer = buffer;
    this.unit = unit;
    this.allocator = new BuddyAllocator({ capacity });
  }

  /** Size of the buffer in bytes. */
  get bytes(): number {
    return this.allocator.capacity * this.unit;
  }

  get isEmpty(): boolean {
    return this.allocator.freeUnits === this.allocator.capacity;
  }

  /**
   * Takes a block for `size` bytes at a multiple of `alignment` bytes. Returns its offset in units; -1 if there is no
   * room.
   */
  take(size: number, alignment: number): number {
    const units = Math.ceil(size / this.unit);
    const aligned = Math.ceil(alignment / this.unit);
    const offset = this.allocator.alloc(Math.max(units, aligned));
    // A block as large as the alignment is aligned. What it has beyond the size goes back.
    if (offset >= 0 && aligned > units) this.allocator.resize(offset, units);
    return offset;
  }

  /** Size in bytes of the block at `offset`. */
  blockBytes(offset: number): number {
    return this.allocator.sizeOf(offset) * this.unit;
  }

  destroy(): void {
    this.destroyed = true;
    this.buffer.destroy();
  }
}
