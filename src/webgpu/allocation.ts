// The handle of an allocated range. Where the range lies may change (defragmentation), so users ask the handle each time.

import { BuddyError } from '../base/errors.ts';
import type { Arena } from './arena.ts';
import type { GpuBuffer } from './types.ts';

/** Where a range lies: from unit `at` of `arena` on. */
export interface Place<B extends GpuBuffer> {
  readonly arena: Arena<B>;
  readonly at: number;
}

/** What the pool knows of an allocation. `place` is null once it has been freed. */
export interface Entry<B extends GpuBuffer> {
  readonly pool: object;
  readonly alignment: number;
  place: Place<B> | null;
}

/** The entry of `allocation`; undefined when that is none. For the pool only; the package does not export it. */
export let entryOf: <B extends GpuBuffer>(allocation: BufferAllocation<B>) => Entry<B> | undefined;

/** A new allocation. As internal as {@link entryOf}. */
export let makeAllocation: <B extends GpuBuffer>(size: number, entry: Entry<B>) => BufferAllocation<B>;

/** The live place in `entry`. */
export function placeOf<B extends GpuBuffer>(entry: Entry<B>): Place<B> {
  if (entry.place === null) throw new BuddyError('NOT_ALLOCATED', 'the allocation was freed already');
  return entry.place;
}

/**
 * A range of a GPU buffer, from {@link BufferPool.alloc}. It is a `GPUBufferBinding`: give it to `createBindGroup` as a resource
 * as it is. `defragment` may change `buffer` and `offset`, so read them when you encode, and keep the handle.
 */
export class BufferAllocation<B extends GpuBuffer> {
  readonly #entry: Entry<B>;

  /** Bytes asked for, rounded up to a multiple of 4. */
  readonly size: number;

  static {
    entryOf = (allocation) => (#entry in allocation ? allocation.#entry : undefined);
    makeAllocation = (size, entry) => new BufferAllocation(size, entry);
  }

  private constructor(size: number, entry: Entry<B>) {
    this.size = size;
    this.#entry = entry;
  }

  /**
   * The buffer that the range lies in.
   *
   * @throws BuddyError `NOT_ALLOCATED` when the range was freed, `DETACHED` when its pool was destroyed.
   */
  get buffer(): B {
    return this.#place().arena.buffer;
  }

  /**
   * First byte of the range in {@link buffer}: a multiple of the pool's unit and of the alignment asked for.
   *
   * @throws BuddyError as {@link buffer}.
   */
  get offset(): number {
    const { arena, at } = this.#place();
    return at * arena.unit;
  }

  #place(): Place<B> {
    const place = placeOf(this.#entry);
    if (place.arena.destroyed) throw new BuddyError('DETACHED', 'the pool was destroyed');
    return place;
  }
}
