// Loads the C program into a memory, with a Heap for its malloc, and passes texts to it.

import { readFileSync } from 'node:fs';
import { Heap } from 'buddy-allocator/heap';
import { heapBase } from './heap-base.mjs';

const compiled = new WebAssembly.Module(readFileSync(new URL('program.wasm', import.meta.url)));

/** The errors of json_parse, in the order of `enum json_error`. */
const JSON_ERRORS = ['no error', 'not JSON', 'more than 256 levels', 'no room'];

/** An instance of the program on `memory`, of two pages or more, and the heap in it. */
export function load(memory, module = compiled) {
  const heap = new Heap({ memory, start: heapBase(module, memory) });
  const { exports } = new WebAssembly.Instance(module, { env: { memory, ...heap.imports } });
  return { heap, exports };
}

/**
 * Copies a text into the heap, in UTF-8. Returns its address and length, since a view would be detached as soon as the
 * memory grows; null if there is no room.
 */
export function store(heap, text) {
  const bytes = new TextEncoder().encode(text);
  const ptr = heap.malloc(bytes.length);
  if (ptr === 0) return null;
  heap.view(ptr, Uint8Array, bytes.length).set(bytes);
  return { ptr, length: bytes.length };
}

/** Parses a stored text. Returns the root of the tree; throws the error of json_parse. */
export function parse({ heap, exports }, { ptr, length }) {
  const status = heap.malloc(8);
  if (status === 0) throw new Error('no room');
  try {
    const root = exports.json_parse(ptr, length, status) >>> 0;
    if (root !== 0) return root;
    const [error, position] = heap.view(status, Uint32Array, 2);
    throw new Error(`${JSON_ERRORS[error]}, at byte ${position}`);
  } finally {
    heap.free(status);
  }
}
