// Drives a heap and knows the content of every live block: it fills each with a pattern of its own, and checks after each
// operation that no byte of another block has changed, that blocks do not overlap, and that all are aligned.

import assert from 'node:assert/strict';
import { Heap, type HeapMemory, type HeapOptions } from '../../src/heap.ts';

const PAGE = 65_536;

/** The kinds of memory, each made with a length in bytes and a limit to its growth. */
export const MEMORIES = {
  ArrayBuffer: (length: number) => new ArrayBuffer(length),
  'resizable ArrayBuffer': (length: number, maximum: number) =>
    Reflect.construct(ArrayBuffer, [length, { maxByteLength: maximum }]) as ArrayBuffer,
  SharedArrayBuffer: (length: number) => new SharedArrayBuffer(length),
  'growable SharedArrayBuffer': (length: number, maximum: number) =>
    Reflect.construct(SharedArrayBuffer, [length, { maxByteLength: maximum }]) as SharedArrayBuffer,
  'WebAssembly.Memory': (length: number, maximum: number) =>
    new WebAssembly.Memory({ initial: Math.ceil(length / PAGE), maximum: Math.ceil(maximum / PAGE) }),
  'shared WebAssembly.Memory': (length: number, maximum: number) =>
    new WebAssembly.Memory({
      initial: Math.ceil(length / PAGE),
      maximum: Math.ceil(maximum / PAGE),
      shared: true,
    }),
} as const satisfies Record<string, (length: number, maximum: number) => HeapMemory>;

export type MemoryKind = keyof typeof MEMORIES;
export const MEMORY_KINDS = Object.keys(MEMORIES) as MemoryKind[];
export const GROWING_KINDS: readonly MemoryKind[] = MEMORY_KINDS.filter(
  (kind) => kind !== 'ArrayBuffer' && kind !== 'SharedArrayBuffer',
);

/** The bytes of a memory of any kind, as they are now. */
export function bytesOf(memory: HeapMemory): Uint8Array {
  return new Uint8Array(memory instanceof WebAssembly.Memory ? memory.buffer : (memory as ArrayBuffer));
}

/** Grows a memory by `bytes`, whole pages where it has pages. Throws when it cannot. */
export function growMemory(memory: HeapMemory, bytes: number): void {
  if (memory instanceof WebAssembly.Memory) memory.grow(Math.ceil(bytes / PAGE));
  else {
    const method = memory instanceof ArrayBuffer ? 'resize' : 'grow';
    (Reflect.get(memory, method) as (length: number) => void).call(memory, bytesOf(memory).length + bytes);
  }
}

/** Where the heap is driven. */
export interface Setting {
  readonly kind: MemoryKind;
  readonly length: number;
  /** Limit of the memory's growth. */
  readonly limit: number;
  readonly options: Omit<HeapOptions, 'memory' | 'size'>;
}

/** One call. `at`, in [0, 1), picks a live block by its place in the list; sizes and alignments are bytes. */
export type Operation =
  | { readonly kind: 'malloc' | 'calloc'; readonly size: number }
  | { readonly kind: 'alignedAlloc'; readonly size: number; readonly alignment: number }
  | { readonly kind: 'realloc'; readonly at: number; readonly size: number }
  | { readonly kind: 'free'; readonly at: number }
  | { readonly kind: 'grow'; readonly size: number }
  | { readonly kind: 'restore' | 'trim' };

interface Live {
  ptr: number;
  size: number;
  seed: number;
}

/** How often each operation had an effect, so that a test can tell whether it has tested anything. */
export interface Tally {
  allocated: number;
  refused: number;
  moved: number;
  stayed: number;
  freed: number;
  grown: number;
  restored: number;
  trimmed: number;
}

/** See the head of this file. Every fault is an AssertionError. */
export class HeapDriver {
  readonly #setting: Setting;
  readonly #live: Live[] = [];
  /** By unit from byte 0 on: 1 when it is in a live block. */
  #taken = new Uint8Array(1024);
  #memory: HeapMemory;
  #heap: Heap;
  #bytes: Uint8Array;
  #seed = 0;
  /** Bytes in live blocks, rounding up included. */
  #used = 0;
  readonly tally: Tally = {
    allocated: 0,
    refused: 0,
    moved: 0,
    stayed: 0,
    freed: 0,
    grown: 0,
    restored: 0,
    trimmed: 0,
  };

  constructor(setting: Setting) {
    const { kind, length, limit, options } = setting;
    this.#setting = setting;
    this.#memory = MEMORIES[kind](length, limit);
    bytesOf(this.#memory).fill(0xa5); // so that zeros are the heap's doing
    this.#heap = new Heap({ memory: this.#memory, ...options });
    this.#bytes = bytesOf(this.#memory);
  }

  get heap(): Heap {
    return this.#heap;
  }

  get liveBlocks(): number {
    return this.#live.length;
  }

  perform(op: Operation): void {
    switch (op.kind) {
      case 'malloc':
        this.#allocate(op.size, 1, () => this.#heap.malloc(op.size));
        break;
      case 'calloc':
        this.#calloc(op.size);
        break;
      case 'alignedAlloc':
        this.#allocate(op.size, op.alignment, () => this.#heap.alignedAlloc(op.alignment, op.size));
        break;
      case 'realloc':
        this.#realloc(op.at, op.size);
        break;
      case 'free':
        this.#free(op.at);
        break;
      case 'grow':
        this.#grow(op.size);
        break;
      case 'restore':
        this.#restore();
        break;
      case 'trim':
        this.#trim();
        break;
    }
  }

  /** Checks every byte of every block, and the figures of the heap. */
  verify(): void {
    const heap = this.#heap;
    assert.deepEqual(heap.check(), []);
    for (const block of this.#live) {
      this.#verifyBlock(block);
      assert(heap.isAllocated(block.ptr));
    }
    const stats = heap.stats();
    assert.equal(stats.used, this.#used);
    assert.equal(stats.liveBlocks, this.#live.length);
    assert.equal(stats.capacity, stats.used + stats.free);
  }

  /** Frees everything. The largest free block must then be that of a fresh heap of that size. */
  finish(): void {
    this.verify();
    while (this.#live.length > 0) this.#free(0);
    this.verify();
    const heap = this.#heap;
    const { largestFree } = heap.stats();
    heap.clear();
    assert.equal(heap.stats().largestFree, largestFree);
  }

  #allocate(size: number, alignment: number, call: () => number): void {
    const { end } = this.#heap;
    const ptr = call();
    if (ptr === 0) this.#refused(Math.max(size, alignment), end);
    else this.#enter({ ptr, size, seed: this.#nextSeed() }, alignment);
  }

  #calloc(size: number): void {
    const elements = [1, 2, 4, 8].filter((width) => size % width === 0);
    const width = elements[size % elements.length];
    this.#allocate(size, 1, () => {
      const ptr = this.#heap.calloc(size / width, width);
      const present = bytesOf(this.#memory);
      if (ptr !== 0) {
        assert(
          present.subarray(ptr, ptr + size).every((byte) => byte === 0),
          'calloc gave bytes that are not 0',
        );
      }
      return ptr;
    });
  }

  #realloc(at: number, size: number): void {
    const block = this.#pick(at);
    if (block === undefined) return;
    this.#verifyBlock(block);
    const { end } = this.#heap;
    const usable = this.#heap.usableSize(block.ptr);
    const ptr = this.#heap.realloc(block.ptr, size);
    if (ptr === 0) {
      this.#refused(size, end);
      assert.equal(this.#heap.usableSize(block.ptr), usable);
      this.#verifyBlock(block);
      return;
    }
    this.#mark(block.ptr, usable, 0);
    this.#used -= usable;
    this.#look();
    const kept = Math.min(block.size, size);
    this.#compare(ptr, kept, block.seed);
    if (ptr === block.ptr) this.tally.stayed++;
    else this.tally.moved++;
    this.#live.splice(this.#live.indexOf(block), 1);
    this.#enter({ ptr, size, seed: this.#nextSeed() }, 1);
  }

  #free(at: number): void {
    const block = this.#pick(at);
    if (block === undefined) return;
    this.#verifyBlock(block);
    const usable = this.#heap.usableSize(block.ptr);
    this.#mark(block.ptr, usable, 0);
    this.#used -= usable;
    this.#heap.free(block.ptr);
    this.#live[this.#live.indexOf(block)] = this.#live[this.#live.length - 1];
    this.#live.pop();
    this.tally.freed++;
  }

  /** The program itself grows the memory. */
  #grow(size: number): void {
    try {
      growMemory(this.#memory, size);
    } catch {
      return;
    }
    this.tally.grown++;
    this.#look();
  }

  /** Moves the heap to a copy of its memory. Only an embedded heap can do so. */
  #restore(): void {
    const { kind, limit, options } = this.#setting;
    if (!options.embed) return;
    const from = bytesOf(this.#memory);
    const memory = MEMORIES[kind](from.length, limit);
    bytesOf(memory).set(from);
    const restored = Heap.attach({ memory, start: options.start ?? 0 });
    const heap = this.#heap;
    assert.deepEqual(restored.stats(), heap.stats());
    assert.deepEqual([restored.unit, restored.start, restored.end], [heap.unit, heap.start, heap.end]);
    for (const { ptr } of this.#live) assert.equal(restored.usableSize(ptr), heap.usableSize(ptr));
    // Both must do the same from now on; the old one is dropped after this.
    for (const size of [1, heap.unit * 3, 1000, 70_000]) {
      const [expected, ptr] = [heap.malloc(size), restored.malloc(size)];
      assert.deepEqual([ptr, restored.end], [expected, heap.end]);
      restored.free(ptr);
      heap.free(expected);
    }
    this.#memory = memory;
    this.#heap = restored;
    this.#look();
    this.tally.restored++;
  }

  #trim(): void {
    const { end } = this.#heap;
    const length = bytesOf(this.#memory).length;
    const given = this.#heap.trim();
    this.#look();
    assert.equal(this.#bytes.length, length - given);
    assert(this.#heap.end <= end);
    if (given > 0) this.tally.trimmed++;
  }

  /** An answer of no room must be right, and must leave no trace. */
  #refused(size: number, end: number): void {
    const heap = this.#heap;
    const stats = heap.stats();
    assert.equal(stats.used, this.#used);
    assert.equal(stats.liveBlocks, this.#live.length);
    assert.equal(heap.end, end);
    const block = 2 ** Math.ceil(Math.log2(Math.max(size, heap.unit)));
    assert(stats.largestFree < block, `refused ${size} bytes though ${stats.largestFree} are free`);
    // A generous estimate: behind all blocks, with room for a page and the state.
    const wanted = 1.1 * (Math.ceil(end / block) * block + block) + 2 * PAGE;
    assert(wanted > this.#limit, `refused ${size} bytes at ${end} though ${this.#limit} can be had`);
    this.tally.refused++;
  }

  /** End that the heap's region can have. */
  get #limit(): number {
    const { kind, limit, options } = this.#setting;
    if (options.end !== undefined || !GROWING_KINDS.includes(kind)) return this.#heap.end;
    return Math.min(limit, options.maximum ?? limit);
  }

  /** Notes a new block, fills it, and checks where it lies. */
  #enter(block: Live, alignment: number): void {
    const { ptr, size } = block;
    const heap = this.#heap;
    const usable = heap.usableSize(ptr);
    assert(usable >= size, `${usable} bytes for ${size}`);
    assert(usable < 2 * Math.max(size, heap.unit / 2 + 1), `${usable} bytes for ${size}`);
    assert.equal(ptr % alignment, 0);
    assert.equal(ptr % heap.unit, 0);
    assert(ptr >= heap.start && ptr + usable <= heap.end);
    for (let at = ptr / heap.unit; at < (ptr + usable) / heap.unit; at++) {
      assert(!this.#taken[at], `byte ${at * heap.unit} is in two blocks`);
    }
    this.#mark(ptr, usable, 1);
    this.#used += usable;
    this.#look();
    assert(heap.end <= this.#bytes.length);
    for (let i = 0; i < size; i++) this.#bytes[ptr + i] = pattern(block.seed, i);
    this.#live.push(block);
    this.tally.allocated++;
  }

  #mark(ptr: number, size: number, taken: 0 | 1): void {
    const { unit } = this.#heap;
    const end = (ptr + size) / unit;
    if (end > this.#taken.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#taken);
      this.#taken = larger;
    }
    this.#taken.fill(taken, ptr / unit, end);
  }

  #verifyBlock({ ptr, size, seed }: Live): void {
    this.#compare(ptr, size, seed);
  }

  #compare(ptr: number, size: number, seed: number): void {
    const bytes = this.#bytes;
    for (let i = 0; i < size; i++) {
      if (bytes[ptr + i] !== pattern(seed, i)) {
        assert.fail(`byte ${i} of the block of ${size} at ${ptr} is ${bytes[ptr + i]}`);
      }
    }
  }

  #pick(at: number): Live | undefined {
    return this.#live[Math.floor(at * this.#live.length)];
  }

  #look(): void {
    this.#bytes = bytesOf(this.#memory);
  }

  #nextSeed(): number {
    this.#seed = (this.#seed + 1) | 0;
    return this.#seed;
  }
}

/** Byte `i` of the pattern of a block: differs between blocks, and never lines up with itself at a small shift. */
function pattern(seed: number, i: number): number {
  return (Math.imul(seed * 0x10001 + i, 0x9e3779b1) >>> 24) & 0xff;
}
