// A heap whose state lies in its own memory: saved and restored at any point, and refused if it is not sound.

import { describe, expect, test } from 'vitest';
import { regionOf } from '../../src/heap/heap.ts';
import { BuddyError, Heap, type HeapMemory } from '../../src/heap.ts';
import { releaseRun, reserveRun } from '../../src/slab/books.ts';
import { bytesOf, MEMORIES, MEMORY_KINDS } from '../support/heap-driver.ts';

const PAGE = 65_536;

/** A copy of `memory` in memory of another kind, of `extra` bytes more. */
function copyTo(kind: keyof typeof MEMORIES, memory: HeapMemory, extra = 0): HeapMemory {
  const from = bytesOf(memory);
  const copy = MEMORIES[kind](from.length + extra, 16 * PAGE);
  bytesOf(copy).set(from);
  return copy;
}

describe.each(MEMORY_KINDS)('from a %s', (from) => {
  test.each(MEMORY_KINDS)('to a %s', (to) => {
    const memory = MEMORIES[from](PAGE, 16 * PAGE);
    const heap = new Heap({ memory, embed: true, unit: 32 });
    const blocks = [10, 500, 40, 3000].map((size) => heap.calloc(size, 1));
    heap.free(blocks[1]);
    new Uint8Array(heap.buffer, blocks[3], 3000).fill(4);

    const restored = Heap.attach({ memory: copyTo(to, memory) });
    expect(restored.check()).toEqual([]);
    expect(restored.stats()).toEqual(heap.stats());
    expect([restored.unit, restored.start, restored.end]).toEqual([32, 0, PAGE]);
    expect(new Uint8Array(restored.buffer, blocks[3], 3000).every((byte) => byte === 4)).toBe(true);
    for (const size of [1, 100, 5000, 30]) expect(restored.malloc(size)).toBe(heap.malloc(size));
    restored.free(blocks[3]);
    expect(heap.isAllocated(blocks[3])).toBe(true);
  });
});

test('at every point of a life with growth, moves and trimming', () => {
  const heap = new Heap({ size: 4096, maximum: 16 * PAGE, start: 50, embed: true, resizable: true });
  const live: number[] = [];
  for (let i = 0; i < 300; i++) {
    if (i === 150) while (live.length > 5) heap.free(live.pop() as number);
    if (i === 160) expect(heap.trim()).toBeGreaterThan(0);
    if (i % 3 === 2) heap.free(live.shift() as number);
    else live.push(heap.malloc(i * 7));
    const restored = Heap.attach({ memory: heap.buffer.slice(0), start: 50 });
    expect(restored.stats()).toEqual(heap.stats());
    expect(live.map((ptr) => restored.usableSize(ptr))).toEqual(live.map((ptr) => heap.usableSize(ptr)));
  }
  expect(heap.end).toBeGreaterThan(PAGE);
});

describe('how far a restored heap grows', () => {
  const save = (options: object): ArrayBuffer => {
    const heap = new Heap({ memory: new ArrayBuffer(PAGE), embed: true, ...options });
    heap.malloc(1000);
    return heap.buffer as ArrayBuffer;
  };
  const fill = (heap: Heap<ArrayBufferLike>): number => {
    while (heap.malloc(1000) !== 0);
    return heap.end;
  };

  test('as far as its new memory does', () => {
    expect(fill(Heap.attach({ memory: copyTo('resizable ArrayBuffer', save({})) }))).toBe(16 * PAGE);
    expect(fill(Heap.attach({ memory: copyTo('ArrayBuffer', save({}), 3 * PAGE) }))).toBe(4 * PAGE);
    expect(fill(Heap.attach({ memory: copyTo('ArrayBuffer', save({})) }))).toBe(PAGE);
  });

  test('not beyond the maximum that it was made with', () => {
    expect(fill(Heap.attach({ memory: copyTo('WebAssembly.Memory', save({ maximum: 2 * PAGE })) }))).toBe(
      2 * PAGE,
    );
  });

  test('not at all when it was made with an end', () => {
    const end = PAGE - 1000;
    expect(fill(Heap.attach({ memory: copyTo('resizable ArrayBuffer', save({ end })) }))).toBe(
      end - (end % 1024),
    );
  });
});

test('several heaps in one buffer', () => {
  const memory = new ArrayBuffer(3 * 4096);
  const heaps = [0, 1, 2].map((i) => new Heap({ memory, start: i * 4096, end: (i + 1) * 4096, embed: true }));
  heaps.forEach((heap, i) => {
    for (let n = 0; n <= i; n++) heap.allocArray(Uint8Array, 100)?.fill(i);
  });
  const copy = memory.slice(0);
  const restored = heaps.map((_, i) => Heap.attach({ memory: copy, start: i * 4096 }));
  expect(restored.map((heap) => heap.stats().liveBlocks)).toEqual([1, 2, 3]);
  expect(restored.flatMap((heap) => heap.check())).toEqual([]);
});

test('a heap attached to the memory itself goes on with it', () => {
  const first = new Heap({ size: PAGE, embed: true });
  const ptr = first.malloc(100);
  const second = Heap.attach({ memory: first.buffer });
  second.free(ptr);
  expect(first.isAllocated(ptr)).toBe(false);
});

describe('a view in place of the memory', () => {
  const saved = (): Uint8Array => {
    const heap = new Heap({ size: 4096, start: 64, embed: true });
    heap.malloc(100);
    return new Uint8Array(heap.buffer);
  };

  test.each([
    (buffer: ArrayBufferLike) => new Uint8Array(buffer),
    (buffer: ArrayBufferLike) => new DataView(buffer),
    (buffer: ArrayBufferLike) => new Float64Array(buffer),
  ])('that shows all of it is not copied: %o', (view) => {
    const { buffer } = saved();
    const heap = Heap.attach({ memory: view(buffer), start: 64 });
    expect(heap.buffer).toBe(buffer);
  });

  test.each([0, 1, 8, 13])('that shows a part of it, from byte %i on, is copied', (offset) => {
    const bytes = saved();
    const whole = new Uint8Array(bytes.length + 20).fill(7);
    whole.set(bytes, offset);
    const before = whole.slice();
    const heap = Heap.attach({ memory: Buffer.from(whole.buffer, offset, bytes.length), start: 64 });
    expect(heap.buffer).not.toBe(whole.buffer);
    expect([heap.end, heap.stats().liveBlocks, heap.check()]).toEqual([4096, 1, []]);
    heap.malloc(50);
    expect(whole).toEqual(before);
  });

  test('of shared memory must show all of it', () => {
    const memory = new SharedArrayBuffer(8192);
    new Uint8Array(memory).set(saved());
    expect(Heap.attach({ memory: new Uint8Array(memory), start: 64 }).buffer).toBe(memory);
    expect(() => Heap.attach({ memory: new Uint8Array(memory, 0, 4096), start: 64 })).toThrow(
      /part of shared memory/,
    );
    expect(() => Heap.attach({ memory: new Uint8Array(memory, 0, 4096), start: 64 })).toThrow(TypeError);
  });
});

describe('what is no sound heap is refused', () => {
  const START = 64;
  const saved = (): ArrayBuffer => {
    const heap = new Heap({ size: 4096, start: START, embed: true });
    for (let i = 0; i < 10; i++) heap.malloc(i * 10);
    return heap.buffer as ArrayBuffer;
  };
  const attach = (buffer: HeapMemory, start = START): string => {
    try {
      Heap.attach({ memory: buffer, start });
      return 'sound';
    } catch (error) {
      return error instanceof BuddyError ? error.code : (error as Error).name;
    }
  };
  const HEADER = START / 4;
  const words = new Int32Array(saved());
  /** Position of the heap's books in int32. */
  const BOOKS = (words[HEADER + 4] * 16) / 4;
  /** Position of the arena of pages, by its magic. */
  const ARENA = words.indexOf(0x59445542);

  test('but the sound one is not', () => {
    expect(attach(saved())).toBe('sound');
    expect(BOOKS).toBeGreaterThan(HEADER);
    expect(ARENA).toBeGreaterThan(BOOKS);
  });

  test.each([
    ['magic', HEADER, 1, 'FOREIGN'],
    ['former version', HEADER + 1, 1, 'VERSION'],
    ['later version', HEADER + 1, 3, 'VERSION'],
    ['unit of no power of two', HEADER + 2, 24, 'CORRUPT'],
    ['unit too small', HEADER + 2, 4, 'CORRUPT'],
    ['unit too large', HEADER + 2, 2 ** 20, 'CORRUPT'],
    ['larger unit', HEADER + 2, 32, 'TRUNCATED'],
    ['end beyond the memory', HEADER + 3, 257, 'TRUNCATED'],
    ['end before the memory', HEADER + 3, 200, 'CORRUPT'],
    ['end inside a page', HEADER + 3, 255, 'CORRUPT'],
    ['state in the header', HEADER + 4, 5, 'CORRUPT'],
    ['state behind the end', HEADER + 4, 256, 'CORRUPT'],
    ['state elsewhere', HEADER + 4, 100, 'CORRUPT'],
    ['state inside a page', HEADER + 4, words[HEADER + 4] + 1, 'CORRUPT'],
    ['state with too little room', HEADER + 4, words[HEADER + 4] + 4, 'CORRUPT'],
    ['maximum below the end', HEADER + 5, 255, 'CORRUPT'],
    ['page of no power of two', HEADER + 6, 96, 'CORRUPT'],
    ['page too small', HEADER + 6, 32, 'CORRUPT'],
    ['page smaller than a unit', HEADER + 6, 8, 'CORRUPT'],
    ['page too large', HEADER + 6, 2 ** 17, 'CORRUPT'],
    ['another page', HEADER + 6, words[HEADER + 6] * 2, 'CORRUPT'],
    ['sizes that there is no room for', HEADER + 7, 1, 'CORRUPT'],
    ['slots in no slab', BOOKS, 1, 'CORRUPT'],
    ['room for other pages', BOOKS + 1, 62, 'CORRUPT'],
    ['fewer pages', BOOKS + 2, 62, 'CORRUPT'],
    ['highest page in use', BOOKS + 3, 100, 'CORRUPT'],
    ['number of large blocks', BOOKS + 4, 7, 'CORRUPT'],
    ['pages in large blocks', BOOKS + 5, 7, 'CORRUPT'],
    ['runs in the cache', BOOKS + 6, 1, 'CORRUPT'],
    ['pages under a reservation', BOOKS + 8, 1, 'CORRUPT'],
    ['magic of the arena', ARENA, 0, 'FOREIGN'],
    ['version of the arena', ARENA + 1, 7, 'VERSION'],
    ['smaller arena', ARENA + 2, 20, 'CORRUPT'],
    ['arena of no capacity', ARENA + 2, -1, 'CORRUPT'],
    ['arena beyond the memory', ARENA + 2, 1_000_000, 'TRUNCATED'],
    ['free pages of the arena', ARENA + 4, 3, 'CORRUPT'],
  ])('%s', (_, at, value, code) => {
    const buffer = saved();
    new Int32Array(buffer)[at] = value;
    const before = buffer.slice(0);
    expect(attach(buffer)).toBe(code);
    expect(new Uint8Array(buffer)).toEqual(new Uint8Array(before));
  });

  test.each([
    ['no', []],
    ['one', [[0, 1]]],
    ['all but the first', [[1, 0]]],
    [
      'two runs of',
      [
        [0, 5],
        [5, 0],
      ],
    ],
  ])('a sound state that has %s pages of its own reserved', (_, runs) => {
    const buffer = saved();
    const { slabs, page } = regionOf(Heap.attach({ memory: buffer, start: START }));
    const books = (BOOKS * 4) / page - slabs.geometry.origin;
    const own = (4096 - BOOKS * 4) / page;
    releaseRun(slabs, books);
    for (const [from, to] of runs) reserveRun(slabs, books + from, (to || own) - from);
    expect(() => Heap.attach({ memory: buffer, start: START })).toThrow(
      /^the pages of the state at \d+ are not reserved$/,
    );
    expect(attach(buffer)).toBe('CORRUPT');
  });

  test('check tells of a state that was written over', () => {
    const buffer = saved();
    const heap = Heap.attach({ memory: buffer, start: START });
    new Int32Array(buffer)[ARENA + 4]++;
    expect(heap.check()).toEqual([expect.stringMatching(/units free/)]);
    new Int32Array(buffer)[ARENA + 4]--;
    new Int32Array(buffer)[BOOKS + 4]++;
    expect(heap.check()).toEqual([expect.stringMatching(/large blocks/)]);
    new Int32Array(buffer)[BOOKS + 2]--;
    expect(heap.check()).not.toEqual([]);
  });

  test('check tells of a header that was written over', () => {
    const buffer = saved();
    const heap = Heap.attach({ memory: buffer, start: START });
    const header = new Int32Array(buffer, START);
    header[5] = 0;
    expect(heap.check()).toEqual(['the header is that of another heap']);
    header[0] = 0;
    expect(heap.check()).toEqual([`header: the buffer does not hold an embedded heap at ${START}`]);
  });

  test('every cut', () => {
    const buffer = saved();
    for (let length = START; length < 4096; length += 52) {
      expect(attach(buffer.slice(0, length))).toBe('TRUNCATED');
    }
    expect(attach(buffer.slice(0, START - 1))).toBe('RangeError');
  });

  test('a heap whose state is not embedded, or none at all', () => {
    expect(attach(new Heap({ size: 4096 }).buffer, 0)).toBe('FOREIGN');
    expect(attach(new ArrayBuffer(4096))).toBe('FOREIGN');
    expect(attach(saved(), 0)).toBe('FOREIGN');
    expect(attach(saved(), 4096)).toBe('TRUNCATED');
  });

  test('nothing, if a view shows it', () => {
    expect(attach(new Uint8Array(saved().slice(0, 1000)) as unknown as HeapMemory)).toBe('TRUNCATED');
    expect(attach(new Uint8Array(4096) as unknown as HeapMemory)).toBe('FOREIGN');
    expect(attach(new Uint8Array(8) as unknown as HeapMemory)).toBe('RangeError');
  });

  test('what is no memory', () => {
    for (const value of [undefined, null, {}, 'x', 8, []]) {
      expect(attach(value as unknown as HeapMemory)).toBe('TypeError');
    }
    const bare = Heap.attach as unknown as (handle: unknown) => Heap;
    for (const value of [undefined, null, 'x', saved()]) expect(() => bare(value)).toThrow(TypeError);
    for (const start of [-1, 0.5, 5000, Number.NaN]) expect(attach(saved(), start)).toBe('RangeError');
    expect(attach(saved(), '0' as unknown as number)).toBe('TypeError');
  });
});
