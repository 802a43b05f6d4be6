// The bookkeeping of blocks that all heaps have in common: from pointers and views to blocks, and to errors that
// explain misuse.

import { checkInteger, checkWithin } from '../base/arguments.ts';
import type { Block } from '../base/blocks.ts';
import { isSharedArrayBuffer } from '../base/buffers.ts';
import { BuddyError } from '../base/errors.ts';
import { offsetOf } from './views.ts';

/** The region of a heap, as the bookkeeping sees it. Offsets and sizes of blocks are units, all else is bytes. */
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
  /** Units that the heap hands out: live and free, without the reserved ones. */
  readonly units: number;
  /** Size of the state, wherever it lies. */
  readonly metadataBytes: number;

  /** This region, up to date with its memory. Throws a BuddyError `DETACHED` if the heap can no longer be used. */
  attached(): this;
  /** The pointer to the unit at `offset`. */
  pointerTo(offset: number): number;
  /** The offset of the unit that holds the byte at `ptr`, 0 … 2^32 - 1. */
  offsetAt(ptr: number): number;
  /** Whether the heap never hands out the unit at `offset`. */
  isReserved(offset: number): boolean;
  /** Size of the live block that starts at `offset`, a unit that is not reserved; 0 if none does. */
  sizeAt(offset: number): number;
  /** Offset of the live block that holds the unit at `offset`, which is not reserved; -1 if it is free. */
  blockOf(offset: number): number;
  /** All blocks that are not reserved, in address order. */
  blocks(): Iterable<Block>;
  /** Reduces the live block at `offset` to `units` units, as far as that can be done in place. */
  shrink(offset: number, units: number): void;
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

/** Units that a block of `bytes` bytes takes, one at least. Throws a TypeError or a RangeError. */
export function unitsFor({ unit }: HeapRegion, bytes: number): number {
  return Math.max(1, Math.ceil(checkInteger('size', bytes) / unit));
}

/** The offset at which a block at `ptr` would start. Throws if no block can start there. */
export function blockOffset(region: HeapRegion, ptr: number): number {
  const offset = typeof ptr === 'number' ? region.offsetAt(ptr) : -1; // arithmetic asks an object for its value
  if (region.isReserved(offset) || region.pointerTo(offset) !== ptr) {
    throw misuse(region, ptr);
  }
  return offset;
}

/** Units of the live block at `ptr`. Throws if no block starts there. */
export function blockSize(region: HeapRegion, ptr: number): number {
  const size = region.sizeAt(blockOffset(region, ptr));
  if (size === 0) throw misuse(region, ptr);
  return size;
}

/** The byte behind the live block that holds the byte at `ptr`. Throws if no block holds it. */
export function endOfBlock(region: HeapRegion, ptr: number): number {
  checkWithin('pointer', ptr, 0, region.end - 1);
  const offset = region.offsetAt(ptr);
  const start = region.isReserved(offset) ? -1 : region.blockOf(offset);
  const size = start < 0 ? 0 : region.sizeAt(start);
  if (size === 0) throw misuse(region, ptr);
  return region.pointerTo(start) + size * region.unit;
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

/** Why no live block starts at `ptr`, or none holds that byte. O(log size). */
export function misuse(region: HeapRegion, ptr: number): Error {
  checkWithin('pointer', ptr, 0, region.attached().end - 1);
  const offset = region.offsetAt(ptr);
  if (region.isReserved(offset)) {
    return new BuddyError('NOT_ALLOCATED', `the heap does not hand out byte ${ptr}`);
  }
  const start = region.blockOf(offset);
  // In a shared heap another worker may have allocated the block in the meantime.
  return start < 0 || region.pointerTo(start) === ptr
    ? new BuddyError('NOT_ALLOCATED', `byte ${ptr} is free: freed already, or never allocated`)
    : new BuddyError('INTERIOR', `byte ${ptr} is inside the block at ${region.pointerTo(start)}`);
}
