// A heap that keeps its free chunks in address order and takes the lowest one that is large enough.

import { ChunkList, NO_CHUNK } from './chunks.ts';
import { FreeChunks } from './free-chunks.ts';

/**
 * A heap of unlimited size for a fixed number of blocks. A free chunk has the number of a block that was freed in it.
 * Invariant: no two free chunks touch each other, and none touches the end of the heap. So there are at most as many
 * free chunks as live blocks.
 */
export class FirstFitHeap {
  /** The highest end that the heap has had. */
  highest = 0;
  readonly #chunks: ChunkList;
  readonly #free: FreeChunks;

  /** An empty heap for blocks with the numbers from 0 up to, not including, `blocks`. */
  constructor(blocks: number) {
    this.#chunks = new ChunkList(blocks);
    this.#free = new FreeChunks(this.#chunks, Math.ceil(blocks / 2));
  }

  /** Puts a block in the lowest free range of `size`, at the end of the heap if there is none. O(log highest). */
  allocate(block: number, size: number): void {
    const chunks = this.#chunks;
    const found = this.#free.lowest(size);
    const above = found === NO_CHUNK ? chunks.end : found;
    chunks.insert(block, above);
    chunks.moveStart(above, chunks.startOf(above) + size);
    if (above === chunks.end) {
      this.highest = Math.max(this.highest, chunks.startOf(above));
    } else if (chunks.sizeOf(above) > 0) {
      this.#free.resized(above);
    } else {
      this.#free.remove(above);
      chunks.remove(above);
    }
  }

  /** Frees a block, and merges it with the free chunks that it touches. O(log highest). */
  free(block: number): void {
    const chunks = this.#chunks;
    const below = chunks.below(block);
    const above = chunks.above(block);
    if (below !== NO_CHUNK && this.#free.has(below)) {
      this.#free.remove(below);
      chunks.moveStart(block, chunks.startOf(below));
      chunks.remove(below);
    }
    if (above === chunks.end) {
      chunks.moveStart(above, chunks.startOf(block));
      chunks.remove(block);
    } else if (this.#free.has(above)) {
      chunks.moveStart(above, chunks.startOf(block));
      chunks.remove(block);
      this.#free.resized(above);
    } else {
      this.#free.add(block);
    }
  }
}
