// Types of program.mjs.

import type { Heap } from '../../src/heap.ts';

/** The exports of the C program. The pointers that it returns are signed: `>>> 0` makes addresses of them. */
export interface Exports {
  readonly __heap_base: WebAssembly.Global;
  map_new(): number;
  map_add(map: number, key: number, length: number, amount: number): number;
  map_find(map: number, key: number, length: number): number;
  map_delete(map: number, key: number, length: number): number;
  map_free(map: number): void;
  count_words(map: number, text: number, length: number): number;
  json_parse(text: number, length: number, status: number): number;
  json_free(json: number): void;
}

export interface Program {
  readonly heap: Heap;
  readonly exports: Exports;
}

/** A text in the heap. */
export interface Stored {
  readonly ptr: number;
  readonly length: number;
}

export function load(memory: WebAssembly.Memory, module?: WebAssembly.Module): Program;
export function store(heap: Heap, text: string): Stored | null;
export function parse(program: Program, text: Stored): number;
