// What the playground asks of an allocator that takes part in the comparison.

/** The figures by which allocators are compared. Sizes are in units. */
export interface Figures {
  /** Units in live blocks, rounding up included. */
  readonly usedUnits: number;
  /** Units of the largest free block: the largest request that has room. */
  readonly largestFree: number;
  /** 1 - largest free block / free units; 0 when nothing is free. */
  readonly externalFragmentation: number;
  /** Units from the start of the arena to the end of its highest live block. */
  readonly span: number;
}

/** An allocator of units. `Save` is a copy of its state, from which it can go on later. */
export interface Contender<Save = unknown> {
  readonly name: string;
  /** Offset of a block of `units` units; -1 when there is no room. */
  alloc(units: number): number;
  /** Frees the live block at `offset`, for which `units` were asked. */
  free(offset: number, units: number): void;
  figures(): Figures;
  /** Writes to `fullness` how full, 0 to 1, each of so many equal regions of the arena is. */
  measure(fullness: Float32Array): void;
  save(): Save;
  load(save: Save): void;
}

/** Subtracts a free range of units from `fullness`, whose regions have `region` units each. */
export function subtractFree(fullness: Float32Array, region: number, offset: number, size: number): void {
  const end = offset + size;
  const first = Math.floor(offset / region);
  if (end <= (first + 1) * region) {
    fullness[first] -= size / region;
    return;
  }
  for (let index = first; index * region < end; index++) {
    const from = Math.max(offset, index * region);
    fullness[index] -= (Math.min(end, (index + 1) * region) - from) / region;
  }
}
