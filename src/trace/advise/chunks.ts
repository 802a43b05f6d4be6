// The chunks of a simulated heap in address order: live blocks and the free chunks between them.

import { float64s, int32s } from '../memory.ts';

/** Stands for a chunk that does not exist. */
export const NO_CHUNK = -1;

/**
 * A list of chunks that cover a heap from address 0 to its end. Chunks have numbers below a limit. The limit itself is
 * the number of the end of the heap, which counts as a chunk without size. Addresses are exact up to 2^53.
 */
export class ChunkList {
  /** The number of the end of the heap. */
  readonly end: number;
  readonly #start: Float64Array;
  /** The neighbours of each chunk. */
  readonly #below: Int32Array;
  readonly #above: Int32Array;

  /** A heap without chunks, for chunks with the numbers from 0 up to, not including, `limit`. */
  constructor(limit: number) {
    this.end = limit;
    this.#start = float64s(limit + 1);
    this.#below = int32s(limit + 1);
    this.#above = int32s(limit + 1);
    this.#below[limit] = NO_CHUNK;
  }

  /** The address of the begin of a chunk. */
  startOf(chunk: number): number {
    return this.#start[chunk];
  }

  /** The address of the end of a chunk. */
  endOf(chunk: number): number {
    return this.#start[this.#above[chunk]];
  }

  sizeOf(chunk: number): number {
    return this.endOf(chunk) - this.#start[chunk];
  }

  /** The chunk below; {@link NO_CHUNK} if there is none. */
  below(chunk: number): number {
    return this.#below[chunk];
  }

  /** The chunk above, or the end of the heap. */
  above(chunk: number): number {
    return this.#above[chunk];
  }

  /** Moves the begin of a chunk, and so the end of the chunk below. */
  moveStart(chunk: number, start: number): void {
    this.#start[chunk] = start;
  }

  /** Puts a chunk below another one, from its begin on; it has no size until that begin moves. */
  insert(chunk: number, above: number): void {
    const below = this.#below[above];
    this.#start[chunk] = this.#start[above];
    this.#below[chunk] = below;
    this.#above[chunk] = above;
    this.#below[above] = chunk;
    if (below !== NO_CHUNK) this.#above[below] = chunk;
  }

  /** Takes a chunk out; its addresses fall to the chunk below, if there is one. */
  remove(chunk: number): void {
    const below = this.#below[chunk];
    const above = this.#above[chunk];
    this.#below[above] = below;
    if (below !== NO_CHUNK) this.#above[below] = above;
  }
}
