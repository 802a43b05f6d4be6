// The reference allocator that the project's placement is specified by: a complete binary tree of bytes, transcribed
// from its C original statement by statement. Large (two bytes per unit) and plain: nothing to get wrong.

const left = (index: number): number => index * 2 + 1;
const right = (index: number): number => index * 2 + 2;
const parent = (index: number): number => ((index + 1) >>> 1) - 1;
const isPowerOfTwo = (x: number): boolean => (x & (x - 1)) === 0;
const trailingZeros = (x: number): number => 31 - Math.clz32(x & -x);

/** The next power of two above a size that is none itself, in 32-bit arithmetic as the original has it. */
function fixSize(size: number): number {
  let s = size;
  s |= s >>> 1;
  s |= s >>> 2;
  s |= s >>> 4;
  s |= s >>> 8;
  s |= s >>> 16;
  return (s + 1) | 0;
}

/**
 * `longest[i]` is the order of the largest free block under node i, -1 when there is none: the node is allocated as
 * one block, lies at the root of full halves, or (only at a leaf) is a full unit.
 *
 * On misuse it does what the original does, which is not what the project's allocator does:
 * - `free` of a unit that is free does nothing (a double free, or an offset that was never allocated);
 * - `free` of a unit inside a block frees the whole block;
 * - `free` outside the arena would read past the tree. Here it throws a RangeError.
 */
export class ReferenceAllocator {
  readonly #order: number;
  readonly #longest: Int8Array;

  /** @param capacity units, a power of two, 1 … 2^30; RangeError otherwise (the original returns NULL) */
  constructor(capacity: number) {
    if (capacity < 1 || !isPowerOfTwo(capacity)) throw new RangeError(`not a power of two: ${capacity}`);
    this.#order = trailingZeros(capacity);
    this.#longest = new Int8Array(2 * capacity - 1);
    // The nodes of depth d, which are of order #order - d, have the indices 2^d - 1 … 2^(d+1) - 2.
    for (let depth = 0; depth <= this.#order; depth++) {
      this.#longest.fill(this.#order - depth, 2 ** depth - 1, 2 ** (depth + 1) - 1);
    }
  }

  /** Units of the largest free block, 0 when the arena is full. */
  get largestFree(): number {
    const order = this.#longest[0];
    return order < 0 ? 0 : 2 ** order;
  }

  /** The offset of the lowest free block that holds `size` units, -1 when there is none or `size` <= 0. */
  alloc(size: number): number {
    const longest = this.#longest;
    if (size <= 0) return -1;
    const order = trailingZeros(isPowerOfTwo(size) ? size : fixSize(size));
    let index = 0;
    if (longest[index] < order) return -1;
    let nodeOrder = this.#order;
    for (; nodeOrder !== order; nodeOrder--) {
      index = longest[left(index)] >= order ? left(index) : right(index);
    }
    longest[index] = -1;
    const offset = (index + 1) * (1 << nodeOrder) - (1 << this.#order);
    while (index !== 0) {
      index = parent(index);
      longest[index] = Math.max(longest[left(index)], longest[right(index)]);
    }
    return offset;
  }

  /** Frees the block at `offset` and merges buddies upwards. See the class for misuse. */
  free(offset: number): void {
    const longest = this.#longest;
    if (!(offset >= 0 && offset < 1 << this.#order)) throw new RangeError(`outside the arena: ${offset}`);
    let order = 0;
    let index = (1 << this.#order) - 1 + offset;
    for (; longest[index] !== -1; index = parent(index)) {
      order++;
      if (index === 0) return;
    }
    longest[index] = order;
    while (index !== 0) {
      index = parent(index);
      order++;
      const l = longest[left(index)];
      const r = longest[right(index)];
      longest[index] = l === r && order - l === 1 ? order : Math.max(l, r);
    }
  }
}

/**
 * A reference allocator with any capacity and any blocks: the tree of the next power of two, in which the tail beyond
 * the capacity is allocated for good. The whole tree is allocated piece by piece in address order, so that each piece
 * lands at the next free unit; then the pieces that are neither a live block nor the tail are freed.
 *
 * @param capacity units, 1 … 2^30
 * @param live offset and size of each live block, in address order
 */
export function referenceWith(
  capacity: number,
  live: Iterable<readonly [number, number]> = [],
): ReferenceAllocator {
  let whole = 1;
  while (whole < capacity) whole *= 2;
  const reference = new ReferenceAllocator(whole);
  const gaps: number[] = [];
  let at = 0;
  const place = (size: number): void => {
    if (reference.alloc(size) !== at) throw new Error(`no block of ${size} units can be put at ${at}`);
    at += size;
  };
  const fillUpTo = (end: number): void => {
    while (at < end) {
      let size = 1;
      while (at % (size * 2) === 0 && at + size * 2 <= end) size *= 2;
      gaps.push(at);
      place(size);
    }
  };
  for (const [offset, size] of live) {
    fillUpTo(offset);
    place(size);
  }
  fillUpTo(capacity);
  const inside = gaps.length;
  fillUpTo(whole);
  for (const offset of gaps.slice(0, inside)) reference.free(offset);
  return reference;
}
