// A bitmap of the free blocks of every order, and one of the blocks that are split.
//
// The straightforward compact design. Block i of order j is the units i * 2^j … (i + 1) * 2^j - 1. Bits:
//
//   free[j]   block i of order j is free, its buddy is not. Tiered: a bit of a higher tier says that the group of 32
//             below it is not zero, so the lowest free block of an order is found top-down.
//   split[j]  block i of order j is divided. A live block is one that is neither free nor split, in a block that is split.
//
// `first[j]` is the address of the lowest free block of order j, and `present` has a bit for every order with a free
// block, so the lowest block that fits is the least of `first` over the orders that are present and large enough. Splitting
// and coalescing take one order at a time, and each step keeps two bitmaps and `first` exact.

import type { Design } from './design.ts';

const NOWHERE = 0x7fffffff;
/** Tiers that the bitmap of order 0 takes in the largest arena, 2^30 units. */
const TIERS = 6;
const ORDERS = 31;

// Positions in the state, which is one Int32Array.
const AT_FIRST = 0;
const AT_SPLIT = AT_FIRST + ORDERS;
const AT_TIER_COUNT = AT_SPLIT + ORDERS;
/** [order * TIERS + tier] */
const AT_TIERS = AT_TIER_COUNT + ORDERS;
const HEADER = AT_TIERS + ORDERS * TIERS;

const lowestBit = (mask: number): number => 31 - Math.clz32(mask & -mask);
const groups = (bits: number): number => (bits + 31) >>> 5;

const hasBit = (s: Int32Array, bitmap: number, i: number): boolean =>
  ((s[bitmap + (i >>> 5)] >>> i) & 1) !== 0;

/** The state of an arena of 2^highest units, whose one block has not been put into a bitmap yet. */
function create(highest: number): Int32Array<ArrayBuffer> {
  const header = new Int32Array(HEADER);
  let length = HEADER;
  for (let order = 0; order <= highest; order++) {
    header[AT_FIRST + order] = NOWHERE;
    let bits = 2 ** (highest - order);
    let tier = order * TIERS;
    do {
      bits = groups(bits);
      header[AT_TIERS + tier++] = length;
      length += bits;
    } while (bits > 1);
    header[AT_TIER_COUNT + order] = tier - order * TIERS;
  }
  for (let order = 1; order <= highest; order++) {
    header[AT_SPLIT + order] = length;
    length += groups(2 ** (highest - order));
  }
  const s = new Int32Array(length);
  s.set(header);
  return s;
}

class OrderBitmaps {
  readonly #s: Int32Array<ArrayBuffer>;
  readonly #highest: number;
  /** Bit j: an order-j block is free. */
  #present = 0;

  constructor(capacity: number) {
    this.#highest = Math.log2(capacity);
    this.#s = create(this.#highest);
    this.#insert(this.#highest, 0);
  }

  get state(): ArrayBuffer {
    return this.#s.buffer;
  }

  /** Notes that block i of the order is free. */
  #insert(order: number, i: number): void {
    const s = this.#s;
    const offset = i << order;
    if (offset < s[AT_FIRST + order]) s[AT_FIRST + order] = offset;
    this.#present |= 1 << order;
    const tiers = AT_TIERS + order * TIERS;
    const end = tiers + s[AT_TIER_COUNT + order];
    let x = i;
    for (let tier = tiers; tier < end; tier++) {
      const at = s[tier] + (x >>> 5);
      const group = s[at];
      s[at] = group | (1 << x);
      if (group !== 0) return;
      x >>>= 5;
    }
  }

  /** Notes that block i of the order is free no longer. */
  #remove(order: number, i: number): void {
    const s = this.#s;
    const tiers = AT_TIERS + order * TIERS;
    const end = tiers + s[AT_TIER_COUNT + order];
    let tier = tiers;
    let x = i;
    let group = 0;
    for (; tier < end; tier++) {
      const at = s[tier] + (x >>> 5);
      group = s[at] & ~(1 << x);
      s[at] = group;
      x >>>= 5;
      if (group !== 0) break;
    }
    if (tier === end) {
      s[AT_FIRST + order] = NOWHERE;
      this.#present &= ~(1 << order);
    } else if (s[AT_FIRST + order] === i << order) {
      // No group before this one has anything, in any tier: the block was the first.
      x = (x << 5) | lowestBit(group);
      while (tier > tiers) {
        tier--;
        x = (x << 5) | lowestBit(s[s[tier] + x]);
      }
      s[AT_FIRST + order] = x << order;
    }
  }

  alloc(size: number): number {
    if (size <= 0) return -1;
    const wanted = 32 - Math.clz32(size - 1);
    if (wanted > this.#highest) return -1;
    let orders = this.#present & (-1 << wanted);
    if (orders === 0) return -1;
    const s = this.#s;
    let order = lowestBit(orders);
    let offset = s[AT_FIRST + order];
    for (orders &= orders - 1; orders !== 0; orders &= orders - 1) {
      const other = lowestBit(orders);
      if (s[AT_FIRST + other] < offset) {
        offset = s[AT_FIRST + other];
        order = other;
      }
    }
    this.#remove(order, offset >>> order);
    while (order > wanted) {
      const i = offset >>> order;
      s[s[AT_SPLIT + order] + (i >>> 5)] |= 1 << i;
      order--;
      this.#insert(order, (offset >>> order) | 1);
    }
    return offset;
  }

  /** Returns the units given back, 0 when no live block starts at `offset`. */
  free(offset: number): number {
    const s = this.#s;
    const highest = this.#highest;
    // The smallest block that holds the unit and is not split lies in the smallest that is.
    let order = 0;
    while (order < highest && !hasBit(s, s[AT_SPLIT + order + 1], offset >>> (order + 1))) order++;
    let i = offset >>> order;
    if (i << order !== offset || hasBit(s, s[AT_TIERS + order * TIERS], i)) return 0;
    const size = 1 << order;
    while (order < highest && hasBit(s, s[AT_TIERS + order * TIERS], i ^ 1)) {
      this.#remove(order, i ^ 1);
      i >>>= 1;
      order++;
      s[s[AT_SPLIT + order] + (i >>> 5)] &= ~(1 << i);
    }
    this.#insert(order, i);
    return size;
  }
}

export const orderBitmaps: Design = {
  name: 'bitmap per order',
  sizesIn: 'units',
  placesAsReference: true,
  isPeer: false,
  summary: 'a tiered bitmap of free blocks per order, split bits',
  create: ({ capacity }) => {
    const allocator = new OrderBitmaps(capacity);
    return { allocator, untouched: allocator.state };
  },
  metadataBytes: (capacity) => new OrderBitmaps(capacity).state.byteLength,
};
