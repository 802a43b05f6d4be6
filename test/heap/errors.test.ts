// What happens on misuse of a heap: the class and the code of the error, and not a byte of memory or state changed.

import { describe, expect, test } from 'vitest';
import { Heap, type HeapOptions } from '../../src/heap.ts';
import { outcomeOf } from '../support/agreement.ts';
import { MEMORIES, MEMORY_KINDS } from '../support/heap-driver.ts';

const PAGE = 65_536;
const START = 1000;

/** An embedded heap, so that its bytes are its whole state, with blocks of `sizes`. */
function example(): { heap: Heap; blocks: number[]; freed: number } {
  const memory = MEMORIES['resizable ArrayBuffer'](PAGE, 2 * PAGE);
  const heap = new Heap({ memory, start: START, embed: true });
  const blocks = [100, 1, 1000, 16].map((size) => heap.calloc(1, size));
  const freed = heap.malloc(64);
  heap.free(freed);
  return { heap, blocks, freed };
}

/** The outcome of `call` on an example, which must be an error that leaves no trace. */
function refusal(call: (heap: Heap, blocks: number[], freed: number) => unknown): string {
  const { heap, blocks, freed } = example();
  const before = new Uint8Array(heap.buffer).slice();
  const outcome = outcomeOf(() => call(heap, blocks, freed));
  if (!('error' in outcome)) throw new Error(`no error, but ${outcome.value}`);
  expect(outcome.message).not.toBe('');
  expect(Buffer.compare(new Uint8Array(heap.buffer), before)).toBe(0);
  expect(heap.check()).toEqual([]);
  return outcome.error;
}

/** What no size, count or length may be. */
const NO_COUNTS: [unknown, string][] = [
  [-1, 'RangeError'],
  [-(2 ** 32), 'RangeError'],
  [0.5, 'RangeError'],
  [2 ** 31 + 0.5, 'RangeError'],
  [Number.NaN, 'RangeError'],
  [Infinity, 'RangeError'],
  [-Infinity, 'RangeError'],
  ['16', 'TypeError'],
  ['', 'TypeError'],
  [16n, 'TypeError'],
  [null, 'TypeError'],
  [undefined, 'TypeError'],
  [true, 'TypeError'],
  [{}, 'TypeError'],
  [[16], 'TypeError'],
  [{ valueOf: () => 16 }, 'TypeError'],
  [
    {
      valueOf() {
        throw new Error('asked'); // as in small-ones.mjs
      },
    },
    'TypeError',
  ],
  [Symbol('s'), 'TypeError'],
];
const COUNTED: [string, (heap: Heap, x: number, blocks: number[]) => unknown][] = [
  ['malloc(x)', (heap, x) => heap.malloc(x)],
  ['calloc(x, 1)', (heap, x) => heap.calloc(x, 1)],
  ['calloc(1, x)', (heap, x) => heap.calloc(1, x)],
  ['realloc(0, x)', (heap, x) => heap.realloc(0, x)],
  ['realloc(ptr, x)', (heap, x, [ptr]) => heap.realloc(ptr, x)],
  ['alignedAlloc(8, x)', (heap, x) => heap.alignedAlloc(8, x)],
  ['alignedAlloc(64, x)', (heap, x) => heap.alignedAlloc(64, x)],
  ['allocArray(Uint32Array, x)', (heap, x) => heap.allocArray(Uint32Array, x)],
  ['callocArray(Uint32Array, x)', (heap, x) => heap.callocArray(Uint32Array, x)],
  ['reallocArray(view, x)', (heap, x, [ptr]) => heap.reallocArray(new Uint8Array(heap.buffer, ptr, 100), x)],
  ['block(x)', (heap, x) => heap.block(x)],
  ['scope.malloc(x)', (heap, x) => heap.scope().malloc(x)],
];

describe.each(COUNTED)('%s', (_, call) => {
  test.each(NO_COUNTS)('x = %o is a %s', (x, error) => {
    expect(refusal((heap, blocks) => call(heap, x as number, blocks))).toBe(error);
  });
});

test.each(NO_COUNTS.filter(([x]) => x !== undefined))('view(ptr, type, %o) is a %s', (x, error) => {
  expect(refusal((heap, [ptr]) => heap.view(ptr, Uint8Array, x as number))).toBe(error);
});

test.each<[unknown, string]>([
  ...NO_COUNTS,
  [0, 'RangeError'],
  [3, 'RangeError'],
  [24, 'RangeError'],
  [2 ** 32 - 1, 'RangeError'],
  [2 ** 33, 'RangeError'],
])('alignedAlloc(%o, 1) is a %s', (x, error) => {
  expect(refusal((heap) => heap.alignedAlloc(x as number, 1))).toBe(error);
});

const POINTERS: [string, (heap: Heap, ptr: number) => unknown][] = [
  ['free', (heap, ptr) => heap.free(ptr)],
  ['realloc', (heap, ptr) => heap.realloc(ptr, 50)],
  ['usableSize', (heap, ptr) => heap.usableSize(ptr)],
  ['scope.free', (heap, ptr) => heap.scope().free(ptr)],
  ['scope.realloc', (heap, ptr) => heap.scope().realloc(ptr, 50)],
];

describe.each(POINTERS)('%s', (_, call) => {
  test.each<[string, (blocks: number[], freed: number) => unknown, string]>([
    ['a block that was freed', (_, freed) => freed, 'NOT_ALLOCATED'],
    ['what was never allocated', () => PAGE - 1024, 'NOT_ALLOCATED'],
    ['what is inside a free block', () => PAGE - 1000, 'NOT_ALLOCATED'],
    ['a unit inside a block', (blocks) => blocks[0] + 16, 'INTERIOR'],
    ['a byte inside a block', (blocks) => blocks[0] + 1, 'INTERIOR'],
    ['a byte inside a unit', (blocks) => blocks[1] + 8, 'INTERIOR'],
    ['what lies before the region', () => 512, 'NOT_ALLOCATED'],
    ['the header', () => 1008, 'NOT_ALLOCATED'],
    ['the state', () => 1040, 'NOT_ALLOCATED'],
    ['a byte of the state', () => 1100, 'NOT_ALLOCATED'],
    ['the end', () => PAGE, 'RangeError'],
    ['what lies behind the end', () => 2 ** 31, 'RangeError'],
    ['2^32', () => 2 ** 32, 'RangeError'],
    ['a block and 2^32', (blocks) => blocks[0] + 2 ** 32, 'RangeError'],
    ['-16', () => -16, 'RangeError'],
    ['a fraction', (blocks) => blocks[0] + 0.5, 'RangeError'],
    ['NaN', () => Number.NaN, 'RangeError'],
    ['Infinity', () => Infinity, 'RangeError'],
    ['a string', (blocks) => String(blocks[0]), 'TypeError'],
    ['a bigint', (blocks) => BigInt(blocks[0]), 'TypeError'],
    ['null', () => null, 'TypeError'],
    ['undefined', () => undefined, 'TypeError'],
    ['an object', () => ({}), 'TypeError'],
    ['an object that is a number', (blocks) => ({ valueOf: () => blocks[0] }), 'TypeError'],
    [
      'an object that has no value',
      () => ({
        valueOf() {
          throw new Error('asked'); // as in small-ones.mjs
        },
      }),
      'TypeError',
    ],
  ])('%s is refused', (_name, pointer, error) => {
    expect(refusal((heap, blocks, freed) => call(heap, pointer(blocks, freed) as number))).toBe(error);
  });
});

test('usableSize and isAllocated of the null pointer', () => {
  expect(refusal((heap) => heap.usableSize(0))).toBe('NOT_ALLOCATED');
  const { heap, blocks, freed } = example();
  expect(
    [0, 8, 512, 1008, 1040, freed, blocks[0] + 1, blocks[0] + 16].map((p) => heap.isAllocated(p)),
  ).toEqual(new Array<boolean>(8).fill(false));
  expect(blocks.map((ptr) => heap.isAllocated(ptr))).toEqual([true, true, true, true]);
  for (const ptr of [PAGE, 2 ** 32 + blocks[0], 2 ** 60]) expect(heap.isAllocated(ptr)).toBe(false);
  for (const ptr of [-1, 0.5, Number.NaN]) expect(() => heap.isAllocated(ptr)).toThrow(RangeError);
  expect(() => heap.isAllocated('16' as unknown as number)).toThrow(TypeError);
});

test('the state of an embedded heap that has grown is guarded where it is then', () => {
  const heap = new Heap({ size: 4096, maximum: PAGE, embed: true });
  const before = heap.stats().used;
  const ptr = heap.malloc(4000);
  expect(ptr).toBeGreaterThan(0);
  for (let at = heap.end - 16; at > 8192 + 4096; at -= 16) {
    const error = outcomeOf(() => heap.free(at));
    expect(error).toMatchObject({ error: 'NOT_ALLOCATED' });
  }
  expect(heap.check()).toEqual([]);
  heap.free(ptr);
  expect(heap.stats().used).toBe(before);
});

describe('views', () => {
  const FREES: [string, (heap: Heap, view: Uint8Array) => unknown][] = [
    ['free', (heap, view) => heap.free(view)],
    ['reallocArray', (heap, view) => heap.reallocArray(view, 10)],
    ['scope.free', (heap, view) => heap.scope().free(view)],
  ];

  test.each(FREES)('%s of a view on other memory', (_, call) => {
    expect(refusal((heap, [ptr]) => call(heap, new Uint8Array(new ArrayBuffer(PAGE), ptr)))).toBe('FOREIGN');
    expect(refusal((heap, [ptr]) => call(heap, new Uint8Array(new SharedArrayBuffer(PAGE), ptr)))).toBe(
      'FOREIGN',
    );
  });

  test.each(FREES)('%s of a detached view', (_, call) => {
    const buffer = new ArrayBuffer(PAGE);
    const view = new Uint8Array(buffer, 2048);
    structuredClone(buffer, { transfer: [buffer] });
    expect(refusal((heap) => call(heap, view))).toBe('DETACHED');
  });

  test.each(FREES)('%s of a view that begins where no block does', (_, call) => {
    const at = (heap: Heap, offset: number): Uint8Array => new Uint8Array(heap.buffer, offset);
    expect(refusal((heap, [ptr]) => call(heap, at(heap, ptr + 3)))).toBe('INTERIOR');
    expect(refusal((heap, _, freed) => call(heap, at(heap, freed)))).toBe('NOT_ALLOCATED');
    expect(refusal((heap) => call(heap, at(heap, 0)))).toBe('NOT_ALLOCATED');
    expect(refusal((heap) => call(heap, at(heap, PAGE)))).toBe('RangeError');
  });

  test.each([Uint8Array, DataView])('a view that a shrunken buffer has left without bytes', (type) => {
    const memory = MEMORIES['resizable ArrayBuffer'](PAGE, PAGE);
    const heap = new Heap({ memory });
    const view = heap.allocArray(type, 30_000) as ArrayBufferView;
    Reflect.get(memory, 'resize').call(memory, 20_000);
    expect(outcomeOf(() => heap.free(view))).toMatchObject({ error: 'NOT_ALLOCATED' });
  });

  test('a type that makes no views', () => {
    const types = [undefined, null, Array, Object, () => 1, {}, { BYTES_PER_ELEMENT: 4 }, 'Int8Array'];
    for (const type of types as unknown as Uint8ArrayConstructor[]) {
      expect(refusal((heap) => heap.allocArray(type, 1))).toBe('TypeError');
      expect(refusal((heap) => heap.callocArray(type, 1))).toBe('TypeError');
      expect(refusal((heap, [ptr]) => heap.view(ptr, type, 1))).toBe('TypeError');
    }
  });

  test('a view of what is no view', () => {
    expect(refusal((heap) => heap.reallocArray({} as Uint8Array, 1))).toBe('TypeError');
    expect(refusal((heap) => heap.reallocArray(heap.buffer as unknown as Uint8Array, 1))).toBe('TypeError');
  });
});

describe('memory that is gone', () => {
  const CALLS: [string, (heap: Heap, ptr: number) => unknown][] = [
    ['malloc', (heap) => heap.malloc(10)],
    ['malloc(0)', (heap) => heap.malloc(0)],
    ['calloc', (heap) => heap.calloc(1, 10)],
    ['alignedAlloc', (heap) => heap.alignedAlloc(64, 10)],
    ['realloc', (heap, ptr) => heap.realloc(ptr, 10)],
    ['free', (heap, ptr) => heap.free(ptr)],
    ['usableSize', (heap, ptr) => heap.usableSize(ptr)],
    ['isAllocated', (heap, ptr) => heap.isAllocated(ptr)],
    ['view', (heap, ptr) => heap.view(ptr, Uint8Array)],
    ['allocArray', (heap) => heap.allocArray(Uint8Array, 1)],
    ['stats', (heap) => heap.stats()],
    ['check', (heap) => heap.check()],
    ['clear', (heap) => heap.clear()],
    ['trim', (heap) => heap.trim()],
    ['buffer', (heap) => heap.buffer],
  ];

  describe.each([false, true])('embedded: %s', (embed) => {
    test.each(CALLS)('%s', (_, call) => {
      const heap = new Heap({ size: PAGE, embed });
      const ptr = heap.malloc(100);
      structuredClone(heap.buffer, { transfer: [heap.buffer as ArrayBuffer] });
      expect(outcomeOf(() => call(heap, ptr))).toMatchObject({ error: 'DETACHED' });
    });

    test('that was cut short', () => {
      const memory = MEMORIES['resizable ArrayBuffer'](PAGE, 2 * PAGE);
      const heap = new Heap({ memory, embed });
      Reflect.get(memory, 'resize').call(memory, PAGE / 2);
      expect(outcomeOf(() => heap.trim())).toMatchObject({ error: 'TRUNCATED' });
      expect(outcomeOf(() => heap.malloc(PAGE))).toMatchObject({ error: 'TRUNCATED' });
      expect(memory.byteLength).toBe(PAGE / 2);
    });
  });
});

describe('options', () => {
  const memory = new ArrayBuffer(4096);
  test.each<[object, string]>([
    [{}, 'TypeError'],
    [{ memory, size: 100 }, 'TypeError'],
    [{ memory: {} }, 'TypeError'],
    [{ memory: null }, 'TypeError'],
    [{ memory: new Uint8Array(100) }, 'TypeError'],
    [{ memory: { buffer: memory, grow: () => 0 } }, 'TypeError'],
    [{ size: '100' }, 'TypeError'],
    [{ size: 0 }, 'RangeError'],
    [{ size: -1 }, 'RangeError'],
    [{ size: 10.5 }, 'RangeError'],
    [{ size: 8 }, 'RangeError'],
    [{ size: 31 }, 'RangeError'],
    [{ size: 2 ** 32 + 1 }, 'RangeError'],
    [{ size: 100, maximum: 99 }, 'RangeError'],
    [{ size: 100, maximum: 2 ** 32 + 1 }, 'RangeError'],
    [{ size: 100, maximum: '200' }, 'TypeError'],
    [{ memory, maximum: 0 }, 'RangeError'],
    [{ memory, maximum: 200, end: 100 }, 'TypeError'],
    [{ memory, start: -1 }, 'RangeError'],
    [{ memory, start: 4097 }, 'RangeError'],
    [{ memory, start: 1.5 }, 'RangeError'],
    [{ memory, start: '1' }, 'TypeError'],
    [{ memory, end: 4097 }, 'RangeError'],
    [{ memory, start: 200, end: 199 }, 'RangeError'],
    [{ memory, end: '99' }, 'TypeError'],
    [{ memory, start: 4090, end: 4096 }, 'RangeError'],
    [{ memory, start: 2000, maximum: 1000 }, 'RangeError'],
    [{ memory, unit: 4 }, 'RangeError'],
    [{ memory, unit: 24 }, 'RangeError'],
    [{ memory, unit: 2 ** 17 }, 'RangeError'],
    [{ memory, unit: '16' }, 'TypeError'],
    [{ memory, embed: true, end: 500 }, 'RangeError'],
    [{ size: 500, embed: true }, 'RangeError'],
  ])('%o is a %s', (options, error) => {
    expect(outcomeOf(() => new Heap(options as HeapOptions))).toMatchObject({ error });
  });

  test('a memory whose growth is refused when the heap is made', () => {
    expect(
      outcomeOf(() => new Heap({ memory: new WebAssembly.Memory({ initial: 0, maximum: 0 }) })),
    ).toMatchObject({ error: 'RangeError' });
  });

  test.each(MEMORY_KINDS)('a %s is taken', (kind) => {
    expect(new Heap({ memory: MEMORIES[kind](PAGE, PAGE) }).end).toBe(PAGE);
  });
});

test('where the runtime has neither SharedArrayBuffer nor WebAssembly', () => {
  const { SharedArrayBuffer: shared, WebAssembly: wasm } = globalThis;
  try {
    Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
    Reflect.deleteProperty(globalThis, 'WebAssembly');
    expect(new Heap({ size: 4096 }).malloc(10)).toBeGreaterThan(0);
    expect(outcomeOf(() => new Heap({ memory: {} as ArrayBuffer }))).toMatchObject({ error: 'TypeError' });
  } finally {
    Object.assign(globalThis, { SharedArrayBuffer: shared, WebAssembly: wasm });
  }
});
