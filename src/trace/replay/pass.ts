// The replay loop: one trace driven through one allocator, as fast as it goes.

import { checkInteger } from '../../base/arguments.ts';
import { BuddyAllocator } from '../../core/allocator.ts';
import type { Trace } from '../trace.ts';

/** Told now and then how far a long run is; both are counts of operations. */
export type Progress = (done: number, total: number) => void;

// How many operations run between two looks at the clock: enough that looking costs nothing, some milliseconds.
const SLICE = 1 << 16;

/**
 * The operations of a trace with sizes in units: rounded up, at least one. Frees stay as they are.
 *
 * @throws {TypeError} or {RangeError} when `unit` is no integer of at least 1 byte.
 */
export function opsInUnits(trace: Trace, unit: number): Int32Array {
  checkInteger('unit', unit, 1);
  return trace.ops.map((op) => (op < 0 ? op : Math.max(1, Math.ceil(op / unit))));
}

/** The order of the block that `size` units get: log2 of the power of two at or above it. */
export function orderOf(size: number): number {
  return 32 - Math.clz32(size - 1);
}

/** One trace on its way through one allocator. */
export class Pass {
  readonly allocator: BuddyAllocator;
  /** Every offset returned so far, -1 for no room: h = h * 31 + offset, uint32. Equal hashes mean equal placement. */
  hash = 0;
  /** Allocations that found no room. The frees of such blocks are passed over. */
  failures = 0;
  /** Milliseconds spent in the loop. */
  elapsed = 0;
  readonly #ops: Int32Array;
  readonly #offsets: Int32Array;
  #at = 0;
  #id = 0;

  /** @param ops the operations of `trace` in units, as {@link opsInUnits} gives them. */
  constructor(trace: Trace, ops: Int32Array, capacity: number) {
    this.allocator = new BuddyAllocator({ capacity });
    this.#ops = ops;
    this.#offsets = new Int32Array(trace.allocations);
  }

  /** Runs up to the operation with index `end`, pausing after every slice with the count of operations done. */
  *run(end: number): Generator<number> {
    while (this.#at < end) {
      this.#slice(Math.min(end, this.#at + SLICE));
      yield this.#at;
    }
  }

  // Nothing here but the replay itself, so that its time is the allocator's.
  #slice(end: number): void {
    const allocator = this.allocator;
    const ops = this.#ops;
    const offsets = this.#offsets;
    let id = this.#id;
    let hash = this.hash;
    let failures = 0;
    const begin = performance.now();
    for (let i = this.#at; i < end; i++) {
      const op = ops[i];
      if (op >= 0) {
        const offset = allocator.alloc(op);
        offsets[id++] = offset;
        hash = (Math.imul(hash, 31) + offset) | 0;
        if (offset < 0) failures++;
      } else {
        const offset = offsets[~op];
        if (offset >= 0) allocator.free(offset);
      }
    }
    this.elapsed += performance.now() - begin;
    this.#at = end;
    this.#id = id;
    this.hash = hash >>> 0;
    this.failures += failures;
  }
}
