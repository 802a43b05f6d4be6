// This project's Heap, as built and shipped.

import type { GrowingContender } from './contender.ts';

// The types come from the sources and the code from the build, as in ../contenders/buddy.ts.
const built = new URL('../../dist/heap.js', import.meta.url).href;
const { Heap }: typeof import('../../src/heap.ts') = await import(built);

const PAGE = 65_536;

export const heap: GrowingContender = {
  name: 'Heap',
  create: ({ memoryBytes }) => {
    const heap = new Heap({ size: memoryBytes });
    return { heap, memory: heap.buffer };
  },
  createGrowing: (maximum) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: maximum / PAGE });
    const heap = new Heap({ memory });
    return {
      heap,
      base: 0,
      memoryBytes: () => memory.buffer.byteLength,
      stateBytes: () => heap.stats().metadataBytes,
    };
  },
};
