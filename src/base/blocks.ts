// Blocks of an arena, and the figures that follow from them.

/** One block of an arena, live or free. Offsets and sizes are in units. */
export interface Block {
  /** First unit. */
  readonly offset: number;
  /** Units, a power of two that divides the offset. */
  readonly size: number;
  /** Whether it can be allocated. Free blocks are maximal: no two of them are buddies. */
  readonly free: boolean;
}

/** A live block: `size` units, a power of two, from `offset` on, a multiple of it. */
export type LiveBlock = Pick<Block, 'offset' | 'size'>;

/** Figures of an arena at one moment. All sizes are in units. */
export interface BuddyStats {
  /** Units in the arena. */
  readonly capacity: number;
  /** Units in live blocks, rounding up included. */
  readonly usedUnits: number;
  /** Units in free blocks. */
  readonly freeUnits: number;
  /** Number of live blocks. */
  readonly liveBlocks: number;
  /** Number of free blocks, each as large as coalescing makes it. */
  readonly freeBlocks: number;
  /** Size of the largest free block, and so of the largest request that has room; 0 when nothing is free. */
  readonly largestFree: number;
  /** External fragmentation: 1 - largestFree / freeUnits; 0 when nothing is free. */
  readonly externalFragmentation: number;
  /** Live blocks by order: entry k counts those of 2^k units, up to the highest order that the capacity holds. */
  readonly liveByOrder: readonly number[];
  /** Free blocks by order, likewise. */
  readonly freeByOrder: readonly number[];
}

/** The figures of `blocks`, which tile an arena of `capacity` units. O(blocks). */
export function statsOf(capacity: number, blocks: Iterable<Block>): BuddyStats {
  const orders = 32 - Math.clz32(capacity);
  const liveByOrder = new Array<number>(orders).fill(0);
  const freeByOrder = new Array<number>(orders).fill(0);
  let liveBlocks = 0;
  let freeBlocks = 0;
  let freeUnits = 0;
  let largestFree = 0;
  for (const { size, free } of blocks) {
    const order = 31 - Math.clz32(size);
    if (free) {
      freeByOrder[order]++;
      freeBlocks++;
      freeUnits += size;
      largestFree = Math.max(largestFree, size);
    } else {
      liveByOrder[order]++;
      liveBlocks++;
    }
  }
  return {
    capacity,
    usedUnits: capacity - freeUnits,
    freeUnits,
    liveBlocks,
    freeBlocks,
    largestFree,
    externalFragmentation: freeUnits === 0 ? 0 : 1 - largestFree / freeUnits,
    liveByOrder,
    freeByOrder,
  };
}
