// A block that frees itself.

import { BuddyError } from '../base/errors.ts';
import type { AbstractHeap } from './abstract.ts';
import { dispose } from './dispose.ts';
import { type ArrayConstructor, elementSize, type ViewOf } from './views.ts';

/** A live block of a heap, from {@link Heap.block}: `using block = heap.block(n)` frees it at the end of the scope. */
export class HeapBlock {
  readonly #heap: AbstractHeap;
  #ptr: number;
  /** Bytes that were asked for. */
  readonly size: number;

  /** Takes charge of the live block at `ptr`. */
  constructor(heap: AbstractHeap, ptr: number, size: number) {
    this.#heap = heap;
    this.#ptr = ptr;
    this.size = size;
  }

  /** Where the block is; 0 once it is freed. */
  get ptr(): number {
    return this.#ptr;
  }

  /**
   * A fresh view of `length` elements from the block's start on, of as many as `size` has room for unless given.
   *
   * @throws what {@link Heap.view} throws; BuddyError `NOT_ALLOCATED` once the block is freed.
   */
  view<C extends ArrayConstructor>(type: C, length?: number): ViewOf<C> {
    const count = length ?? Math.floor(this.size / elementSize(type));
    if (this.#ptr === 0) throw new BuddyError('NOT_ALLOCATED', 'the block is freed already');
    return this.#heap.view(this.#ptr, type, count);
  }

  /** Frees the block, unless that is done already. Throws what {@link Heap.free} throws, and may be called again then. */
  free(): void {
    if (this.#ptr === 0) return;
    this.#heap.free(this.#ptr);
    this.#ptr = 0;
  }

  /** {@link free}, for `using`. */
  [dispose](): void {
    this.free();
  }
}
