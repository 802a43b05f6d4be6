// A block that frees itself.

import { BuddyError } from '../base/errors.ts';
import type { MallocFamily } from './malloc.ts';
import { type ArrayConstructor, elementSize, type ViewOf } from './views.ts';

declare global {
  interface SymbolConstructor {
    /** As TypeScript's library for ESNext declares it, so that these types are complete without that library. */
    readonly dispose: unique symbol;
  }
}

/**
 * The symbol by which `using` finds the method to call. Where the runtime has none, compilers of `using` take this one.
 */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/** A live block of a heap, from {@link Heap.block}: `using block = heap.block(n)` frees it at the end of the scope. */
export class HeapBlock<B extends ArrayBufferLike = ArrayBufferLike> {
  readonly #heap: MallocFamily<B>;
  #ptr: number;
  /** Bytes that were asked for. */
  readonly size: number;

  /** Takes charge of the live block of `heap` at `ptr`, of which `size` bytes were asked for. */
  constructor(heap: MallocFamily<B>, ptr: number, size: number) {
    this.#heap = heap;
    this.#ptr = ptr;
    this.size = size;
  }

  /** The block's pointer; 0 once the block is freed. */
  get ptr(): number {
    return this.#ptr;
  }

  /**
   * A fresh view of `length` elements from the block's start on; of as many as `size` has room for unless given.
   *
   * @throws what {@link Heap.view} throws; BuddyError `NOT_ALLOCATED` once the block is freed.
   */
  view<C extends ArrayConstructor>(type: C, length?: number): ViewOf<C, B> {
    const count = length ?? Math.floor(this.size / elementSize(type));
    if (this.#ptr === 0) throw new BuddyError('NOT_ALLOCATED', 'the block is freed already');
    return this.#heap.view(this.#ptr, type, count);
  }

  /**
   * Frees the block, unless that is done already.
   *
   * @throws what {@link Heap.free} throws; the block is then still live, and `free` may be called again.
   */
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
