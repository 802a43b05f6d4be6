// What the explorer explores: an allocator in shared cells, each of whose operations is a pure function of its arguments
// and of what the cells answer.

import type { Cells } from '../../src/shared/cells.ts';

/** Kinds of operation. */
export const ALLOC = 0;
export const FREE = 1;
export const RECOVER = 2;
export const LEAVE = 3;
export const ADOPT = 4;

export const CALL_NAMES = ['alloc', 'free', 'recover', 'leave', 'adopt'];

/** Whether an operation of that kind is one on a block that there must be. */
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
   * Runs an operation: ALLOC of an order gives an offset or -1, FREE of an offset gives the units given back, RECOVER of
   * a worker gives 1, or 0 when it has to be called again, LEAVE, the last operation of a worker, anything. ADOPT of 16 times an
   * offset, and the worker who owns the block, gives 1, or 0 when that one does not. Misuse throws a BuddyError.
   */
  call(cells: Cells, worker: number, kind: number, argument: number): number;
  /** What is wrong with the state, when no operation is under way. */
  check(cells: Cells): readonly string[];
  /** Live blocks, when no operation is under way. */
  blocks(cells: Cells): readonly Block[];
  /** Sets in `free`, zeroed, a bit for each unit that could be had at this moment, operations being under way or not. */
  markFree(cells: Int32Array, free: Int32Array): void;
  /** Attaches a worker again that has left, or is dead and recovered. Returns whether that worked. */
  reattach(cells: Cells, worker: number): boolean;
  /** Name of a cell, for people. */
  cellName(at: number): string;
}
