// The distinct values of an array, numbered in ascending order. They are sorted: that takes O(n log n) for any values,
// which a hash table does not promise, and a Map ends at 2^24 of them.

import { withMemory } from '../memory.ts';

/** The distinct values of `values`, ascending. O(n log n). */
export function distinctOf(values: Int32Array): Int32Array {
  const sorted = withMemory(() => values.slice()).sort();
  let count = 0;
  for (const value of sorted) if (count === 0 || sorted[count - 1] !== value) sorted[count++] = value;
  return sorted.subarray(0, count);
}

/** The index of a value in an ascending array that has it. O(log n). */
export function indexIn(distinct: Int32Array, value: number): number {
  let low = 0;
  for (let high = distinct.length - 1; low < high; ) {
    const middle = (low + high) >>> 1;
    if (distinct[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
