// Slabs at the end of a heap's memory: if there is no room for a slab of the wished size, smaller ones take what is left.

import { expect, it } from 'vitest';
import { Heap } from '../../src/heap.ts';

it.each([8, 16, 24, 48, 64, 100, 128, 200, 256])('a heap full of blocks of %d bytes is full', (bytes) => {
  for (const size of [16_384, 32_768, 65_536, 300_000]) {
    const heap = new Heap({ size, unit: 8 });
    const all: number[] = [];
    for (let round = 0; round < 2; round++) {
      for (let ptr = heap.malloc(bytes); ptr !== 0; ptr = heap.malloc(bytes)) all.push(ptr);
      // The bitmap of a slab has no room for all slots of 8 bytes that pages of 1 KiB have room for.
      expect(heap.freeBytes / size).toBeLessThan(bytes === 8 ? 0.15 : 0.08);
      expect(heap.check()).toEqual([]);
      // The second time with other slabs in the way.
      for (const ptr of all.splice(0)) heap.free(ptr);
      all.push(heap.malloc(300), heap.malloc(32));
    }
  }
});
