// The specification as a set of live blocks: everything else (the free blocks, the counts, who owns a unit) is worked
// out from that set anew at each call. Naive, so that it is right by inspection; any capacity.

import type { Block, BuddyStats } from '../../src/index.ts';

/**
 * Thrown by the model where the contract has an error. It is no Error itself: the searches throw millions of them, and
 * a stack trace would cost more than all the rest.
 */
export class Refusal {
  /** The errors that would be right: a built-in class's name or a BuddyErrorCode; more than one where either would. */
  readonly names: readonly string[];

  constructor(...names: string[]) {
    this.names = names;
  }
}

const MAX_CAPACITY = 2 ** 30;

const overlaps = (block: Block, offset: number, size: number): boolean =>
  block.offset < offset + size && offset < block.offset + block.size;

const covers = (block: Block, offset: number, size: number): boolean =>
  block.offset <= offset && offset + size <= block.offset + block.size;

function roundUp(size: number): number {
  let power = 1;
  while (power < size) power *= 2;
  return power;
}

/** The model takes integers only: what happens with other arguments is no matter of state. */
export class Model {
  #capacity: number;
  /** offset -> size of every live block */
  readonly #live: Map<number, number>;
  /** The most units that it can grow to. */
  readonly maximum: number;

  constructor(
    capacity: number,
    live: Iterable<readonly [number, number]> = [],
    maximum: number = MAX_CAPACITY,
  ) {
    this.#capacity = capacity;
    this.maximum = maximum;
    this.#live = new Map(live);
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** The live blocks in address order, as pairs of offset and size. */
  get live(): [number, number][] {
    return [...this.#live].sort((a, b) => a[0] - b[0]);
  }

  get freeUnits(): number {
    let used = 0;
    for (const size of this.#live.values()) used += size;
    return this.#capacity - used;
  }

  get largestFree(): number {
    return this.#freeBlocks().reduce((largest, block) => Math.max(largest, block.size), 0);
  }

  get largestRange(): number {
    return this.#gaps().reduce((longest, [start, end]) => Math.max(longest, end - start), 0);
  }

  alloc(size: number): number {
    if (size <= 0) throw new Refusal('RangeError');
    const rounded = roundUp(size);
    const block = this.#freeBlocks().find((candidate) => candidate.size >= rounded);
    if (block === undefined) return -1;
    this.#live.set(block.offset, rounded);
    return block.offset;
  }

  free(offset: number): number {
    const size = this.sizeOf(offset);
    this.#live.delete(offset);
    return size;
  }

  sizeOf(offset: number): number {
    const owner = this.blockOf(offset);
    if (owner === -1) throw new Refusal('NOT_ALLOCATED');
    if (owner !== offset) throw new Refusal('INTERIOR');
    return this.#live.get(offset) as number;
  }

  isAllocated(offset: number): boolean {
    return this.blockOf(offset) === offset;
  }

  blockOf(unit: number): number {
    if (unit < 0 || unit >= this.#capacity) throw new Refusal('RangeError');
    for (const [offset, size] of this.#live) if (offset <= unit && unit < offset + size) return offset;
    return -1;
  }

  allocRange(size: number, alignment = 1): number {
    if (size <= 0 || alignment <= 0) throw new Refusal('RangeError');
    const offset = this.#placeFor(size, alignment);
    if (offset !== -1) this.reserve(offset, size);
    return offset;
  }

  resizeRange(offset: number, size: number, newSize: number): boolean {
    if (newSize <= 0) throw new Refusal('RangeError');
    const before = new Map(this.#live);
    this.release(offset, size);
    if (offset + newSize <= this.#capacity && this.reserve(offset, newSize)) return true;
    this.#live.clear();
    for (const [start, length] of before) this.#live.set(start, length);
    return false;
  }

  reserve(offset: number, size: number): boolean {
    if (offset < 0 || size <= 0 || offset + size > this.#capacity) throw new Refusal('RangeError');
    if (this.#liveBlocks().some((block) => overlaps(block, offset, size))) return false;
    const end = offset + size;
    let at = offset;
    while (at < end) {
      let piece = 1;
      while (at % (piece * 2) === 0 && at + piece * 2 <= end) piece *= 2;
      this.#live.set(at, piece);
      at += piece;
    }
    return true;
  }

  release(offset: number, size: number): void {
    if (offset < 0 || size <= 0 || offset + size > this.#capacity) throw new Refusal('RangeError');
    const inRange = this.#liveBlocks().filter((block) => overlaps(block, offset, size));
    const names: string[] = [];
    let covered = 0;
    for (const block of inRange) {
      covered += Math.min(block.offset + block.size, offset + size) - Math.max(block.offset, offset);
      if (!covers({ offset, size, free: false }, block.offset, block.size)) names.push('INTERIOR');
    }
    if (covered !== size) names.push('NOT_ALLOCATED');
    if (names.length > 0) throw new Refusal(...names);
    for (const block of inRange) this.#live.delete(block.offset);
  }

  stats(): BuddyStats {
    const { capacity, freeUnits, largestFree } = this;
    const highestOrder = Math.floor(Math.log2(capacity));
    const liveByOrder = new Array<number>(highestOrder + 1).fill(0);
    const freeByOrder = new Array<number>(highestOrder + 1).fill(0);
    const free = this.#freeBlocks();
    for (const size of this.#live.values()) liveByOrder[Math.log2(size)]++;
    for (const block of free) freeByOrder[Math.log2(block.size)]++;
    return {
      capacity,
      usedUnits: capacity - freeUnits,
      freeUnits,
      liveBlocks: this.#live.size,
      freeBlocks: free.length,
      largestFree,
      externalFragmentation: freeUnits === 0 ? 0 : 1 - largestFree / freeUnits,
      liveByOrder,
      freeByOrder,
    };
  }

  blocks(): Block[] {
    return [...this.#liveBlocks(), ...this.#freeBlocks()].sort((a, b) => a.offset - b.offset);
  }

  clear(): void {
    this.#live.clear();
  }

  grow(capacity: number): void {
    if (capacity < this.#capacity || capacity > this.maximum) throw new Refusal('RangeError');
    this.#capacity = capacity;
  }

  shrink(capacity: number): boolean {
    if (capacity > this.#capacity || capacity < 1) throw new Refusal('RangeError');
    if (this.#liveBlocks().some((block) => block.offset + block.size > capacity)) return false;
    this.#capacity = capacity;
    return true;
  }

  /** The lowest multiple of `alignment` from which on `size` units are free; -1 if there is none. */
  #placeFor(size: number, alignment: number): number {
    for (const [start, end] of this.#gaps()) {
      const offset = Math.ceil(start / alignment) * alignment;
      if (offset + size <= end) return offset;
    }
    return -1;
  }

  /** Start and end of each range of free units between two live blocks, or between one and the end of the arena. */
  #gaps(): [number, number][] {
    const found: [number, number][] = [];
    let start = 0;
    for (const [offset, size] of [...this.live, [this.#capacity, 0]]) {
      if (start < offset) found.push([start, offset]);
      start = offset + size;
    }
    return found;
  }

  #liveBlocks(): Block[] {
    return [...this.#live].map(([offset, size]) => ({ offset, size, free: false }));
  }

  /** The maximal free buddies in address order: halve the tree's blocks until one is wholly free, used or outside. */
  #freeBlocks(): Block[] {
    const found: Block[] = [];
    const visit = (offset: number, size: number, live: readonly Block[]): void => {
      if (offset >= this.#capacity) return;
      const inside = live.filter((block) => overlaps(block, offset, size));
      if (inside.length === 0 && offset + size <= this.#capacity) {
        found.push({ offset, size, free: true });
      } else if (!inside.some((block) => covers(block, offset, size))) {
        visit(offset, size / 2, inside);
        visit(offset + size / 2, size / 2, inside);
      }
    };
    visit(0, roundUp(this.#capacity), this.#liveBlocks());
    return found;
  }
}
