// The subject of the explorer: an allocator in shared cells. Each of its operations is a pure function of its
// arguments and of the answers of the cells.

import type { Cells } from '../../src/shared/cells.ts';

/** Kinds of operation. */
export const ALLOC = 0;
export const FREE = 1;
export const RECOVER = 2;
export const DETACH = 3;
export const ADOPT = 4;

export const CALL_NAMES = ['alloc', 'free', 'recover', 'detach', 'adopt'];

/** Whether an operation of that kind needs a block that exists. */
export const isOnBlock = (kind: number): boolean => kind === FREE || kind === ADOPT;

/** A block of `size` units. */
export interface Block {
  readonly offset: number;
  readonly size: number;
}

/** Workers are numbered from 0, whatever the allocator calls them. */
export interface Subject {
  readonly name: string;
  /** Units. */
  readonly capacity: number;
  readonly workers: number;
  /** int32 cells. */
  readonly length: number;
  /** Makes an empty arena in zeroed cells and attaches all workers. */
  setUp(cells: Cells): void;
  /**
   * Runs an operation and returns its result. Misuse throws a BuddyError.
   *
   * - ALLOC of an order: the offset, or -1.
   * - FREE of an offset: the units given back.
   * - RECOVER of a worker: 1; 0 if it has to be called again.
   * - ADOPT of 16 * offset + the worker that owns the block: 1; 0 if that worker does not own it.
   * - DETACH, the last operation of a worker: anything.
   */
  call(cells: Cells, worker: number, kind: number, argument: number): number;
  /** The violated invariants, if no operation is under way. */
  check(cells: Cells): readonly string[];
  /** The live blocks, if no operation is under way. */
  blocks(cells: Cells): readonly Block[];
  /**
   * Sets in `free`, which is zero, a bit for each unit that could be allocated at this moment. Operations may be
   * under way.
   */
  markFree(cells: Int32Array, free: Int32Array): void;
  /** Attaches a worker again that has detached itself, or is dead and recovered. Returns whether that worked. */
  reattach(cells: Cells, worker: number): boolean;
  /** Name of a cell, for people. */
  cellName(pos: number): string;
}
