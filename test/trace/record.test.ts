// Recording heaps and allocators: the trace says what the program did, and a replay of it places every block alike.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DebugHeap } from '../../src/debug.ts';
import { Heap } from '../../src/heap.ts';
import { BuddyAllocator } from '../../src/index.ts';
import { SharedBuddyAllocator, SharedHeap } from '../../src/shared.ts';
import { readTrace, record, type Trace } from '../../src/trace.ts';

/** The sizes of the blocks that are live after the trace, ascending. */
function liveSizes({ ops }: Trace): number[] {
  const live = new Map<number, number>();
  let id = 0;
  for (const op of ops) {
    if (op >= 0) live.set(id++, op);
    else live.delete(~op);
  }
  return [...live.values()].toSorted((a, b) => a - b);
}

/** What a replay of the trace gets for each allocation. */
function placesOf(
  { ops }: Trace,
  allocate: (size: number) => number,
  free: (place: number, size: number) => void,
): number[] {
  const places: number[] = [];
  const sizes: number[] = [];
  for (const op of ops) {
    if (op < 0) free(places[~op], sizes[~op]);
    else {
      places.push(allocate(op));
      sizes.push(op);
    }
  }
  return places;
}

/** Steps of a program: allocate so much, or free one of the live blocks. */
const steps = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(99), fc.integer({ min: 0, max: 3 })),
  {
    minLength: 1,
    maxLength: 200,
  },
);

/** Takes one of the live blocks out of the list. */
function pick<T>(live: T[], index: number): T | undefined {
  return live.splice(index % Math.max(1, live.length), 1)[0];
}

describe('the trace of an allocator, replayed, places all blocks alike', () => {
  it('alloc and free', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (program) => {
        const allocator = new BuddyAllocator({ capacity: 1000 });
        const recorder = record(allocator);
        const places: number[] = [];
        const live: number[] = [];
        for (const [size, which, kind] of program) {
          const freed = kind === 0 ? pick(live, which) : undefined;
          if (freed !== undefined) allocator.free(freed);
          else {
            const offset = allocator.alloc(size);
            if (offset < 0) continue;
            live.push(offset);
            places.push(offset);
          }
        }
        const again = new BuddyAllocator({ capacity: 1000 });
        const trace = await recorder.trace();
        expect(
          placesOf(
            trace,
            (size) => again.alloc(size),
            (offset) => again.free(offset),
          ),
        ).toEqual(places);
        expect(recorder.refusedRequests + places.length + trace.frees).toBe(program.length);
        expect([...again.blocks()]).toEqual([...allocator.blocks()]);
      }),
      { numRuns: 60 },
    );
  });

  it('allocRange and release', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (program) => {
        const allocator = new BuddyAllocator({ capacity: 500 });
        const recorder = record(allocator, { unit: 16 });
        const places: number[] = [];
        const live: [number, number][] = [];
        for (const [size, which, kind] of program) {
          const freed = kind === 0 ? pick(live, which) : undefined;
          if (freed !== undefined) allocator.release(...freed);
          else {
            const offset = allocator.allocRange(size);
            if (offset < 0) continue;
            live.push([offset, size]);
            places.push(offset);
          }
        }
        const again = new BuddyAllocator({ capacity: 500 });
        const trace = await recorder.trace();
        const replayed = placesOf(
          trace,
          (bytes) => again.allocRange(bytes / 16),
          (offset, bytes) => again.release(offset, bytes / 16),
        );
        expect(replayed).toEqual(places);
      }),
      { numRuns: 60 },
    );
  });
});

it('the trace of a heap, replayed, places all blocks alike', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 60 }), async (program, scale) => {
      const heap = new Heap({ size: 2 ** 16, maximum: 2 ** 20 });
      const recorder = record(heap);
      const places: number[] = [];
      const live: (number | ArrayBufferView)[] = [];
      const scope = heap.scope();
      for (const [size, which, kind] of program) {
        const bytes = size * scale;
        const picked = kind < 2 ? pick(live, which) : undefined;
        if (picked === undefined) {
          const made = [
            () => heap.malloc(bytes),
            () => heap.calloc(size, scale),
            () => heap.allocArray(Uint8Array, bytes) ?? 0,
            () => heap.imports.malloc(bytes),
          ][which % 4]();
          if (made === 0) continue;
          live.push(made);
          places.push(typeof made === 'number' ? made : made.byteOffset);
        } else if (kind === 0) heap.free(picked);
        else {
          // A block that is to move: one that stays is another matter.
          const ptr = typeof picked === 'number' ? picked : picked.byteOffset;
          const moved = heap.realloc(ptr, heap.usableSize(ptr) + 1);
          if (moved === ptr) return; // A large block that could grow where it is.
          live.push(moved === 0 ? picked : moved);
          if (moved !== 0) places.push(moved);
        }
      }
      const kept = scope.malloc(24);
      if (kept !== 0) places.push(kept);
      scope.dispose();
      const again = new Heap({ size: 2 ** 16, maximum: 2 ** 20 });
      const trace = await recorder.trace();
      expect(
        placesOf(
          trace,
          (bytes) => again.malloc(bytes),
          (ptr) => again.free(ptr),
        ),
      ).toEqual(places);
      expect([...again.blocks()]).toEqual([...heap.blocks()]);
    }),
    { numRuns: 60 },
  );
});

describe('what is recorded', () => {
  it('of a heap: every call that allocates, resizes or frees, each once', async () => {
    const heap = new Heap({ size: 2 ** 16 });
    const recorder = record(heap);
    const a = heap.malloc(10); // 0
    const b = heap.calloc(3, 5); // 1
    const c = heap.alignedAlloc(64, 100); // 2
    const floats = heap.allocArray(Float32Array, 6); // 3
    const zeros = heap.callocArray(Uint16Array, 7); // 4
    if (floats === null || zeros === null) throw new Error('no room');
    const more = heap.reallocArray(floats, 600); // 5, moves
    const same = heap.realloc(a, 11); // 6, stays
    expect(same).toBe(a);
    expect(heap.realloc(0, 12)).toBeGreaterThan(0); // 7
    const block = heap.block(13); // 8
    block?.free();
    expect(heap.allocFrom(Uint8Array.of(1, 2))).not.toBe(null); // 9
    heap.free(0);
    heap.free(b);
    heap.free(more ?? 0);
    heap.imports.free(c);
    expect(heap.malloc(2 ** 30)).toBe(0);
    expect(() => heap.free(b)).toThrow();
    heap.clear();
    const { ops, refusedRequests } = await recorder.trace();
    expect([...ops]).toEqual(
      [10, 15, 100, 24, 14, 2400, ~3, ~0, 11, 12, 13, ~8, 2].concat([~1, ~5, ~2, ~4, ~6, ~7, ~9]),
    );
    expect(refusedRequests).toBe(1);
  });

  it('of a DebugHeap, which makes its views without malloc', async () => {
    const heap = new DebugHeap({ size: 2 ** 16 });
    const recorder = record(heap);
    const array = heap.allocArray(Uint8Array, 5); // 0
    const zeros = heap.callocArray(Uint32Array, 6); // 1
    if (array === null || zeros === null) throw new Error('no room');
    const more = heap.reallocArray(zeros, 7); // 2
    heap.free(array);
    heap.free(more ?? 0);
    expect(heap.realloc(0, 8)).toBeGreaterThan(0); // 3
    expect([...(await recorder.trace()).ops]).toEqual([5, 24, 28, ~1, ~0, ~2, 8]);
  });

  it('of an allocator: blocks, ranges and their parts, in bytes', async () => {
    const allocator = new BuddyAllocator({ capacity: 64 });
    const recorder = record(allocator, { unit: 10 });
    expect(allocator.alloc(3)).toBe(0); // 0
    expect(allocator.resize(0, 5)).toBe(true); // 1
    expect(allocator.allocRange(11)).toBe(8); // 2
    expect(allocator.resizeRange(8, 11, 13)).toBe(true); // 3
    allocator.release(16, 4); // 8 units and 1 are left of it: 4 and 5
    expect(allocator.reserve(40, 20)).toBe(true); // 6
    allocator.free(40); // a block of 8 of it: 12 are left, 7
    allocator.release(48, 12);
    expect(allocator.alloc(100)).toBe(-1);
    expect(() => allocator.free(63)).toThrow();
    allocator.clear();
    const { ops, refusedRequests, skippedFrees } = await recorder.trace();
    expect([...ops]).toEqual([30, ~0, 50, 110, ~2, 130, ~3, 80, 10, 200, ~6, 120, ~7].concat([~1, ~4, ~5]));
    expect({ refusedRequests, skippedFrees }).toEqual({ refusedRequests: 1, skippedFrees: 0 });
  });

  it.each<[string, () => Heap | DebugHeap | SharedHeap]>([
    ['Heap', () => new Heap({ size: 2 ** 18 })],
    ['DebugHeap', () => new DebugHeap({ size: 2 ** 18 })],
    ['SharedHeap', () => SharedHeap.create({ size: 2 ** 18 })],
  ])('of a %s: what is live in the end, whatever was resized', async (_, make) => {
    await fc.assert(
      fc.asyncProperty(steps, async (program) => {
        const heap = make();
        const recorder = record(heap);
        const live: [number, number][] = [];
        for (const [size, which, kind] of program) {
          const [ptr, bytes] = (kind < 2 ? pick(live, which) : undefined) ?? [0, 0];
          if (kind === 0) heap.free(ptr);
          else {
            const resized = heap.realloc(ptr, size * 50);
            if (resized !== 0) live.push([resized, size * 50]);
            else if (ptr !== 0) live.push([ptr, bytes]);
          }
        }
        const sizes = live.map(([, bytes]) => bytes).toSorted((a, b) => a - b);
        // A trace needs an operation.
        if (recorder.operations === 0) sizes.push(heap.malloc(1) && 1);
        expect(liveSizes(await recorder.trace())).toEqual(sizes);
      }),
      { numRuns: 20 },
    );
  });

  it('of a SharedBuddyAllocator: alloc and free', async () => {
    const allocator = SharedBuddyAllocator.create({ capacity: 64 });
    const recorder = record(allocator);
    allocator.free(allocator.alloc(5));
    allocator.alloc(7);
    expect([...(await recorder.trace()).ops]).toEqual([5, ~0, 7]);
  });

  it('the blocks that are live already come first, in address order', async () => {
    const heap = new Heap({ size: 2 ** 16 });
    const [a, b] = [heap.malloc(32), heap.malloc(1024)];
    heap.free(heap.malloc(48));
    const sizes = [...heap.blocks()].map(({ size }) => size);
    expect(sizes.toSorted((x, y) => x - y)).toEqual([32, 1024]);
    const recorder = record(heap);
    heap.free(b);
    heap.free(a);
    const [first, second] = [~sizes.indexOf(1024), ~sizes.indexOf(32)];
    expect([...(await recorder.trace()).ops]).toEqual([...sizes, first, second]);
    const allocator = new BuddyAllocator({ capacity: 8 });
    allocator.alloc(1);
    allocator.alloc(3);
    const units = record(allocator, { unit: 2 });
    allocator.free(4);
    expect([...(await units.trace()).ops]).toEqual([2, 8, ~1]);
  });

  it('blocks of more than 2^31 - 1 bytes are counted, not written', async () => {
    const allocator = new BuddyAllocator({ capacity: 1024 });
    const recorder = record(allocator, { unit: 2 ** 24 });
    allocator.free(allocator.alloc(128));
    allocator.alloc(127);
    const { ops, oversizedRequests } = await recorder.trace();
    expect([...ops]).toEqual([127 * 2 ** 24]);
    expect(oversizedRequests).toBe(1);
  });

  it('frees of another worker’s blocks are counted, not written', async () => {
    const heap = SharedHeap.create({ size: 2 ** 16 });
    const recorder = record(heap);
    const other = SharedHeap.attach(heap.handle);
    heap.free(other?.malloc(10) ?? 0);
    heap.malloc(20);
    expect(await recorder.trace()).toMatchObject({ ops: Int32Array.of(20), skippedFrees: 1 });
  });
});

describe('the sink', () => {
  const run = (heap: Heap, operations: number): void => {
    for (let i = 0; i < operations / 2; i++) heap.free(heap.malloc(i));
  };

  it('a function gets the file in pieces of at most 64 KiB', async () => {
    const heap = new Heap({ size: 2 ** 20 });
    const pieces: Uint8Array[] = [];
    const recorder = record(heap, { sink: (piece) => pieces.push(piece) });
    run(heap, 100_000);
    expect(pieces.length).toBeGreaterThan(5);
    await recorder.stop();
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(2 ** 16);
    const { ops } = await readTrace(Buffer.concat(pieces));
    expect([ops.length, ops[0], ops[1], ops[99_998], ops[99_999]]).toEqual([100_000, 0, ~0, 49_999, ~49_999]);
    expect(recorder.operations).toBe(100_000);
    await expect(recorder.trace()).rejects.toThrow(TypeError);
  });

  it('a stream gets it, and is closed', async () => {
    const heap = new Heap({ size: 2 ** 20 });
    const gzip = new CompressionStream('gzip');
    const packed = new Response(gzip.readable as ReadableStream).arrayBuffer();
    const recorder = record(heap, { sink: gzip.writable });
    run(heap, 50_000);
    await recorder.stop();
    expect((await readTrace(new Uint8Array(await packed))).ops.length).toBe(50_000);
  });

  it('without one, the trace is kept, and is a file as encodeTrace writes it', async () => {
    const heap = new Heap({ size: 2 ** 20 });
    const recorder = record(heap);
    run(heap, 40_000);
    const bytes = await recorder.bytes();
    expect((await readTrace(bytes)).ops).toEqual((await recorder.trace()).ops);
    expect(new DataView(bytes.buffer).getUint32(8, true)).toBe(40_000);
  });

  it.each<[string, () => Parameters<typeof record>[1]]>([
    [
      'a function',
      () => {
        let calls = 0;
        return {
          sink: () => {
            if (calls++ > 0) throw new Error('disk full');
          },
        };
      },
    ],
    [
      'a stream',
      () => ({ sink: new WritableStream({ write: () => Promise.reject(new Error('disk full')) }) }),
    ],
  ])('%s that fails does not fail the program; stop tells', async (_, options) => {
    const heap = new Heap({ size: 2 ** 20 });
    const recorder = record(heap, options());
    run(heap, 100_000);
    await expect(recorder.stop()).rejects.toThrow('disk full');
    expect(heap.stats().liveBlocks).toBe(0);
  });
});

describe('a recorded object', () => {
  it('is itself, and has its own methods again afterwards', async () => {
    const heap = new Heap({ size: 2 ** 16 });
    const recorder = record(heap);
    expect(heap).toBeInstanceOf(Heap);
    expect(Object.keys(heap)).toEqual([]);
    heap.malloc(1);
    const stopped = recorder.stop();
    expect(Object.getOwnPropertyNames(heap)).toEqual([]);
    heap.malloc(2);
    await stopped;
    expect([...(await recorder.trace()).ops]).toEqual([1]);
    const again = record(heap);
    heap.malloc(3);
    expect((await again.trace()).ops.at(-1)).toBe(3);
  });

  it('keeps the method that another party has put in place', async () => {
    const heap = new Heap({ size: 2 ** 16 });
    const calls: number[] = [];
    const spy = (name: number, malloc: (bytes: number) => number) => (bytes: number) => {
      calls.push(name);
      return malloc.call(heap, bytes);
    };
    heap.malloc = spy(1, heap.malloc);
    const recorder = record(heap);
    heap.malloc = spy(2, heap.malloc);
    heap.malloc(5);
    await recorder.stop();
    heap.malloc(6);
    expect(calls).toEqual([2, 1, 2, 1]);
    expect(recorder.operations).toBe(1);
    expect([...(await recorder.trace()).ops]).toEqual([5]);
  });

  it.each<[string, () => unknown]>([
    ['twice', () => [record(heap), record(heap)]],
    ['nothing', () => record(undefined as never)],
    ['what is not an allocator', () => record({} as never)],
    ['an object that is frozen', () => record(Object.freeze(new BuddyAllocator({ capacity: 1 })))],
    ['a heap with a unit', () => record(new Heap({ size: 4096 }), { unit: 16 })],
    ['with a sink that is not one', () => record(new Heap({ size: 4096 }), { sink: 7 as never })],
  ])('%s is refused', (_, call) => {
    expect(call).toThrow(TypeError);
  });
  const heap = new Heap({ size: 4096 });

  it('a unit must be a positive integer', () => {
    const allocator = new BuddyAllocator({ capacity: 1 });
    expect(() => record(allocator, { unit: 0 })).toThrow(RangeError);
    expect(() => record(allocator, { unit: '1' as never })).toThrow(TypeError);
  });

  it('a trace of nothing is EMPTY', async () => {
    await expect(record(new Heap({ size: 4096 })).trace()).rejects.toMatchObject({ code: 'EMPTY' });
  });
});

describe('what is refused', () => {
  it('by a heap is counted, and nothing else', async () => {
    const heap = new Heap({ size: 2 ** 16 });
    const array = heap.allocArray(Uint8Array, 100) as Uint8Array;
    const recorder = record(heap);
    expect(heap.malloc(2 ** 20)).toBe(0);
    expect(heap.realloc(0, 2 ** 20)).toBe(0);
    expect(heap.realloc(array.byteOffset, 2 ** 20)).toBe(0);
    expect(heap.allocArray(Uint8Array, 2 ** 20)).toBeNull();
    expect(heap.reallocArray(array, 2 ** 20)).toBeNull();
    heap.free(0);
    heap.free(array);
    await recorder.stop();
    const trace = await recorder.trace();
    expect(trace.refusedRequests).toBe(5);
    expect(liveSizes(trace)).toEqual([]);
  });

  it('by an allocator is counted, and nothing else', async () => {
    const allocator = new BuddyAllocator({ capacity: 64 });
    const first = allocator.alloc(4);
    const second = allocator.allocRange(40);
    const recorder = record(allocator);
    expect(allocator.alloc(64)).toBe(-1);
    expect(allocator.allocRange(60)).toBe(-1);
    expect(allocator.reserve(0, 64)).toBe(false);
    expect(allocator.resize(first, 64)).toBe(false);
    expect(allocator.resizeRange(second, 40, 64)).toBe(false);
    await recorder.stop();
    const trace = await recorder.trace();
    expect(trace.refusedRequests).toBe(5);
    // A range that is there already is noted as the blocks that make it up.
    expect(liveSizes(trace).reduce((sum, size) => sum + size)).toBe(44);
  });
});
