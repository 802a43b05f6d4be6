// The malloc family of a heap, as blocks, scopes and WebAssembly imports use it.

import type { ArrayConstructor, HeapView, Plain, ViewOf } from './views.ts';

/** The part of a {@link Heap} on which its blocks, scopes and imports are built. What a member does is said there. */
export interface MallocFamily<B extends ArrayBufferLike = ArrayBufferLike> {
  /** The present buffer. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Allocates `bytes` bytes. Returns the pointer; 0 if there is no room. */
  malloc(bytes: number): number;
  /** Allocates `count * size` bytes, all zero. Returns the pointer; 0 if there is no room. */
  calloc(count: number, size: number): number;
  /**
   * Gives the block at `ptr` room for `bytes` bytes. Returns the pointer, the same or another; 0 if there is no room.
   */
  realloc(ptr: number, bytes: number): number;
  /** Allocates `bytes` bytes at a multiple of `alignment`. Returns the pointer; 0 if there is no room. */
  alignedAlloc(alignment: number, bytes: number): number;
  /** Frees the block at `ptr`, or the block at which a view on the heap's memory begins. `free(0)` does nothing. */
  free(ptr: number | ArrayBufferView): void;
  /** Bytes of the block at `ptr`. */
  usableSize(ptr: number): number;
  /** Whether a live block starts at `ptr`. */
  isAllocated(ptr: number): boolean;
  /** Allocates an array of `length` elements, with arbitrary content. Returns null if there is no room. */
  allocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C, B> | null;
  /** {@link allocArray} with all elements zero. */
  callocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C, B> | null;
  /** {@link realloc} of the block at which `view` begins, for `length` elements. Returns null if there is no room. */
  reallocArray<V extends HeapView>(view: V, length: number): Plain<V, B> | null;
  /** A view on part of a live block. */
  view<C extends ArrayConstructor>(ptr: number, type: C, length?: number): ViewOf<C, B>;
}
