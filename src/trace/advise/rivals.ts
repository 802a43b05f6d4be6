// The rival that advice compares with: a heap that keeps its free chunks in address order and takes the first that
// fits.

import { type Progress, reportSlice } from '../replay/pass.ts';
import type { Trace } from '../trace.ts';

const HEADER_BYTES = 8;
const GRANULE_BYTES = 16;

/** Bytes that a trace takes without a buddy system. */
export interface Rivals {
  /**
   * The most bytes asked for by live blocks after any operation. An allocator that does not move blocks cannot take
   * less, and hardly any takes as little.
   */
  readonly peakLiveBytes: number;
  /** Bytes from the start of a first-fit heap to the highest address that it ever uses. */
  readonly firstFitBytes: number;
}

/**
 * Serves the trace from a first-fit heap of unlimited size.
 *
 * Every block has a header of 8 bytes before it and takes a multiple of 16 bytes, as in common implementations of
 * malloc. A freed block merges with its free neighbours at once. A request takes the lowest chunk that is large
 * enough, and extends the heap if there is none. Wilson et al. (1995) find that hardly any practical allocator
 * fragments less. O(n log n) expected.
 */
export function measureRivals(trace: Trace, onProgress: Progress): Rivals {
  const { ops } = trace;
  const heap = new FirstFitHeap();
  const starts = new Float64Array(trace.allocations);
  const bytes = new Int32Array(trace.allocations);
  let id = 0;
  let live = 0;
  let peakLiveBytes = 0;
  for (let index = 0; index < ops.length; index++) {
    reportSlice(index, ops.length, onProgress);
    const op = ops[index];
    if (op < 0) {
      heap.free(starts[~op], chunkBytes(bytes[~op]));
      live -= bytes[~op];
    } else {
      bytes[id] = Math.max(1, op);
      starts[id] = heap.allocate(chunkBytes(bytes[id]));
      live += bytes[id++];
      peakLiveBytes = Math.max(peakLiveBytes, live);
    }
  }
  return { peakLiveBytes, firstFitBytes: heap.highest };
}

/** Bytes that a block of `bytes` bytes takes in the heap: with its header, rounded up. */
function chunkBytes(bytes: number): number {
  return Math.ceil((bytes + HEADER_BYTES) / GRANULE_BYTES) * GRANULE_BYTES;
}

/** Index of the node that stands for an empty tree. Its size and `largest` are 0. */
const NONE = 0;

/**
 * A heap whose free chunks are the nodes of a treap, in address order. Every node has a random priority, at least
 * that of its children, and the size of the largest chunk in its subtree. Invariant: no two chunks touch each
 * other, and none touches the end of the heap.
 */
class FirstFitHeap {
  /** The highest end that the heap has had. */
  highest = 0;
  #end = 0;
  #root = NONE;
  readonly #start = [0];
  readonly #size = [0];
  readonly #largest = [0];
  readonly #priority = [0];
  readonly #left = [NONE];
  readonly #right = [NONE];
  readonly #unused: number[] = [];
  #taken = 0;
  #seed = 1;

  /**
   * Takes the lowest free range of `size` bytes, at the end of the heap if there is none before it. Returns its
   * start.
   */
  allocate(size: number): number {
    if (this.#largest[this.#root] >= size) {
      this.#root = this.#take(this.#root, size);
      return this.#taken;
    }
    const start = this.#end;
    this.#end += size;
    this.highest = Math.max(this.highest, this.#end);
    return start;
  }

  /** Frees `size` bytes from `start` on, and merges them with the free chunks that they touch. */
  free(start: number, size: number): void {
    let from = start;
    let to = start + size;
    let [below, above] = this.#split(this.#root, start);
    const before = outermost(below, this.#right);
    if (before !== NONE && this.#start[before] + this.#size[before] === from) {
      from = this.#start[before];
      below = this.#drop(below, from);
    }
    const after = outermost(above, this.#left);
    if (after !== NONE && this.#start[after] === to) {
      to += this.#size[after];
      above = this.#drop(above, this.#start[after]);
    }
    if (to === this.#end) this.#end = from;
    else below = this.#join(below, this.#node(from, to - from));
    this.#root = this.#join(below, above);
  }

  /**
   * Takes `size` bytes from the lowest chunk of a subtree that has them; `#taken` is their start. Returns the new
   * subtree.
   */
  #take(node: number, size: number): number {
    const left = this.#left[node];
    if (this.#largest[left] >= size) this.#left[node] = this.#take(left, size);
    else if (this.#size[node] < size) this.#right[node] = this.#take(this.#right[node], size);
    else {
      this.#taken = this.#start[node];
      if (this.#size[node] === size) return this.#remove(node);
      this.#start[node] += size;
      this.#size[node] -= size;
    }
    return this.#updateLargest(node);
  }

  /** Removes the chunk at `start` from a subtree. Returns the new subtree. */
  #drop(node: number, start: number): number {
    if (start === this.#start[node]) return this.#remove(node);
    if (start < this.#start[node]) this.#left[node] = this.#drop(this.#left[node], start);
    else this.#right[node] = this.#drop(this.#right[node], start);
    return this.#updateLargest(node);
  }

  /** Removes the root of a subtree. Returns the new subtree. */
  #remove(node: number): number {
    this.#unused.push(node);
    return this.#join(this.#left[node], this.#right[node]);
  }

  /** Splits a subtree into the chunks below `start` and those above. */
  #split(node: number, start: number): [number, number] {
    if (node === NONE) return [NONE, NONE];
    if (this.#start[node] < start) {
      const [below, above] = this.#split(this.#right[node], start);
      this.#right[node] = below;
      return [this.#updateLargest(node), above];
    }
    const [below, above] = this.#split(this.#left[node], start);
    this.#left[node] = above;
    return [below, this.#updateLargest(node)];
  }

  /** Joins two trees. All chunks of the first lie below those of the second. */
  #join(below: number, above: number): number {
    if (below === NONE) return above;
    if (above === NONE) return below;
    if (this.#priority[below] > this.#priority[above]) {
      this.#right[below] = this.#join(this.#right[below], above);
      return this.#updateLargest(below);
    }
    this.#left[above] = this.#join(below, this.#left[above]);
    return this.#updateLargest(above);
  }

  /** A new node without children. */
  #node(start: number, size: number): number {
    const node = this.#unused.pop() ?? this.#start.length;
    // xorshift (Marsaglia 2003): the same priorities in every run.
    this.#seed ^= this.#seed << 13;
    this.#seed ^= this.#seed >>> 17;
    this.#seed ^= this.#seed << 5;
    this.#start[node] = start;
    this.#size[node] = size;
    this.#largest[node] = size;
    this.#priority[node] = this.#seed;
    this.#left[node] = NONE;
    this.#right[node] = NONE;
    return node;
  }

  /** Recomputes `largest` of a node after a change of its size or children. Returns the node. */
  #updateLargest(node: number): number {
    this.#largest[node] = Math.max(
      this.#size[node],
      this.#largest[this.#left[node]],
      this.#largest[this.#right[node]],
    );
    return node;
  }
}

/** The last node on the way from `node` to one side; NONE if `node` is NONE. */
function outermost(node: number, side: readonly number[]): number {
  let last = node;
  while (side[last] !== NONE) last = side[last];
  return last;
}
