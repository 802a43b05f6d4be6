// A set of blocks that are freed together.

import type { AbstractHeap } from './abstract.ts';
import { dispose } from './dispose.ts';
import { ADDRESSABLE } from './memory.ts';
import type { ArrayConstructor, HeapView, Plain, ViewOf } from './views.ts';

/**
 * What is allocated through a scope, from {@link Heap.scope}, is freed at its end: `using scope = heap.scope()`. All is as
 * the heap's method of the same name does it. A block of the scope must be freed, if earlier, through the scope, since its
 * address may be another block's by the end.
 */
export class HeapScope {
  readonly #heap: AbstractHeap;
  /** The blocks' pointers as the heap gave them, by address: DebugHeap's may carry more than that. */
  readonly #blocks = new Map<number, number>();

  readonly #pointerOf: (view: ArrayBufferView) => number;

  /** An empty scope. `pointerOf` tells where a view on the heap's memory begins, and throws when it is none. */
  constructor(heap: AbstractHeap, pointerOf: (view: ArrayBufferView) => number) {
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

  /** {@link Heap.realloc}. The block is the scope's afterwards, whosever it was. */
  realloc(ptr: number, bytes: number): number {
    const moved = this.#heap.realloc(ptr, bytes);
    if (moved !== 0) this.#blocks.delete(this.#addressOf(ptr));
    return this.#add(moved);
  }

  /** {@link Heap.allocArray}. */
  allocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C> | null {
    return this.#addView(this.#heap.allocArray(type, length));
  }

  /** {@link Heap.callocArray}. */
  callocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C> | null {
    return this.#addView(this.#heap.callocArray(type, length));
  }

  /** {@link Heap.reallocArray}. The block is the scope's afterwards, whosever it was. */
  reallocArray<V extends HeapView>(view: V, length: number): Plain<V> | null {
    const address = this.#addressOf(view);
    const moved = this.#heap.reallocArray(view, length);
    if (moved !== null) this.#blocks.delete(address);
    return this.#addView(moved);
  }

  /** {@link Heap.free}, for a block that the scope need not free any more. */
  free(ptr: number | ArrayBufferView): void {
    const address = this.#addressOf(ptr);
    this.#heap.free(ptr);
    this.#blocks.delete(address);
  }

  /**
   * Lets the block at `ptr`, or where a view begins, outlive the scope: it is the caller's to free. Returns `ptr`.
   *
   * @throws TypeError, BuddyError when a view is none on the heap's memory, as {@link Heap.free}.
   */
  keep<P extends number | ArrayBufferView>(ptr: P): P {
    this.#blocks.delete(this.#addressOf(ptr));
    return ptr;
  }

  /**
   * Frees all blocks of the scope that still live. The scope is then empty, and may be used again. A block of which the free
   * throws, as DebugHeap's does for a damaged one, keeps no other from being freed, and stays in the scope.
   *
   * @throws what {@link Heap.free} throws, after the last block; an AggregateError of all, in order of allocation, when
   * there are several.
   * @throws BuddyError `DETACHED` when the memory has been transferred away; nothing has changed then.
   */
  dispose(): void {
    if (this.#blocks.size > 0) void this.#heap.buffer; // throws once for all blocks when there is no memory
    const errors: unknown[] = [];
    for (const [address, ptr] of this.#blocks) {
      try {
        // The heap may have been cleared and trimmed, and end before it.
        if (address < this.#heap.end && this.#heap.isAllocated(ptr)) this.#heap.free(ptr);
        this.#blocks.delete(address);
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
    if (ptr !== 0) this.#blocks.set(this.#addressOf(ptr), ptr);
    return ptr;
  }

  #addView<V extends ArrayBufferView>(view: V | null): V | null {
    if (view !== null) this.#add(view.byteOffset);
    return view;
  }

  /** The address in a pointer, or where a view begins. */
  #addressOf(ptr: number | ArrayBufferView): number {
    return typeof ptr === 'number' ? ptr % ADDRESSABLE : this.#pointerOf(ptr);
  }
}
