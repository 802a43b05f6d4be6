// Reading the allocator's words (src/base/word.ts) as they lie in its state: how full regions are, and the tree of blocks. The
// public methods tell of one block at a time; a picture of a million units, sixty times a second, is read off the words.

import { blockLength, FANOUT_BITS, lowestBit } from '../../src/base/word.ts';
import { AT_CAPACITY, AT_LEVELS, AT_WORDS } from '../../src/core/layout.ts';
import { isFree, sizeAt } from '../../src/core/state/inspect.ts';

/** One word pair, and where it belongs. */
export interface Word {
  readonly level: number;
  /** Which word of its level it is. */
  readonly index: number;
  readonly used: number;
  readonly cont: number;
}

/** Word `index` of `level`. */
export function wordAt(s: Int32Array, level: number, index: number): Word {
  const at = s[AT_WORDS + level] + 2 * index;
  return { level, index, used: s[at], cont: s[at + 1] };
}

/** Levels of words that the state has. */
export function levelsOf(s: Int32Array): number {
  return s[AT_LEVELS];
}

/** Units that one child of a word of `level` stands for. */
export function spanOf(level: number): number {
  return 2 ** (FANOUT_BITS * level);
}

function popcount(mask: number): number {
  let n = mask - ((mask >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The sums of a row of cells of equal size, a power of two of units. */
export class Cells {
  /** Units in use, by cell. */
  readonly used: Float32Array;
  /** Live blocks, by cell; of a block larger than a cell, the part that lies in it. */
  readonly blocks: Float32Array;
  readonly #from: number;
  readonly #units: number;
  readonly #end: number;

  /** Sums up `count` cells of `units` units from `from` on, a multiple of `units`. O(words that are open in there + count). */
  constructor(s: Int32Array, from: number, units: number, count: number) {
    this.used = new Float32Array(count);
    this.blocks = new Float32Array(count);
    this.#from = from;
    this.#units = units;
    this.#end = Math.min(from + units * count, s[AT_CAPACITY]);
    this.#descend(s, levelsOf(s) - 1, 0);
  }

  #descend(s: Int32Array, level: number, index: number): void {
    const at = s[AT_WORDS + level] + 2 * index;
    const used = s[at];
    const cont = s[at + 1];
    const span = spanOf(level);
    const base = index * 32 * span;
    if (level === 0 && this.#units >= 32) {
      this.#add(base, popcount(used), popcount(used & ~cont));
      return;
    }
    let busy = used | cont;
    // Words that end before the first cell are not looked at.
    const skip = Math.floor((this.#from - base) / span);
    if (skip > 0) busy &= used | (skip > 31 ? 0 : -1 << skip);
    while (busy !== 0) {
      const c = lowestBit(busy);
      const offset = base + c * span;
      if (offset >= this.#end) return;
      if (((used >>> c) & 1) === 0) {
        busy &= busy - 1;
        this.#descend(s, level - 1, index * 32 + c);
      } else {
        const run = blockLength(used, cont, c);
        busy &= ~(((2 << (run - 1)) - 1) << c);
        this.#addBlock(offset, run * span);
      }
    }
  }

  #add(offset: number, used: number, blocks: number): void {
    const cell = Math.floor((offset - this.#from) / this.#units);
    if (cell < 0 || cell >= this.used.length) return;
    this.used[cell] += used;
    this.blocks[cell] += blocks;
  }

  #addBlock(offset: number, size: number): void {
    if (size <= this.#units) {
      this.#add(offset, size, 1);
      return;
    }
    const first = Math.max(0, (offset - this.#from) / this.#units);
    const last = Math.min(this.used.length, (offset + size - this.#from) / this.#units);
    for (let cell = first; cell < last; cell++) {
      this.used[cell] = this.#units;
      this.blocks[cell] = this.#units / size;
    }
  }
}

/** What a node of the buddy tree is: a live block, a free block as large as coalescing makes it, or split in two. */
export type NodeKind = 'live' | 'free' | 'split';

/**
 * Goes through the buddy tree from the root down to blocks of `lowest` order, left before right, as far as it overlaps the
 * units from `from` up to `to`. Nothing is below a live or free block.
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
    const kind = isFree(s, offset, order) ? 'free' : sizeAt(s, offset) === size ? 'live' : 'split';
    visit(kind, offset, order);
    if (kind !== 'split' || order <= lowest) return;
    go(offset, order - 1);
    go(offset + size / 2, order - 1);
  };
  go(0, Math.log2(s[AT_CAPACITY]));
}

/** The node that holds `unit` and is not split: a live or a free block. */
export function blockOf(s: Int32Array, unit: number): { kind: NodeKind; offset: number; size: number } {
  let found = { kind: 'free' as NodeKind, offset: 0, size: s[AT_CAPACITY] };
  walkTree(s, unit, unit + 1, 0, (kind, offset, order) => {
    found = { kind, offset, size: 2 ** order };
  });
  return found;
}

/** End of the highest live block; 0 when there is none. */
export function spanUsed(s: Int32Array): number {
  let end = s[AT_CAPACITY];
  while (end > 0) {
    const block = blockOf(s, end - 1);
    if (block.kind === 'live') return end;
    end = block.offset;
  }
  return 0;
}
