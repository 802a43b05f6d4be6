// The subject of the explorer: an allocator in shared cells. Each of its operations is a pure function of its
// arguments and of the answers of the cells.

import type { Cells } from '../../src/shared/cells.ts';

/** Kinds of operation. */
export const ALLOC = 0;
export const FREE = 1;
export const RECOVER = 2;
export const DETACH = 3;
export const ADOPT = 4;
export const ATTACH = 5;

export const CALL_NAMES = ['alloc', 'free', 'recover', 'detach', 'adopt', 'attach'];

/** Whether an operation of that kind needs a block that exists. */
export const isOnBlock = (kind: number): boolean => kind === FREE || kind === ADOPT;

/** A block of `size` units. */
export interface Block {
  readonly offset: number;
  readonly size: number;
}

/** The block of an ADOPT and the id of the worker that is said to own it, in the argument of the call. */
export const adoptionOf = (offset: number, from: number): number => offset * ID_LIMIT + from;
export const offsetOfAdoption = (argument: number): number => Math.floor(argument / ID_LIMIT);
export const fromOfAdoption = (argument: number): number => argument % ID_LIMIT;

/** No id of a worker is larger in a program: a slot in the low byte, and few turns of it. */
const ID_LIMIT = 2 ** 12;

/** Workers are known by their ids, as in the allocator. */
export interface Subject {
  readonly name: string;
  /** Units. */
  readonly capacity: number;
  /** The most workers that can be attached at once. */
  readonly workers: number;
  /** int32 cells. */
  readonly length: number;
  /** Makes an empty arena in zeroed cells. */
  setUp(cells: Cells): void;
  /**
   * Runs an operation of the worker with an id and returns its result. Misuse throws a BuddyError.
   *
   * - ATTACH, the first operation of a worker, which has no id yet: the id; 0 if there is no room. The argument is
   *   how many workers are attached, as far as is known.
   * - ALLOC of an order: the offset, or -1.
   * - FREE of an offset: the units given back.
   * - RECOVER of an id: 1; 0 if it has to be called again.
   * - ADOPT of {@link adoptionOf} a block and a worker: 1; 0 if that worker does not own it.
   * - DETACH, the last operation of a worker: anything.
   */
  call(cells: Cells, id: number, kind: number, argument: number): number;
  /** The violated invariants, if no operation is under way. */
  check(cells: Cells): readonly string[];
  /** The live blocks, if no operation is under way. */
  blocks(cells: Cells): readonly Block[];
  /**
   * Sets in `free`, which is zero, a bit for each unit that the worker with an id could allocate at this moment, for a
   * block of 2^order units. Operations may be under way.
   */
  markFree(cells: Int32Array, free: Int32Array, id: number, order: number): void;
  /** Whether that worker, alone, must find room for such a block among the live blocks. No operation is under way. */
  hasRoom(cells: Int32Array, id: number, order: number, live: readonly Block[]): boolean;
  /** Orders of blocks that fill the arena if it is empty, in an order in which they find room. */
  readonly whole: readonly number[];
  /** Whether RECOVER takes the blocks of the dead back. If not, they stay, and a block of a call that it was in is lost. */
  readonly takesBack: boolean;
  /** Whether a worker keeps room for itself until it detaches itself. */
  readonly keepsRoom: boolean;
  /** Whether a cell is read and written by one worker only. No cell is, by default. */
  isPrivate?(pos: number): boolean;
  /** The ids of the workers that are attached, or dead and not recovered. Operations may be under way. */
  workerIds(cells: Cells): readonly number[];
  /** Name of a cell, for people. */
  cellName(pos: number): string;
}

/** Whether an aligned range of `size` units, below `capacity`, overlaps no live block. */
export function hasRoomBeside(live: readonly Block[], capacity: number, size: number): boolean {
  for (let from = 0; from + size <= capacity; from += size) {
    if (live.every((block) => from + size <= block.offset || block.offset + block.size <= from)) return true;
  }
  return false;
}
