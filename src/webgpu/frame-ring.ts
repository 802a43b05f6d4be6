// One buffer of a FramePool: a ring of bytes. Ranges are taken one after another, and given back in the same order,
// all of a frame at once.
//
// The bytes in use reach from the tail, where the oldest frame begins, to the head, where the newest range ends. Once
// the head has wrapped to the start of the buffer, they reach from the tail to the end, and from the start to the
// head:
//
//       0        tail       head      size          0        head       tail      size
//       |  free   |##########|  free   |            |#########|   free   |#########|
//
// A range does not wrap. If it does not fit between the head and the end, these bytes are skipped; they come back
// with the frame that skipped them.

import { assert, DEV } from '../base/assert.ts';
import type { GpuBuffer } from './types.ts';

/** What {@link FrameRing.find} returns if there is no room. */
export const NO_ROOM = -1;

/** A buffer of `size` bytes. All numbers are bytes, or numbers of frames. */
export class FrameRing<B extends GpuBuffer> {
  readonly buffer: B;
  readonly size: number;
  /** Number of the last frame that has taken a range. The ring is empty if the GPU is done with that frame. */
  lastFrame: number;
  #head = 0;
  #tail = 0;
  /** End of the free bytes behind the head: the tail if the head has wrapped, otherwise the size. */
  #limit: number;
  #wrapped = false;

  /** An empty ring. `doneFrame` is the number of a frame that the GPU is done with. */
  constructor(buffer: B, size: number, doneFrame: number) {
    this.buffer = buffer;
    this.size = size;
    this.lastFrame = doneFrame;
    this.#limit = size;
  }

  /** End of the range taken last. */
  get head(): number {
    return this.#head;
  }

  /** Offset at which `size` bytes at a multiple of `alignment` have room; {@link NO_ROOM} if none has. O(1). */
  find(size: number, alignment: number): number {
    const beyond = this.#head % alignment;
    const offset = beyond === 0 ? this.#head : this.#head + alignment - beyond;
    if (offset + size <= this.#limit) return offset;
    return !this.#wrapped && size <= this.#tail ? 0 : NO_ROOM;
  }

  /**
   * Takes the `size` bytes at `offset`, which {@link find} has returned, for `frame`. Returns the bytes that are no
   * longer free: these, and those skipped before them. O(1).
   */
  take(offset: number, size: number, frame: number): number {
    const before = this.#head;
    const wraps = offset < before;
    if (wraps) {
      this.#wrapped = true;
      this.#limit = this.#tail;
    }
    this.#head = offset + size;
    this.lastFrame = frame;
    if (DEV) assert(this.#head <= this.#limit, 'a range taken from a ring was free');
    return wraps ? this.size - before + this.#head : this.#head - before;
  }

  /**
   * Gives back all up to `end`, the head at the end of `frame`. Earlier frames have been given back before, or are
   * given back with it. O(1).
   */
  release(end: number, frame: number): void {
    if (this.lastFrame === frame) {
      // The ring is empty: the next range may begin at 0, and be as large as the buffer.
      this.#head = 0;
      this.#tail = 0;
      this.#wrapped = false;
    } else {
      // They are equal only if the frame has filled the ring, and then no later frame has a range in it.
      if (DEV) assert(end !== this.#tail, 'a frame in a ring has bytes');
      // An end before the tail lies beyond the wrap.
      if (end < this.#tail) this.#wrapped = false;
      this.#tail = end;
    }
    this.#limit = this.#wrapped ? this.#tail : this.size;
  }
}
