// A set of blocks that are freed together.

import { ReturningMap } from '../base/returning-map.ts';
import { dispose } from './block.ts';
import type { MallocFamily } from './malloc.ts';
import type { ArrayConstructor, HeapView, Plain, ViewOf } from './views.ts';

/**
 * A scope, from {@link Heap.scope}: `using scope = heap.scope()` frees at its end all blocks that were allocated
 * through it. Each method works as the heap's method of the same name. To free a block of the scope earlier, free it
 * through the scope: otherwise its pointer may be another block's when the scope ends.
 */
export class HeapScope<B extends ArrayBufferLike = ArrayBufferLike> {
  readonly #heap: MallocFamily<B>;
  readonly #pointerOf: (view: ArrayBufferView) => number;
  /** The pointers of the scope's blocks, in order of allocation. */
  readonly #blocks = new ReturningMap<true>();

  /**
   * An empty scope. `pointerOf` returns the pointer at which a view begins, and throws if the view is not on the heap's
   * memory.
   */
  constructor(heap: MallocFamily<B>, pointerOf: (view: ArrayBufferView) => number) {
    this.#heap = heap;
    this.#pointerOf = pointerOf;
  }

  /** Number of blocks that the end of the scope will free. */
  get size(): number {
    return this.#blocks.size;
  }

  /** {@link Heap.malloc}. */
  malloc(bytes: number): number {
    return this.#add(this.#heap.malloc(bytes));
  }

  /** {@link Heap.calloc}. */
  calloc(count: number, size: number): number {
    return this.#add(this.#heap.calloc(count, size));
  }

  /** {@link Heap.alignedAlloc}. */
  alignedAlloc(alignment: number, bytes: number): number {
    return this.#add(this.#heap.alignedAlloc(alignment, bytes));
  }

  /** {@link Heap.realloc}. The block belongs to the scope afterwards, even if it did not before. */
  realloc(ptr: number, bytes: number): number {
    const moved = this.#heap.realloc(ptr, bytes);
    if (moved !== 0) this.#blocks.delete(ptr);
    return this.#add(moved);
  }

  /** {@link Heap.allocArray}. */
  allocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C, B> | null {
    return this.#addView(this.#heap.allocArray(type, length));
  }

  /** {@link Heap.callocArray}. */
  callocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C, B> | null {
    return this.#addView(this.#heap.callocArray(type, length));
  }

  /** {@link Heap.reallocArray}. The block belongs to the scope afterwards, even if it did not before. */
  reallocArray<V extends HeapView>(view: V, length: number): Plain<V, B> | null {
    const ptr = this.#pointerOf(view);
    const moved = this.#heap.reallocArray(view, length);
    if (moved !== null) this.#blocks.delete(ptr);
    return this.#addView(moved);
  }

  /** {@link Heap.free}, now instead of at the end of the scope. */
  free(ptr: number | ArrayBufferView): void {
    const address = this.#addressOf(ptr);
    this.#heap.free(ptr);
    this.#blocks.delete(address);
  }

  /**
   * Lets the block at `ptr`, or the block at which a view begins, outlive the scope: the caller must free it. Returns
   * `ptr`.
   *
   * @throws TypeError, BuddyError if a view is not on the heap's memory, as {@link Heap.free}.
   */
  keep<P extends number | ArrayBufferView>(ptr: P): P {
    this.#blocks.delete(this.#addressOf(ptr));
    return ptr;
  }

  /**
   * Frees all blocks of the scope that are still live. The scope is then empty, and may be used again. If a block
   * cannot be freed, such as a damaged block of a DebugHeap, that block stays in the scope, and the others are freed
   * nevertheless.
   *
   * @throws what {@link Heap.free} throws, after the last block; an AggregateError of all errors, in order of
   * allocation, if there are several.
   * @throws BuddyError `DETACHED` if the heap is detached; nothing has changed then.
   */
  dispose(): void {
    const heap = this.#heap;
    if (this.#blocks.size > 0) heap.isAllocated(0); // throws DETACHED once for all blocks
    const errors: unknown[] = [];
    for (const ptr of this.#blocks.keys()) {
      try {
        // The heap may have been cleared, and trimmed so that it ends before the block.
        if (heap.isAllocated(ptr)) heap.free(ptr);
        this.#blocks.delete(ptr);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} blocks could not be freed`);
  }

  /** {@link dispose}, for `using`. */
  [dispose](): void {
    this.dispose();
  }

  #add(ptr: number): number {
    if (ptr !== 0) this.#blocks.set(ptr, true);
    return ptr;
  }

  #addView<V extends ArrayBufferView>(view: V | null): V | null {
    if (view !== null) this.#add(view.byteOffset);
    return view;
  }

  #addressOf(ptr: number | ArrayBufferView): number {
    return typeof ptr === 'number' ? ptr : this.#pointerOf(ptr);
  }
}
