// The word tree in C, compiled to WebAssembly and called from JavaScript operation by operation.

import { readFileSync } from 'node:fs';
import { type Build, compile } from '../native/compile.ts';
import type { Design } from './design.ts';

/** The name under which it is reported. */
export const WASM_NAME = 'shipped in C, wasm';

/** What bench/native/word-tree.c exports. */
interface Exports {
  bytes(order: number): number;
  create(order: number): number;
  alloc(size: number): number;
  free(offset: number): number;
}

/** Compiles the module; that takes a clang that has the target wasm32 and finds wasm-ld. */
export function buildWebAssembly(): Build {
  const flags = ['--target=wasm32', '-O3', '-mbulk-memory', '-ffreestanding', '-nostdlib', '-Wl,--no-entry'];
  return compile('word-tree.c', 'word-tree.wasm', ['clang'], flags);
}

/** The contender that a compiled module makes. Its one instance has one arena, which `create` makes anew. */
export function webAssembly(file: string): Design {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)));
  const { bytes, create, alloc, free } = instance.exports as unknown as Exports;
  // The engine inlines a call to an exported function that stands in a closure, but not one through the exports object.
  const allocator = {
    alloc: (size: number): number => alloc(size),
    free: (offset: number): number => free(offset),
  };
  return {
    name: WASM_NAME,
    sizesIn: 'units',
    placesAsReference: true,
    isPeer: false,
    summary: 'the same source, called from JavaScript',
    create: ({ capacity }) => {
      if (create(Math.log2(capacity)) === 0) throw new Error('no WebAssembly memory for the arena');
      return { allocator };
    },
    metadataBytes: (capacity) => bytes(Math.log2(capacity)),
  };
}
