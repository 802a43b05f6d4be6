// The free chunks of a heap as a tree that finds the lowest one of at least some size.
//
// It is a binary trie over the addresses at which the chunks end, without nodes of one child (Morrison 1968). So its
// depth is at most the bits of an address, whatever is freed in whatever order: it needs no balancing, and no luck.
// Every node knows the largest chunk below it.

import { float64s, int32s, uint8s } from '../memory.ts';
import { type ChunkList, NO_CHUNK } from './chunks.ts';

/** In place of a node: the chunk or node has nothing above it. */
const TOP = -1;
/** In place of a node: the chunk is not in the tree. */
const ABSENT = -2;

/**
 * The free chunks of a heap. The end of a chunk in the tree must not move; its begin may.
 *
 * A child is a node if it is not negative, else the complement of a chunk's number.
 */
export class FreeChunks {
  readonly #chunks: ChunkList;
  /** The node above each chunk, {@link TOP}, or {@link ABSENT}. */
  readonly #aboveChunk: Int32Array;
  /** The node above each node, or {@link TOP}; of an unused node, the next unused one. */
  readonly #aboveNode: Int32Array;
  /** The child whose addresses have a 0 in the bit of the node, and the one whose addresses have a 1. */
  readonly #zero: Int32Array;
  readonly #one: Int32Array;
  /** The highest bit in which the addresses below a node differ. It falls from node to child. */
  readonly #bit: Uint8Array;
  /** The size of the largest chunk below each node. */
  readonly #largest: Float64Array;
  #root = TOP;
  #count = 0;
  #unused = TOP;
  #nodes = 0;

  /** No chunks yet, and never more than `most` at a time. */
  constructor(chunks: ChunkList, most: number) {
    this.#chunks = chunks;
    this.#aboveChunk = int32s(chunks.end).fill(ABSENT);
    this.#aboveNode = int32s(most);
    this.#zero = int32s(most);
    this.#one = int32s(most);
    this.#bit = uint8s(most);
    this.#largest = float64s(most);
  }

  /** Whether a chunk is in the tree. O(1). */
  has(chunk: number): boolean {
    return this.#aboveChunk[chunk] !== ABSENT;
  }

  /** The lowest chunk of at least `size`; {@link NO_CHUNK} if there is none. O(bits). */
  lowest(size: number): number {
    if (this.#count === 0 || this.#largestIn(this.#root) < size) return NO_CHUNK;
    let child = this.#root;
    while (child >= 0)
      child = this.#largestIn(this.#zero[child]) >= size ? this.#zero[child] : this.#one[child];
    return ~child;
  }

  /** Adds a chunk. O(bits). */
  add(chunk: number): void {
    if (this.#count++ === 0) {
      this.#setTop(~chunk, TOP);
      this.#root = ~chunk;
      return;
    }
    const address = this.#chunks.endOf(chunk);
    let nearest = this.#root;
    while (nearest >= 0) nearest = this.#childToward(address, nearest);
    const bit = highestDifference(address, this.#chunks.endOf(~nearest));

    let above = TOP;
    let sibling = this.#root;
    while (sibling >= 0 && this.#bit[sibling] > bit) {
      above = sibling;
      sibling = this.#childToward(address, sibling);
    }
    const node = this.#newNode();
    const isOne = hasBit(address, bit);
    this.#bit[node] = bit;
    this.#zero[node] = isOne ? sibling : ~chunk;
    this.#one[node] = isOne ? ~chunk : sibling;
    this.#replaceChild(above, sibling, node);
    this.#setTop(sibling, node);
    this.#setTop(~chunk, node);
    this.#largest[node] = -1; // Whatever it becomes is a change.
    this.#update(node);
  }

  /** Removes a chunk. O(bits). */
  remove(chunk: number): void {
    const node = this.#aboveChunk[chunk];
    this.#aboveChunk[chunk] = ABSENT;
    this.#count--;
    if (node === TOP) return;
    const sibling = this.#zero[node] === ~chunk ? this.#one[node] : this.#zero[node];
    const above = this.#aboveNode[node];
    this.#replaceChild(above, node, sibling);
    this.#aboveNode[node] = this.#unused;
    this.#unused = node;
    this.#update(above);
  }

  /** Notes that a chunk has another size. O(bits). */
  resized(chunk: number): void {
    this.#update(this.#aboveChunk[chunk]);
  }

  #childToward(address: number, node: number): number {
    return hasBit(address, this.#bit[node]) ? this.#one[node] : this.#zero[node];
  }

  #largestIn(child: number): number {
    return child >= 0 ? this.#largest[child] : this.#chunks.sizeOf(~child);
  }

  /** Recomputes `largest` of a node and of those above it, up to one that does not change. */
  #update(from: number): void {
    for (let node = from; node !== TOP; node = this.#aboveNode[node]) {
      const largest = Math.max(this.#largestIn(this.#zero[node]), this.#largestIn(this.#one[node]));
      if (largest === this.#largest[node]) return;
      this.#largest[node] = largest;
    }
  }

  #newNode(): number {
    if (this.#unused === TOP) return this.#nodes++;
    const node = this.#unused;
    this.#unused = this.#aboveNode[node];
    return node;
  }

  /** Puts a child in the place of another one below `above`. */
  #replaceChild(above: number, old: number, child: number): void {
    if (above === TOP) this.#root = child;
    else if (this.#zero[above] === old) this.#zero[above] = child;
    else this.#one[above] = child;
    this.#setTop(child, above);
  }

  /** Sets the node above a child. */
  #setTop(child: number, above: number): void {
    if (child >= 0) this.#aboveNode[child] = above;
    else this.#aboveChunk[~child] = above;
  }
}

/** Whether bit `bit` of an address, an integer below 2^53, is 1. */
function hasBit(address: number, bit: number): boolean {
  // Bit operations see the lower 32 bits only.
  return (((bit < 32 ? address : address / 2 ** 32) >>> (bit & 31)) & 1) === 1;
}

/** The highest bit in which two addresses differ. They do. */
function highestDifference(a: number, b: number): number {
  const upper = (a / 2 ** 32) ^ (b / 2 ** 32);
  return upper === 0 ? 31 - Math.clz32(a ^ b) : 63 - Math.clz32(upper);
}
