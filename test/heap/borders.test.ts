// What comes to a heap from elsewhere: values of the wrong kind, other realms, other buffers of the same memory,
// memories with 64-bit addresses, modules in C. Each was a case of its own, named in its test.

import vm from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DebugHeap } from '../../src/debug.ts';
import { type ArrayConstructor, Heap, type HeapView } from '../../src/heap.ts';
import { MemPool } from '../../src/mempool.ts';
import { SharedHeap } from '../../src/shared.ts';
import { BufferPool } from '../../src/webgpu.ts';
import { MEMORIES } from '../support/heap-driver.ts';

const PAGE = 65_536;
const wrong = (value: unknown): never => value as never;
const typeError = (message: string) => new TypeError(message);

describe('options and handles that are not objects (minimal.mjs)', () => {
  const device = { limits: {}, lost: Promise.resolve() };
  it.each<[string, () => unknown, string]>([
    ['new Heap()', () => new Heap(wrong(undefined)), 'options must be of type object, not undefined'],
    ['new Heap(65536)', () => new Heap(wrong(65_536)), 'options must be of type object, not number'],
    ['Heap.bytesFor(null)', () => Heap.bytesFor(wrong(null)), 'options must be of type object, not null'],
    [
      'new DebugHeap()',
      () => new DebugHeap(wrong(undefined)),
      'options must be of type object, not undefined',
    ],
    [
      'SharedHeap.create()',
      () => SharedHeap.create(wrong(undefined)),
      'options must be of type object, not undefined',
    ],
    [
      'SharedHeap.bytesFor()',
      () => SharedHeap.bytesFor(wrong(1)),
      'options must be of type object, not number',
    ],
    ['Heap.attach()', () => Heap.attach(wrong(undefined)), 'handle must be of type object, not undefined'],
    ['SharedHeap.attach()', () => SharedHeap.attach(wrong('x')), 'handle must be of type object, not string'],
    ['new MemPool(null)', () => new MemPool(wrong(null)), 'opts must be of type object, not null'],
    [
      'new BufferPool()',
      () => new BufferPool(wrong(undefined), { usage: 32 }),
      'device must be of type object, not undefined',
    ],
    [
      'new BufferPool(device)',
      () => new BufferPool(wrong(device), wrong(undefined)),
      'options must be of type object, not undefined',
    ],
  ])('%s', (_call, act, message) => {
    expect(act).toThrow(typeError(message));
  });

  it.each<[string, unknown]>([
    ['a SharedArrayBuffer', new SharedArrayBuffer(4096)],
    ['an ArrayBuffer', new ArrayBuffer(4096)],
    ['a view', new Uint8Array(4096)],
    ['a WebAssembly.Memory', new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })],
    ['a heap', SharedHeap.create({ size: PAGE })],
    ['{}', {}],
  ])('attach(%s) says what to pass', (_name, handle) => {
    const message =
      'attach takes { memory, start }, such as the handle of a heap, not the memory or heap itself';
    expect(() => Heap.attach(wrong(handle))).toThrow(typeError(message));
    expect(() => SharedHeap.attach(wrong(handle))).toThrow(typeError(message));
  });

  it('a pointer that is neither a number nor a view', () => {
    const heap = new Heap({ size: PAGE });
    const message = 'pointer must be of type number, or a view, not undefined';
    expect(() => heap.free(wrong(undefined))).toThrow(typeError(message));
  });
});

describe('where there is no SharedArrayBuffer', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('a shared heap says how to get one', () => {
    const { handle } = SharedHeap.create({ size: PAGE });
    vi.stubGlobal('SharedArrayBuffer', undefined);
    for (const act of [() => SharedHeap.create({ size: PAGE }), () => SharedHeap.attach(handle)]) {
      expect(act).toThrow(TypeError);
      expect(act).toThrow(/cross-origin isolated.*Cross-Origin-Opener-Policy/);
    }
    expect(new Heap({ size: PAGE }).malloc(1)).not.toBe(0);
  });
});

describe('another realm (realms.mjs)', () => {
  const realm = vm.createContext({});
  const foreign = <T>(code: string): T => vm.runInContext(code, realm) as T;
  const NAMES = [
    ...['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64'],
    ...['BigInt64', 'BigUint64'],
  ].map((name) => `${name}Array`);

  it.each([...NAMES, 'DataView'])('its %s is a type of views', (name) => {
    const heap = new Heap({ memory: foreign<ArrayBuffer>('new ArrayBuffer(65536)') });
    const type = foreign<Uint8ArrayConstructor>(name);
    const array = heap.callocArray(type, 5) as Uint8Array;
    expect(array).toBeInstanceOf(type);
    const size = Reflect.get(type, 'BYTES_PER_ELEMENT') ?? 1;
    expect(array.byteLength).toBe(5 * size);
    expect(heap.view(array.byteOffset, type, 2).byteLength).toBe(2 * size);
    const larger = heap.reallocArray(array as HeapView, 100) as Uint8Array;
    expect([larger.byteLength, Object.prototype.toString.call(larger)]).toEqual([
      100 * size,
      `[object ${name}]`,
    ]);
    heap.free(larger);
    const raw = foreign<(buffer: ArrayBufferLike, ptr: number) => Uint8Array>(
      `(b, p) => new ${name}(b, p, 1)`,
    );
    heap.free(raw(heap.buffer, heap.malloc(16)));
    expect(heap.stats().used).toBe(0);
  });

  it.each([
    'class extends Map {}',
    'class { static BYTES_PER_ELEMENT = 1 }',
    'class { get [Symbol.toStringTag]() { return "Uint8" } }',
    'Object.getPrototypeOf(Uint8Array)',
    'ArrayBuffer',
    'Uint8Array.prototype',
    '(() => 1)',
  ])('%s is not', (code) => {
    const heap = new Heap({ size: PAGE });
    for (const type of [foreign<Uint8ArrayConstructor>(`(${code})`), vm.runInThisContext(`(${code})`)]) {
      expect(() => heap.allocArray(type, 1)).toThrow('the type of a view must be a typed array or DataView');
    }
    expect(heap.stats().liveBlocks).toBe(0);
  });

  it('memory of every kind is memory', () => {
    const shared = foreign<SharedArrayBuffer>('new SharedArrayBuffer(2 ** 20)');
    const heap = SharedHeap.create({ memory: shared, maximum: 2 ** 19 });
    expect(SharedHeap.attach(heap.handle)?.malloc(1)).not.toBe(0);
    const wasm = foreign<WebAssembly.Memory>('new WebAssembly.Memory({ initial: 1 })');
    const grown = new Heap({ memory: wasm });
    expect(grown.malloc(100_000)).not.toBe(0);
  });
});

describe('other buffers of the same shared memory (small-ones.mjs a)', () => {
  it('are ours, whoever made them', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 10, shared: true });
    const heap = new Heap({ memory });
    const [ptr, other, last] = [heap.malloc(100), heap.malloc(100), heap.malloc(100)];
    const before = heap.stats();
    memory.grow(1);
    const between = new Uint8Array(memory.buffer, ptr, 100);
    memory.grow(1);
    heap.free(between);
    const again = new Uint8Array(between.buffer, other, 100);
    expect(heap.reallocArray(again, 60)?.byteOffset).toBe(other);
    heap.free(other);
    heap.free(new Uint8Array(memory.buffer, last));
    expect(heap.stats()).toMatchObject({ used: before.used - 3 * 112, liveBlocks: 0 });
    expect(heap.check()).toEqual([]);
  });

  it('are ours when they come back in a message', () => {
    const heap = new Heap({ memory: new SharedArrayBuffer(PAGE), embed: true });
    const view = heap.callocArray(Uint8Array, 10) as Uint8Array;
    const copy = structuredClone(view);
    expect(copy.buffer).not.toBe(view.buffer);
    heap.free(copy);
    expect([heap.stats().liveBlocks, heap.check()]).toEqual([0, []]);
  });

  it('are not ours if they are other memory', () => {
    const heap = new Heap({ memory: new SharedArrayBuffer(PAGE) });
    const ptr = heap.calloc(1, 10);
    const bytes = new Uint8Array(heap.buffer).slice();
    for (const buffer of [new SharedArrayBuffer(PAGE), new SharedArrayBuffer(8), new ArrayBuffer(PAGE)]) {
      const view = new Uint8Array(buffer, Math.min(ptr, buffer.byteLength), 0);
      expect(() => heap.free(view)).toThrow(expect.objectContaining({ code: 'FOREIGN' }));
    }
    expect(heap.isAllocated(ptr)).toBe(true);
    expect([...new Uint8Array(heap.buffer, ptr, 10)]).toEqual([...bytes.subarray(ptr, ptr + 10)]);
    while (heap.malloc(16) !== 0); // a full heap has no byte to try it with
    expect(() => heap.free(new Uint8Array(new SharedArrayBuffer(PAGE), ptr))).toThrow(
      expect.objectContaining({ code: 'FOREIGN' }),
    );
  });
});

describe('a call that throws leaves no block behind (small-ones.mjs c and d)', () => {
  class Evil extends Uint8Array {
    constructor(...args: [ArrayBuffer, number, number]) {
      if (args.length > 0) throw new Error('boo');
      super(...args);
    }
  }
  const arrays: [string, (heap: Heap, type: ArrayConstructor, length: number) => unknown][] = [
    ['allocArray', (heap, type, length) => heap.allocArray(type, length)],
    ['callocArray', (heap, type, length) => heap.callocArray(type, length)],
  ];
  const kinds = { Heap, DebugHeap };

  for (const [name, call] of arrays) {
    it.each(['Heap', 'DebugHeap'] as const)(`${name} of a constructor that throws, in a %s`, (kind) => {
      const heap = new kinds[kind]({ size: PAGE });
      const before = heap.stats();
      expect(() => call(heap, wrong(Evil), 4)).toThrow('boo');
      expect([heap.stats(), heap.check()]).toEqual([before, []]);
    });
  }

  const cut: [string, (heap: Heap) => unknown][] = [
    ['allocArray', (heap) => heap.allocArray(Uint8Array, 20_000)],
    ['callocArray', (heap) => heap.callocArray(Float64Array, 2000)],
    ['calloc', (heap) => heap.calloc(1, 20_000)],
  ];
  for (const [name, call] of cut) {
    it.each(['Heap', 'DebugHeap'] as const)(`${name} in a memory that was cut, in a %s`, (kind) => {
      const memory = MEMORIES['resizable ArrayBuffer'](PAGE, PAGE) as ArrayBuffer & {
        resize(length: number): void;
      };
      const heap = new kinds[kind]({ memory });
      const before = heap.stats();
      memory.resize(1000);
      expect(() => call(heap)).toThrow(expect.objectContaining({ code: 'TRUNCATED' }));
      expect(heap.stats()).toEqual(before);
      memory.resize(PAGE);
      expect(call(heap)).not.toBeNull();
    });
  }

  it('a MemPool, too', () => {
    const buf = MEMORIES['resizable ArrayBuffer'](4096, 4096) as ArrayBuffer & {
      resize(length: number): void;
    };
    const pool = new MemPool({ buf });
    buf.resize(2000);
    for (const call of [
      () => pool.mallocAs('f64', 200),
      () => pool.callocAs('u8', 1100),
      () => pool.calloc(1100),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: 'TRUNCATED' }));
    }
  });

  it('a value that throws, in a MemPool', () => {
    const pool = new MemPool({ size: 4096 });
    const before = pool.stats().used;
    const value = wrong({
      [Symbol.toPrimitive]: () => {
        throw new Error('boo');
      },
    });
    expect(() => pool.calloc(10, value)).toThrow('boo');
    expect(() => pool.callocAs('i64', 1, value)).toThrow('boo');
    expect(pool.stats().used).toEqual(before);
  });
});

describe('a memory with 64-bit addresses (memory64.mjs)', () => {
  /** A memory that takes and gives BigInts, as one with 64-bit addresses does; runtimes such as Node 20 have none. */
  function wide(options: WebAssembly.MemoryDescriptor): WebAssembly.Memory {
    const memory = new WebAssembly.Memory(options);
    const grow = memory.grow.bind(memory);
    return Object.assign(memory, {
      grow: (delta: unknown): unknown => BigInt(grow(Number(BigInt.asUintN(64, delta as bigint)))),
    });
  }

  it('grows', () => {
    const heap = new Heap({ memory: wide({ initial: 1, maximum: 100 }) });
    const ptr = heap.malloc(100_000);
    expect(heap.usableSize(ptr)).toBe(98 * 1024);
    expect(heap.malloc(2 ** 20)).toBeGreaterThan(ptr);
    expect(heap.malloc(2 ** 23)).toBe(0);
    expect(heap.check()).toEqual([]);
  });

  it('grows under a SharedHeap', () => {
    const memory = wide({ initial: 4, maximum: 100, shared: true });
    const heap = SharedHeap.create({ memory, maximum: 100 * PAGE });
    expect(heap.malloc(500_000)).toBeGreaterThan(0);
    expect(heap.malloc(2 ** 23)).toBe(0);
  });

  it('lets other errors of growth pass', () => {
    const memory = Object.assign(new WebAssembly.Memory({ initial: 1 }), {
      grow: () => {
        throw new TypeError('not this');
      },
    });
    const heap = new Heap({ memory });
    expect(() => heap.malloc(PAGE)).toThrow(typeError('not this'));
  });

  it('has modules that pass and take BigInts', () => {
    const heap = new Heap({ size: 2 ** 20 });
    const { malloc, calloc, realloc, aligned_alloc, free } = heap.imports as unknown as Record<
      string,
      (...args: bigint[]) => bigint
    >;
    const ptr = malloc(100n);
    expect([typeof ptr, heap.usableSize(Number(ptr))]).toEqual(['bigint', 112]);
    const moved = realloc(ptr, 1000n);
    const zeros = calloc(2n, 8n);
    const aligned = aligned_alloc(256n, 8n);
    expect([moved, zeros, aligned].map((at) => heap.usableSize(Number(at)))).toEqual([1024, 16, 256]);
    expect(aligned % 256n).toBe(0n);
    expect([aligned_alloc(24n, 8n), aligned_alloc(1n << 40n, 8n), malloc(-1n), malloc(1n << 60n)]).toEqual([
      0n,
      0n,
      0n,
      0n,
    ]);
    for (const at of [moved, zeros, aligned, 0n]) free(at);
    expect(() => free(moved)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    expect(heap.stats().liveBlocks).toBe(0);
  });
});

describe.each<[string, () => Heap | SharedHeap | DebugHeap]>([
  ['Heap', () => new Heap({ size: PAGE })],
  ['DebugHeap', () => new DebugHeap({ size: PAGE })],
  ['SharedHeap', () => SharedHeap.create({ size: 2 ** 20 })],
])('aligned_alloc of the imports of a %s (c-imports.mjs)', (_kind, make) => {
  it('gives a null pointer for an alignment that C refuses', () => {
    const heap = make();
    const { aligned_alloc } = heap.imports;
    for (const alignment of [24, 0, 3, -1, 2 ** 31 + 1, 0xffffffff])
      expect(aligned_alloc(alignment, 48)).toBe(0);
    expect(aligned_alloc(64, 48) % 64).toBe(0);
    expect(aligned_alloc(-(2 ** 31), 48)).toBe(0); // 2^31: no room
    expect(heap.stats().liveBlocks).toBe(1);
    expect(() => heap.alignedAlloc(24, 48)).toThrow(RangeError);
  });
});

describe('what is as it is, and is documented', () => {
  it('a heap with an end leaves the pages alone that another allocator grows (other-grower.mjs)', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
    const heap = new Heap({ memory, end: PAGE });
    const theirs = memory.grow(1) * PAGE;
    new Uint8Array(memory.buffer, theirs, PAGE).fill(0x55);
    while (heap.calloc(1, 4096) !== 0);
    expect(new Uint8Array(memory.buffer, theirs, PAGE).every((byte) => byte === 0x55)).toBe(true);
    expect(memory.buffer.byteLength).toBe(2 * PAGE);
  });

  it.each([
    [4096, 6144],
    [256, 6144],
    [1000, 6016],
    [0, 6016],
  ])('a region of 6 KiB from byte %i on has one block of all of its pages (start-alignment.mjs)', (start, free) => {
    const heap = new Heap({ memory: new ArrayBuffer(PAGE), start, end: start + 6144 });
    expect(heap.stats()).toMatchObject({ free, largestFree: free });
    expect(heap.malloc(free + 1)).toBe(0);
    expect(heap.malloc(free)).toBeGreaterThanOrEqual(Math.max(1, start));
    expect(heap.check()).toEqual([]);
  });

  it.each([Heap, DebugHeap])('an assignment makes its view first (evaluation-order.mjs)', (Class) => {
    const heap = new Class({ memory: new WebAssembly.Memory({ initial: 1, maximum: 100 }) });
    const list = heap.calloc(1, 4);
    heap.view(list, Uint32Array)[0] = heap.malloc(200_000);
    expect(heap.view(list, Uint32Array)[0]).toBe(0);
  });
});
