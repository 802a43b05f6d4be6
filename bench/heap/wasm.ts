// Allocators of C programs, compiled to WebAssembly and called from JavaScript: ../native/heap-peer.c.

import { readFileSync } from 'node:fs';
import type { GrowingContender } from './contender.ts';
import type { ByteHeap } from './driver.ts';

const PAGE = 65_536;
/** The stack is the first page; everything above it belongs to the allocator. */
const STACK_PAGES = 1;
/** Enough for what the allocators keep in static variables. */
const LEAST_PAGES = 2;

interface Exports extends ByteHeap {
  /** Runs what the module does at its start. */
  __wasm_call_ctors(): void;
}

/** @param file of ../native */
function wasmContender(name: string, file: string): GrowingContender {
  const module = new WebAssembly.Module(readFileSync(new URL(`../native/${file}`, import.meta.url)));
  /** A fresh instance with that many pages, and at most so many, above the stack. */
  const instantiate = (pages: number, maximum: number): { heap: ByteHeap; memory: WebAssembly.Memory } => {
    const memory = new WebAssembly.Memory({ initial: STACK_PAGES + pages, maximum: STACK_PAGES + maximum });
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const { __wasm_call_ctors, malloc, realloc, free } = exports as unknown as Exports;
    __wasm_call_ctors();
    return { heap: { malloc, realloc, free }, memory };
  };
  return {
    name,
    create: ({ memoryBytes }) => {
      const { heap, memory } = instantiate(memoryBytes / PAGE, memoryBytes / PAGE);
      return { heap, memory: memory.buffer };
    },
    createGrowing: (maximum) => {
      const { heap, memory } = instantiate(LEAST_PAGES, maximum / PAGE);
      const base = STACK_PAGES * PAGE;
      return {
        heap,
        base,
        memoryBytes: () => memory.buffer.byteLength - base,
        stateBytes: () => 0,
      };
    },
  };
}

export const wasmContenders: readonly GrowingContender[] = [
  wasmContender('dlmalloc of wasi-libc (wasm)', 'heap-peer.wasm'),
  wasmContender('emmalloc (wasm)', 'emmalloc-peer.wasm'),
  wasmContender('mimalloc (wasm)', 'mimalloc-peer.wasm'),
];
