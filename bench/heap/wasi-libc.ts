// The malloc of wasi-libc, a C library for WebAssembly, called from JavaScript: ../native/heap-peer.c.

import { readFileSync } from 'node:fs';
import type { Contender } from '../contenders/contender.ts';
import { UNIT_BYTES, type Workload } from '../workloads.ts';

/** What the module exports. Pointers are far below 2^31 here. */
export interface WasiLibc {
  malloc(bytes: number): number;
  realloc(ptr: number, bytes: number): number;
  free(ptr: number): void;
}

const PAGE = 65_536;
/** What lies below the heap: stack and data, 66 KiB. */
const PAGES_BELOW = 2;

const module = new WebAssembly.Module(readFileSync(new URL('../native/heap-peer.wasm', import.meta.url)));

/** A fresh instance. All its memory is there from the beginning: none of it has to be grown in the time that is measured. */
export function instantiate({ capacity }: Workload): { libc: WasiLibc; memory: ArrayBufferLike } {
  const pages = PAGES_BELOW + (capacity * UNIT_BYTES) / PAGE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const { malloc, realloc, free } = exports as unknown as WasiLibc;
  return { libc: { malloc, realloc, free }, memory: memory.buffer };
}

class WasiLibcAllocator {
  readonly #malloc: WasiLibc['malloc'];
  readonly #free: WasiLibc['free'];

  constructor({ malloc, free }: WasiLibc) {
    this.#malloc = malloc;
    this.#free = free;
  }

  alloc(bytes: number): number {
    return this.#malloc(bytes) || -1;
  }

  free(ptr: number): void {
    this.#free(ptr);
  }
}

export const wasiLibc: Contender = {
  name: 'wasi-libc malloc (wasm)',
  sizesIn: 'bytes',
  placesAsReference: false,
  isPeer: false,
  create: (workload) => {
    const { libc, memory } = instantiate(workload);
    return { allocator: new WasiLibcAllocator(libc), untouched: memory };
  },
};
