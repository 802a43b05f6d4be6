// One GPU buffer and the allocator that says which of its units are in use.

import { BuddyAllocator } from '../core/allocator.ts';
import type { GpuBuffer } from './types.ts';

/** A buffer of `capacity` units. A dedicated buffer is one unit. */
export class Arena<B extends GpuBuffer> {
  readonly buffer: B;
  /** Bytes in a unit. */
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

  /** Takes `size` bytes at a multiple of `alignment` bytes. Returns the unit where they begin; -1 when there is no room. */
  take(size: number, alignment: number): number {
    const units = Math.ceil(size / this.unit);
    const aligned = Math.ceil(alignment / this.unit);
    const at = this.allocator.alloc(Math.max(units, aligned));
    // A block as large as its alignment lies right; what is too much of it goes back.
    if (at >= 0 && aligned > units) this.allocator.resize(at, units);
    return at;
  }

  /** Size in bytes of the block that begins at unit `at`. */
  blockBytes(at: number): number {
    return this.allocator.sizeOf(at) * this.unit;
  }

  destroy(): void {
    this.destroyed = true;
    this.buffer.destroy();
  }
}
