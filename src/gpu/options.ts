// Options of a pool and of its methods that are the same for every graphics API, and their checks.

import { checkPowerOfTwo, checkWithin, MAX_CAPACITY } from '../base/arguments.ts';
import type { BufferAllocation } from './allocation.ts';
import type { Backend } from './backend.ts';
import type { Budget } from './defragment.ts';

const DEFAULT_BUFFER_SIZE = 2 ** 24;

/** Options of a pool. Sizes are in bytes. */
export interface PoolOptions<B> {
  /** Size of a buffer: a power of two from the unit to the largest that the device allows; 16 MiB unless given. */
  readonly bufferSize?: number;
  /**
   * Size of the first buffer: a power of two from the unit to `bufferSize`, which it is unless given. Each further
   * buffer is twice as large as the largest so far, up to `bufferSize`, and not smaller than the request that it is
   * made for.
   */
  readonly firstBufferSize?: number;
  /** Limit on the size of all buffers together; no limit unless given. */
  readonly maxBytes?: number;
  /**
   * Every offset is a multiple of it. A power of two, at least the alignment that the device requires for the usage;
   * that unless given. The pool's own memory is 0.28 bytes per unit: a larger unit saves some of it, and rounds every
   * range up.
   */
  readonly unit?: number;
  /** Label of the buffers, for error messages and debuggers, and of the pool in the report of leaks. */
  readonly label?: string;
  /**
   * Called by `destroy` if ranges are live. `message` has their number and bytes by label, `leaks` are the ranges. Give
   * it `console.warn` to read it. Unless given nothing is reported, since `destroy` may be meant to free what is left.
   */
  readonly onLeak?: (message: string, leaks: readonly BufferAllocation<B>[]) => void;
}

/** Options of {@link AbstractPool.alloc}. */
export interface AllocOptions {
  /**
   * Alignment of the offset in bytes: any positive integer up to the size of a buffer; 1 unless given. Every offset is
   * a multiple of the unit, too. For one of a stride, `offset / stride` is a whole number, as `firstVertex` needs it.
   */
  readonly alignment?: number;
  /** A name for the range, {@link BufferAllocation.label}. */
  readonly label?: string;
  /** Anything, {@link BufferAllocation.userData}. */
  readonly userData?: unknown;
  /** Whether the range gets a buffer of its own, of just its size, which is destroyed with it; false unless given. */
  readonly dedicated?: boolean;
}

/** Options of `defragment`. */
export interface DefragmentOptions<B> {
  /** The most ranges that the call moves: a positive integer; no limit unless given. */
  readonly maxMoves?: number;
  /**
   * The most bytes that the ranges it moves have together: a positive integer; no limit unless given. A larger range
   * stays in its place.
   */
  readonly maxBytes?: number;
  /** Called once for each live range. One for which it returns false stays in its place. */
  readonly filter?: (allocation: BufferAllocation<B>) => boolean;
}

/** The sizes that a pool goes by, in bytes. */
export interface Sizes {
  readonly unit: number;
  readonly bufferSize: number;
  readonly firstBufferSize: number;
  readonly maxBytes: number;
}

/** A positive integer, or no limit. */
const limitOf = (name: string, value: number | undefined): number =>
  value === undefined ? Number.POSITIVE_INFINITY : checkWithin(name, value, 1, Number.MAX_SAFE_INTEGER);

/** The sizes in `options`, after a check, and the others as they are unless given. */
export function sizesOf(options: PoolOptions<never>, backend: Backend<unknown>): Sizes {
  const largest = 2 ** Math.floor(Math.log2(backend.maxBufferSize));
  const unit = checkPowerOfTwo('unit', options.unit ?? backend.alignment, backend.alignment, largest);
  const bufferSize = checkPowerOfTwo(
    'bufferSize',
    options.bufferSize ?? Math.max(unit, Math.min(DEFAULT_BUFFER_SIZE, largest)),
    unit,
    Math.min(largest, unit * MAX_CAPACITY),
  );
  const first = options.firstBufferSize ?? bufferSize;
  return {
    unit,
    bufferSize,
    firstBufferSize: checkPowerOfTwo('firstBufferSize', first, unit, bufferSize),
    maxBytes: limitOf('maxBytes', options.maxBytes),
  };
}

/** What `options` allow a call to move. */
export function budgetOf(options: DefragmentOptions<never>): Budget {
  return {
    maxMoves: limitOf('maxMoves', options.maxMoves),
    maxBytes: limitOf('maxBytes', options.maxBytes),
  };
}

/** `value`, after a check that it is a string. */
export function checkString(name: string, value: string): string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be of type string, not ${typeof value}`);
  return value;
}

/** `value`, after a check that it is a function or not given. */
export function checkCallback<F>(name: string, value: F | undefined): F | undefined {
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`${name} must be a function, not ${typeof value}`);
  }
  return value;
}
