// A real C program on a Heap: its hash map and its JSON trees, as JavaScript reads them in the memory.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { load, type Program, parse, type Stored, store } from '../../examples/wasm/program.mjs';
import { freeJson, readJson, readMap } from '../../examples/wasm/structures.mjs';
import { Random } from '../support/random.ts';

const PAGE = 65_536;
/** What the program is linked with: everything below is its stack. */
const STACK_BYTES = 65_536;

const scratch = mkdtempSync(join(tmpdir(), 'buddy-wasm-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Whether the sources can be compiled here. */
const hasCompiler = ((): boolean => {
  const targets = spawnSync('clang', ['--print-targets'], { encoding: 'utf8' });
  const linker = spawnSync('wasm-ld', ['--version']);
  return targets.status === 0 && /\bwasm32\b/.test(targets.stdout) && linker.status === 0;
})();

function rebuild(): WebAssembly.Module {
  const file = join(scratch, 'program.wasm');
  const { status, stderr } = spawnSync('bash', ['examples/wasm/build.sh', file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return new WebAssembly.Module(readFileSync(file));
}

/** Every page of documentation. */
const prose = readdirSync('docs')
  .filter((name) => name.endsWith('.md'))
  .map((name) => readFileSync(`docs/${name}`, 'utf8'))
  .join('\n');

function wordsOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text.matchAll(/[A-Za-z]+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

const documents: Record<string, string> = {
  'package-lock.json': readFileSync('package-lock.json', 'utf8'),
  'scaling.json': readFileSync('docs/figures/scaling.json', 'utf8'),
  large: `[${Array.from({ length: 20_000 }, (_, i) => i)}]`,
  scalars: '[null, false, true, 0, -0, 1, "", "a"]',
  'a scalar alone': ' -12.5e-1 ',
  empty: '[[], {}, [[]], {"": {}}]',
  spaces: '\t{ "a" :\r\n[ 1 , 2 ] }\n',
  'repeated and odd names': '{"a": 1, "a": 2, "__proto__": 3, "constructor": {"x": null}}',
  numbers: `[${[
    '0.1, 1e22, 1e23, 1e-22, 1e-23, 9007199254740992, 9007199254740993, 123456789012345678901234567890',
    '1.7976931348623157e308, 1e309, -1e309, 5e-324, 2e-324, 0e999999999999, 0.000000000000000000000000000001',
    '-0.0, -0e5, 1E+2, 100e-2, 3.141592653589793, 2.2250738585072011e-308, 18446744073709551616, 1e00000000005',
  ].join()}]`,
  strings: String.raw`["\"\\\/\b\f\n\r\t", "\u0000\u007f\u0080\u07ff\u0800\uffff", "\ud83d\ude00", "aé€😀", "\uD834\uDD1E"]`,
};

/** What JSON.parse refuses. */
const malformed = [
  '',
  ' ',
  'nul',
  'nulll',
  'True',
  '01',
  '-',
  '+1',
  '1.',
  '.5',
  '1e',
  '1e+',
  '0x1',
  'NaN',
  '[',
  '[1',
  '[1,',
  '[1,]',
  '[,]',
  '[1 2]',
  ']',
  '{',
  '{"a"',
  '{"a":',
  '{"a":1',
  '{"a":1,}',
  '{a:1}',
  '{"a" 1}',
  '{1:1}',
  '"',
  '"a',
  '"\\"',
  '"\\x"',
  '"\\u12"',
  '"\\u12g4"',
  '"\\ud800\\u12"',
  '"\t"',
  '"a\u0000"',
  "'a'",
  '1 1',
  '[]]',
  '\u00a01',
];

/** Stores a text that must have room. */
function stored(program: Program, text: string): Stored {
  const found = store(program.heap, text);
  if (found === null) throw new Error('no room for the text');
  return found;
}

/** Parses a text with C, reads the tree, and frees everything. */
function parsed(program: Program, text: string, free: (root: number) => void): unknown {
  const source = stored(program, text);
  try {
    const root = parse(program, source);
    try {
      return readJson(program.heap, root);
    } finally {
      free(root);
    }
  } finally {
    program.heap.free(source.ptr);
  }
}

/** Expects that no block is live, and that `check` finds nothing. */
function expectEmpty({ heap }: Program): void {
  expect(heap.check()).toEqual([]);
  expect(heap.stats().liveBlocks).toBe(0);
}

const builds: readonly (readonly [string, (() => WebAssembly.Module) | undefined])[] = [
  ['the compiled program', () => new WebAssembly.Module(readFileSync('examples/wasm/program.wasm'))],
  ['its sources compiled here', hasCompiler ? rebuild : undefined],
];

for (const [title, build] of builds) {
  const skip = build === undefined;
  describe.skipIf(skip)(skip ? `${title}: needs clang with the target wasm32, and wasm-ld` : title, () => {
    const module = build?.();
    const start = (maximum?: number): Program => {
      const limit = maximum === undefined ? {} : { maximum };
      return load(new WebAssembly.Memory({ initial: 2, ...limit }), module);
    };

    /** A map of the words of `text`. */
    const count = (program: Program, text: string): number => {
      const map = program.exports.map_new() >>> 0;
      const source = stored(program, text);
      expect(program.exports.count_words(map, source.ptr, source.length)).toBe(1);
      program.heap.free(source.ptr);
      return map;
    };

    /** Calls a function of the program that takes a map and a key. */
    const withKey = <T>(program: Program, key: string, call: (ptr: number, length: number) => T): T => {
      const { ptr, length } = stored(program, key);
      const result = call(ptr, length);
      program.heap.free(ptr);
      return result;
    };

    it('counts words as a Map does, in a memory that grows meanwhile', () => {
      const program = start();
      const expected = wordsOf(prose);
      const map = count(program, prose);
      expect(readMap(program.heap, map)).toEqual(expected);
      expect(map % 64).toBe(0);
      expect(program.heap.buffer.byteLength).toBeGreaterThan(2 * PAGE);
      program.exports.map_free(map);
      expectEmpty(program);
    });

    it('finds, changes and deletes keys', () => {
      const program = start();
      const { exports, heap } = program;
      const expected = wordsOf(prose);
      const map = count(program, prose);
      for (const [i, word] of [...expected.keys()].entries()) {
        if (i % 3 === 0) {
          expect(withKey(program, word, (ptr, length) => exports.map_delete(map, ptr, length))).toBe(1);
          expect(withKey(program, word, (ptr, length) => exports.map_find(map, ptr, length))).toBe(0);
          expect(withKey(program, word, (ptr, length) => exports.map_delete(map, ptr, length))).toBe(0);
          expected.delete(word);
        } else if (i % 3 === 1) {
          expect(withKey(program, word, (ptr, length) => exports.map_add(map, ptr, length, -1e9))).toBe(1);
          expected.set(word, (expected.get(word) ?? 0) - 1e9);
        } else {
          const entry = withKey(program, word, (ptr, length) => exports.map_find(map, ptr, length)) >>> 0;
          // The entry's value is its third word.
          expect(heap.view(entry, Int32Array, 4)[2]).toBe(expected.get(word));
        }
      }
      expect(readMap(heap, map)).toEqual(expected);
      exports.map_free(map);
      expectEmpty(program);
    });

    it.each(Object.keys(documents))('parses JSON as JSON.parse does: %s', (name) => {
      const program = start();
      const expected: unknown = JSON.parse(documents[name]);
      const byJavaScript = (root: number): void => freeJson(program.heap, root);
      assert.deepEqual(parsed(program, documents[name], byJavaScript), expected);
      expectEmpty(program);
      assert.deepEqual(parsed(program, documents[name], program.exports.json_free), expected);
      expectEmpty(program);
    });

    it('reads half a surrogate pair as TextEncoder does', () => {
      const program = start();
      const text = String.raw`["\ud800", "\udc00x", "\ud800\ud800\udc00", "\ud800\n"]`;
      const expected = ['\ufffd', '\ufffdx', '\ufffd\u{10000}', '\ufffd\n'];
      expect(parsed(program, text, program.exports.json_free)).toStrictEqual(expected);
    });

    it('refuses what JSON.parse refuses, and leaves nothing allocated', () => {
      const program = start();
      for (const text of malformed) {
        expect(() => JSON.parse(text), text).toThrow();
        expect(() => parsed(program, text, program.exports.json_free), text).toThrow('not JSON');
        expectEmpty(program);
      }
    });

    it('says where it stopped', () => {
      const program = start();
      expect(() => parsed(program, '[1, 2, x]', program.exports.json_free)).toThrow('not JSON, at byte 7');
    });

    it('agrees with JSON.parse on a text with one byte changed', () => {
      const program = start();
      const random = new Random(1);
      const text = String.raw`{"a": [1, -2.5e+3, "x\n\u0041", null], "b": {"c": true, "d": [[], {}, false]}, "": 0.1}`;
      const bytes = '{}[],:" \\01-.eEtfnu+a\n';
      let refused = 0;
      for (let round = 0; round < 3000; round++) {
        const at = random.below(text.length);
        const changed = text.slice(0, at) + bytes[random.below(bytes.length)] + text.slice(at + 1);
        let expected: { readonly value: unknown } | undefined;
        try {
          expected = { value: JSON.parse(changed) };
        } catch {
          refused++;
        }
        const attempt = (): unknown => parsed(program, changed, program.exports.json_free);
        if (expected) expect(attempt(), changed).toStrictEqual(expected.value);
        else expect(attempt, changed).toThrow('not JSON');
      }
      expect(refused).toBeGreaterThan(500);
      expect(refused).toBeLessThan(2800);
      expectEmpty(program);
    });

    it('takes 256 levels and no more', () => {
      const program = start();
      const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
      const expected: unknown = JSON.parse(nested(256));
      expect(parsed(program, nested(256), program.exports.json_free)).toStrictEqual(expected);
      expect(() => parsed(program, nested(257), program.exports.json_free)).toThrow('more than 256 levels');
      expect(() => parsed(program, nested(50_000), program.exports.json_free)).toThrow(
        'more than 256 levels',
      );
      expectEmpty(program);
    });

    it('keeps the heap above the program', () => {
      const program = start();
      const base: number = program.exports.__heap_base.value;
      expect(base).toBeGreaterThan(STACK_BYTES);
      const data = (): Uint8Array => new Uint8Array(program.heap.buffer.slice(STACK_BYTES, base));
      const before = data();
      expect(before.some((byte) => byte !== 0)).toBe(true);
      // Everything that the heap can give without growing, overwritten.
      const blocks: number[] = [];
      for (let size = PAGE; size >= program.heap.unit; size /= 2) {
        while (program.heap.stats().largestFree >= size) blocks.push(program.heap.malloc(size));
      }
      for (const ptr of blocks) {
        expect(ptr).toBeGreaterThanOrEqual(base);
        program.heap.view(ptr, Uint8Array, program.heap.usableSize(ptr)).fill(0xff);
      }
      expect(program.heap.buffer.byteLength).toBe(2 * PAGE);
      expect(data()).toEqual(before);
      for (const ptr of blocks) program.heap.free(ptr);
      expect(parsed(program, documents.numbers, program.exports.json_free)).toStrictEqual(
        JSON.parse(documents.numbers),
      );
    });

    it('handles a memory that cannot grow: what does not fit is refused and what was there stays', () => {
      const program = start(4);
      const { exports, heap } = program;
      const map = exports.map_new() >>> 0;
      const key = heap.malloc(8);
      let added = 0;
      for (;;) {
        const digits = heap.view(key, Uint8Array, 8);
        new TextEncoder().encodeInto(String(added).padStart(8, '0'), digits);
        if (!exports.map_add(map, key, 8, added)) break;
        added++;
      }
      expect(heap.buffer.byteLength).toBe(4 * PAGE);
      // 32 bytes for an entry; pointers to them take another few.
      expect(added).toBeGreaterThan(2500);
      const expected = Array.from({ length: added }, (_, i): [string, number] => [
        String(i).padStart(8, '0'),
        i,
      ]);
      expect(readMap(heap, map)).toEqual(new Map(expected));
      heap.free(key);
      exports.map_free(map);
      expectEmpty(program);
      expect(() => parsed(program, documents.large, exports.json_free)).toThrow('no room, at byte');
      expectEmpty(program);
    });

    it('leaves nothing behind wherever in a document the room ends', () => {
      const program = start(2);
      const { exports, heap } = program;
      const text =
        '{"a": [1, "text\\n", 1e400, {"b": "more text that takes a few units"}], "c": [[], [null, "x"]]}';
      const expected: unknown = JSON.parse(text);
      const source = stored(program, text);
      const status = heap.malloc(8);
      const fillers: number[] = [];
      for (let ptr = heap.malloc(32); ptr !== 0; ptr = heap.malloc(32)) fillers.push(ptr);
      let refusals = 0;
      for (let root = 0; root === 0; ) {
        const before = heap.stats();
        root = exports.json_parse(source.ptr, source.length, status) >>> 0;
        if (root !== 0) {
          expect(readJson(heap, root)).toStrictEqual(expected);
          exports.json_free(root);
        } else {
          expect(heap.view(status, Uint32Array, 2)[0]).toBe(3);
          heap.free(fillers.pop() as number);
          refusals++;
        }
        expect(heap.check()).toEqual([]);
        expect(heap.stats().liveBlocks).toBe(before.liveBlocks - (root === 0 ? 1 : 0));
      }
      // A node takes a filler's room; there are eleven, and their texts.
      expect(refusals).toBeGreaterThanOrEqual(11);
      heap.free(source.ptr);
      heap.free(status);
      for (const ptr of fillers) heap.free(ptr);
      expectEmpty(program);
    });

    it('makes no half of a map', () => {
      const program = start(2);
      const { exports, heap } = program;
      const before = new Set([...heap.blocks()].map(({ ptr }) => ptr));
      const first = exports.map_new() >>> 0;
      const buckets = [...heap.blocks()].find(({ ptr }) => ptr !== first && !before.has(ptr));
      const sizes = [heap.usableSize(first), buckets?.size ?? 0];
      const [forMap, forBuckets] = sizes.map((size) => {
        const fillers: number[] = [];
        for (let ptr = heap.malloc(size); ptr !== 0; ptr = heap.malloc(size)) fillers.push(ptr);
        return fillers;
      });
      // Room for the map, but not for its buckets.
      heap.free(forMap[0]);
      const { liveBlocks } = heap.stats();
      expect(exports.map_new()).toBe(0);
      expect(heap.stats().liveBlocks).toBe(liveBlocks);
      heap.free(forBuckets[0]);
      const map = exports.map_new() >>> 0;
      expect(map).toBe(forMap[0]);
      expect(heap.isAllocated(forBuckets[0])).toBe(true);
      expect(readMap(heap, map)).toEqual(new Map());
    });

    it('traps when C frees what is not allocated', () => {
      const program = start();
      const map = program.exports.map_new() >>> 0;
      program.exports.map_free(map);
      const broken = program.exports.map_new() >>> 0;
      program.heap.free(broken);
      expect(() => program.exports.map_free(broken)).toThrow(
        expect.objectContaining({ code: 'NOT_ALLOCATED' }),
      );
    });
  });
}
