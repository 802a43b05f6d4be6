// A heap whose state lies in its own memory: saved and restored at any point, and refused if it is not sound.

import { describe, expect, test } from 'vitest';
import { BuddyError, Heap, type HeapMemory } from '../../src/heap.ts';
import { BuddyAllocator } from '../../src/index.ts';
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
  const heap = new Heap({ size: 4096, maximum: 16 * PAGE, start: 50, embed: true });
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
  const fill = (heap: Heap): number => {
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
      end - (end % 16),
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
  /** Position of the allocator's state in int32. */
  const STATE = (START + 32) / 4;

  test('but the sound one is not', () => expect(attach(saved())).toBe('sound'));

  test.each([
    ['magic', HEADER, 1, 'FOREIGN'],
    ['version', HEADER + 1, 2, 'VERSION'],
    ['unit of no power of two', HEADER + 2, 24, 'CORRUPT'],
    ['unit too small', HEADER + 2, 4, 'CORRUPT'],
    ['unit too large', HEADER + 2, 2 ** 20, 'CORRUPT'],
    ['larger unit', HEADER + 2, 32, 'TRUNCATED'],
    ['end beyond the memory', HEADER + 3, 257, 'TRUNCATED'],
    ['end before the memory', HEADER + 3, 200, 'CORRUPT'],
    ['state in the header', HEADER + 4, 5, 'CORRUPT'],
    ['state behind the end', HEADER + 4, 256, 'CORRUPT'],
    ['state elsewhere', HEADER + 4, 100, 'FOREIGN'],
    ['maximum below the end', HEADER + 5, 255, 'CORRUPT'],
    ['magic of the state', STATE, 0, 'FOREIGN'],
    ['version of the state', STATE + 1, 7, 'VERSION'],
    ['capacity of the state', STATE + 2, 200, 'CORRUPT'],
    ['capacity of no arena', STATE + 2, -1, 'CORRUPT'],
    ['capacity beyond the memory', STATE + 2, 100_000, 'TRUNCATED'],
    ['free units', STATE + 4, 3, 'CORRUPT'],
  ])('%s', (_, at, value, code) => {
    const buffer = saved();
    new Int32Array(buffer)[at] = value;
    const before = buffer.slice(0);
    expect(attach(buffer)).toBe(code);
    expect(new Uint8Array(buffer)).toEqual(new Uint8Array(before));
  });

  test.each([
    ['nothing', [], /units 0 to 6 are not reserved/],
    ['the header', [6], /units of the state at 6 are not reserved/],
    ['half of the state', [6, 8], /units of the state at 6 are not reserved/],
  ])('a sound state in which %s of the heap itself is reserved', (_, reserved, message) => {
    const buffer = saved();
    const allocator = new BuddyAllocator({ capacity: 4096 / 16 });
    reserved.reduce((at, size) => {
      allocator.reserve(at, size);
      return at + size;
    }, 0);
    new Uint8Array(buffer, START + 32).set(new Uint8Array(allocator.state));
    expect(() => Heap.attach({ memory: buffer, start: START })).toThrow(message);
    expect(attach(buffer)).toBe('CORRUPT');
  });

  test('a sound state that lies across the end of the region', () => {
    const buffer = new ArrayBuffer(8192);
    const heap = new Heap({ memory: buffer, end: 4096, embed: true });
    expect(heap.check()).toEqual([]);
    const allocator = new BuddyAllocator({ capacity: 4096 / 16 });
    allocator.reserve(0, 2);
    new Int32Array(buffer)[4] = 4096 / 16 - 1;
    new Uint8Array(buffer, 4096 - 16).set(new Uint8Array(allocator.state));
    expect(() => Heap.attach({ memory: buffer })).toThrow(/units of the state at 255 are not reserved/);
  });

  test('a sound state of an arena that reaches beyond the memory', () => {
    const buffer = saved();
    const allocator = new BuddyAllocator({ capacity: 300 });
    new Uint8Array(buffer, START + 32).set(new Uint8Array(allocator.state));
    expect(() => Heap.attach({ memory: buffer, start: START })).toThrow(
      /ends at 4096 by its header, at 4800 by its state/,
    );
    expect(attach(buffer)).toBe('CORRUPT');
  });

  test('check tells of a state that was written over', () => {
    const buffer = saved();
    const heap = Heap.attach({ memory: buffer, start: START });
    new Int32Array(buffer)[STATE + 4]++;
    expect(heap.check()).toEqual([expect.stringMatching(/units free/)]);
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
