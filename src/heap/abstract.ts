// What every heap does by way of its malloc, calloc, realloc and free: typed arrays, blocks, scopes, imports.

import { checkInteger, checkWithin } from '../base/arguments.ts';
import { HeapBlock } from './block.ts';
import { type HeapImports, importsOf } from './imports.ts';
import { bytesOf } from './memory.ts';
import { HeapScope } from './scope.ts';
import {
  type ArrayConstructor,
  elementSize,
  type HeapView,
  makeView,
  type Plain,
  typeOf,
  type ViewOf,
} from './views.ts';

/** Figures of a heap at one moment. All but the counts are bytes. */
export interface HeapStats {
  /** What the heap can hand out at its present size: live and free blocks, without what it keeps for itself. */
  readonly capacity: number;
  /** In live blocks, rounding up included. */
  readonly used: number;
  /** In free blocks. */
  readonly free: number;
  /** Size of the largest request that has room without growth. */
  readonly largestFree: number;
  /** Number of live blocks. */
  readonly liveBlocks: number;
  /** External fragmentation: 1 - largestFree / free; 0 when nothing is free. */
  readonly externalFragmentation: number;
  /** Size of the allocator's state, wherever that is. */
  readonly metadataBytes: number;
}

/** The part that Heap and SharedHeap have in common. */
export abstract class AbstractHeap {
  #imports: HeapImports | undefined;

  /** The present buffer. That of a WebAssembly memory is replaced by another whenever the memory grows. */
  abstract get buffer(): ArrayBuffer | SharedArrayBuffer;

  /** The byte behind the last one that the heap uses; it moves as the heap grows. */
  abstract get end(): number;

  /** Allocates `bytes` bytes. Returns the pointer; 0 when there is no room. */
  abstract malloc(bytes: number): number;

  /** Allocates `count * size` bytes, all zero. Returns the pointer; 0 when there is no room. */
  abstract calloc(count: number, size: number): number;

  /** Gives the block at `ptr` room for `bytes` bytes. Returns the pointer, the same or another; 0 when there is no room. */
  abstract realloc(ptr: number, bytes: number): number;

  /** Allocates `bytes` bytes at a multiple of `alignment`. Returns the pointer; 0 when there is no room. */
  abstract alignedAlloc(alignment: number, bytes: number): number;

  /** Frees the block at `ptr`, or the one that begins where a view on the heap's memory does. `free(0)` does nothing. */
  abstract free(ptr: number | ArrayBufferView): void;

  /** Whether a live block starts at `ptr`. */
  abstract isAllocated(ptr: number): boolean;

  /** Where `view`, one on this heap's memory, begins. Throws when it is none, or can be at no block. */
  protected abstract pointerOf(view: ArrayBufferView): number;

  /** The byte behind the live block that holds the byte at `ptr`, one before the end. Throws when none does. */
  protected abstract endOfBlock(ptr: number): number;

  /**
   * Allocates an array of `length` elements, of `length` bytes for a DataView, which hold whatever was there.
   * {@link free} takes the view. As {@link malloc}.
   *
   * @returns a view on the block; null when there is no room and the heap cannot grow.
   * @throws TypeError when `type` makes no views, or `length` is not a number.
   * @throws RangeError when `length` is not an integer from 0 up.
   */
  allocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C> | null {
    const ptr = this.malloc(bytesOf(checkInteger('length', length), elementSize(type)));
    return ptr === 0 ? null : makeView(type, this.buffer, ptr, length);
  }

  /** {@link allocArray} with all elements zero. */
  callocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C> | null {
    const ptr = this.calloc(length, elementSize(type));
    return ptr === 0 ? null : makeView(type, this.buffer, ptr, length);
  }

  /**
   * {@link realloc} of the block at which `view` begins, for `length` elements. The old view is not to be used any more.
   *
   * @returns a view of the same type; null when there is no room, and then the block is as it was.
   * @throws what {@link realloc} and {@link free} throw.
   */
  reallocArray<V extends HeapView>(view: V, length: number): Plain<V> | null {
    const ptr = this.pointerOf(view);
    const type = typeOf(view);
    const moved = this.realloc(ptr, bytesOf(checkInteger('length', length), elementSize(type)));
    return moved === 0 ? null : (makeView(type, this.buffer, moved, length) as Plain<V>);
  }

  /**
   * A view on part of a live block: `length` elements from `ptr` on, or as many as the block has room for. O(log size).
   *
   * @throws TypeError when `type` makes no views, or a number is none.
   * @throws RangeError when a number is not an integer or out of range, `ptr` no multiple of the element's size, or the view
   * would reach beyond the block.
   * @throws BuddyError `NOT_ALLOCATED` when `ptr` is in no live block.
   */
  view<C extends ArrayConstructor>(ptr: number, type: C, length?: number): ViewOf<C> {
    const { buffer } = this;
    const size = elementSize(type);
    checkWithin('pointer', ptr, 0, this.end - 1);
    if (ptr % size !== 0)
      throw new RangeError(`pointer ${ptr} is no multiple of ${size}, the element's size`);
    const room = Math.floor((this.endOfBlock(ptr) - ptr) / size);
    const count = length === undefined ? room : checkWithin('length', length, 0, room);
    return makeView(type, buffer, ptr, count);
  }

  /**
   * {@link malloc} as an object that frees its block when a `using` declaration goes out of scope.
   *
   * @returns null when there is no room and the heap cannot grow; `using` takes that too.
   */
  block(bytes: number): HeapBlock | null {
    const ptr = this.malloc(bytes);
    return ptr === 0 ? null : new HeapBlock(this, ptr, bytes);
  }

  /** A scope: what is allocated through it is freed at its end. */
  scope(): HeapScope {
    return new HeapScope(this, (view) => this.pointerOf(view));
  }

  /**
   * The functions that a WebAssembly module needs to allocate on this heap, for its import object: `{ env: heap.imports }`.
   * Pointers and sizes are taken as unsigned. Misuse throws, which the module sees as a trap.
   */
  get imports(): HeapImports {
    this.#imports ??= importsOf(this);
    return this.#imports;
  }
}
