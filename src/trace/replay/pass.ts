// The replay loop: one trace driven through one allocator, as fast as it goes.

import { checkInteger } from '../../base/arguments.ts';
import { BuddyAllocator } from '../../core/allocator.ts';
import { withMemory } from '../memory.ts';
import type { Trace } from '../trace.ts';

/** Called now and then during a long run. Both arguments are counts of operations. */
export type Progress = (done: number, total: number) => void;

/**
 * Operations between two reports of progress, or two looks at the clock: some milliseconds, so that neither costs
 * anything.
 */
const SLICE = 1 << 16;

/** Reports that `index` of `operations` operations are done, if a slice begins there: once in 65,536 operations. */
export function reportSlice(index: number, operations: number, onProgress: Progress): void {
  if (index % SLICE === 0) onProgress(index, operations);
}

/** Units of `unit` bytes that a request for `bytes` bytes takes: at least one. */
export function unitsFor(bytes: number, unit: number): number {
  return Math.max(1, Math.ceil(bytes / unit));
}

/**
 * The operations of a trace with sizes in units of `unit` bytes: rounded up, at least one. Frees stay as they are.
 * O(n).
 *
 * @throws TypeError if `unit` is not a number.
 * @throws RangeError if `unit` is not a positive integer.
 */
export function opsInUnits(trace: Trace, unit: number): Int32Array {
  checkInteger('unit', unit, 1);
  return withMemory(() => trace.ops.map((op) => (op < 0 ? op : unitsFor(op, unit))));
}

/** One trace on its way through one allocator. */
export class Pass {
  readonly allocator: BuddyAllocator;
  /**
   * Hash of the offsets returned so far, -1 for no room: h = h * 31 + offset, uint32. Equal hashes mean equal
   * placement.
   */
  hash = 0;
  /** Allocations that found no room. The frees of such blocks are passed over. */
  failures = 0;
  /** Milliseconds spent in the loop. */
  elapsed = 0;
  readonly #ops: Int32Array;
  readonly #offsets: Int32Array;
  #index = 0;
  #id = 0;

  /**
   * @param ops the operations of a trace in units, as {@link opsInUnits} gives them.
   * @param offsets room for an offset per allocation. The pass overwrites it.
   */
  constructor(ops: Int32Array, offsets: Int32Array, capacity: number) {
    this.allocator = new BuddyAllocator({ capacity });
    this.#ops = ops;
    this.#offsets = offsets;
  }

  /**
   * Runs the operations before the index `end`. Pauses after every slice, and yields the count of operations done.
   */
  *run(end: number): Generator<number> {
    while (this.#index < end) {
      this.#slice(Math.min(end, this.#index + SLICE));
      yield this.#index;
    }
  }

  /** Runs a slice. Nothing but the replay itself is in here, so that its time is the allocator's. */
  #slice(end: number): void {
    const allocator = this.allocator;
    const ops = this.#ops;
    const offsets = this.#offsets;
    let id = this.#id;
    let hash = this.hash;
    let failures = 0;
    const begin = performance.now();
    for (let i = this.#index; i < end; i++) {
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
    this.#index = end;
    this.#id = id;
    this.hash = hash >>> 0;
    this.failures += failures;
  }
}
