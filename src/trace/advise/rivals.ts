// The rival that advice compares with: a heap whose free chunks are kept in address order and searched first fit.

import type { Progress } from '../replay/pass.ts';
import type { Trace } from '../trace.ts';
import { tick } from './progress.ts';

const HEADER_BYTES = 8;
const GRANULE_BYTES = 16;

/** What a trace takes without a buddy system. */
export interface Rivals {
  /**
   * The most bytes asked for by live blocks after any operation. Nothing that keeps blocks where they are can take
   * less, and hardly anything takes as little.
   */
  readonly peakLiveBytes: number;
  /** Bytes from the start of a first-fit heap to the highest address that it ever uses. */
  readonly firstFitBytes: number;
}

/**
 * Serves the trace from a first-fit heap without any limit.
 *
 * Every block has a header of 8 bytes before it and takes a multiple of 16 bytes, as in common implementations of
 * malloc; a freed block merges with its free neighbours at once; a request takes the lowest chunk that is large
 * enough, and otherwise extends the heap. Wilson et al. (1995) find that hardly anything practical fragments less.
 * O(n log n) expected.
 */
export function measureRivals(trace: Trace, onProgress: Progress): Rivals {
  const { ops } = trace;
  const heap = new FirstFitHeap();
  const starts = new Float64Array(trace.allocations);
  const bytes = new Int32Array(trace.allocations);
  let id = 0;
  let live = 0;
  let peakLiveBytes = 0;
  for (let at = 0; at < ops.length; at++) {
    tick(at, ops.length, onProgress);
    const op = ops[at];
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

/** What a block takes in the heap. */
function chunkBytes(bytes: number): number {
  return Math.ceil((bytes + HEADER_BYTES) / GRANULE_BYTES) * GRANULE_BYTES;
}

/** Index of the node that stands for an empty tree. */
const NONE = 0;

/**
 * Free chunks are the nodes of a treap: in address order, every node's priority, a random number, at least those below
 * it, and knowing the largest chunk of its subtree. No two chunks touch, and none touches the end of the heap.
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

  /** The start of the lowest free range of `size` bytes. */
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

  /** Takes `size` bytes from the lowest chunk of a subtree that has them. Returns what the subtree becomes. */
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
    return this.#settled(node);
  }

  /** Removes the chunk at `start`. Returns what the subtree becomes. */
  #drop(node: number, start: number): number {
    if (start === this.#start[node]) return this.#remove(node);
    if (start < this.#start[node]) this.#left[node] = this.#drop(this.#left[node], start);
    else this.#right[node] = this.#drop(this.#right[node], start);
    return this.#settled(node);
  }

  #remove(node: number): number {
    this.#unused.push(node);
    return this.#join(this.#left[node], this.#right[node]);
  }

  /** The chunks of a subtree below `start` and those above. */
  #split(node: number, start: number): [number, number] {
    if (node === NONE) return [NONE, NONE];
    if (this.#start[node] < start) {
      const [below, above] = this.#split(this.#right[node], start);
      this.#right[node] = below;
      return [this.#settled(node), above];
    }
    const [below, above] = this.#split(this.#left[node], start);
    this.#left[node] = above;
    return [below, this.#settled(node)];
  }

  /** One tree of two of which the first lies below the second. */
  #join(below: number, above: number): number {
    if (below === NONE) return above;
    if (above === NONE) return below;
    if (this.#priority[below] > this.#priority[above]) {
      this.#right[below] = this.#join(this.#right[below], above);
      return this.#settled(below);
    }
    this.#left[above] = this.#join(below, this.#left[above]);
    return this.#settled(above);
  }

  #node(start: number, size: number): number {
    const node = this.#unused.pop() ?? this.#start.length;
    // xorshift (Marsaglia 2003): the same tree every time.
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

  /** The node itself, its `largest` made true again. */
  #settled(node: number): number {
    this.#largest[node] = Math.max(
      this.#size[node],
      this.#largest[this.#left[node]],
      this.#largest[this.#right[node]],
    );
    return node;
  }
}

/** The last node on the way from `node` to one side. */
function outermost(node: number, side: readonly number[]): number {
  let last = node;
  while (side[last] !== NONE) last = side[last];
  return last;
}
