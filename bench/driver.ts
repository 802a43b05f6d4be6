// The loops that are timed: replay operations on an allocator, as a whole or operation by operation.
// Load this module only through loadDriver, which gives every contender a copy of its own.

/** What the loops drive. Handles are numbers >= 0; a negative handle says that there was no room. */
export interface Allocator {
  alloc(size: number): number;
  free(handle: number): unknown;
}

/** Where a replay stands; a second call continues from it. */
export interface ReplayState {
  /** Number of allocations so far, which is the id of the next one. */
  allocations: number;
  /** Allocations that found no room. */
  failures: number;
  /** h = h * 31 + handle over every allocation, modulo 2^32, as a signed number. */
  hash: number;
}

/**
 * Replays `operations[from … to)`. An operation x >= 0 allocates x (units or bytes, as the contender takes
 * them) and gets the next id; x < 0 frees the block with id ~x unless its allocation failed.
 * `handles` remembers the handle of every id. Linear in `to - from`.
 */
export function replay(
  allocator: Allocator,
  operations: Int32Array,
  from: number,
  to: number,
  handles: Int32Array,
  state: ReplayState,
): void {
  let id = state.allocations;
  let failures = 0;
  let hash = state.hash;
  for (let i = from; i < to; i++) {
    const x = operations[i];
    if (x >= 0) {
      const handle = allocator.alloc(x);
      handles[id++] = handle;
      hash = (Math.imul(hash, 31) + handle) | 0;
      if (handle < 0) failures++;
    } else {
      const handle = handles[~x];
      if (handle >= 0) allocator.free(handle);
    }
  }
  state.allocations = id;
  state.failures += failures;
  state.hash = hash;
}

/**
 * Replays all operations once, timing each by itself: `least[i]` becomes the lesser of what it was and of
 * operation i's nanoseconds, the clock's own cost included. Linear in the number of operations.
 */
export function replayTimingEach(
  allocator: Allocator,
  operations: Int32Array,
  handles: Int32Array,
  least: Float64Array,
): void {
  let id = 0;
  for (let i = 0; i < operations.length; i++) {
    const x = operations[i];
    const start = performance.now();
    if (x >= 0) {
      handles[id++] = allocator.alloc(x);
    } else {
      const handle = handles[~x];
      if (handle >= 0) allocator.free(handle);
    }
    const ns = (performance.now() - start) * 1e6;
    if (ns < least[i]) least[i] = ns;
  }
}

/** An allocator of ranges: it wants to know how long a range is that it gets back. */
export interface RangeAllocator {
  alloc(size: number): number;
  free(handle: number, size: number): unknown;
}

/**
 * Replays all operations, as `replay` does, and returns how many found no room. `sizes` has the size of every id. Linear in the
 * number of operations.
 */
export function replayRanges(
  allocator: RangeAllocator,
  operations: Int32Array,
  sizes: Int32Array,
  handles: Int32Array,
): number {
  let id = 0;
  let failures = 0;
  for (let i = 0; i < operations.length; i++) {
    const x = operations[i];
    if (x >= 0) {
      const handle = allocator.alloc(x);
      handles[id++] = handle;
      if (handle < 0) failures++;
    } else {
      const handle = handles[~x];
      if (handle >= 0) allocator.free(handle, sizes[~x]);
    }
  }
  return failures;
}
