// One GPU buffer of a pool, and the allocator that hands out its units.

import { BuddyAllocator } from '../core/allocator.ts';

/** Units of a pool buffer that belong together: those of a range, live or freed but not yet reusable. */
export interface Span<B> {
  readonly poolBuffer: PoolBuffer<B>;
  /** The first unit. */
  readonly offset: number;
  /** Number of units. */
  readonly units: number;
}

/** First byte of `span` in its buffer. */
export function byteOffsetOf({ poolBuffer, offset }: Span<unknown>): number {
  return offset * poolBuffer.unit;
}

/** Size of `span` in bytes. */
export function bytesOf({ poolBuffer, units }: Span<unknown>): number {
  return units * poolBuffer.unit;
}

/** A buffer of `capacity` units. A dedicated buffer is one unit. */
export class PoolBuffer<B> {
  readonly buffer: B;
  /** Bytes per unit: a power of two, but for a dedicated buffer. */
  readonly unit: number;
  readonly #allocator: BuddyAllocator;
  destroyed = false;

  constructor(buffer: B, unit: number, capacity: number) {
    this.buffer = buffer;
    this.unit = unit;
    this.#allocator = new BuddyAllocator({ capacity });
  }

  /** Size of the buffer in bytes. */
  get bytes(): number {
    return this.#allocator.capacity * this.unit;
  }

  get freeBytes(): number {
    return this.#allocator.freeUnits * this.unit;
  }

  /** Size in bytes of the largest span that {@link take} has room for. */
  get largestFree(): number {
    return this.#allocator.largestRange * this.unit;
  }

  get isEmpty(): boolean {
    return this.#allocator.freeUnits === this.#allocator.capacity;
  }

  /** Takes the lowest span for `size` bytes at a multiple of `alignment` bytes; null if there is no room. */
  take(size: number, alignment: number): Span<B> | null {
    const units = this.#unitsFor(size);
    const offset = this.#allocator.allocRange(units, this.#alignmentInUnits(alignment));
    return offset < 0 ? null : { poolBuffer: this, offset, units };
  }

  /** Takes `span`, which must be free. */
  retake({ offset, units }: Span<B>): void {
    this.#allocator.reserve(offset, units);
  }

  /** Frees `span`. */
  release({ offset, units }: Span<B>): void {
    this.#allocator.release(offset, units);
  }

  /**
   * Gives `span` room for `size` bytes in place. `kept` is the span then, and `rest` the units of the old one that it
   * no longer needs, still taken; null if the units behind it are not free.
   */
  resize(span: Span<B>, size: number): { kept: Span<B>; rest: Span<B> | null } | null {
    const { offset } = span;
    const units = this.#unitsFor(size);
    if (!this.#allocator.resizeRange(offset, span.units, units)) return null;
    const kept = { poolBuffer: this, offset, units };
    if (units >= span.units) return { kept, rest: null };
    const rest = { poolBuffer: this, offset: offset + units, units: span.units - units };
    this.retake(rest);
    return { kept, rest };
  }

  #unitsFor(size: number): number {
    return Math.ceil(size / this.unit);
  }

  /** The least common multiple of `alignment` and the unit, in units. */
  #alignmentInUnits(alignment: number): number {
    let units = alignment;
    for (let rest = this.unit; rest > 1 && units % 2 === 0; rest /= 2) units /= 2;
    return units;
  }
}
