// Blocks that workers own besides those of the arena: a shared heap has them in slabs, whose pages belong to IN_SLAB in
// the arena.

/** What the slots of an arena have to know of such blocks. A slot is 1 … slots. */
export interface Holdings {
  /** Whether the worker in `slot` owns any such block, or has left one. */
  owns(slot: number): boolean;
  /** Makes those blocks nobody's. */
  disown(slot: number): void;
  /** Forgets what is known of the arena's block at `offset`, which has no owner and is about to be given back. */
  forget(offset: number): void;
}
