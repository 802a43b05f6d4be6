// What the package's parts may weigh, and what is reported of them. `npm run size` and test/size.test.ts go by this.

/** An import, as a program writes it. */
export interface Part {
  /** What is imported. */
  readonly names: string;
  readonly from: string;
  /** The most bytes that it may come to, minified and compressed with brotli. */
  readonly budget?: number;
}

export const parts: readonly Part[] = [
  // 5 KiB without ranges of any size and the copying of states word by word.
  { names: '{ BuddyAllocator }', from: 'buddy-allocator', budget: 7 * 1024 },
  { names: '{ BuddyError }', from: 'buddy-allocator', budget: 250 },
  { names: '{ Heap }', from: 'buddy-allocator/heap', budget: 18.5 * 1024 },
  { names: '{ SharedBuddyAllocator }', from: 'buddy-allocator/shared' },
  { names: '*', from: 'buddy-allocator/shared' },
  { names: '{ BufferPool }', from: 'buddy-allocator/webgpu' },
  { names: '{ BufferPool }', from: 'buddy-allocator/webgl' },
  { names: '{ MemPool }', from: 'buddy-allocator/mempool', budget: 19.5 * 1024 },
  { names: '{ DebugHeap }', from: 'buddy-allocator/debug', budget: 20.5 * 1024 },
  { names: '{ readTrace }', from: 'buddy-allocator/trace' },
  { names: '{ replay }', from: 'buddy-allocator/trace' },
  { names: '*', from: 'buddy-allocator/trace' },
  { names: '*', from: 'buddy-allocator/replicated' },
  { names: '{ Prefixes }', from: 'buddy-allocator/prefixes' },
];
