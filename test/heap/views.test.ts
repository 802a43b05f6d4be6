// Typed arrays and DataViews on a heap, blocks and scopes that free themselves, and the functions for WebAssembly.

import ts from 'typescript';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { DebugHeap } from '../../src/debug.ts';
import { type ArrayConstructor, Heap, type HeapView } from '../../src/heap.ts';
import { MEMORIES, MEMORY_KINDS } from '../support/heap-driver.ts';

const PAGE = 65_536;

const TYPES = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
] as const satisfies ArrayConstructor[];

const sizeOf = (type: ArrayConstructor): number =>
  type === DataView ? 1 : Reflect.get(type, 'BYTES_PER_ELEMENT');
const lengthOf = (view: HeapView): number => (view instanceof DataView ? view.byteLength : view.length);

describe.each(TYPES.map((type) => [type.name, type] as const))('%s', (_, type) => {
  test('allocArray, callocArray, view, reallocArray and free', () => {
    const heap = new Heap({ size: PAGE });
    new Uint8Array(heap.buffer).fill(0xff);
    const array = heap.allocArray(type, 25) as HeapView;
    const zeroed = heap.callocArray(type, 25) as HeapView;
    for (const view of [array, zeroed]) {
      expect(view).toBeInstanceOf(type);
      expect(view.buffer).toBe(heap.buffer);
      expect(lengthOf(view)).toBe(25);
      // Up to 256 bytes, a block is rounded up to the unit and no more.
      expect(heap.usableSize(view.byteOffset)).toBe(Math.ceil((25 * sizeOf(type)) / 16) * 16);
    }
    const raw = new Uint8Array(zeroed.buffer, zeroed.byteOffset, zeroed.byteLength);
    expect(raw.every((byte) => byte === 0)).toBe(true);
    raw.fill(7);

    const again = heap.view(zeroed.byteOffset, type, 25);
    expect(again).toBeInstanceOf(type);
    expect([again.byteOffset, lengthOf(again)]).toEqual([zeroed.byteOffset, 25]);

    const larger = heap.reallocArray(zeroed, 1000) as HeapView;
    expect(larger).toBeInstanceOf(type);
    expect(lengthOf(larger)).toBe(1000);
    const kept = new Uint8Array(larger.buffer, larger.byteOffset, 25 * sizeOf(type));
    expect(kept.every((byte) => byte === 7)).toBe(true);

    heap.free(array);
    heap.free(larger);
    expect(heap.stats()).toMatchObject({ used: 0, liveBlocks: 0 });
  });

  test('of no elements, and of too many', () => {
    const heap = new Heap({ size: 4096 });
    const empty = heap.allocArray(type, 0) as HeapView;
    expect(lengthOf(empty)).toBe(0);
    expect(heap.allocArray(type, 4096)).toBeNull();
    for (const length of [2 ** 53, Number.MAX_VALUE]) {
      expect(heap.allocArray(type, length)).toBeNull();
      expect(heap.callocArray(type, length)).toBeNull();
      expect(heap.reallocArray(empty, length)).toBeNull();
    }
    expect(heap.reallocArray(empty, 4096)).toBeNull();
    heap.free(empty);
    expect(heap.stats().used).toBe(0);
  });
});

test('the types of what comes back', () => {
  const heap = new Heap({ size: 4096 });
  expectTypeOf(heap.allocArray(Float32Array, 1)).toEqualTypeOf<Float32Array<ArrayBuffer> | null>();
  expectTypeOf(heap.view(heap.malloc(8), BigInt64Array, 1)).toEqualTypeOf<BigInt64Array<ArrayBuffer>>();
  expectTypeOf(heap.allocArray(DataView, 1)).toEqualTypeOf<DataView<ArrayBuffer> | null>();
  const array = heap.allocArray(Int16Array, 4) as Int16Array;
  expectTypeOf(heap.reallocArray(array, 8)).toEqualTypeOf<Int16Array<ArrayBuffer> | null>();
  const view = heap.allocArray(DataView, 4) as DataView;
  expectTypeOf(heap.reallocArray(view, 8)).toEqualTypeOf<DataView<ArrayBuffer> | null>();
  expectTypeOf(
    heap.reallocArray(Buffer.from(heap.buffer, array.byteOffset), 8),
  ).toEqualTypeOf<Uint8Array<ArrayBuffer> | null>();
});

describe('view', () => {
  const heap = new Heap({ size: 4096 });
  const ptr = heap.malloc(100);

  test('a part of a block', () => {
    const all = heap.view(ptr, Uint8Array);
    expect(all.length).toBe(128);
    all.forEach((_, i) => {
      all[i] = i;
    });
    expect([...heap.view(ptr + 10, Uint8Array, 3)]).toEqual([10, 11, 12]);
    expect(heap.view(ptr + 4, Uint32Array).length).toBe(31);
    expect(heap.view(ptr + 126, Uint8Array).length).toBe(2);
    expect(heap.view(ptr, Float64Array, 0).length).toBe(0);
  });

  test('nothing beyond it', () => {
    expect(() => heap.view(ptr, Uint8Array, 129)).toThrow(RangeError);
    expect(() => heap.view(ptr + 1, Uint8Array, 128)).toThrow(RangeError);
    expect(() => heap.view(ptr, Float64Array, 17)).toThrow(RangeError);
    expect(() => heap.view(ptr + 128, Uint8Array, 1)).toThrow(
      expect.objectContaining({ code: 'NOT_ALLOCATED' }),
    );
    expect(() => heap.view(0, Uint8Array, 1)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
  });

  test('nothing that is not aligned', () => {
    expect(() => heap.view(ptr + 2, Float32Array, 1)).toThrow(RangeError);
    expect(heap.view(ptr + 1, DataView, 4).byteOffset).toBe(ptr + 1);
  });
});

describe('views and growth', () => {
  test.each(
    MEMORY_KINDS.filter((kind) => kind.includes(' ') || kind.includes('WebAssembly')),
  )('in a %s', (kind) => {
    const heap = new Heap({ memory: MEMORIES[kind](PAGE, 64 * PAGE) });
    const old = heap.callocArray(Uint16Array, 100) as Uint16Array;
    const { byteOffset } = old;
    old[99] = 12345;
    heap.malloc(4 * PAGE);
    if (kind === 'WebAssembly.Memory') {
      expect(old.length).toBe(0);
      expect(() => heap.free(old)).toThrow(expect.objectContaining({ code: 'DETACHED' }));
      expect(() => heap.reallocArray(old, 3)).toThrow(expect.objectContaining({ code: 'DETACHED' }));
    } else {
      expect(old[99]).toBe(12345);
    }
    const fresh = heap.view(byteOffset, Uint16Array, 100);
    expect(fresh[99]).toBe(12345);
    expect(fresh.buffer).toBe(heap.buffer);
    heap.free(kind === 'WebAssembly.Memory' ? fresh : old);
    expect(heap.isAllocated(byteOffset)).toBe(false);
  });
});

describe('block', () => {
  test('of a heap that refuses to free it can be freed later, and then does nothing', () => {
    const heap = new Heap({ size: 4096 });
    const block = heap.block(100);
    const refusal = vi.spyOn(heap, 'free').mockImplementationOnce(() => {
      throw new Error('not now');
    });
    expect(() => block?.free()).toThrow('not now');
    expect(block?.ptr).toBeGreaterThan(0);
    block?.free();
    block?.free();
    expect(refusal).toHaveBeenCalledTimes(2);
    expect(heap.stats().liveBlocks).toBe(0);
  });

  test('is freed at the end of its scope', () => {
    const heap = new Heap({ size: 4096 });
    {
      using block = heap.block(100);
      expect(block?.size).toBe(100);
      expect(heap.stats().liveBlocks).toBe(1);
      const view = block?.view(Float32Array) as Float32Array;
      expect([view.byteOffset, view.length]).toEqual([block?.ptr, 25]);
      expect(block?.view(Uint8Array, 3).length).toBe(3);
    }
    expect(heap.stats().liveBlocks).toBe(0);
  });

  test('is freed when the scope is left by an error', () => {
    const heap = new Heap({ size: 4096 });
    expect(() => {
      using block = heap.block(100);
      throw new Error(`${block?.size}`);
    }).toThrow('100');
    expect(heap.stats().liveBlocks).toBe(0);
  });

  test('freed by hand is not freed again', () => {
    const heap = new Heap({ size: 4096 });
    let other = 0;
    {
      using block = heap.block(100);
      const ptr = block?.ptr;
      block?.free();
      expect(block?.ptr).toBe(0);
      other = heap.malloc(100);
      expect(other).toBe(ptr);
      expect(() => block?.view(Uint8Array)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
      block?.free();
    }
    expect(heap.isAllocated(other)).toBe(true);
  });

  test('is null without room, which `using` takes', () => {
    const heap = new Heap({ size: 256 });
    {
      using block = heap.block(300);
      expect(block).toBeNull();
    }
    expect(heap.stats().liveBlocks).toBe(0);
  });

  test('where the runtime has no Symbol.dispose, the symbol that compilers of `using` take instead', async () => {
    const runtime = Symbol;
    try {
      const older = Object.setPrototypeOf((text?: string) => runtime(text), runtime);
      globalThis.Symbol = Object.defineProperty(older, 'dispose', { value: undefined });
      vi.resetModules();
      const fresh = await import('../../src/heap.ts');
      const heap = new fresh.Heap({ size: 4096 });
      const block = heap.block(100);
      const scope = heap.scope();
      scope.malloc(10);
      for (const disposable of [block, scope]) {
        (Reflect.get(disposable ?? {}, runtime.for('Symbol.dispose')) as () => void).call(disposable);
      }
      expect(heap.stats().liveBlocks).toBe(0);
    } finally {
      globalThis.Symbol = runtime;
    }
  });

  test("`using` as TypeScript's compiler writes it out for this runtime", () => {
    const heap = new Heap({ size: 4096 });
    const source =
      '{ using a = heap.block(10); using scope = heap.scope(); scope.malloc(5); see(heap.stats()); }';
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS },
    });
    expect(outputText).not.toContain('using');
    const seen: unknown[] = [];
    new Function('heap', 'see', outputText)(heap, (stats: unknown) => seen.push(stats));
    expect(seen).toMatchObject([{ liveBlocks: 2 }]);
    expect(heap.stats().liveBlocks).toBe(0);
  });
});

describe('scope', () => {
  test('frees what was allocated through it and still lives', () => {
    const heap = new Heap({ size: PAGE });
    const mine = heap.malloc(10);
    let kept = 0;
    {
      using scope = heap.scope();
      const a = scope.malloc(100);
      const b = scope.calloc(10, 10);
      const c = scope.alignedAlloc(512, 20);
      const d = scope.allocArray(Float64Array, 8) as Float64Array;
      const e = scope.callocArray(Int8Array, 8) as Int8Array;
      expect(scope.size).toBe(5);
      expect(new Set([a, b, c, d.byteOffset, e.byteOffset]).size).toBe(5);
      expect(c % 512).toBe(0);
      expect(scope.realloc(a, 2000)).not.toBe(a);
      expect(scope.realloc(b, 110)).toBe(b);
      const larger = scope.reallocArray(e, 5000) as Int8Array;
      expect(larger.length).toBe(5000);
      scope.free(c);
      scope.free(d);
      expect(scope.size).toBe(3);
      kept = scope.keep(scope.malloc(30));
      scope.keep(scope.allocArray(Uint8Array, 40) as Uint8Array);
      expect(heap.stats().liveBlocks).toBe(6);
    }
    expect(heap.stats().liveBlocks).toBe(3);
    expect([mine, kept].every((ptr) => heap.isAllocated(ptr))).toBe(true);
  });

  test('knows a block by its pointer or by a view, in a DebugHeap as well', () => {
    const heap = new DebugHeap({ size: 65_536, quarantine: 0 });
    const scope = heap.scope();
    scope.free(scope.malloc(32));
    scope.free(scope.allocArray(Uint8Array, 32) as Uint8Array);
    const moved = scope.realloc(scope.malloc(100), 200);
    expect(scope.size).toBe(1);
    // These have the addresses of the scope's former blocks, but do not belong to it.
    const others = [32, 32, 100].map((size) => heap.malloc(size));
    const kept = [1, 2].map(() => scope.malloc(10));
    scope.keep(heap.view(kept[0], Uint8Array));
    scope.keep(kept[1]);
    scope.dispose();
    expect([...others, ...kept, moved].map((p) => heap.isAllocated(p))).toEqual([
      ...Array(5).fill(true),
      false,
    ]);
  });

  test('keeps nothing by a view that is none on a block', () => {
    const heap = new Heap({ memory: new WebAssembly.Memory({ initial: 1, maximum: 16 }) });
    const scope = heap.scope();
    const code = (view: ArrayBufferView) => {
      try {
        scope.keep(view);
        return 'none';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    const array = scope.allocArray(Uint8Array, 100) as Uint8Array;
    expect(code(new Uint8Array(heap.buffer.byteLength).subarray(array.byteOffset))).toBe('FOREIGN');
    const views = [array, scope.allocArray(DataView, 100) as DataView];
    scope.malloc(4 * PAGE);
    expect(views.map(code)).toEqual(['DETACHED', 'DETACHED']);
    for (const view of views) {
      const detached = expect.objectContaining({ code: 'DETACHED' });
      expect(() => heap.free(view)).toThrow(detached);
      expect(() => scope.free(view)).toThrow(detached);
      expect(() => heap.reallocArray(view, 5)).toThrow(detached);
      expect(() => scope.reallocArray(view, 5)).toThrow(detached);
    }
    expect(scope.size).toBe(3);
  });

  test('passes over blocks that lay where the heap no longer is', () => {
    const heap = new Heap({ size: PAGE, maximum: 2 ** 24 });
    const scope = heap.scope();
    scope.malloc(2 ** 20);
    heap.clear();
    heap.trim();
    scope.dispose();
    expect(scope.size).toBe(0);
  });

  test('takes no note of what had no room', () => {
    const heap = new Heap({ size: 256 });
    const scope = heap.scope();
    const ptr = scope.malloc(100);
    const view = heap.view(ptr, Uint8Array, 100);
    expect(scope.malloc(1000)).toBe(0);
    expect(scope.allocArray(Uint8Array, 1000)).toBeNull();
    expect(scope.realloc(ptr, 1000)).toBe(0);
    expect(scope.reallocArray(view, 1000)).toBeNull();
    expect(scope.size).toBe(1);
    scope.dispose();
    expect(heap.stats().used).toBe(0);
  });

  test('passes over what the heap has freed, and can be used again', () => {
    const heap = new Heap({ size: 4096 });
    const scope = heap.scope();
    heap.free(scope.malloc(10));
    scope.malloc(20);
    heap.clear();
    scope.dispose();
    expect(scope.size).toBe(0);
    scope.malloc(5);
    scope.dispose();
    scope.dispose();
    expect(heap.stats().used).toBe(0);
  });

  test('goes on after a block that cannot be freed, and throws at the end', () => {
    const heap = new DebugHeap({ size: 65_536 });
    const scope = heap.scope();
    const [a, b, c, d] = [1, 2, 3, 4].map((size) => scope.malloc(size));
    const damage = (ptr: number): void => {
      new Uint8Array(heap.buffer)[ptr - 1] = 0;
    };
    const live = (): boolean[] => [a, b, c, d].map((ptr) => heap.isAllocated(ptr));

    damage(a);
    damage(c);
    const code = 'REDZONE';
    expect(() => scope.dispose()).toThrow(
      expect.objectContaining({
        name: 'AggregateError',
        errors: [expect.objectContaining({ code }), expect.objectContaining({ code })],
      }),
    );
    expect(live()).toEqual([true, false, true, false]);
    expect(scope.size).toBe(2);

    damage(c);
    expect(() => scope.dispose()).toThrow(expect.objectContaining({ name: 'BuddyError', code }));
    expect(live()).toEqual([false, false, true, false]);
    scope.dispose(); // the damage is painted over
    expect(live()).toEqual([false, false, false, false]);
    expect(scope.size).toBe(0);
  });

  test('without memory refuses as a whole', () => {
    const heap = new Heap({ size: 4096 });
    const scope = heap.scope();
    scope.malloc(10);
    scope.malloc(10);
    structuredClone(heap.buffer, { transfer: [heap.buffer as ArrayBuffer] });
    expect(() => scope.dispose()).toThrow(expect.objectContaining({ code: 'DETACHED' }));
    expect(scope.size).toBe(2);
    heap.scope().dispose();
  });

  test('takes charge of a block that it is asked to resize', () => {
    const heap = new Heap({ size: 4096 });
    const ptr = heap.malloc(10);
    const scope = heap.scope();
    scope.realloc(ptr, 12);
    scope.dispose();
    expect(heap.stats().used).toBe(0);
  });

  test('keeps a block of which the free was refused', () => {
    const heap = new Heap({ size: 4096 });
    const scope = heap.scope();
    const ptr = scope.malloc(40);
    expect(() => scope.free(ptr + 16)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
    heap.free(ptr);
    expect(() => scope.free(ptr)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    expect(scope.size).toBe(1);
  });
});

describe('imports', () => {
  test('are plain functions on int32', () => {
    const heap = new Heap({ size: PAGE });
    const { malloc, free, calloc, realloc, aligned_alloc } = heap.imports;
    expect(heap.imports).toBe(heap.imports);
    const a = malloc(100);
    const b = calloc(10, 10);
    const c = aligned_alloc(1024, 8);
    expect(c % 1024).toBe(0);
    expect(heap.view(b, Uint8Array, 100).every((byte) => byte === 0)).toBe(true);
    const moved = realloc(a, 3000);
    expect(heap.usableSize(moved)).toBe(3072);
    for (const ptr of [b, c, moved, 0]) free(ptr);
    expect(heap.stats().used).toBe(0);
    // -1 is the size 2^32 - 1.
    expect([malloc(-1), calloc(-1, -1), realloc(0, -1), aligned_alloc(8, -1)]).toEqual([0, 0, 0, 0]);
    expect(() => free(-16)).toThrow(RangeError);
    expect(() => free(b)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
  });

  test('serve a module that imports its memory', async () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = new Heap({ memory, start: 1024 });
    const { instance } = await WebAssembly.instantiate(squares(), {
      env: { memory, ...heap.imports },
    });
    const run = instance.exports.squares as (n: number) => number;
    // Large enough that the module's memory must grow during the call.
    const ptr = run(50_000) >>> 0;
    expect(memory.buffer.byteLength).toBeGreaterThan(PAGE);
    const view = heap.view(ptr, Uint32Array, 50_000);
    expect(view.every((x, i) => x === (i * i) % 2 ** 32)).toBe(true);
    (instance.exports.release as (ptr: number) => void)(ptr);
    expect(heap.stats().used).toBe(0);
    expect(() => (instance.exports.release as (ptr: number) => void)(ptr)).toThrow(
      expect.objectContaining({ code: 'NOT_ALLOCATED' }),
    );
  });
});

/**
 * A module, by hand. In C:
 *   unsigned *squares(unsigned n) { unsigned *p = malloc(n * 4); for (unsigned i = 0; i != n; i++) p[i] = i * i; return p; }
 *   void release(void *p) { free(p); }
 */
function squares(): Uint8Array<ArrayBuffer> {
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const section = (id: number, ...items: number[][]): number[] => {
    const body = [items.length, ...items.flat()];
    return [id, body.length, ...body];
  };
  const [I32, GET, SET, CALL, CONST, MUL, ADD] = [0x7f, 0x20, 0x21, 0x10, 0x41, 0x6c, 0x6a];
  const body = (...code: number[]): number[] => [code.length, ...code];
  const [n, p, i] = [0, 1, 2];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [0x60, 1, I32, 1, I32], [0x60, 1, I32, 0]),
    ...section(
      2,
      [...name('env'), ...name('memory'), 2, 0, 1],
      [...name('env'), ...name('malloc'), 0, 0],
      [...name('env'), ...name('free'), 0, 1],
    ),
    ...section(3, [0], [1]),
    ...section(7, [...name('squares'), 0, 2], [...name('release'), 0, 3]),
    ...section(
      10,
      body(
        ...[1, 2, I32],
        ...[GET, n, CONST, 4, MUL, CALL, 0, SET, p],
        ...[0x02, 0x40, 0x03, 0x40], // block, loop
        ...[GET, i, GET, n, 0x46, 0x0d, 1], // leave when i = n
        ...[GET, p, GET, i, CONST, 4, MUL, ADD, GET, i, GET, i, MUL, 0x36, 2, 0], // store
        ...[GET, i, CONST, 1, ADD, SET, i, 0x0c, 0, 0x0b, 0x0b],
        ...[GET, p, 0x0b],
      ),
      body(0, GET, 0, CALL, 1, 0x0b),
    ),
  ]);
}
