// One instance of a guest, with its own malloc or on a Heap.

import { heapBase } from '../../examples/wasm/heap-base.mjs';
import type { HeapImports } from '../../src/heap.ts';

// The types come from the sources and the code from the build, which has no assertions.
const built = new URL('../../dist/heap.js', import.meta.url).href;
const { Heap }: typeof import('../../src/heap.ts') = await import(built);
type Heap = InstanceType<typeof Heap>;

/** What a guest exports: guest.h. */
interface Exports {
  readonly __stack_pointer: WebAssembly.Global;
  readonly __indirect_function_table: WebAssembly.Table;
  _initialize(): void;
  input(): number;
  run(length: number): number;
  finish(): void;
}

/** What the linker was told that the memory has at the beginning: build.sh. */
const PAGES = 16;

/** What C's longjmp would be. */
class Throw extends Error {}

/** A guest at work. */
export class Guest {
  /** The heap from which it has its malloc; undefined if it has one of its own. */
  readonly heap: Heap | undefined;
  readonly #memory = new WebAssembly.Memory({ initial: PAGES });
  /** The first byte that a heap can use. */
  readonly base: number;
  readonly #exports: Exports;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  #output = '';

  /** @param watch what the guest gets instead of the heap's functions */
  constructor(module: WebAssembly.Module, watch?: (heap: Heap) => HeapImports) {
    const memory = this.#memory;
    this.base = heapBase(module, memory);
    const imports: WebAssembly.Imports = {
      env: { memory },
      guest: { try: this.#try, throw: throwToTry },
      wasi_snapshot_preview1: this.#system(module),
    };
    if (WebAssembly.Module.imports(module).some(({ name }) => name === 'malloc')) {
      this.heap = new Heap({ memory, start: this.base });
      imports.env = { memory, ...(watch?.(this.heap) ?? this.heap.imports) };
    }
    this.#exports = new WebAssembly.Instance(module, imports).exports as unknown as Exports;
    this.#exports._initialize();
  }

  /** Bytes of the memory behind the guest's own stack and data, and the state of the heap, which lies apart. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength - this.base + (this.heap?.stats().metadataBytes ?? 0);
  }

  /** Runs a text. Throws an Error with what the guest has printed, if it fails. */
  run(text: string): void {
    const { input, run } = this.#exports;
    const bytes = new Uint8Array(this.#memory.buffer, input(), 65_535);
    const { read, written } = this.#encoder.encodeInto(text, bytes);
    if (read < text.length) throw new Error('the text is too long');
    if (run(written) !== 0) throw new Error(`the guest failed: ${this.#output}`);
  }

  /** Has it free everything. */
  finish(): void {
    this.#exports.finish();
  }

  /** What it has printed since the last call. */
  takeOutput(): string {
    const output = this.#output;
    this.#output = '';
    return output;
  }

  readonly #try = (index: number, state: number, argument: number): void => {
    const { __stack_pointer: stack, __indirect_function_table: functions } = this.#exports;
    const top: number = stack.value;
    try {
      functions.get(index)(state, argument);
    } catch (error) {
      if (!(error instanceof Throw)) throw error;
      stack.value = top;
    }
  };

  /** What the C library needs of an operating system: one that prints, and that has no files and always the same time. */
  #system(module: WebAssembly.Module): WebAssembly.ModuleImports {
    const [EBADF, ENOSYS] = [8, 52];
    const functions: WebAssembly.ModuleImports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      if (from === 'wasi_snapshot_preview1') functions[name] = () => ENOSYS;
    }
    // The library asks for its open folders until there are no more.
    return { ...functions, fd_prestat_get: () => EBADF, fd_write: this.#write };
  }

  readonly #write = (_file: number, parts: number, count: number, written: number): number => {
    const view = new DataView(this.#memory.buffer);
    let total = 0;
    for (let at = parts; at < parts + 8 * count; at += 8) {
      const length = view.getUint32(at + 4, true);
      const bytes = new Uint8Array(this.#memory.buffer, view.getUint32(at, true), length);
      this.#output += this.#decoder.decode(bytes, { stream: true });
      total += length;
    }
    view.setUint32(written, total, true);
    return 0;
  };
}

/** Made once: an error notes the calls that led to it, which takes longer than what is measured. */
const THROWN = new Throw();

function throwToTry(): never {
  throw THROWN;
}
