// The allocators of ranges that are compared. Each has classes and loops of its own, so that the engine compiles it by itself.

import { FirstFit } from '../../test/spec/first-fit.ts';
import type { RangeAllocator } from '../driver.ts';
import { OffsetAllocator } from './offset-allocator.ts';

const built = new URL('../../dist/index.js', import.meta.url).href;
/** A copy of the built package of its own. */
const load = (copy: string): Promise<typeof import('../../src/index.ts')> => import(`${built}?copy=${copy}`);
const blocks = await load('blocks');
const ranges = await load('ranges');

/** An allocator in this benchmark. What `alloc` returns is -1, or what `free` and `endOf` take. */
export interface Placer extends RangeAllocator {
  /** End of the units that are in use for a request of `size` units. */
  endOf(handle: number, size: number): number;
}

class Blocks implements Placer {
  readonly #arena: InstanceType<typeof blocks.BuddyAllocator>;
  constructor(capacity: number) {
    this.#arena = new blocks.BuddyAllocator({ capacity });
  }
  alloc(size: number): number {
    return this.#arena.alloc(size);
  }
  free(offset: number): void {
    this.#arena.free(offset);
  }
  endOf(offset: number): number {
    return offset + this.#arena.sizeOf(offset);
  }
}

class Ranges implements Placer {
  readonly #arena: InstanceType<typeof ranges.BuddyAllocator>;
  constructor(capacity: number) {
    this.#arena = new ranges.BuddyAllocator({ capacity });
  }
  alloc(size: number): number {
    return this.#arena.allocRange(size);
  }
  free(offset: number, size: number): void {
    this.#arena.release(offset, size);
  }
  endOf(offset: number, size: number): number {
    return offset + size;
  }
}

class Bins implements Placer {
  readonly #bins: OffsetAllocator;
  constructor(capacity: number) {
    this.#bins = new OffsetAllocator(capacity, 2 ** 20);
  }
  alloc(size: number): number {
    return this.#bins.alloc(size);
  }
  free(record: number): void {
    this.#bins.free(record);
  }
  endOf(record: number, size: number): number {
    return this.#bins.offsetOf(record) + size;
  }
}

class Gaps implements Placer {
  readonly #gaps: FirstFit;
  constructor(capacity: number) {
    this.#gaps = new FirstFit(capacity);
  }
  alloc(size: number): number {
    return this.#gaps.alloc(size);
  }
  free(offset: number, size: number): void {
    this.#gaps.free(offset, size);
  }
  endOf(offset: number, size: number): number {
    return offset + size;
  }
}

/** By name. The times of the others are divided by those of the first. */
export const CONTENDERS: Readonly<Record<string, new (capacity: number) => Placer>> = {
  'alloc (blocks)': Blocks,
  allocRange: Ranges,
  OffsetAllocator: Bins,
  'first fit': Gaps,
};
