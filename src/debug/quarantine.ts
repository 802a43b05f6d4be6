// The freed blocks that may not be allocated again yet: first in, first out, within a number of bytes.

import type { DebugBlock } from './block.ts';

/** The freed blocks. An iteration begins with the block that was freed first; blocks may be removed meanwhile. */
export class Quarantine {
  readonly #blocks = new Set<DebugBlock>();
  readonly #limit: number;
  #bytes = 0;

  /** A quarantine for blocks of `limit` bytes in all, red zones included. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Number of blocks. */
  get size(): number {
    return this.#blocks.size;
  }

  /** Whether there is room for `block` once other blocks have left. */
  admits(block: DebugBlock): boolean {
    return bytesOf(block) <= this.#limit;
  }

  /** The blocks that must leave before `block` comes in. Remove each before the next is asked for. */
  *leavingFor(block: DebugBlock): Generator<DebugBlock, void, undefined> {
    if (!this.admits(block)) return;
    for (const oldest of this.#blocks) {
      if (this.#bytes + bytesOf(block) <= this.#limit) return;
      yield oldest;
    }
  }

  /** Adds `block`, for which there is room. */
  add(block: DebugBlock): void {
    this.#blocks.add(block);
    this.#bytes += bytesOf(block);
  }

  /** Removes `block`, which is there. */
  remove(block: DebugBlock): void {
    this.#blocks.delete(block);
    this.#bytes -= bytesOf(block);
  }

  /** Removes all blocks. */
  clear(): void {
    this.#blocks.clear();
    this.#bytes = 0;
  }

  [Symbol.iterator](): Iterator<DebugBlock> {
    return this.#blocks.values();
  }
}

function bytesOf(block: DebugBlock): number {
  return block.end - block.base;
}
