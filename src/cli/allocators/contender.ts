// What a comparison needs of an allocator.

/** The allocators that a trace can be replayed on, as the command's options name them. */
export type AllocatorName = 'buddy' | 'ranges' | 'heap' | 'shared';

/** An allocator of bytes that takes as much memory as it needs. */
export interface Contender {
  /**
   * Allocates `bytes` bytes, 1 or more. Returns the address, from 0 up; -1 if there is no room in all that it can
   * take.
   */
  allocate(bytes: number): number;
  /** Frees the block of `bytes` bytes at `address`. */
  free(address: number, bytes: number): void;
  /** Bytes that the block of `bytes` bytes at `address` takes: rounded up. */
  blockBytes(address: number, bytes: number): number;
  /** Bytes of its state outside the memory from 0 up to the end of the highest block, which is at `end`. */
  stateBytes(end: number): number;
}

/** What a contender is made for. */
export interface Demand {
  /** Bytes per unit: what blocks are rounded up to, and their alignment. */
  readonly unit: number;
  /** Bytes of the largest memory that a heap may take. An arena takes what it needs. */
  readonly mostBytes: number;
}

/** Makes a contender in which nothing is allocated. */
export type Create = (demand: Demand) => Contender;
