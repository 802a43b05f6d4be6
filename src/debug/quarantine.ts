// Freed blocks that are kept from being allocated again for a while: first in, first out, within a number of bytes.

import type { DebugBlock } from './block.ts';

/** Iterates over the freed blocks, the one freed first to begin with. Blocks may be removed meanwhile. */
export class Quarantine {
  readonly #blocks = new Set<DebugBlock>();
  readonly #limit: number;
  #bytes = 0;

  /** Holds blocks of `limit` bytes in all, red zones included. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Number of blocks. */
  get size(): number {
    return this.#blocks.size;
  }

  /** Whether there is room for `block` once others have left. */
  admits(block: DebugBlock): boolean {
    return bytesOf(block) <= this.#limit;
  }

  /** The blocks that have to leave before `block` comes in, as long as each is removed before the next is asked for. */
  *leavingFor(block: DebugBlock): Generator<DebugBlock, void, undefined> {
    if (!this.admits(block)) return;
    for (const oldest of this.#blocks) {
      if (this.#bytes + bytesOf(block) <= this.#limit) return;
      yield oldest;
    }
  }

  add(block: DebugBlock): void {
    this.#blocks.add(block);
    this.#bytes += bytesOf(block);
  }

  remove(block: DebugBlock): void {
    this.#blocks.delete(block);
    this.#bytes -= bytesOf(block);
  }

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
