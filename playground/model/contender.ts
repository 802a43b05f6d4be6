// The interface of the allocators that the playground compares.

/** The figures that are compared. Sizes are in units. */
export interface Figures {
  /** Units in live blocks, rounding up included. */
  readonly usedUnits: number;
  /** Units of the largest free block: the largest request that has room. */
  readonly largestFree: number;
  /** 1 - largest free block / free units; 0 if no unit is free. */
  readonly externalFragmentation: number;
  /** Units from the start of the arena to the end of its highest live block. */
  readonly span: number;
}

/** An allocator of units. A `Save` is a copy of its state, from which it can continue later. */
export interface Contender<Save = unknown> {
  readonly name: string;
  /** Offset of a block of `units` units; -1 if there is no room. */
  alloc(units: number): number;
  /** Frees the live block at `offset`. `units` is the size that was asked for. */
  free(offset: number, units: number): void;
  figures(): Figures;
  /** Divides the arena into equal regions, one for each entry of `fullness`, and writes how full each is: 0 to 1. */
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
