// The bookkeeping of blocks that all heaps have in common: from pointers and views to blocks, and to errors that
// explain misuse.

import { checkInteger, checkWithin } from '../base/arguments.ts';
import { isSharedArrayBuffer } from '../base/buffers.ts';
import { BuddyError } from '../base/errors.ts';
import { offsetOf } from './views.ts';

/** A live block of a heap. */
export interface MemoryBlock {
  /** The pointer to the block. */
  readonly ptr: number;
  /** Bytes of the block, rounding up included. */
  readonly size: number;
}

/** Counts of a region at one moment. All but `liveBlocks` are bytes. */
export interface RegionFigures {
  readonly used: number;
  readonly free: number;
  readonly largestFree: number;
  readonly liveBlocks: number;
}

/** The region of a heap, as the bookkeeping sees it. All numbers are bytes. */
export interface HeapRegion {
  /** The present buffer. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  readonly unit: number;
  /** First byte of the region. */
  readonly start: number;
  /** End of the region at present. */
  readonly end: number;
  /** The end beyond which the region never grows. */
  readonly highestEnd: number;
  /** Size of the state, wherever it lies. */
  readonly metadataBytes: number;

  /** This region, up to date with its memory. Throws a BuddyError `DETACHED` if the heap can no longer be used. */
  attached(): this;
  /** Whether the heap never hands out the byte at `ptr`, 0 … 2^32 - 1. */
  isOwn(ptr: number): boolean;
  /** The live block that holds the byte at `ptr`, 0 … 2^32 - 1; undefined if none does. */
  blockAt(ptr: number): MemoryBlock | undefined;
  /** All live blocks, in address order. */
  liveBlocks(): Iterable<MemoryBlock>;
  figures(): RegionFigures;
  /** Whether `buffer` shows the bytes of the region's memory. */
  holds(buffer: ArrayBufferLike): boolean;
  /**
   * A view of the memory that reaches to `end` at least, a byte of the region. Throws a BuddyError `TRUNCATED` if the
   * memory was cut.
   */
  bytesTo(end: number): Uint8Array;
  /** Every violated invariant, in words. */
  check(): string[];
}

/** Bytes of the live block that starts at `ptr`, any number; 0 if none does. */
export function sizeAt(region: HeapRegion, ptr: number): number {
  if (!(checkInteger('pointer', ptr) < region.end)) return 0;
  const block = region.blockAt(ptr);
  return block?.ptr === ptr ? block.size : 0;
}

/** Bytes of the live block at `ptr`. Throws if no block starts there. */
export function blockSize(region: HeapRegion, ptr: number): number {
  const block = typeof ptr === 'number' && ptr >= 0 && ptr < region.end ? region.blockAt(ptr) : undefined;
  if (block === undefined || block.ptr !== ptr) throw misuse(region, ptr);
  return block.size;
}

/** Throws unless the block at `ptr` may have been allocated with `size` bytes. `keeper` is the heap if it keeps sizes. */
export function checkFreedSize(
  region: HeapRegion,
  ptr: number,
  size: number,
  keeper: { lengthOf(ptr: number): number } | undefined,
): void {
  checkInteger('size', size);
  if (ptr === 0) return;
  const usable = blockSize(region.attached(), ptr);
  const asked = keeper?.lengthOf(ptr);
  if (asked === undefined ? size <= usable : size === asked) return;
  throw new RangeError(`the block at ${ptr} has ${asked ?? usable} bytes, not ${size}`);
}

/** The live block that holds the byte at `ptr`. Throws if no block does. */
export function blockHolding(region: HeapRegion, ptr: number): MemoryBlock {
  checkWithin('pointer', ptr, 0, region.end - 1);
  const block = region.blockAt(ptr);
  if (block === undefined) throw misuse(region, ptr);
  return block;
}

/**
 * The pointer at which `view` begins. Throws if the view is not on the region's memory, or no block can start there.
 */
export function pointerOf(region: HeapRegion, view: ArrayBufferView): number {
  if (!ArrayBuffer.isView(view)) {
    throw new TypeError(`pointer must be of type number, or a view, not ${typeof view}`);
  }
  const { buffer } = view;
  if (!region.attached().holds(buffer)) {
    throw buffer.byteLength === 0 && !isSharedArrayBuffer(region.buffer)
      ? new BuddyError('DETACHED', 'the view is detached, as by growth of its memory; use the pointer')
      : new BuddyError('FOREIGN', "the view is not on the heap's memory");
  }
  const ptr = offsetOf(view);
  // No block is at 0, although `free(0)` is allowed; and a view that has lost its bytes appears to begin there.
  if (ptr === 0) throw misuse(region, 0);
  return ptr;
}

/** Why no live block starts at `ptr`, or none holds that byte. */
export function misuse(region: HeapRegion, ptr: number): Error {
  checkWithin('pointer', ptr, 0, region.attached().end - 1);
  if (region.isOwn(ptr)) return new BuddyError('NOT_ALLOCATED', `the heap does not hand out byte ${ptr}`);
  const block = region.blockAt(ptr);
  // In a shared heap another worker may have allocated the block in the meantime.
  return block === undefined || block.ptr === ptr
    ? new BuddyError('NOT_ALLOCATED', `byte ${ptr} is free: freed already, or never allocated`)
    : new BuddyError('INTERIOR', `byte ${ptr} is inside the block at ${block.ptr}`);
}
