// Threads of a C program in WebAssembly that share one memory, and one SharedHeap for its malloc.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { SharedHeap } from '../../src/shared.ts';

const PAGE = 65_536;
const PAGES = 100;

/** Lists of numbers, handed from thread to thread by an atomic exchange in the memory. It needs no stack. */
const SOURCE = `
#define IMPORT(name) __attribute__((import_module("env"), import_name(name)))
IMPORT("malloc") void *malloc(unsigned long size);
IMPORT("free") void free(void *ptr);
struct node { struct node *next; unsigned value, check; };
struct list { struct node *first; unsigned length, padding[500]; };
static struct list *mailbox[64];

int run(unsigned seed, unsigned rounds) {
  for (unsigned i = 0; i < rounds; i++) {
    seed = seed * 1664525 + 1013904223;
    struct list *list = malloc(sizeof *list);
    if (!list) return 1;
    list->first = 0;
    list->length = seed >> 24;
    for (unsigned n = 0; n < list->length; n++) {
      struct node *node = malloc(sizeof *node);
      if (!node) return 2;
      node->value = seed + n;
      node->check = ~node->value;
      node->next = list->first;
      list->first = node;
    }
    list = __atomic_exchange_n(&mailbox[(seed >> 8) & 63], list, __ATOMIC_SEQ_CST);
    if (!list) continue;
    unsigned length = 0;
    for (struct node *node = list->first; node; length++) {
      struct node *next = node->next;
      if (node->check != ~node->value) return 3;
      if (next && next->value + 1 != node->value) return 4;
      free(node);
      node = next;
    }
    if (length != list->length) return 5;
    free(list);
  }
  return 0;
}

unsigned clear(void) {
  unsigned found = 0;
  for (unsigned i = 0; i < 64; i++) {
    struct list *list = mailbox[i];
    if (!list) continue;
    found++;
    for (struct node *node = list->first; node;) {
      struct node *next = node->next;
      free(node);
      node = next;
    }
    free(list);
  }
  return found;
}
`;

const scratch = mkdtempSync(join(tmpdir(), 'buddy-shared-wasm-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The compiled program; undefined if there is no compiler. */
function compile(): WebAssembly.Module | undefined {
  writeFileSync(join(scratch, 'lists.c'), SOURCE);
  const linker = ['--no-entry', '--import-memory', '--shared-memory', `--max-memory=${PAGES * PAGE}`].concat(
    ['run', 'clear', '__heap_base'].map((name) => `--export=${name}`),
  );
  const { status } = spawnSync(
    'clang',
    ['--target=wasm32', '-O2', '-Wall', '-ffreestanding', '-nostdlib', '-matomics', '-mbulk-memory']
      .concat(linker.map((option) => `-Wl,${option}`))
      .concat('-o', 'lists.wasm', 'lists.c'),
    { cwd: scratch },
  );
  return status === 0 ? new WebAssembly.Module(readFileSync(join(scratch, 'lists.wasm'))) : undefined;
}

const module = compile();
const title = 'threads of a C program';

describe.skipIf(module === undefined)(
  module ? title : `${title}: needs clang with wasm32, and wasm-ld`,
  () => {
    it('allocate on one heap, which grows', async () => {
      if (module === undefined) return;
      const memory = new WebAssembly.Memory({ initial: 4, maximum: PAGES, shared: true });
      const stubs = { malloc: () => 0, free: () => undefined };
      const { exports: linked } = new WebAssembly.Instance(module, { env: { memory, ...stubs } });
      const start = (linked.__heap_base as WebAssembly.Global).value as number;
      const heap = SharedHeap.create({ memory, start, maximum: PAGES * PAGE });
      const { end } = heap;
      const results = [1, 2, 3].map(async (seed) => {
        const worker = new Worker(
          `const { parentPort, workerData } = require('node:worker_threads');
        const { handle, module, seed } = workerData;
        import(${JSON.stringify(new URL('../../dist/shared.js', import.meta.url).href)}).then(({ SharedHeap }) => {
          const heap = SharedHeap.attach(handle);
          const env = { memory: handle.memory, ...heap.imports };
          parentPort.postMessage(new WebAssembly.Instance(module, { env }).exports.run(seed, 2000));
          heap.detach();
        });`,
          { eval: true, workerData: { handle: heap.handle, module, seed } },
        );
        const [[result]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
        return result as number;
      });
      expect(await Promise.all(results)).toEqual([0, 0, 0]);
      expect(heap.end).toBeGreaterThan(end);
      expect(heap.stats().liveBlocks).toBeGreaterThan(64);
      const { exports } = new WebAssembly.Instance(module, { env: { memory, ...heap.imports } });
      expect((exports.clear as () => number)()).toBe(64);
      expect(heap.stats()).toMatchObject({ liveBlocks: 0, used: 0, workers: 1 });
      expect(heap.check()).toEqual([]);
    });
  },
);
