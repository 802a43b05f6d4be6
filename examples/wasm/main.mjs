// A C program on a Heap. C counts the words of a text in a hash map and parses a JSON document; JavaScript reads both
// results from the memory and frees them. `node examples/wasm/main.mjs [TEXT] [JSON]`, after `npm run build`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { load, parse, store } from './program.mjs';
import { freeJson, readJson, readMap } from './structures.mjs';

const project = new URL('../../', import.meta.url);
const [textFile = new URL('README.md', project), jsonFile = new URL('dist/debug.js.map', project)] =
  process.argv.slice(2);

const memory = new WebAssembly.Memory({ initial: 2 });
const { heap, exports } = load(memory);
const kibibytes = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
const report = (title) => {
  const { liveBlocks, used } = heap.stats();
  const size = kibibytes(memory.buffer.byteLength);
  console.log(`${title}: ${liveBlocks} blocks, ${kibibytes(used)} of a memory of ${size}`);
};

console.log(
  `The program's stack and data end at ${exports.__heap_base.value}; the heap starts at ${heap.start}.`,
);
report('At the start');

const text = store(heap, readFileSync(textFile, 'utf8'));
const map = exports.map_new() >>> 0;
if (text === null || map === 0 || !exports.count_words(map, text.ptr, text.length))
  throw new Error('no room');
const words = readMap(heap, map);
report(`${words.size} different words`);
const mostFrequent = [...words].sort(([, a], [, b]) => b - a).slice(0, 5);
console.log(`Most frequent: ${mostFrequent.map(([word, count]) => `${word} ${count}`).join(', ')}`);
exports.map_free(map);
heap.free(text.ptr);

const json = readFileSync(jsonFile, 'utf8');
const source = store(heap, json);
if (source === null) throw new Error('no room');
const root = parse({ heap, exports }, source);
heap.free(source.ptr);
report(`JSON of ${kibibytes(Buffer.byteLength(json))} as a tree`);
assert.deepEqual(readJson(heap, root), JSON.parse(json));
console.log('Read from the memory, it is what JSON.parse makes of it.');
freeJson(heap, root);

report('At the end');
assert.equal(heap.stats().liveBlocks, 0);
