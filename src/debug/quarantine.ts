// The freed blocks that may not be allocated again yet: first in, first out, within a number of bytes.

import type { DebugBlock } from './block.ts';

/** The freed blocks, in the order in which they were freed. Every operation is O(1), amortised. */
export class Quarantine {
  /**
   * The blocks, from `#first` on. Not a Set: an iterator of one walks over all entries that were deleted before the
   * oldest.
   */
  #blocks: DebugBlock[] = [];
  #first = 0;
  readonly #limit: number;
  #bytes = 0;

  /** A quarantine for blocks of `limit` bytes in all, red zones included. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Number of blocks. */
  get size(): number {
    return this.#blocks.length - this.#first;
  }

  /** The block that was freed first; undefined if there is none. */
  get oldest(): DebugBlock | undefined {
    return this.#blocks[this.#first];
  }

  /** Whether there is room for `block` once other blocks have left. */
  admits(block: DebugBlock): boolean {
    return bytesOf(block) <= this.#limit;
  }

  /** Whether the oldest block must leave before `block` comes in. */
  isFullFor(block: DebugBlock): boolean {
    return this.admits(block) && this.#bytes + bytesOf(block) > this.#limit;
  }

  /** Adds `block`, for which there is room. */
  add(block: DebugBlock): void {
    this.#blocks.push(block);
    this.#bytes += bytesOf(block);
  }

  /** Removes the oldest block. There must be one. */
  removeOldest(): void {
    this.#bytes -= bytesOf(this.#blocks[this.#first++]);
    if (this.#first <= this.#blocks.length / 2) return;
    this.#blocks = this.#blocks.slice(this.#first);
    this.#first = 0;
  }

  /** Removes all blocks. */
  clear(): void {
    this.#blocks = [];
    this.#first = 0;
    this.#bytes = 0;
  }
}

function bytesOf(block: DebugBlock): number {
  return block.end - block.base;
}
