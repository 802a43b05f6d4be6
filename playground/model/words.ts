// Reads the allocator's words (src/base/word.ts) from its state: the fullness of regions, and the tree of blocks. The
// public methods yield one block at a time, which is too slow for a picture of a million units, sixty times per second.

import { blockLength, FANOUT_BITS, lowestBit, maskOf } from '../../src/base/word.ts';
import { AT_CAPACITY, AT_LEVELS, pairAt } from '../../src/core/layout.ts';
import { sizeAt } from '../../src/core/state/inspect.ts';
import { isRangeFree } from '../../src/core/state/ranges.ts';

/** One word, and where it belongs. */
export interface Word {
  readonly level: number;
  /** Index of the word in its level. */
  readonly index: number;
  readonly used: number;
  readonly cont: number;
}

/** Word `index` of `level`. */
export function wordAt(s: Int32Array, level: number, index: number): Word {
  const at = pairAt(s, level, index);
  return { level, index, used: s[at], cont: s[at + 1] };
}

/** Number of levels of words. */
export function levelsOf(s: Int32Array): number {
  return s[AT_LEVELS];
}

/** Units of one child of a word of `level`. */
export function unitsPerChild(level: number): number {
  return 2 ** (FANOUT_BITS * level);
}

/** The number of ones in `mask`. */
export function popcount(mask: number): number {
  let n = mask - ((mask >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Sums over a row of regions of equal size, a power of two of units. */
export class RegionSums {
  /** Units in use, by region. */
  readonly used: Float32Array;
  /** Live blocks, by region; a block larger than a region counts by the part that lies in it. */
  readonly blocks: Float32Array;
  readonly #from: number;
  readonly #units: number;
  readonly #end: number;

  /**
   * Sums up `count` regions of `units` units from `from` on, a multiple of `units`. O(open words in the regions +
   * count).
   */
  constructor(s: Int32Array, from: number, units: number, count: number) {
    this.used = new Float32Array(count);
    this.blocks = new Float32Array(count);
    this.#from = from;
    this.#units = units;
    this.#end = Math.min(from + units * count, s[AT_CAPACITY]);
    this.#descend(s, levelsOf(s) - 1, 0);
  }

  #descend(s: Int32Array, level: number, index: number): void {
    const at = pairAt(s, level, index);
    const used = s[at];
    const cont = s[at + 1];
    const span = unitsPerChild(level);
    const base = index * 2 ** FANOUT_BITS * span;
    if (level === 0 && this.#units >= 2 ** FANOUT_BITS) {
      this.#add(base, popcount(used), popcount(used & ~cont));
      return;
    }
    let busy = used | cont;
    // Skip the subdivided children that end before the first region.
    const skip = Math.floor((this.#from - base) / span);
    if (skip > 0) busy &= used | (skip > 31 ? 0 : -1 << skip);
    while (busy !== 0) {
      const c = lowestBit(busy);
      const offset = base + c * span;
      if (offset >= this.#end) return;
      if (((used >>> c) & 1) === 0) {
        busy &= busy - 1;
        this.#descend(s, level - 1, index * 2 ** FANOUT_BITS + c);
      } else {
        const length = blockLength(used, cont, c);
        busy &= ~maskOf(length, c);
        this.#addBlock(offset, length * span);
      }
    }
  }

  #add(offset: number, used: number, blocks: number): void {
    const region = Math.floor((offset - this.#from) / this.#units);
    if (region < 0 || region >= this.used.length) return;
    this.used[region] += used;
    this.blocks[region] += blocks;
  }

  #addBlock(offset: number, size: number): void {
    if (size <= this.#units) {
      this.#add(offset, size, 1);
      return;
    }
    const first = Math.max(0, (offset - this.#from) / this.#units);
    const last = Math.min(this.used.length, (offset + size - this.#from) / this.#units);
    for (let region = first; region < last; region++) {
      this.used[region] = this.#units;
      this.blocks[region] = this.#units / size;
    }
  }
}

/**
 * The kinds of nodes of the buddy tree: a live block, a free block as large as coalescing makes it, or split in two.
 */
export type NodeKind = 'live' | 'free' | 'split';

/**
 * Visits the nodes of the buddy tree that overlap the units from `from` up to `to`: from the root down to order
 * `lowest`, left before right. A live or free block has no nodes below it.
 */
export function walkTree(
  s: Int32Array,
  from: number,
  to: number,
  lowest: number,
  visit: (kind: NodeKind, offset: number, order: number) => void,
): void {
  const go = (offset: number, order: number): void => {
    const size = 2 ** order;
    if (offset >= to || offset + size <= from) return;
    const kind = isRangeFree(s, offset, offset + size)
      ? 'free'
      : sizeAt(s, offset) === size
        ? 'live'
        : 'split';
    visit(kind, offset, order);
    if (kind !== 'split' || order <= lowest) return;
    go(offset, order - 1);
    go(offset + size / 2, order - 1);
  };
  go(0, Math.log2(s[AT_CAPACITY]));
}

/** The live or free block that holds the unit at `offset`. */
export function blockOf(s: Int32Array, offset: number): { kind: NodeKind; offset: number; size: number } {
  let found = { kind: 'free' as NodeKind, offset: 0, size: s[AT_CAPACITY] };
  walkTree(s, offset, offset + 1, 0, (kind, start, order) => {
    found = { kind, offset: start, size: 2 ** order };
  });
  return found;
}

/** End of the highest live block; 0 if there is none. */
export function spanUsed(s: Int32Array): number {
  let end = s[AT_CAPACITY];
  while (end > 0) {
    const block = blockOf(s, end - 1);
    if (block.kind === 'live') return end;
    end = block.offset;
  }
  return 0;
}
