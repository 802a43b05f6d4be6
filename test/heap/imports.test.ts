// The functions that a C program imports, beyond malloc, calloc, realloc, free and aligned_alloc: called as WebAssembly
// does it, and from C.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { heapBase } from '../../examples/wasm/heap-base.mjs';
import { DebugHeap } from '../../src/debug.ts';
import { Heap } from '../../src/heap.ts';
import { SharedHeap } from '../../src/shared.ts';

const PAGE = 65_536;
const [EINVAL, ENOMEM] = [28, 48];

type AnyHeap = Heap | SharedHeap | DebugHeap;
/** The bytes before `start` stand for those of a program. */
const KINDS: [string, () => AnyHeap][] = [
  ['Heap', () => new Heap({ size: 2 ** 20, start: 1024 })],
  [
    'growing Heap',
    () => new Heap({ memory: new WebAssembly.Memory({ initial: 1, maximum: 16 }), start: 1024 }),
  ],
  ['DebugHeap', () => new DebugHeap({ size: 2 ** 20, start: 1024 })],
  ['SharedHeap', () => SharedHeap.create({ size: 2 ** 20, start: 1024 })],
];

/** The word at `at`, wherever the memory is now. */
const word = (heap: AnyHeap, at: number): number => new DataView(heap.buffer).getUint32(at, true);
const setWord = (heap: AnyHeap, at: number, value: number): void =>
  new DataView(heap.buffer).setUint32(at, value, true);

describe.each(KINDS)('the imports of a %s', (_kind, make) => {
  it('are plain functions, each library name the same as the ordinary one', () => {
    const { imports } = make();
    expect(imports.__libc_malloc).toBe(imports.malloc);
    expect(imports.__libc_calloc).toBe(imports.calloc);
    expect(imports.__libc_realloc).toBe(imports.realloc);
    expect(imports.__libc_free).toBe(imports.free);
    expect(imports.memalign).toBe(imports.aligned_alloc);
  });

  it('malloc_usable_size is usableSize, and 0 of a null pointer', () => {
    const heap = make();
    const { malloc, malloc_usable_size } = heap.imports;
    const ptr = malloc(100);
    expect(malloc_usable_size(ptr)).toBe(heap.usableSize(ptr));
    expect(malloc_usable_size(ptr)).toBeGreaterThanOrEqual(100);
    expect(malloc_usable_size(0)).toBe(0);
    expect(() => malloc_usable_size(ptr + 16)).toThrow(expect.objectContaining({ code: 'INTERIOR' }));
    heap.free(ptr);
    expect(() => malloc_usable_size(ptr)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
  });

  it('reallocarray keeps the bytes, and refuses products beyond all memory', () => {
    const heap = make();
    const { reallocarray, malloc_usable_size } = heap.imports;
    const ptr = reallocarray(0, 10, 4);
    heap.view(ptr, Uint8Array, 40).fill(7);
    const moved = reallocarray(ptr, 1000, 4);
    expect(malloc_usable_size(moved)).toBeGreaterThanOrEqual(4000);
    expect(heap.view(moved, Uint8Array, 40).every((byte) => byte === 7)).toBe(true);
    // 2^16 * 2^16 is 0 in 32 bits, and (2^31 + 2) * 2 is 4.
    for (const [count, size] of [
      [2 ** 16, 2 ** 16],
      [-(2 ** 31) + 2, 2],
      [-1, -1],
    ]) {
      expect(reallocarray(moved, count, size)).toBe(0);
      expect(reallocarray(0, count, size)).toBe(0);
    }
    expect(heap.view(moved, Uint8Array, 40).every((byte) => byte === 7)).toBe(true);
    expect(heap.stats().liveBlocks).toBe(1);
  });

  it('posix_memalign writes the pointer', () => {
    const heap = make();
    const { posix_memalign } = heap.imports;
    for (const alignment of [4, 16, 64, 4096]) {
      expect(posix_memalign(512, alignment, 100)).toBe(0);
      const ptr = word(heap, 512);
      expect(ptr % alignment).toBe(0);
      expect(heap.isAllocated(ptr)).toBe(true);
      heap.free(ptr);
    }
    expect(heap.stats().liveBlocks).toBe(0);
  });

  it('posix_memalign writes into a memory that it has made grow', () => {
    const heap = make();
    const { posix_memalign, malloc } = heap.imports;
    const out = malloc(4);
    expect(posix_memalign(out, 64, 300_000)).toBe(0);
    expect(heap.usableSize(word(heap, out))).toBeGreaterThanOrEqual(300_000);
  });

  it('posix_memalign refuses with an error number, and writes nothing', () => {
    const heap = make();
    const { posix_memalign } = heap.imports;
    setWord(heap, 512, 0xabcd);
    for (const alignment of [0, 1, 2, 3, 24, -1, 2 ** 31 + 8])
      expect(posix_memalign(512, alignment, 8)).toBe(EINVAL);
    expect(posix_memalign(512, 64, -1)).toBe(ENOMEM);
    expect(posix_memalign(512, -(2 ** 31), 8)).toBe(ENOMEM);
    expect(word(heap, 512)).toBe(0xabcd);
    expect(heap.stats().liveBlocks).toBe(0);
  });

  it('posix_memalign traps where there is no memory to write to, and allocates nothing', () => {
    const heap = make();
    const { posix_memalign } = heap.imports;
    for (const out of [heap.buffer.byteLength - 3, heap.buffer.byteLength, -1, -4]) {
      expect(() => posix_memalign(out, 16, 8)).toThrow(RangeError);
    }
    expect(heap.stats().liveBlocks).toBe(0);
  });

  it('take and give BigInts in a 64-bit module, but for error numbers', () => {
    const heap = make();
    const imports = heap.imports as unknown as Record<string, (...args: bigint[]) => bigint | number>;
    const { posix_memalign, reallocarray, malloc_usable_size, memalign, __libc_free } = imports;
    setWord(heap, 516, 0xffff);
    expect(posix_memalign(512n, 64n, 100n)).toBe(0);
    const ptr = new DataView(heap.buffer).getBigUint64(512, true);
    expect(ptr % 64n).toBe(0n);
    expect(malloc_usable_size(ptr)).toBe(BigInt(heap.usableSize(Number(ptr))));
    expect(malloc_usable_size(0n)).toBe(0n);
    // A pointer has 8 bytes there.
    expect(posix_memalign(512n, 4n, 8n)).toBe(EINVAL);
    expect(posix_memalign(512n, 1n << 40n, 8n)).toBe(ENOMEM);
    expect(posix_memalign(512n, 1n << 63n, 8n)).toBe(ENOMEM);
    expect(() => posix_memalign(BigInt(heap.buffer.byteLength - 7), 16n, 8n)).toThrow(RangeError);
    expect(memalign(1n << 40n, 8n)).toBe(0n);
    expect(reallocarray(ptr, 1n << 33n, 1n << 33n)).toBe(0n);
    const moved = reallocarray(ptr, 10n, 100n);
    __libc_free(moved as bigint);
    expect(heap.stats().liveBlocks).toBe(0);
  });
});

describe.each([
  ['Heap', Heap],
  ['DebugHeap', DebugHeap],
] as const)('a %s that throws if there is no room', (_kind, Kind) => {
  it('gives C a null pointer or ENOMEM nevertheless', () => {
    const heap = new Kind({ size: PAGE, start: 1024, throwNoRoom: true });
    const { malloc, calloc, realloc, reallocarray, aligned_alloc, posix_memalign } = heap.imports;
    const ptr = malloc(100);
    for (const refused of [
      malloc(2 * PAGE),
      calloc(2, PAGE),
      calloc(-1, -1),
      realloc(0, 2 * PAGE),
      realloc(ptr, 2 * PAGE),
      reallocarray(ptr, 2, PAGE),
      reallocarray(ptr, -1, -1),
      aligned_alloc(64, 2 * PAGE),
    ])
      expect(refused).toBe(0);
    setWord(heap, 512, 0xabcd);
    expect(posix_memalign(512, 64, 2 * PAGE)).toBe(ENOMEM);
    expect(word(heap, 512)).toBe(0xabcd);
    expect((malloc as unknown as (size: bigint) => unknown)(1n << 40n)).toBe(0n);
    expect(() => heap.malloc(2 * PAGE)).toThrow(expect.objectContaining({ code: 'NO_ROOM' }));
    expect([heap.stats().liveBlocks, heap.check()]).toEqual([1, []]);
  });

  it('traps for misuse', () => {
    const heap = new Kind({ size: PAGE, start: 1024, throwNoRoom: true });
    const { malloc, realloc } = heap.imports;
    const ptr = malloc(100);
    heap.free(ptr);
    expect(() => realloc(ptr, 10)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
    structuredClone(heap.buffer, { transfer: [heap.buffer as ArrayBuffer] });
    expect(() => malloc(100)).toThrow(expect.objectContaining({ code: 'DETACHED' }));
  });
});

const scratch = mkdtempSync(join(tmpdir(), 'buddy-imports-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The C file compiled with wasi-libc and without its malloc; undefined where that cannot be done. */
function compile(): WebAssembly.Module | undefined {
  const file = join(scratch, 'imports.wasm');
  const { status } = spawnSync(
    'clang',
    ['--target=wasm32-wasi', '-O2', '-Wall', '-Werror', '-fno-builtin', '-mexec-model=reactor']
      .concat(['--import-memory', '--export=__heap_base', '--stack-first'].map((option) => `-Wl,${option}`))
      .concat('-o', file, 'test/heap/imports.c', 'examples/wasi/malloc.c'),
  );
  return status === 0 ? new WebAssembly.Module(readFileSync(file)) : undefined;
}

const module = compile();
const title = 'a C program with wasi-libc';

describe.skipIf(module === undefined)(
  module ? title : `${title}: needs clang with wasm32, wasm-ld and wasi-libc`,
  () => {
    const linked = module as WebAssembly.Module;

    it('imports malloc and its family instead of having them', () => {
      const names = WebAssembly.Module.imports(linked).map(({ module: from, name }) => `${from}.${name}`);
      expect(names.sort()).toEqual(
        ['aligned_alloc', 'calloc', 'free', 'malloc', 'malloc_usable_size', 'memory', 'posix_memalign']
          .concat('realloc', 'reallocarray')
          .map((name) => `env.${name}`),
      );
    });

    it.each<[string, (memory: WebAssembly.Memory, start: number) => AnyHeap]>([
      ['Heap', (memory, start) => new Heap({ memory, start })],
      ['DebugHeap', (memory, start) => new DebugHeap({ memory, start })],
    ])('finds of a %s what the C library promises', (_kind, make) => {
      const memory = new WebAssembly.Memory({ initial: 4, maximum: 64 });
      const heap = make(memory, heapBase(linked, memory));
      const { exports } = new WebAssembly.Instance(linked, { env: { memory, ...heap.imports } });
      (exports._initialize as () => void)();
      // The line of the first promise that is broken.
      expect((exports.check as () => number)()).toBe(0);
      expect(heap.buffer.byteLength).toBeGreaterThan(4 * PAGE);
      expect(heap.stats().liveBlocks).toBe(0);
      expect(heap.check()).toEqual([]);
    });
  },
);
