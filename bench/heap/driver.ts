// The loops that are timed. Load this module only through loadHeapDriver, which gives every contender a copy of its own.

/** What the loops drive. A pointer is a number > 0; 0 says that there was no room. */
export interface ByteHeap {
  malloc(bytes: number): number;
  realloc(ptr: number, bytes: number): number;
  free(ptr: number): unknown;
}

/**
 * Replays all operations: x >= 0 allocates x bytes, x < 0 frees the block with id ~x. `pointers` gets the pointer of every
 * id. Returns the number of allocations that found no room.
 */
export function replay(heap: ByteHeap, operations: Int32Array, pointers: Int32Array): number {
  let id = 0;
  let failures = 0;
  for (let i = 0; i < operations.length; i++) {
    const x = operations[i];
    if (x >= 0) {
      const ptr = heap.malloc(x);
      pointers[id++] = ptr;
      if (ptr === 0) failures++;
    } else {
      const ptr = pointers[~x];
      if (ptr !== 0) heap.free(ptr);
    }
  }
  return failures;
}

/** The same, but for every block being asked for at half its size, and then resized to the whole. */
export function replayResizing(heap: ByteHeap, operations: Int32Array, pointers: Int32Array): number {
  let id = 0;
  let failures = 0;
  for (let i = 0; i < operations.length; i++) {
    const x = operations[i];
    if (x >= 0) {
      const ptr = heap.realloc(heap.malloc((x + 1) >> 1), x);
      pointers[id++] = ptr;
      if (ptr === 0) failures++;
    } else {
      const ptr = pointers[~x];
      if (ptr !== 0) heap.free(ptr);
    }
  }
  return failures;
}

/**
 * Replays all operations as `replay` does, timing each by itself: `least[i]` becomes the lesser of what it was and of operation i's
 * nanoseconds, the clock's own cost included. Returns the nanoseconds of the slowest one.
 */
export function replayTimingEach(
  heap: ByteHeap,
  operations: Int32Array,
  pointers: Int32Array,
  least: Float64Array,
): number {
  let id = 0;
  let slowest = 0;
  for (let i = 0; i < operations.length; i++) {
    const x = operations[i];
    const start = performance.now();
    if (x >= 0) {
      pointers[id++] = heap.malloc(x);
    } else {
      const ptr = pointers[~x];
      if (ptr !== 0) heap.free(ptr);
    }
    const ns = (performance.now() - start) * 1e6;
    if (ns < least[i]) least[i] = ns;
    if (ns > slowest) slowest = ns;
  }
  return slowest;
}
