// What DebugHeap finds: each kind of memory bug is committed once, and must be named with the stacks that explain it.

import { afterEach, describe, expect, it, test } from 'vitest';
import { BuddyError, DebugHeap, type DebugHeapOptions } from '../../src/debug.ts';
import { Heap } from '../../src/heap.ts';

const SIZE = 65_536;

function heapWith(options: Omit<DebugHeapOptions<ArrayBuffer>, 'size'> = {}): DebugHeap {
  return new DebugHeap({ size: SIZE, ...options });
}

/** All bytes of the memory. */
function bytesOf(heap: Heap): Uint8Array {
  return new Uint8Array(heap.buffer);
}

/** The BuddyError that `act` throws. */
function errorOf(act: () => unknown): BuddyError {
  try {
    act();
  } catch (error) {
    if (error instanceof BuddyError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

// Named places of a program, to be found in stacks.
function parseConfig(heap: Heap, bytes = 40): number {
  return heap.malloc(bytes);
}
function buildIndex(heap: Heap, bytes = 100): number {
  return heap.malloc(bytes);
}
function shutDown(heap: Heap, ptr: number): void {
  heap.free(ptr);
}

describe('a block', () => {
  test('holds 0xCD when new, zeros from calloc, 0xDD when freed, between zones of 0xFD', () => {
    const heap = heapWith();
    const ptr = heap.malloc(5);
    const bytes = bytesOf(heap);
    expect([...bytes.subarray(ptr - 16, ptr)]).toEqual(Array(16).fill(0xfd));
    expect([...bytes.subarray(ptr, ptr + 5)]).toEqual(Array(5).fill(0xcd));
    expect([...bytes.subarray(ptr + 5, ptr + 21)]).toEqual(Array(16).fill(0xfd));
    heap.free(ptr);
    expect([...bytes.subarray(ptr, ptr + 6)]).toEqual([...Array(5).fill(0xdd), 0xfd]);
    const zeroed = heap.calloc(3, 7);
    expect([...bytes.subarray(zeroed, zeroed + 22)]).toEqual([...Array(21).fill(0), 0xfd]);
  });

  test('is zeroed by calloc in memory that was used before', () => {
    const heap = heapWith({ quarantine: 0 });
    const first = heap.malloc(64);
    heap.free(first);
    expect(heap.calloc(8, 8)).toBe(first);
    expect([...heap.view(first, Uint8Array)]).toEqual(Array(64).fill(0));
  });

  test('has the bytes that were asked for and no more', () => {
    const heap = heapWith();
    for (const size of [0, 1, 15, 16, 17, 1000]) expect(heap.usableSize(heap.malloc(size))).toBe(size);
    expect(heap.view(heap.malloc(13), Uint32Array).length).toBe(3);
  });

  test.each([8, 16, 64])('is a multiple of the unit of %i', (unit) => {
    const heap = heapWith({ unit });
    for (const size of [0, 1, 100]) {
      const ptr = heap.malloc(size);
      expect(ptr % unit).toBe(0);
      expect([...bytesOf(heap).subarray(ptr - unit, ptr)]).toEqual(Array(unit).fill(0xfd));
    }
  });

  test.each([
    1, 2, 16, 32, 256, 4096,
  ])('is a multiple of the alignment %i, and after realloc', (alignment) => {
    const heap = heapWith();
    heap.malloc(1);
    for (const size of [0, 1, 5000]) {
      const ptr = heap.alignedAlloc(alignment, size);
      expect(ptr % Math.max(alignment, 16)).toBe(0);
      expect(heap.usableSize(ptr)).toBe(size);
      expect(heap.realloc(ptr, size + 1) % alignment).toBe(0);
    }
    expect(heap.alignedAlloc(2 ** 32, 1)).toBe(0);
  });

  test('has red zones as wide as asked for, in whole units', () => {
    const heap = heapWith({ redZone: 100 });
    const ptr = heap.malloc(8);
    const bytes = bytesOf(heap);
    expect([...bytes.subarray(ptr - 112, ptr)]).toEqual(Array(112).fill(0xfd));
    expect([...bytes.subarray(ptr + 8, ptr + 120)]).toEqual(Array(112).fill(0xfd));
  });
});

describe('red zones', () => {
  it.each([
    ['behind', 40],
    ['behind', 55],
    // 16 + 40 + 16 bytes are rounded up to 80.
    ['behind', 63],
    ['before', -1],
    ['before', -16],
  ])('tell of a byte %s the block, at %i', (side, at) => {
    const heap = heapWith();
    const ptr = parseConfig(heap);
    bytesOf(heap)[ptr + at] = 0x41;
    const error = errorOf(() => heap.free(ptr));
    expect(error.code).toBe('REDZONE');
    expect(error.message).toContain(
      `the red zone ${side} the block of 40 bytes at ${ptr}: bytes ${ptr + at} to ${ptr + at} hold 41`,
    );
    expect(error.message).toMatch(/allocated\n.*parseConfig/);
  });

  it('show at most 16 bytes of the damage', () => {
    const heap = heapWith({ redZone: 32 });
    const ptr = heap.malloc(1);
    bytesOf(heap).fill(7, ptr + 1, ptr + 17);
    expect(heap.verify()[0].message).toMatch(/hold (07 ){15}07\n/);
    bytesOf(heap).fill(7, ptr + 1, ptr + 18);
    expect(heap.verify()[0].message).toMatch(/hold (07 ){15}07 …\n/);
  });

  it('are checked by realloc, which leaves the block as it was', () => {
    const heap = heapWith();
    const ptr = heap.malloc(4);
    heap.view(ptr, Uint8Array).set([1, 2, 3, 4]);
    bytesOf(heap)[ptr + 4] = 5;
    expect(errorOf(() => heap.realloc(ptr, 8)).code).toBe('REDZONE');
    expect(heap.leaks().map((leak) => leak.ptr)).toEqual([ptr]);
    const moved = heap.realloc(ptr, 8);
    expect([...heap.view(moved, Uint8Array, 5)]).toEqual([1, 2, 3, 4, 0xcd]);
  });

  it('are checked by clear, which then frees nothing', () => {
    const heap = heapWith();
    const [, damaged] = [heap.malloc(4), heap.malloc(4)];
    bytesOf(heap)[damaged - 3] = 0;
    expect(errorOf(() => heap.clear()).code).toBe('REDZONE');
    expect(heap.leaks().length).toBe(2);
    heap.clear();
    expect(heap.leaks()).toEqual([]);
    expect(heap.stats().used).toBe(0);
  });

  it('give one error for each damage: the next free goes through', () => {
    const heap = heapWith();
    const ptr = heap.malloc(4);
    bytesOf(heap)[ptr + 4] = 0;
    expect(errorOf(() => heap.free(ptr)).code).toBe('REDZONE');
    expect(heap.usableSize(ptr)).toBe(4);
    heap.free(ptr);
    expect(heap.verify()).toEqual([]);
  });

  it('may be read by a program, and written with what they hold', () => {
    const heap = heapWith();
    const ptr = heap.malloc(4);
    bytesOf(heap)[ptr + 4] = 0xfd;
    heap.free(ptr);
    expect(heap.verify()).toEqual([]);
  });
});

describe('a freed block', () => {
  it('keeps its memory while in quarantine, first in, first out', () => {
    const heap = heapWith({ quarantine: 192 });
    const blocks = [heap.malloc(20), heap.malloc(20), heap.malloc(20), heap.malloc(20)];
    for (const ptr of blocks.slice(0, 3)) heap.free(ptr);
    expect(blocks).not.toContain(heap.malloc(20));
    heap.free(blocks[3]);
    expect(heap.malloc(20)).toBe(blocks[0]);
  });

  it('has company there, of as many blocks as the quarantine has room for, however many have left it', () => {
    const heap = heapWith({ quarantine: 192 });
    const blocks = Array.from({ length: 10 }, () => heap.malloc(20));
    for (const ptr of blocks) heap.free(ptr);
    expect(heap.stats().used).toBe(192);
    heap.clear();
    expect(heap.stats().liveBlocks).toBe(0);
    const again = Array.from({ length: 10 }, () => heap.malloc(20));
    expect(again).toEqual(blocks);
    for (const ptr of again) heap.free(ptr);
    expect(heap.stats()).toMatchObject({ used: 192, liveBlocks: 0 });
    expect(errorOf(() => heap.free(again[7])).message).toContain('which is freed');
  });

  it('is out of quarantine at once where that has no room for it, and drives out no other', () => {
    const heap = heapWith({ quarantine: 1000 });
    const [small, large] = [heap.malloc(20), heap.malloc(1000)];
    heap.free(small);
    heap.free(large);
    expect(errorOf(() => heap.free(small)).message).toContain('which is freed');
    expect(heap.malloc(1000)).toBe(large);
  });

  it('leaves the quarantine when there is no room otherwise', () => {
    const heap = heapWith();
    const ptr = heap.malloc(50_000);
    expect(heap.malloc(50_000)).toBe(0);
    heap.free(ptr);
    expect(heap.malloc(50_000)).toBe(ptr);
    expect(heap.malloc(50_000)).toBe(0);
  });

  it('counts as none that lives, but as memory in use', () => {
    const heap = heapWith();
    const ptr = heap.malloc(20);
    const { used, liveBlocks } = heap.stats();
    heap.free(ptr);
    expect([used, liveBlocks]).toEqual([64, 1]);
    expect(heap.stats()).toMatchObject({ used: 64, liveBlocks: 0 });
  });

  it('is found to be written to when it leaves the quarantine', () => {
    const heap = heapWith({ quarantine: 64 });
    const stale = parseConfig(heap, 20);
    const [other, third] = [heap.malloc(20), heap.malloc(20)];
    shutDown(heap, stale);
    bytesOf(heap)[stale + 7] = 0x99;
    const error = errorOf(() => heap.free(other));
    expect(error.code).toBe('USE_AFTER_FREE');
    expect(error.message).toContain(`bytes ${stale + 7} to ${stale + 7} hold 99`);
    expect(error.message).toMatch(/allocated\n.*parseConfig[\s\S]*\nfreed\n.*shutDown/);
    expect(heap.isAllocated(other)).toBe(true);
    heap.free(other);
    heap.free(third);
    expect(heap.malloc(20)).toBe(stale);
  });

  it('is found to be written to by an allocation that needs its memory, and by trim', () => {
    for (const act of [(heap: Heap) => heap.malloc(50_000), (heap: Heap) => heap.trim()]) {
      const heap = heapWith();
      const ptr = heap.malloc(50_000);
      heap.free(ptr);
      bytesOf(heap)[ptr] = 1;
      expect(errorOf(() => act(heap)).code).toBe('USE_AFTER_FREE');
      expect(errorOf(() => heap.free(ptr)).code).toBe('NOT_ALLOCATED');
      expect(() => act(heap)).not.toThrow();
    }
  });

  it('has red zones too', () => {
    const heap = heapWith();
    const ptr = heap.malloc(20);
    heap.free(ptr);
    bytesOf(heap)[ptr + 20] = 0;
    expect(heap.verify().map(({ code }) => code)).toEqual(['REDZONE']);
  });
});

describe('verify', () => {
  it('gives an error for each damaged block, changes nothing and throws nothing', () => {
    const heap = heapWith();
    const [a, b, c] = [parseConfig(heap), buildIndex(heap), heap.malloc(8)];
    heap.free(c);
    expect(heap.verify()).toEqual([]);
    bytesOf(heap)[a - 1] = 1;
    bytesOf(heap)[b + 100] = 1;
    bytesOf(heap)[c] = 1;
    for (let round = 0; round < 2; round++) {
      const errors = heap.verify();
      expect(errors.map(({ code }) => code)).toEqual(['REDZONE', 'REDZONE', 'USE_AFTER_FREE']);
      expect(errors[0].message).toContain('parseConfig');
      expect(errors[1].message).toContain('buildIndex');
    }
  });
});

describe('a bad pointer', () => {
  test('that is freed twice is told from others, with both stacks', () => {
    const heap = heapWith();
    const ptr = parseConfig(heap);
    shutDown(heap, ptr);
    const error = errorOf(() => heap.free(ptr));
    expect(error.code).toBe('NOT_ALLOCATED');
    expect(error.message).toContain(`byte ${ptr} is in the block of 40 bytes at ${ptr}, which is freed`);
    expect(error.message).toMatch(/allocated\n.*parseConfig[\s\S]*\nfreed\n.*shutDown/);
  });

  test.each(['free', 'usableSize'] as const)('is refused by %s', (method) => {
    const heap = heapWith();
    const [ptr, freed] = [heap.malloc(40), heap.malloc(1)];
    heap.free(freed);
    for (const inside of [ptr + 1, ptr + 16, ptr - 16, ptr + 40]) {
      const error = errorOf(() => heap[method](inside));
      expect(error.code).toBe('INTERIOR');
      expect(error.message).toContain(`byte ${inside} is not the first of the block of 40 bytes at ${ptr}`);
    }
    for (const free of [freed, freed + 1, 32_768]) {
      expect(errorOf(() => heap[method](free)).code).toBe('NOT_ALLOCATED');
    }
    for (const outside of [-1, 0.5, Number.NaN, SIZE, 2 ** 60]) {
      expect(() => heap[method](outside)).toThrow(RangeError);
    }
    expect(() => heap[method]('1' as unknown as number)).toThrow(TypeError);
    expect(heap.verify()).toEqual([]);
    expect(heap.leaks().length).toBe(1);
  });

  test('is refused by realloc', () => {
    const heap = heapWith();
    const ptr = heap.malloc(40);
    expect(errorOf(() => heap.realloc(ptr + 8, 1)).code).toBe('INTERIOR');
    heap.free(ptr);
    expect(errorOf(() => heap.realloc(ptr, 1)).code).toBe('NOT_ALLOCATED');
  });

  test('is no block of a heap, says isAllocated', () => {
    const heap = heapWith();
    const [ptr, freed] = [heap.malloc(40), heap.malloc(1)];
    heap.free(freed);
    expect([ptr, ptr + 1, ptr - 16, freed, 0].map((p) => heap.isAllocated(p))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(heap.isAllocated(heap.end)).toBe(false);
    expect(() => heap.isAllocated(-1)).toThrow(RangeError);
    structuredClone(heap.buffer, { transfer: [heap.buffer as ArrayBuffer] });
    expect(errorOf(() => heap.isAllocated(ptr)).code).toBe('DETACHED');
  });

  test('that is null is freed as nothing', () => {
    const heap = heapWith();
    heap.free(0);
    expect(errorOf(() => heap.usableSize(0)).code).toBe('NOT_ALLOCATED');
  });

  test.each([-1, 1.5, Number.NaN, Infinity])('or a size of %d: nothing is allocated', (size) => {
    const heap = heapWith();
    const ptr = heap.malloc(4);
    const acts: (() => unknown)[] = [
      () => heap.malloc(size),
      () => heap.calloc(1, size),
      () => heap.calloc(size, 1),
      () => heap.alignedAlloc(16, size),
      () => heap.alignedAlloc(size, 16),
      () => heap.realloc(ptr, size),
      () => heap.realloc(0, size),
      () => heapWith({ redZone: size }),
      () => heapWith({ quarantine: size }),
    ];
    for (const act of acts) expect(act).toThrow(RangeError);
    expect(heap.leaks().length).toBe(1);
  });
});

describe('view', () => {
  it('shows a block, or part of one, as long as it is live', () => {
    const heap = heapWith();
    const ptr = buildIndex(heap);
    heap.view(ptr, Float64Array).fill(0.5);
    expect([...heap.view(ptr + 8, Float64Array, 2)]).toEqual([0.5, 0.5]);
    expect(heap.view(ptr + 100, Uint8Array).length).toBe(0);
    shutDown(heap, ptr);
    for (const stale of [ptr, ptr + 8]) {
      const error = errorOf(() => heap.view(stale, Float64Array));
      expect(error.code).toBe('USE_AFTER_FREE');
      expect(error.message).toMatch(/allocated\n.*buildIndex[\s\S]*\nfreed\n.*shutDown/);
    }
  });

  it('refuses what lies beyond the bytes that were asked for, which Heap would show', () => {
    const heap = heapWith();
    const ptr = heap.malloc(40);
    expect(() => heap.view(ptr, Uint8Array, 41)).toThrow(RangeError);
    expect(() => heap.view(ptr - 8, Uint8Array, 1)).toThrow(/is in a red zone of the block of 40 bytes/);
    expect(() => heap.view(ptr + 41, Uint8Array, 0)).toThrow(/is in a red zone of the block of 40 bytes/);
    expect(() => heap.view(ptr + 1, Uint16Array)).toThrow(RangeError);
    expect(() => heap.view(ptr, Array as unknown as Uint8ArrayConstructor)).toThrow(TypeError);
    expect(errorOf(() => heap.view(50_000, Uint8Array)).code).toBe('NOT_ALLOCATED');
  });

  it('cannot tell a plain pointer to a recycled block from one to the new block', () => {
    const heap = heapWith({ quarantine: 0 });
    const ptr = heap.malloc(40);
    heap.free(ptr);
    expect(heap.malloc(40)).toBe(ptr);
    expect(heap.view(ptr, Uint8Array).length).toBe(40);
  });
});

describe('views as pointers', () => {
  it.each([
    false,
    true,
  ])('are good when somebody else has grown the memory, which is shared: %s', (shared) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 10, shared });
    const heap = new DebugHeap({ memory, quarantine: 0 });
    const [a, b] = [heap.malloc(100), heap.malloc(100)];
    memory.grow(1);
    heap.free(new Uint8Array(memory.buffer, a, 100));
    expect(errorOf(() => heap.free(new Uint8Array(heap.buffer, b - 16, 10))).code).toBe('INTERIOR');
    const more = heap.reallocArray(new Uint8Array(memory.buffer, b, 100), 200) as Uint8Array;
    expect(heap.leaks().map(({ ptr, size }) => [ptr, size])).toEqual([[more.byteOffset, 200]]);
    heap.free(more);
    expect(heap.stats().used).toBe(0);
  });

  it('come from allocArray, callocArray and reallocArray', () => {
    const heap = heapWith();
    const array = heap.allocArray(Float32Array, 3);
    const zeros = heap.callocArray(Int16Array, 5);
    if (array === null || zeros === null) throw new Error('no room');
    expect([...zeros]).toEqual([0, 0, 0, 0, 0]);
    array.set([1, 2, 3]);
    const more = heap.reallocArray(array, 4);
    if (more === null) throw new Error('no room');
    expect([...more.subarray(0, 3)]).toEqual([1, 2, 3]);
    expect(more.byteOffset).not.toBe(array.byteOffset);
    expect(heap.leaks().map(({ size }) => size)).toEqual([10, 16]);
    const error = errorOf(() => heap.reallocArray(array, 5));
    expect(error.code).toBe('NOT_ALLOCATED');
    heap.free(zeros);
    heap.free(more);
    expect(heap.leaks()).toEqual([]);
    expect(heap.allocArray(Uint8Array, SIZE)).toBeNull();
    expect(heap.callocArray(Uint8Array, SIZE)).toBeNull();
  });

  it('know their block: a recycled one is not freed in place of theirs', () => {
    const heap = heapWith({ quarantine: 0 });
    const array = heap.allocArray(Uint8Array, 40) as Uint8Array;
    const view = heap.view(array.byteOffset, DataView);
    heap.free(array);
    expect(heap.malloc(40)).toBe(array.byteOffset);
    expect(errorOf(() => heap.free(array)).code).toBe('NOT_ALLOCATED');
    expect(errorOf(() => heap.free(view)).code).toBe('NOT_ALLOCATED');
    expect(errorOf(() => heap.reallocArray(array as Uint8Array<ArrayBuffer>, 1)).code).toBe('NOT_ALLOCATED');
    expect(heap.leaks().length).toBe(1);
  });

  it('can be made by hand, and are refused as Heap refuses them', () => {
    const heap = heapWith();
    const ptr = heap.malloc(40);
    expect(errorOf(() => heap.free(new Uint8Array(heap.buffer, ptr + 8, 1))).code).toBe('INTERIOR');
    expect(errorOf(() => heap.free(new Uint8Array(64))).code).toBe('FOREIGN');
    expect(errorOf(() => heap.reallocArray(new Uint8Array(64), 1)).code).toBe('FOREIGN');
    expect(() => heap.free({} as ArrayBufferView)).toThrow(TypeError);
    heap.free(new Uint8Array(heap.buffer, ptr, 40));
    expect(heap.leaks()).toEqual([]);
  });

  it('do not outlive the growth of a WebAssembly memory, unless that is shared', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
    const heap = new DebugHeap({ memory });
    const array = heap.allocArray(Uint8Array, 10) as Uint8Array;
    const at = array.byteOffset;
    expect(heap.malloc(100_000)).toBeGreaterThan(0);
    expect(errorOf(() => heap.free(array)).code).toBe('DETACHED');
    heap.free(at);

    const shared = new DebugHeap({
      memory: new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true }),
    });
    const old = shared.allocArray(Uint8Array, 10) as Uint8Array;
    expect(shared.malloc(100_000)).toBeGreaterThan(0);
    shared.free(old);
    expect(shared.leaks().map(({ size }) => size)).toEqual([100_000]);
  });
});

describe('realloc', () => {
  it('moves the block always, and puts the old one into quarantine', () => {
    const heap = heapWith();
    const ptr = heap.malloc(20);
    const moved = heap.realloc(ptr, 20);
    expect(moved).not.toBe(ptr);
    expect(errorOf(() => heap.view(ptr, Uint8Array)).code).toBe('USE_AFTER_FREE');
    expect(errorOf(() => heap.free(ptr)).message).toContain('which is freed');
    expect(heap.leaks()).toMatchObject([{ ptr: moved, size: 20 }]);
  });

  it('shrinks the block in place where no other has room, and guards what was given up', () => {
    const heap = heapWith();
    const ptr = heap.malloc(50_000);
    heap.view(ptr, Uint8Array).fill(9);
    expect(heap.realloc(ptr, 50_001)).toBe(0);
    expect(heap.usableSize(ptr)).toBe(50_000);
    expect(heap.realloc(ptr, 49_000)).toBe(ptr);
    expect([...heap.view(ptr, Uint8Array)]).toEqual(Array(49_000).fill(9));
    expect(heap.verify()).toEqual([]);
    bytesOf(heap)[ptr + 49_500] = 9;
    expect(heap.verify().map(({ code }) => code)).toEqual(['REDZONE']);
  });

  it('loses no block when what leaves the quarantine for it is damaged', () => {
    const heap = heapWith({ quarantine: 64 });
    const [ptr, stale] = [heap.malloc(20), heap.malloc(20)];
    heap.free(stale);
    bytesOf(heap)[stale] = 0;
    expect(errorOf(() => heap.realloc(ptr, 10)).code).toBe('USE_AFTER_FREE');
    expect(heap.leaks().map((leak) => leak.ptr)).toEqual([ptr]);
    expect(heap.usableSize(heap.realloc(ptr, 10))).toBe(10);
  });
});

describe('leaks and the report', () => {
  it('list what is live, in order, with size and stack', () => {
    const heap = heapWith();
    const pointers = [parseConfig(heap), heap.malloc(1), buildIndex(heap)];
    heap.free(pointers[1]);
    const leaks = heap.leaks();
    expect(leaks.map(({ ptr, size }) => [ptr, size])).toEqual([
      [pointers[0], 40],
      [pointers[2], 100],
    ]);
    expect(leaks[0].stack).toMatch(/^ {4}at parseConfig .*debug.heap\.test/);
    expect(leaks[1].stack).toMatch(/^ {4}at buildIndex .*debug.heap\.test/);
  });

  it('begin their stacks outside of the heap, whichever method allocated', () => {
    const heap = heapWith();
    const acts: Record<string, () => unknown> = {
      viaCalloc: () => heap.calloc(1, 1),
      viaAligned: () => heap.alignedAlloc(64, 1),
      viaRealloc: () => heap.realloc(0, 1),
      viaMove: () => heap.realloc(heap.malloc(1), 1),
      viaArray: () => heap.allocArray(Uint8Array, 1),
      viaZeros: () => heap.callocArray(Uint8Array, 1),
      viaArrayMove: () => heap.reallocArray(heap.allocArray(Uint8Array, 1) as Uint8Array<ArrayBuffer>, 1),
    };
    for (const act of Object.values(acts)) act();
    const firstFrames = heap.leaks().map(({ stack }) => stack.split('\n')[0]);
    expect(firstFrames).toEqual(Object.keys(acts).map((name) => expect.stringContaining(name)));
  });

  it('see through blocks, scopes and WebAssembly imports', () => {
    const heap = heapWith();
    heap.block(1);
    heap.scope().malloc(2);
    const imported = heap.imports.malloc(3);
    expect(heap.leaks().map(({ size }) => size)).toEqual([1, 2, 3]);
    heap.imports.free(imported);
    expect(heap.leaks().length).toBe(2);
    expect(heap.leaks()[0].stack).toMatch(/debug.heap\.test/);
  });

  it('group by allocation site, most bytes first', () => {
    const heap = heapWith();
    for (let i = 0; i < 3; i++) parseConfig(heap);
    buildIndex(heap, 121);
    const [head, first, second, ...rest] = heap.report().split('\n\n');
    expect(head).toBe('4 blocks, 241 bytes not freed');
    expect(first).toMatch(/^1 block, 121 bytes, allocated\n {4}at buildIndex /);
    expect(second).toMatch(/^3 blocks, 120 bytes, allocated\n {4}at parseConfig /);
    expect(rest).toEqual([]);
    heap.clear();
    expect(heap.report()).toBe('0 blocks, 0 bytes not freed\n');
  });

  it('work on runtimes that give other stacks or none', () => {
    const { captureStackTrace, stackTraceLimit } = Error;
    const heap = heapWith();
    try {
      Reflect.set(Error, 'captureStackTrace', undefined);
      parseConfig(heap);
      Error.stackTraceLimit = 0;
      parseConfig(heap);
      Reflect.set(Error, 'captureStackTrace', () => {});
      parseConfig(heap);
    } finally {
      Error.captureStackTrace = captureStackTrace;
      Error.stackTraceLimit = stackTraceLimit;
    }
    const [whole, ...none] = heap.leaks().map(({ stack }) => stack);
    expect(whole).toMatch(/^ {4}at .*parseConfig/s);
    expect(none).toEqual(Array(2).fill('    (the runtime gave no stack)'));
  });
});

describe('in place of a Heap', () => {
  it('is one', () => {
    const heap: Heap = heapWith();
    expect(heap).toBeInstanceOf(Heap);
    expect(heap.check()).toEqual([]);
  });

  it('frees scopes and blocks', () => {
    const heap = heapWith();
    const scope = heap.scope();
    scope.malloc(1);
    scope.allocArray(Float64Array, 3);
    scope.free(scope.calloc(4, 4));
    scope.realloc(scope.alignedAlloc(64, 1), 100);
    const block = heap.block(10);
    expect(block?.view(Uint8Array).length).toBe(10);
    expect(heap.leaks().length).toBe(4);
    scope.dispose();
    block?.free();
    expect(heap.leaks()).toEqual([]);
  });

  it('lists its blocks as a program has them: without red zones, and without those in quarantine', () => {
    const heap = heapWith();
    const [ptr, freed] = [heap.malloc(5), heap.malloc(6)];
    heap.free(freed);
    const blocks = [...heap.blocks()];
    expect(blocks).toEqual([{ ptr, size: 5 }]);
    expect(heap.blockOf(ptr + 4)).toEqual({ ptr, size: 5 });
    for (const none of [ptr - 1, ptr + 5, freed, heap.end]) expect(heap.blockOf(none)).toBeUndefined();
    for (const block of blocks) heap.free(block.ptr);
    expect([...heap.blocks()]).toEqual([]);
  });

  it('takes options only, and says so', () => {
    for (const wrong of [undefined, null, 8]) {
      expect(() => new DebugHeap(wrong as unknown as DebugHeapOptions)).toThrow(
        /^options must be of type object/,
      );
    }
    expect(() => heapWith({ throwNoRoom: 1 as unknown as boolean })).toThrow(TypeError);
  });

  it('has no attach, as what it knows is not in the memory', () => {
    const heap = heapWith({ embed: true });
    const attach = DebugHeap.attach as unknown as (handle: object) => unknown;
    expect(() => attach({ memory: heap.buffer })).toThrow(TypeError);
    expect(() => attach({ memory: heap.buffer })).toThrow(/Heap\.attach/);
    expect(Heap.attach({ memory: heap.buffer })).not.toBeInstanceOf(DebugHeap);
  });

  it('grows, keeps all pointers, and trims', () => {
    const heap = new DebugHeap({ size: 1024, maximum: SIZE, resizable: true });
    const ptr = heap.malloc(500);
    heap.view(ptr, Uint8Array).fill(3);
    const large = heap.malloc(20_000);
    expect(large).toBeGreaterThan(0);
    expect([...heap.view(ptr, Uint8Array)]).toEqual(Array(500).fill(3));
    heap.free(large);
    expect(heap.verify()).toEqual([]);
    expect(heap.trim()).toBeGreaterThan(20_000);
    expect(heap.verify()).toEqual([]);
    heap.free(ptr);
  });

  it('says that there is no room by 0, and refuses a product beyond all memory', () => {
    const heap = heapWith();
    expect([heap.malloc(2 ** 40), heap.calloc(2 ** 31, 2 ** 31), heap.calloc(1e300, 1e300)]).toEqual([
      0, 0, 0,
    ]);
    expect(heap.leaks()).toEqual([]);
  });

  it('knows when its memory is gone', () => {
    const memory = new ArrayBuffer(4096);
    const heap = new DebugHeap({ memory });
    const ptr = heap.malloc(8);
    structuredClone(memory, { transfer: [memory] });
    for (const act of [() => heap.free(ptr), () => heap.view(ptr, Uint8Array), () => heap.malloc(1)]) {
      expect(errorOf(act).code).toBe('DETACHED');
    }
  });
});

// The case small-ones.mjs b: libraries such as `callsites` and some monitors of performance have stacks as arrays.
describe('under an Error.prepareStackTrace of the program', () => {
  const { prepareStackTrace } = Error;
  afterEach(() => {
    Error.prepareStackTrace = prepareStackTrace;
  });

  test.each<[string, (error: Error, sites: NodeJS.CallSite[]) => unknown, RegExp]>([
    ['returns the call sites', (_error, sites) => sites, /allocated\n {4}at .*heap\.test\.ts:\d+/],
    ['returns text', (_error, sites) => `Error\n    at ${sites.length} sites`, /allocated\n {4}at \d+ sites/],
    ['returns nothing', () => undefined, /allocated\n {4}\(the runtime gave no stack\)/],
    [
      'throws',
      () => {
        throw new Error('on purpose');
      },
      /allocated\n {4}\(the runtime gave no stack\)/,
    ],
  ])('that %s, errors and leaks are what they are', (_what, own, stack) => {
    Error.prepareStackTrace = own;
    const heap = new DebugHeap({ size: 65_536 });
    const ptr = heap.malloc(10);
    heap.free(ptr);
    const codeAndText = (): [string, string] => {
      try {
        heap.free(ptr);
      } catch (error) {
        return [(error as BuddyError).code, (error as BuddyError).message];
      }
      return ['', ''];
    };
    const [code, text] = codeAndText();
    heap.malloc(5);
    const report = heap.report();
    const leaks = heap.leaks();
    Error.prepareStackTrace = prepareStackTrace;
    expect(code).toBe('NOT_ALLOCATED');
    expect(text).toMatch(stack);
    expect(report).toMatch(stack);
    expect(leaks).toHaveLength(1);
  });
});
