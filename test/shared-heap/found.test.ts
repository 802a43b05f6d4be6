// Faults that random programs have found.

import { expect, it } from 'vitest';
import { SharedHeap } from '../../src/shared.ts';

function attach(heap: SharedHeap): SharedHeap {
  const other = SharedHeap.attach(heap.handle);
  if (other === null) throw new Error('no slot is left');
  return other;
}

it('a block in memory that another worker has added has the size that was asked for', () => {
  const heap = SharedHeap.create({ size: 2 ** 16, maximum: 2 ** 20, keepSizes: true });
  const other = attach(heap);
  const { end } = heap;
  heap.free(heap.malloc(2 ** 18));
  const blocks: number[] = [];
  do blocks.push(other.malloc(20_000));
  while ((blocks.at(-1) as number) < end);
  expect(blocks.map((ptr) => other.lengthOf(ptr))).toEqual(blocks.map(() => 20_000));
});

it('alignedAlloc gives back the rest of a block in memory that another worker has added', () => {
  const heap = SharedHeap.create({ size: 2 ** 16, maximum: 2 ** 20 });
  const other = attach(heap);
  const { end } = heap;
  heap.free(heap.malloc(2 ** 18));
  const sizes: number[] = [];
  for (let ptr = 0; ptr < end; sizes.push(other.usableSize(ptr))) ptr = other.alignedAlloc(2 ** 13, 100);
  expect(new Set(sizes).size).toBe(1);
});
