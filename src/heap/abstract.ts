// The part that every kind of heap has in common. A kind of heap adds malloc, realloc and free, which are its hot
// paths.

import { checkInteger, checkWithin } from '../base/arguments.ts';
import { HeapBlock } from './block.ts';
import {
  blockHolding,
  blockSize,
  type HeapRegion,
  type MemoryBlock,
  pointerOf,
  sizeAt,
} from './bookkeeping.ts';
import { type HeapImports, importsOf } from './imports.ts';
import type { MallocFamily } from './malloc.ts';
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
  /** Bytes that the heap can hand out at its present size: live and free blocks, without what it keeps for itself. */
  readonly capacity: number;
  /** In live blocks, rounding up included. */
  readonly used: number;
  /** In free blocks. */
  readonly free: number;
  /** Size of the largest request that has room without growth. */
  readonly largestFree: number;
  /** Number of live blocks. */
  readonly liveBlocks: number;
  /** External fragmentation: 1 - largestFree / free; 0 if nothing is free. */
  readonly externalFragmentation: number;
  /** Size of the allocator's state, wherever that is. */
  readonly metadataBytes: number;
}

/** The part that Heap and SharedHeap have in common. */
export abstract class AbstractHeap<B extends ArrayBufferLike = ArrayBufferLike> implements MallocFamily<B> {
  readonly #region: HeapRegion;
  #imports: HeapImports | undefined;

  /** A heap of the blocks of `region`. */
  constructor(region: HeapRegion) {
    this.#region = region;
  }

  /**
   * The present buffer. That of a WebAssembly memory is replaced by another whenever the memory grows. If another party
   * makes a shared memory grow, this may still be the former buffer, which stays valid.
   */
  get buffer(): B {
    return this.#region.buffer as B;
  }

  /** The least block, and what every pointer is a multiple of. */
  get unit(): number {
    return this.#region.unit;
  }

  /** The first byte that the heap may use. */
  get start(): number {
    return this.#region.start;
  }

  /** The byte behind the last one that the heap uses. It moves as the heap grows. */
  get end(): number {
    return this.#region.end;
  }

  /**
   * The end beyond which the heap never grows; the present {@link end} if it does not grow at all. A WebAssembly.Memory
   * does not tell its own maximum, which may be less.
   */
  get maximum(): number {
    return this.#region.highestEnd;
  }

  /** Allocates `bytes` bytes. Returns the pointer; 0 if there is no room. */
  abstract malloc(bytes: number): number;

  /** Allocates `bytes` bytes at a multiple of `alignment`, a power of two. Returns the pointer; 0 if there is no room. */
  abstract alignedAlloc(alignment: number, bytes: number): number;

  /**
   * Gives the block at `ptr` room for `bytes` bytes. Returns the pointer, the same or another; 0 if there is no room.
   */
  abstract realloc(ptr: number, bytes: number): number;

  /** Frees the block at `ptr`, or the block at which a view on the heap's memory begins. `free(0)` does nothing. */
  abstract free(ptr: number | ArrayBufferView): void;

  /**
   * Allocates `count * size` bytes, all zero. As {@link malloc}, and O(count * size).
   *
   * @returns the pointer; 0 if there is no room and the heap cannot grow, as for a product beyond all memory.
   * @throws TypeError if an argument is not a number.
   * @throws RangeError if one is not an integer from 0 up.
   */
  calloc(count: number, size: number): number {
    const bytes = bytesOf(checkInteger('count', count), checkInteger('size', size));
    const ptr = this.malloc(bytes);
    if (ptr === 0) return 0;
    try {
      this.#region.bytesTo(ptr + bytes).fill(0, ptr, ptr + bytes);
    } catch (error) {
      this.free(ptr);
      throw error;
    }
    return ptr;
  }

  /**
   * Bytes of the block at `ptr`: the size that was asked for, rounded up. O(log size).
   *
   * @throws what {@link free} throws.
   */
  usableSize(ptr: number): number {
    return blockSize(this.#region.attached(), ptr);
  }

  /**
   * Whether a live block starts at `ptr`, so that {@link free} would take it; false beyond the heap's end. O(log size).
   *
   * @throws TypeError if `ptr` is not a number.
   * @throws RangeError if it is not an integer from 0 up.
   */
  isAllocated(ptr: number): boolean {
    return sizeAt(this.#region.attached(), ptr) !== 0;
  }

  /**
   * Allocates an array of `length` elements, of `length` bytes for a DataView, with arbitrary content. {@link free}
   * takes the view. As {@link malloc}.
   *
   * @returns a view on the block; null if there is no room and the heap cannot grow.
   * @throws TypeError if `type` is not a constructor of views, or `length` is not a number.
   * @throws RangeError if `length` is not an integer from 0 up.
   */
  allocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C, B> | null {
    const bytes = bytesOf(checkInteger('length', length), elementSize(type));
    return this.#viewOf(this.malloc(bytes), bytes, type, length);
  }

  /**
   * Allocates a copy of `view`, of the same type. As {@link malloc}, and O(bytes).
   *
   * @returns the copy; null if there is no room and the heap cannot grow.
   * @throws TypeError if `view` is not a typed array or a DataView.
   */
  allocFrom<V extends HeapView>(view: V): Plain<V, B> | null {
    if (!ArrayBuffer.isView(view)) throw new TypeError('allocFrom takes a typed array or a DataView');
    const { buffer, byteOffset, byteLength } = view;
    const isOurs = buffer === this.buffer;
    const type = typeOf(view);
    const copy = this.allocArray(type, byteLength / elementSize(type));
    if (copy === null) return null;
    // The heap's own bytes may be in another buffer now.
    const bytes = new Uint8Array(isOurs ? this.buffer : buffer, byteOffset, byteLength);
    new Uint8Array(copy.buffer, copy.byteOffset, byteLength).set(bytes);
    return copy as Plain<V, B>;
  }

  /** {@link allocArray} with all elements zero. */
  callocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C, B> | null {
    const size = elementSize(type);
    return this.#viewOf(this.calloc(length, size), length * size, type, length);
  }

  /**
   * {@link realloc} of the block at which `view` begins, for `length` elements. The old view must not be used any more.
   *
   * @returns a view of the same type; null if there is no room, and then the block is as it was.
   * @throws what {@link realloc} and {@link free} throw.
   */
  reallocArray<V extends HeapView>(view: V, length: number): Plain<V, B> | null {
    const ptr = pointerOf(this.#region, view);
    const type = typeOf(view);
    const moved = this.realloc(ptr, bytesOf(checkInteger('length', length), elementSize(type)));
    return moved === 0 ? null : (makeView(type, this.buffer, moved, length) as Plain<V, B>);
  }

  /**
   * A view on part of a live block: `length` elements from `ptr` on, or as many as the block has room for. O(log size).
   *
   * @throws TypeError if `type` is not a constructor of views, or an argument is not a number.
   * @throws RangeError if a number is not an integer or out of range, `ptr` is not a multiple of the element's size, or
   * the view would reach beyond the block.
   * @throws BuddyError `NOT_ALLOCATED` if `ptr` is not in a live block.
   */
  view<C extends ArrayConstructor>(ptr: number, type: C, length?: number): ViewOf<C, B> {
    const size = elementSize(type);
    const region = this.#region.attached();
    const block = blockHolding(region, ptr);
    if (ptr % size !== 0)
      throw new RangeError(`pointer ${ptr} is not a multiple of ${size}, the element's size`);
    const room = Math.floor((block.ptr + block.size - ptr) / size);
    const count = length === undefined ? room : checkWithin('length', length, 0, room);
    return makeView(type, this.buffer, ptr, count);
  }

  /**
   * {@link malloc} as an object that frees its block when a `using` declaration goes out of scope.
   *
   * @returns null if there is no room and the heap cannot grow; `using` takes null as well.
   */
  block(bytes: number): HeapBlock<B> | null {
    const ptr = this.malloc(bytes);
    return ptr === 0 ? null : new HeapBlock(this, ptr, bytes);
  }

  /** A scope: at its end it frees all blocks that were allocated through it. */
  scope(): HeapScope<B> {
    return new HeapScope(this, (view) => pointerOf(this.#region, view));
  }

  /**
   * The functions that a WebAssembly module needs to allocate on this heap, for its import object: `{ env: heap.imports
   * }`. They take pointers and sizes as unsigned. Misuse throws, which the module sees as a trap.
   */
  get imports(): HeapImports {
    this.#imports ??= importsOf(this, (end) => this.#region.bytesTo(end));
    return this.#imports;
  }

  /**
   * The live block that holds the byte at `ptr`; undefined if none does, as beyond the heap's end. O(1) mostly.
   *
   * @throws TypeError if `ptr` is not a number.
   * @throws RangeError if it is not an integer from 0 up.
   */
  blockOf(ptr: number): MemoryBlock | undefined {
    const region = this.#region.attached();
    return checkInteger('pointer', ptr) < region.end ? region.blockAt(ptr) : undefined;
  }

  /**
   * All live blocks, in address order. O(size) for all of them. The heap must not be changed while one iterates; in a
   * shared heap a block that another worker is splitting or coalescing shows as live.
   */
  blocks(): Generator<MemoryBlock, void, undefined> {
    return generate(this.#region.attached());
  }

  /** Figures of the heap at this moment. */
  stats(): HeapStats {
    const region = this.#region.attached();
    const { used, free, largestFree, liveBlocks } = region.figures();
    return {
      capacity: used + free,
      used,
      free,
      largestFree,
      liveBlocks,
      externalFragmentation: free === 0 ? 0 : 1 - largestFree / free,
      metadataBytes: region.metadataBytes,
    };
  }

  /**
   * A view of all `bytes` bytes asked for of the fresh block at `ptr`; null for a null pointer. If there can be no
   * view, as in a memory that was cut or from a constructor that throws, the block is freed.
   */
  #viewOf<C extends ArrayConstructor>(
    ptr: number,
    bytes: number,
    type: C,
    length: number,
  ): ViewOf<C, B> | null {
    if (ptr === 0) return null;
    try {
      return makeView(type, this.buffer, ptr, length);
    } catch (error) {
      this.free(ptr);
      this.#region.bytesTo(ptr + bytes); // throws a better error if the memory was cut
      throw error;
    }
  }

  /**
   * Verifies every invariant of the heap's state. Returns the violated ones in words; nothing if it is sound. In a
   * shared heap only meaningful if no other worker is in a call and the dead are recovered. O(size).
   */
  check(): string[] {
    return this.#region.attached().check();
  }
}

// Not a method that is a generator itself: an error is to be thrown by the call, not by the first step.
function* generate(region: HeapRegion): Generator<MemoryBlock, void, undefined> {
  yield* region.liveBlocks();
}
