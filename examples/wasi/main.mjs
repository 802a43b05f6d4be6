// A C program with a C library, wasi-libc, on a Heap. JavaScript writes a text into the heap, C sorts its lines and
// allocates the result, JavaScript reads that and frees both. First `bash examples/wasi/build.sh` and `npm run build`, then
// `node examples/wasi/main.mjs [TEXT] [MODULE]`.

import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';
import { Heap } from 'buddy-allocator/heap';
import { heapBase } from '../wasm/heap-base.mjs';

const [textFile = new URL('lines.c', import.meta.url), moduleFile = new URL('lines.wasm', import.meta.url)] =
  process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(moduleFile));
const memory = new WebAssembly.Memory({ initial: 4 });
const heap = new Heap({ memory, start: heapBase(module, memory) });

// What the C library needs of an operating system. Node looks for the memory among the exports.
const wasi = new WASI({ version: 'preview1' });
const env = { memory, ...heap.imports };
const { exports } = new WebAssembly.Instance(module, { env, ...wasi.getImportObject() });
wasi.initialize({ exports: { ...exports, memory } });

const text = readFileSync(textFile);
const source = heap.malloc(text.length);
heap.view(source, Uint8Array, text.length).set(text);
const sorted = exports.sort_lines(source, text.length) >>> 0;
if (sorted === 0) throw new Error('no room');
const bytes = heap.view(sorted, Uint8Array);
console.log(new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0))).trimEnd());
heap.free(sorted);
heap.free(source);
console.error(`${heap.stats().liveBlocks} blocks are left`);
