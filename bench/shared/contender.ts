// What a worker of `npm run bench -- shared` knows of an allocator: how to set up an arena that can be posted,
// and how to attach.

/** One worker's end of an arena. */
export interface Attached {
  /** The address of a block of `units` units of 16 bytes; negative or zero when there is no room, as `noRoom` says. */
  alloc(units: number): number;
  free(address: number): void;
}

/** An allocator for many workers. */
export interface SharedContender {
  /** An arena of `units` units of 16 bytes for `workers` workers, as something that can be posted. */
  create(units: number, workers: number): unknown;
  attach(arena: unknown): Attached;
}
