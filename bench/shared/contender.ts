// An allocator as the workers of a benchmark see it: it creates an arena that can be posted, and attaches to one.

/** An allocator for many workers, and what each of them works with once it is attached. */
export interface Contender<End> {
  /** An arena for `workers` workers, as something that can be posted. What `size` counts is up to the benchmark. */
  create(size: number, workers: number): unknown;
  attach(arena: unknown): End;
}

/** One worker's end of an arena of `npm run bench -- shared`. */
export interface Attached {
  /** The address of a block of `units` units of 16 bytes; negative or zero if there is no room. */
  alloc(units: number): number;
  free(address: number): void;
}

/** A contender of `npm run bench -- shared`: sizes are units of 16 bytes. */
export type SharedContender = Contender<Attached>;
