// Drives a heap and knows the content of every live block: it fills each with a pattern of its own, and checks after each
// operation that no byte of another block has changed, that blocks do not overlap, and that all are aligned and as large as
// the documentation says. Bytes that another party added to the memory are filled, too, and must not change either unless
// the heap may use them.

import assert from 'node:assert/strict';
import { regionOf } from '../../src/heap/heap.ts';
import { BuddyError, Heap, type HeapMemory, type HeapOptions } from '../../src/heap.ts';
import { type Room, roomFor, roomOf } from './room.ts';

const PAGE = 65_536;

/** The part of the state that does not grow with the heap has at most so many bytes. */
const MOST_FIXED = 4096;

/** What the program keeps in the heap's root. */
const ROOT = 0x8765_4321;

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
  readonly ptr: number;
  readonly size: number;
  readonly usable: number;
  readonly seed: number;
}

/** Bytes of the memory that belong to another party. */
interface Foreign {
  readonly from: number;
  readonly to: number;
  readonly seed: number;
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
  readonly #room: Room;
  readonly #live: Live[] = [];
  readonly #foreign: Foreign[] = [];
  /** By unit from byte 0 on: 1 when it is in a live block. */
  #taken = new Uint8Array(1024);
  #memory: HeapMemory;
  #heap: Heap<ArrayBufferLike>;
  #bytes: Uint8Array;
  #seed = 0;
  /** Whether the heap throws NO_ROOM; one that was attached to does not. */
  #throws: boolean;
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
    this.#throws = options.throwNoRoom ?? false;
    this.#room = roomOf(options, this.#highest);
    this.#heap.root = ROOT;
  }

  get heap(): Heap<ArrayBufferLike> {
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
    this.#look();
    for (const block of this.#live) {
      this.#compare(block.ptr, block.size, block.seed);
      this.#verifyFigures(block);
    }
    for (const { from, to, seed } of this.#foreign) this.#compare(from, to - from, seed);
    const blocks = this.#live.map(({ ptr, usable }) => ({ ptr, size: usable }));
    assert.deepEqual(
      [...heap.blocks()],
      blocks.sort((a, b) => a.ptr - b.ptr),
    );
    this.#verifyTotals();
    this.#verifyLargestFree();
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
    assert.equal(heap.root, ROOT);
  }

  /** What the heap tells of one block. */
  #verifyFigures({ ptr, size, usable }: Live): void {
    const heap = this.#heap;
    assert(heap.isAllocated(ptr));
    assert.equal(heap.usableSize(ptr), usable);
    for (const at of [ptr, ptr + 1, ptr + usable - 1])
      assert.deepEqual(heap.blockOf(at), { ptr, size: usable });
    assert(!heap.isAllocated(ptr + 1));
    if (this.#setting.options.keepSizes) assert.equal(heap.lengthOf(ptr), size);
  }

  #verifyTotals(): void {
    const heap = this.#heap;
    const { options } = this.#setting;
    const stats = heap.stats();
    assert.equal(stats.used, this.#used);
    assert.equal(stats.liveBlocks, this.#live.length);
    assert.equal(stats.capacity, stats.used + stats.free);
    assert.deepEqual([heap.usedBytes, heap.freeBytes], [stats.used, stats.free]);
    assert.equal(heap.largestFree, stats.largestFree);
    assert.equal(heap.root, ROOT);
    const { page } = this.#room;
    assert.equal(heap.end % page, 0);
    const pages = heap.end - Math.ceil(Math.max(1, options.start ?? 0) / page) * page;
    assert(stats.capacity <= pages);
    if (!options.embed && this.#mayUseAll) assert.equal(stats.capacity, pages);
  }

  /** The largest request with room has room without growth, and one byte more has none. */
  #verifyLargestFree(): void {
    const heap = this.#heap;
    const { largestFree } = heap;
    const { end } = heap;
    if (largestFree === 0) return;
    const ptr = this.#attempt(() => heap.malloc(largestFree));
    assert(ptr > 0, `no room for the largest request, ${largestFree}`);
    assert.equal(heap.end, end);
    heap.free(ptr);
    assert.equal(heap.largestFree, largestFree);
    if (this.#limit > end) return; // it would grow
    assert.equal(
      this.#attempt(() => heap.malloc(largestFree + 1)),
      0,
    );
  }

  /** What `call` returns, 0 if it has no room. */
  #attempt(call: () => number): number {
    try {
      const ptr = call();
      assert(ptr !== 0 || !this.#throws, 'no room was to throw');
      return ptr;
    } catch (error) {
      if (!(error instanceof BuddyError && error.code === 'NO_ROOM')) throw error;
      assert(this.#throws);
      return 0;
    }
  }

  #allocate(size: number, alignment: number, call: () => number): void {
    const { end } = this.#heap;
    const ptr = this.#attempt(call);
    if (ptr === 0) this.#refused(size, alignment, end);
    else this.#enter(ptr, size, alignment, roomFor(this.#room, size, alignment));
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

  #realloc(at: number, wanted: number): void {
    const block = this.#pick(at);
    if (block === undefined) return;
    this.#compare(block.ptr, block.size, block.seed);
    const heap = this.#heap;
    const { end } = heap;
    const size = Math.max(1, wanted);
    const ptr = this.#attempt(() => heap.realloc(block.ptr, wanted));
    this.#look();
    if (ptr === 0) {
      assert(size > block.usable, 'a block that shrinks has room');
      this.#refused(size, 1, end);
      assert.equal(heap.usableSize(block.ptr), block.usable);
      this.#compare(block.ptr, block.size, block.seed);
      return;
    }
    this.#leave(block);
    this.#compare(ptr, Math.min(block.size, size), block.seed);
    const room = roomFor(this.#room, size);
    if (ptr !== block.ptr) {
      this.tally.moved++;
      this.#enter(ptr, size, 1, room);
      return;
    }
    this.tally.stayed++;
    const usable = heap.usableSize(ptr);
    this.#enter(ptr, size, 1, usable);
    if (usable === room) return;
    const { page, largestSlot } = this.#room;
    const wasLarge = block.usable > largestSlot;
    assert(!(wasLarge && size > largestSlot), `a large block of ${usable} bytes for ${size}`);
    if (usable === block.usable && 2 * size > usable) return;
    // It may be more than half empty, or a run of pages for want of a slot, only if there is no other place.
    assert.equal(usable, wasLarge ? Math.ceil(size / page) * page : block.usable);
    this.#noRoomFor(room + block.usable - usable);
  }

  #free(at: number): void {
    const block = this.#pick(at);
    if (block === undefined) return;
    this.#compare(block.ptr, block.size, block.seed);
    this.#leave(block);
    if (at < 0.5) this.#heap.free(block.ptr);
    else this.#heap.free(block.ptr, block.size);
    this.tally.freed++;
  }

  /** The program itself grows the memory. */
  #grow(size: number): void {
    const from = bytesOf(this.#memory).length;
    try {
      growMemory(this.#memory, size);
    } catch {
      return;
    }
    this.tally.grown++;
    this.#look();
    if (this.#sharesGrowth) return;
    const foreign = { from, to: this.#bytes.length, seed: this.#nextSeed() };
    this.#foreign.push(foreign);
    this.#fill(from, foreign.to - from, foreign.seed);
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
    assert.deepEqual(
      [restored.unit, restored.start, restored.end, restored.root],
      [heap.unit, heap.start, heap.end, heap.root],
    );
    assert.deepEqual([...restored.blocks()], [...heap.blocks()]);
    // Both must do the same from now on; the old one is dropped after this.
    const sameGrowth = options.growth === undefined;
    for (const size of [1, heap.unit * 3, 1000, ...(sameGrowth ? [70_000] : [])]) {
      const expected = this.#attempt(() => heap.malloc(size));
      const ptr = restored.malloc(size);
      if (sameGrowth) assert.deepEqual([ptr, restored.end], [expected, heap.end]);
      restored.free(ptr);
      heap.free(expected);
    }
    this.#memory = memory;
    this.#heap = restored;
    this.#throws = false;
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
  #refused(size: number, alignment: number, end: number): void {
    const heap = this.#heap;
    this.#verifyTotals();
    assert.equal(heap.end, end);
    const room = roomFor(this.#room, size, alignment);
    const { page, unit } = this.#room;
    this.#noRoomFor(room + Math.max(0, alignment - page));
    // Behind all that there is, with the state of all if that is embedded.
    const { kind, options } = this.#setting;
    const granularity = kind.includes('WebAssembly') ? PAGE : page;
    const last = Math.max(end, this.#bytes.length) + granularity + room + Math.max(0, alignment - page);
    const state = options.embed ? 28 / page + (options.keepSizes ? 2 / unit : 0) : 0;
    const wanted = last / (1 - state) + (options.embed ? MOST_FIXED : 0);
    assert(wanted > this.#limit, `refused ${size} bytes at ${end} though ${this.#limit} can be had`);
    this.tally.refused++;
  }

  /** No run of free pages has `bytes` bytes. Slots that are free are of use to their own class only. */
  #noRoomFor(bytes: number): void {
    const { largestFree } = this.#heap; // gives the pages of empty slabs back
    if (largestFree < bytes) return;
    const run = regionOf(this.#heap).slabs.arena.largestRange * this.#room.page;
    assert(run < bytes, `refused ${bytes} bytes though ${run} are free`);
    assert(largestFree <= this.#room.largestSlot);
  }

  /** Whether no bytes that somebody added to the memory can lie in the region, as far as the heap can tell. */
  get #mayUseAll(): boolean {
    return this.#sharesGrowth || (this.#foreign.length === 0 && this.#setting.length % this.#room.page === 0);
  }

  get #sharesGrowth(): boolean {
    const { kind, options } = this.#setting;
    return options.shareGrowth ?? !kind.includes('WebAssembly');
  }

  /** End that the heap's region can have. */
  get #limit(): number {
    const { kind, limit, options } = this.#setting;
    if (options.end !== undefined || !GROWING_KINDS.includes(kind)) return this.#heap.end;
    return Math.min(limit, options.maximum ?? limit);
  }

  /** The end that the heap reckons with: a WebAssembly memory does not tell its limit. */
  get #highest(): number {
    const { kind, length, limit, options } = this.#setting;
    if (options.end !== undefined) return options.end;
    const most = kind.includes('WebAssembly') ? 2 ** 32 : GROWING_KINDS.includes(kind) ? limit : length;
    return Math.min(options.maximum ?? most, most);
  }

  /** Notes a new block of `usable` bytes, fills it, and checks where it lies. */
  #enter(ptr: number, size: number, alignment: number, usable: number): void {
    const heap = this.#heap;
    assert.equal(heap.usableSize(ptr), usable, `${heap.usableSize(ptr)} bytes for ${size}`);
    assert(usable >= size);
    assert.equal(ptr % Math.max(alignment, heap.unit), 0);
    assert(ptr > 0 && ptr >= heap.start && ptr + usable <= heap.end);
    for (let at = ptr / heap.unit; at < (ptr + usable) / heap.unit; at++) {
      assert(!this.#taken[at], `byte ${at * heap.unit} is in two blocks`);
    }
    this.#mark(ptr, usable, 1);
    this.#used += usable;
    this.#look();
    assert(heap.end <= this.#bytes.length);
    const seed = this.#nextSeed();
    this.#fill(ptr, size, seed);
    this.#live.push({ ptr, size, usable, seed });
    this.tally.allocated++;
  }

  /** Takes a block off the notes. */
  #leave(block: Live): void {
    this.#mark(block.ptr, block.usable, 0);
    this.#used -= block.usable;
    this.#live[this.#live.indexOf(block)] = this.#live[this.#live.length - 1];
    this.#live.pop();
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

  #fill(ptr: number, size: number, seed: number): void {
    for (let i = 0; i < size; i++) this.#bytes[ptr + i] = pattern(seed, i);
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
