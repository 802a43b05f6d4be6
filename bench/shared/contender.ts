// An allocator as the workers of the shared benchmark see it: it creates an arena that can be posted, and attaches to
// one.

/** One worker's end of an arena. */
export interface Attached {
  /** The address of a block of `units` units of 16 bytes; negative or zero if there is no room. */
  alloc(units: number): number;
  free(address: number): void;
}

/** An allocator for many workers. */
export interface SharedContender {
  /** An arena of `units` units of 16 bytes for `workers` workers, as something that can be posted. */
  create(units: number, workers: number): unknown;
  attach(arena: unknown): Attached;
}
