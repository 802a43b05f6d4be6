// SharedHeap through its public API, in one thread: every kind of memory, attachments, growth, views, misuse.

import { describe, expect, it, vi } from 'vitest';
import { growthOf } from '../../src/heap/growth.ts';
import {
  SharedHeap,
  type SharedHeapHandle,
  type SharedHeapMemory,
  type SharedHeapOptions,
} from '../../src/shared.ts';
import { outcomeOf } from '../support/agreement.ts';
import { growMemory, MEMORIES } from '../support/heap-driver.ts';
import { fillPages, roundingOf } from '../support/shared-rounding.ts';

const PAGE = 65_536;
const LIMIT = 16 * PAGE;

const KINDS = ['SharedArrayBuffer', 'growable SharedArrayBuffer', 'shared WebAssembly.Memory'] as const;
const GROWING = KINDS.slice(1);

/** A heap in a memory of `kind` that is full of garbage; `options` on top. */
function create(kind: (typeof KINDS)[number], options: SharedHeapOptions = {}): SharedHeap {
  const memory = MEMORIES[kind](2 * PAGE, LIMIT) as SharedHeapMemory;
  new Uint8Array(memory instanceof WebAssembly.Memory ? memory.buffer : (memory as SharedArrayBuffer)).fill(
    0xa5,
  );
  return SharedHeap.create({ memory, maximum: LIMIT, ...options });
}

/** Another attachment, as another worker has it: to another object that is the same memory. */
function attach(heap: SharedHeap): SharedHeap {
  const other = SharedHeap.attach(structuredClone(heap.handle));
  if (other === null) throw new Error('no place is left');
  return other;
}

/** The code or the name of the error that `call` throws. */
function thrown(call: () => unknown): string {
  const outcome = outcomeOf(call);
  return 'error' in outcome ? outcome.error : 'nothing';
}

describe.each(KINDS)('a %s', (kind) => {
  it('is given out in multiples of the unit, never at 0, and taken back', () => {
    const heap = create(kind);
    const { free } = heap.stats();
    const { page, block } = roundingOf(heap);
    const sizes = [0, 1, 16, 17, 100, 270, 1000, 5000, 8193];
    const pointers = sizes.map((size) => heap.malloc(size));
    const usable = pointers.map((ptr) => heap.usableSize(ptr));
    // Only the largest heap here has slots of more than a page.
    const medium = kind === 'SharedArrayBuffer' ? 8192 : 5120;
    expect(usable).toEqual([16, 16, 16, 32, 112, 288, 1024, medium, 16_384]);
    expect(usable).toEqual(sizes.map(block));
    expect(pointers.at(-1)).toBe(Math.floor((pointers.at(-1) as number) / page) * page);
    for (const ptr of pointers) {
      expect(ptr).toBeGreaterThan(0);
      expect(ptr % heap.unit).toBe(0);
      expect(heap.isAllocated(ptr)).toBe(true);
      expect(heap.isAllocated(ptr + 1)).toBe(false);
    }
    expect(new Set(pointers).size).toBe(sizes.length);
    const used = usable.reduce((sum, size) => sum + size);
    expect(heap.stats()).toMatchObject({ liveBlocks: sizes.length, used, workers: 1 });
    expect(heap.check()).toEqual([]);
    for (const ptr of pointers) heap.free(ptr);
    heap.free(0);
    expect(heap.stats()).toMatchObject({ liveBlocks: 0, used: 0, free });
    expect(heap.check()).toEqual([]);
  });

  it('is one heap for all attachments', () => {
    const heap = create(kind, { trackOwners: true });
    const other = attach(heap);
    expect(heap.workerIds()).toEqual([heap.workerId, other.workerId]);
    expect([other.unit, other.start, other.end, other.maximum, other.trackOwners]).toEqual([
      heap.unit,
      heap.start,
      heap.end,
      heap.maximum,
      true,
    ]);
    const ptr = heap.malloc(100);
    heap.view(ptr, Uint8Array)[99] = 7;
    expect(other.view(ptr, Uint8Array)[99]).toBe(7);
    expect(other.usableSize(ptr)).toBe(112);
    other.free(ptr);
    expect(thrown(() => heap.free(ptr))).toBe('NOT_ALLOCATED');
    expect(heap.stats().workers).toBe(2);
    other.detach();
    other.detach();
    expect(heap.stats().workers).toBe(1);
    expect(heap.check()).toEqual([]);
  });

  it('has calloc clear what was there', () => {
    const heap = create(kind);
    const dirty = heap.malloc(1000);
    heap.view(dirty, Uint8Array).fill(0xff);
    heap.free(dirty);
    const pointers = [heap.calloc(10, 100), heap.calloc(1000, 1), heap.calloc(1, 1000)];
    for (const ptr of pointers) {
      expect(heap.view(ptr, Uint8Array, 1000).every((byte) => byte === 0)).toBe(true);
    }
    expect(pointers).toContain(dirty);
    expect(heap.calloc(2 ** 40, 2 ** 40)).toBe(0);
    expect(heap.calloc(2 ** 53, 2 ** 53)).toBe(0);
  });

  it('has realloc keep the bytes, in place or not', () => {
    const heap = create(kind, { trackOwners: true });
    let ptr = heap.realloc(0, 8);
    let stayed = 0;
    let moved = 0;
    const { block } = roundingOf(heap);
    const sizes = [8, 20, 16, 200, 3000, 2900, 100, 5000, 40, 0, 30_000, 1];
    let kept = 8;
    heap.view(ptr, Uint8Array, 8).set([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const size of sizes) {
      const before = ptr;
      const had = heap.usableSize(ptr);
      const next = heap.realloc(ptr, size);
      if (next === ptr) stayed++;
      else moved++;
      ptr = next;
      kept = Math.min(kept, size === 0 ? 1 : size);
      expect([...heap.view(ptr, Uint8Array, kept)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8].slice(0, kept));
      const usable = heap.usableSize(ptr);
      // It stays where it is if it is not left more than half empty.
      expect(usable).toBe(next === before && size > had / 2 && size <= had ? had : block(size));
      expect(ptr % heap.unit).toBe(0);
      expect(heap.check()).toEqual([]);
    }
    expect(stayed).toBeGreaterThan(0);
    expect(moved).toBeGreaterThan(0);
    expect(heap.stats()).toMatchObject({ liveBlocks: 1, used: 16 });
  });

  it('has alignedAlloc give any alignment', () => {
    const heap = create(kind);
    for (let alignment = 1; alignment <= 32_768; alignment *= 2) {
      for (const size of [0, 1, 33, 700]) {
        const ptr = heap.alignedAlloc(alignment, size);
        expect(ptr).toBeGreaterThan(0);
        expect(ptr % alignment).toBe(0);
        expect(heap.usableSize(ptr)).toBeGreaterThanOrEqual(Math.max(size, 16));
        expect(heap.usableSize(ptr)).toBeLessThanOrEqual(Math.max(16, alignment, 2 * size));
        heap.free(ptr);
      }
    }
    const { page, block } = roundingOf(heap);
    for (const alignment of [16, 64, 256, page]) {
      for (const size of [1, alignment + 1, 5 * alignment - 1]) {
        const multiple = Math.ceil(size / alignment) * alignment;
        expect(heap.usableSize(heap.alignedAlloc(alignment, size))).toBe(block(multiple));
      }
    }
    // 8 pages are of the same level of the state as 1 page: all the others go back. 16 pages are of the next.
    expect(heap.usableSize(heap.alignedAlloc(8 * page, 1))).toBe(page);
    expect(heap.usableSize(heap.alignedAlloc(8 * page, 3 * page))).toBe(4 * page);
    expect(heap.usableSize(heap.alignedAlloc(32 * page, 1))).toBe(32 * page);
    expect(heap.alignedAlloc(2 ** 31, 1)).toBe(0);
    expect(heap.check()).toEqual([]);
  });

  it('has typed arrays, blocks, scopes and imports as a Heap has', () => {
    const heap = create(kind);
    const array = heap.callocArray(Float64Array, 10) as Float64Array;
    array[9] = 0.5;
    const larger = heap.reallocArray(array, 1000) as Float64Array;
    expect([larger.length, larger[9]]).toEqual([1000, 0.5]);
    heap.free(larger);
    const bytes = heap.allocArray(Uint8Array, 3) as Uint8Array;
    expect(bytes.buffer).toBe(heap.buffer);
    expect(heap.allocArray(Float64Array, LIMIT)).toBeNull();
    heap.free(bytes);
    {
      using block = heap.block(100);
      expect(block?.view(Uint32Array).length).toBe(25);
      using scope = heap.scope();
      scope.malloc(10);
      scope.callocArray(Int16Array, 10);
      expect(heap.stats().liveBlocks).toBe(3);
    }
    expect(heap.stats().liveBlocks).toBe(0);
    const { malloc, realloc, free, calloc, aligned_alloc } = heap.imports;
    for (const ptr of [realloc(malloc(1), 100), calloc(2, 3), aligned_alloc(64, 1)]) free(ptr);
    expect(heap.imports).toBe(heap.imports);
    expect(heap.stats().liveBlocks).toBe(0);
  });

  it('frees by views, whichever object of the memory they are on, and no others', () => {
    const heap = create(kind);
    const other = attach(heap);
    const array = heap.allocArray(Uint8Array, 100) as Uint8Array;
    const posted = structuredClone(array);
    expect(posted.buffer).not.toBe(heap.buffer);
    other.free(posted);
    expect(heap.stats().liveBlocks).toBe(0);
    const again = heap.allocArray(Uint8Array, 100) as Uint8Array;
    const copy = new SharedArrayBuffer(heap.buffer.byteLength);
    new Uint8Array(copy).set(new Uint8Array(heap.buffer));
    const { byteOffset } = again;
    for (const buffer of [copy, new SharedArrayBuffer(8), new ArrayBuffer(PAGE)]) {
      const view = new Uint8Array(buffer, buffer.byteLength < PAGE ? 0 : byteOffset, 1);
      expect(thrown(() => heap.free(view))).toBe('FOREIGN');
      expect(thrown(() => other.reallocArray(view, 5))).toBe('FOREIGN');
    }
    expect(thrown(() => heap.free(new Uint8Array(heap.buffer, 0, 8)))).toBe('NOT_ALLOCATED');
    heap.free(again);
  });

  it('ends where no more can be had, and that changes nothing', () => {
    const heap = create(kind);
    const other = attach(heap);
    const pointers: number[] = [];
    const refused = new Set<SharedHeap>();
    for (let i = 0; refused.size < 2; i++) {
      const by = i % 2 === 0 ? heap : other;
      const ptr = by.malloc(3000);
      if (ptr === 0) {
        refused.add(by);
        continue;
      }
      new Uint32Array(heap.buffer, ptr, 1)[0] = pointers.length;
      pointers.push(ptr);
    }
    expect(heap.end).toBe(heap.maximum);
    const stats = heap.stats();
    // There is no room for one more slab, or one more block of pages; and all slots of all slabs are in use.
    const { run, block, slots } = roundingOf(heap);
    expect(stats.largestFree).toBeLessThan(run(3000));
    expect(stats.used).toBe(pointers.length * block(3000));
    expect(pointers.length % slots(3000)).toBe(0);
    const slabs = pointers.length / slots(3000);
    expect(stats.free - slabs * (run(3000) - slots(3000) * block(3000))).toBeLessThan(2 * run(3000));
    expect(heap.malloc(3000)).toBe(0);
    expect(other.realloc(pointers[0], 9000)).toBe(0);
    expect(other.realloc(pointers[0], 2 ** 40)).toBe(0);
    expect(heap.stats()).toEqual(stats);
    pointers.forEach((ptr, i) => {
      expect(new Uint32Array(heap.buffer, ptr, 1)[0]).toBe(i);
    });
    expect(heap.check()).toEqual([]);
    for (const ptr of pointers) other.free(ptr);
    expect(heap.stats().used).toBe(0);
    expect(heap.check()).toEqual([]);
  });

  it('lets a block that becomes smaller have what it can without other room', () => {
    const heap = create(kind);
    const { page } = roundingOf(heap);
    const large = heap.malloc(32 * page);
    fillPages(heap);
    for (const size of [page, 16]) while (heap.malloc(size) !== 0);
    // 32 and 16 pages are of one level of the state of the arena: half of the block goes back.
    expect(heap.realloc(large, 16 * page)).toBe(large);
    expect(heap.usableSize(large)).toBe(16 * page);
    expect(heap.check()).toEqual([]);
    const half = heap.malloc(16 * page);
    expect(half).toBe(large + 16 * page);
    // 8 pages are of another, and 16 bytes are a slot, for which there is no room.
    for (const size of [8 * page, 16]) {
      expect(heap.realloc(large, size)).toBe(large);
      expect(heap.usableSize(large)).toBe(16 * page);
    }
    // And together again, as soon as the other half is free.
    expect(heap.realloc(large, 32 * page)).toBe(0);
    heap.free(half);
    expect(heap.realloc(large, 32 * page)).toBe(large);
    expect(heap.usableSize(large)).toBe(32 * page);
    expect(heap.check()).toEqual([]);
  });

  it('tells its blocks, and beforehand what it will keep for itself', () => {
    for (const options of [{}, { start: 5000, unit: 64 }, { trackOwners: true, maxWorkers: 3 }]) {
      const memory = MEMORIES[kind](2 * PAGE, LIMIT) as SharedHeapMemory;
      const bytes = SharedHeap.bytesFor({ memory, maximum: LIMIT, ...options });
      const heap = SharedHeap.create({ memory, maximum: LIMIT, ...options });
      expect(heap.stats().metadataBytes).toBe(bytes);
      const live = [10, 3000, 500, 1].map((size) => heap.malloc(size)).sort((a, b) => a - b);
      heap.malloc(PAGE);
      heap.free(live[1]);
      live.splice(1, 1);
      const blocks = [...attach(heap).blocks()];
      const { used, liveBlocks } = heap.stats();
      expect(blocks.length).toBe(liveBlocks);
      for (const ptr of live) {
        const block = { ptr, size: heap.usableSize(ptr) };
        expect(blocks).toContainEqual(block);
        for (const at of [ptr, ptr + block.size - 1]) expect(heap.blockOf(at)).toEqual(block);
      }
      let last = heap.start + bytes;
      for (const { ptr, size } of blocks) {
        expect(ptr).toBeGreaterThanOrEqual(last);
        expect(ptr % heap.unit).toBe(0);
        // What is between two blocks is in none.
        for (let at = last; at < ptr; at += heap.unit) expect(heap.blockOf(at)).toBeUndefined();
        last = ptr + size;
      }
      expect(last).toBeLessThanOrEqual(heap.end);
      for (const at of [0, heap.start, heap.end, 2 ** 32]) expect(heap.blockOf(at)).toBeUndefined();
      expect(blocks.reduce((sum, { size }) => sum + size, 0)).toBe(used);
    }
  });

  it('is as good in part', () => {
    const memory = MEMORIES[kind](2 * PAGE, LIMIT) as SharedHeapMemory;
    const bytes = new Uint8Array(
      memory instanceof WebAssembly.Memory ? memory.buffer : (memory as SharedArrayBuffer),
    );
    bytes.fill(0xa5);
    for (const trackOwners of [false, true]) {
      const heap = SharedHeap.create({
        memory,
        start: 50_001,
        maximum: 100_001,
        unit: 8,
        maxWorkers: 3,
        trackOwners,
      });
      const other = attach(heap);
      let total = 0;
      for (let size = 8192; size >= 8; size /= 2) {
        for (let ptr = other.malloc(size); ptr !== 0; ptr = heap.malloc(size)) {
          expect(ptr).toBeGreaterThanOrEqual(50_001);
          expect(ptr + size).toBeLessThanOrEqual(100_001);
          heap.view(ptr, Uint8Array).fill(0xff);
          total += size;
        }
      }
      const { capacity, metadataBytes } = heap.stats();
      expect(total).toBe(capacity);
      // A part of a cache line at the start, and parts of pages at both ends, are not used.
      expect(total + metadataBytes).toBeGreaterThan(50_000 - 64 - 2 * roundingOf(heap).page);
      expect(heap.check()).toEqual([]);
      expect(bytes.every((byte, i) => byte === 0xa5 || (i >= 50_001 && i < 100_001))).toBe(true);
    }
  });
});

describe.each(GROWING)('growth of a %s', (kind) => {
  it('is by an eighth, or by 64 KiB at least, or goes as far as a request takes, and others see it', () => {
    const heap = create(kind);
    const other = attach(heap);
    let growths = 0;
    for (let { end } = heap; heap.malloc(2000) !== 0; ) {
      if (heap.end === end) continue;
      growths++;
      expect(other.end).toBe(heap.end);
      const { capacity } = heap.stats();
      const before = capacity - (heap.end - end);
      const by = growthOf({}, before);
      expect(by).toBe(Math.max(Math.floor(before / 8), Math.min(before, PAGE)));
      // No less, unless the heap ends there. And no more than up to the end of a reserved block, and of a page.
      expect(heap.end - end).toBeGreaterThanOrEqual(Math.min(by, LIMIT - end));
      expect(heap.end - end).toBeLessThan(by + before / 4 + PAGE);
      end = heap.end;
    }
    expect(growths).toBeGreaterThan(5);
    expect(heap.end).toBe(LIMIT);

    const large = create(kind);
    const ptr = large.malloc(4 * PAGE);
    expect(ptr).toBeGreaterThan(0);
    expect(large.end).toBeLessThanOrEqual(10 * PAGE);
    expect(large.malloc(LIMIT)).toBe(0);
    expect(large.malloc(8 * PAGE)).toBe(8 * PAGE);
    expect(large.check()).toEqual([]);
  });

  it('is not begun for what cannot be had', () => {
    const heap = create(kind);
    const { end } = heap;
    for (const size of [LIMIT, 2 ** 31, 2 ** 32, 2 ** 53]) expect(heap.malloc(size)).toBe(0);
    expect(heap.end).toBe(end);
    expect(heap.buffer.byteLength).toBe(end);
    const less = create(kind, { maximum: 4 * PAGE });
    expect(less.malloc(4 * PAGE)).toBe(0);
    expect(less.buffer.byteLength).toBe(end);
  });

  it('is not begun for a block that becomes smaller', () => {
    const heap = create(kind);
    const large = heap.malloc(4096);
    fillPages(heap);
    const { end } = heap;
    expect(heap.realloc(large, 16)).toBe(large);
    expect(heap.end).toBe(end);
  });

  it('begins with what somebody else has added to the memory', () => {
    const heap = create(kind);
    growMemory(heap.handle.memory, PAGE / 2 + 999); // less than the heap would have added
    const { end, buffer } = heap;
    fillPages(heap);
    expect(heap.end).toBe(end);
    expect(heap.malloc(1000)).toBeGreaterThan(0);
    expect(heap.end).toBeGreaterThan(0.8 * buffer.byteLength);
    expect(heap.end).toBeLessThanOrEqual(buffer.byteLength);
    expect(heap.buffer.byteLength).toBe(buffer.byteLength);
  });

  it('is less when more is refused, and none at all when that is refused', () => {
    const memory = MEMORIES[kind](2 * PAGE, 3 * PAGE) as SharedHeapMemory;
    const heap = SharedHeap.create({ memory, maximum: 50 * PAGE });
    while (heap.malloc(5000) !== 0);
    expect(heap.end).toBeGreaterThan(2 * PAGE);
    expect(heap.end).toBeLessThanOrEqual(3 * PAGE);
    expect(heap.check()).toEqual([]);
  });

  it('in a memory too short for the state happens at once', () => {
    const memory = MEMORIES[kind](kind.includes('Wasm') ? 0 : 1, LIMIT) as SharedHeapMemory;
    const heap = SharedHeap.create({ memory, maximum: LIMIT, trackOwners: true });
    expect(heap.check()).toEqual([]);
    expect(heap.malloc(100_000)).toBeGreaterThan(0);
    expect(attach(heap).stats()).toMatchObject({ liveBlocks: 1, workers: 2 });
  });

  it('by another while this one was looking for room is used, not doubled', () => {
    const heap = create(kind);
    const other = attach(heap);
    while (heap.stats().largestFree >= 1024) heap.malloc(1024);
    const { end } = heap;
    // The other grows the heap; this one has not seen that yet, and has no need to grow it again.
    while (other.end === end) other.malloc(1024);
    const grown = other.end;
    expect(heap.malloc(4096)).toBeGreaterThan(0);
    expect(heap.end).toBe(grown);
    expect(heap.check()).toEqual([]);
  });

  it('by another that has left no place for a block is not followed by one in vain', () => {
    const heap = create(kind);
    const other = attach(heap);
    growMemory(heap.handle.memory, 10 * PAGE);
    // From where this one believes the heap to end, half of all memory could still be had, by growth to the limit.
    while (other.malloc(PAGE) < LIMIT / 2);
    const { end } = other;
    expect(end).toBeLessThan(LIMIT);
    expect(heap.malloc(LIMIT / 2)).toBe(0);
    expect(heap.end).toBe(end);
    expect(heap.buffer.byteLength).toBe(12 * PAGE);
  });

  it('by two at once frees no block twice', () => {
    for (const trackOwners of [false, true]) {
      const memory = MEMORIES[kind](2 * PAGE, LIMIT) as SharedHeapMemory;
      // While the one enlarges the memory the other does all of a growth, and allocates in it.
      let meanwhile: (() => void) | undefined;
      const grow = Reflect.get(memory, 'grow') as (by: number) => number;
      Object.defineProperty(memory, 'grow', {
        value(by: number) {
          const run = meanwhile;
          meanwhile = undefined;
          run?.();
          return grow.call(memory, by);
        },
      });
      const heap = SharedHeap.create({ memory, maximum: LIMIT, trackOwners });
      const other = attach(heap);
      fillPages(heap);
      const inside: number[] = [];
      meanwhile = () => {
        for (let i = 0; i < 6; i++) inside.push(other.malloc(PAGE / 2));
      };
      const ptr = heap.malloc(16);
      expect(inside.length).toBe(6);
      for (const block of inside) expect(heap.usableSize(block)).toBe(PAGE / 2);
      expect(inside).not.toContain(ptr);
      expect(heap.check()).toEqual([]);
    }
  });
});

/**
 * A handle for another worker. When that worker looks at the memory for the time number `at`, it gets the former buffer,
 * and `heap` makes the memory grow right then.
 */
function meetingOf(heap: SharedHeap) {
  const handle = structuredClone(heap.handle) as { memory: WebAssembly.Memory; start: number };
  const meeting = { at: -1, looks: 0 };
  const { get } = Object.getOwnPropertyDescriptor(WebAssembly.Memory.prototype, 'buffer') ?? {};
  Object.defineProperty(handle.memory, 'buffer', {
    get() {
      const buffer = get?.call(this);
      if (meeting.looks++ === meeting.at) expect(heap.malloc(2 * PAGE)).toBeGreaterThan(0);
      return buffer;
    },
  });
  return { handle, meeting };
}

describe('a WebAssembly.Memory that another thread has grown', () => {
  it('is brought up to date where the runtime has not told this thread yet', () => {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 16, shared: true });
    const heap = SharedHeap.create({ memory, maximum: LIMIT });
    const handle = structuredClone(heap.handle) as { memory: WebAssembly.Memory; start: number };
    const other = SharedHeap.attach(handle) as SharedHeap;
    const ptr = heap.malloc(4 * PAGE);
    heap.view(ptr, Uint8Array)[5] = 5;
    const fresh = new WebAssembly.Memory({ initial: 2, maximum: 16, shared: true }).buffer;
    let stale = true;
    Object.defineProperty(handle.memory, 'buffer', {
      get() {
        return stale ? fresh : Reflect.get(WebAssembly.Memory.prototype, 'buffer', this);
      },
    });
    const grow = vi.spyOn(handle.memory, 'grow').mockImplementation(() => {
      stale = false;
      return 0;
    });
    expect(other.view(ptr, Uint8Array)[5]).toBe(5);
    expect(grow).toHaveBeenCalledWith(0);
  });

  it('while this one attaches has all of the heap', () => {
    let looks = 1;
    for (let at = 0; at < looks; at++) {
      const heap = create('shared WebAssembly.Memory');
      const { handle, meeting } = meetingOf(heap);
      meeting.at = at;
      expect(SharedHeap.attach(handle)?.end).toBe(heap.end);
      looks = meeting.looks;
    }
    expect(looks).toBeGreaterThan(3);
  });

  it('can be grown by this one at the same time', () => {
    let looks = 1;
    for (let at = 0; at < looks; at++) {
      const heap = create('shared WebAssembly.Memory');
      const { handle, meeting } = meetingOf(heap);
      const other = SharedHeap.attach(handle) as SharedHeap;
      Object.assign(meeting, { at, looks: 0 });
      const ptr = other.malloc(4 * PAGE);
      other.view(ptr, Uint8Array).fill(1);
      expect(other.usableSize(ptr)).toBe(4 * PAGE);
      looks = meeting.looks;
      expect(heap.check()).toEqual([]);
    }
    expect(looks).toBeGreaterThan(5);
  });

  it('can be grown where the runtime has not told this thread yet', () => {
    const heap = create('shared WebAssembly.Memory');
    const handle = structuredClone(heap.handle) as { memory: WebAssembly.Memory; start: number };
    const other = SharedHeap.attach(handle) as SharedHeap;
    let known = handle.memory.buffer;
    Object.defineProperty(handle.memory, 'buffer', { get: () => known });
    const grow = handle.memory.grow.bind(handle.memory);
    handle.memory.grow = (pages) => {
      const before = grow(pages);
      known = Reflect.get(WebAssembly.Memory.prototype, 'buffer', handle.memory);
      return before;
    };
    expect(heap.malloc(4 * PAGE)).toBeGreaterThan(0);
    expect(heap.end).toBe(LIMIT / 2);
    expect(other.malloc(LIMIT / 2)).toBe(LIMIT / 2);
  });
});

describe('workers', () => {
  it('that change the same word of the arena do not undo what the other does', () => {
    const heap = create('SharedArrayBuffer');
    const other = attach(heap);
    const { page } = roundingOf(heap);
    const ptr = heap.malloc(4 * page);
    const neighbour = heap.malloc(2 * page);
    expect(Math.floor(neighbour / (16 * page))).toBe(Math.floor(ptr / (16 * page)));
    const cas = Atomics.compareExchange;
    const spy = vi.spyOn(Atomics, 'compareExchange').mockImplementationOnce(((
      ...operands: Parameters<typeof cas>
    ) => {
      other.free(neighbour);
      return cas(...operands);
    }) as typeof cas);
    expect(heap.realloc(ptr, 2 * page)).toBe(ptr);
    spy.mockRestore();
    expect(heap.stats()).toMatchObject({ liveBlocks: 1, used: 2 * page });
    expect(heap.check()).toEqual([]);
  });

  it('are as many as there are places', () => {
    const heap = create('SharedArrayBuffer', { maxWorkers: 2 });
    const other = attach(heap);
    expect(SharedHeap.attach(heap.handle)).toBeNull();
    other.detach();
    const { workerId } = attach(heap);
    expect(heap.workerIds()).toContain(workerId);
  });

  it('begin apart: in slabs of their own, in other words of the arena', () => {
    const heap = create('shared WebAssembly.Memory');
    const { page } = roundingOf(heap);
    const words = [heap, attach(heap), attach(heap)].map((each) => Math.floor(each.malloc(1) / (16 * page)));
    // The second in the middle of the heap, the third in the middle of its first half.
    expect(words[0]).toBeLessThan(words[2]);
    expect(words[2]).toBeLessThan(words[1]);
  });

  it('that are detached can do nothing more', () => {
    const heap = create('SharedArrayBuffer');
    const ptr = heap.malloc(10);
    const view = heap.view(ptr, Uint8Array);
    const scope = heap.scope();
    scope.malloc(1);
    scope.malloc(2);
    heap.detach();
    const calls: (() => unknown)[] = [
      () => heap.malloc(1),
      () => heap.malloc(-1),
      () => heap.calloc(1, 1),
      () => heap.realloc(ptr, 1),
      () => heap.realloc(0, 1),
      () => heap.alignedAlloc(64, 1),
      () => heap.free(ptr),
      () => heap.free(0),
      () => heap.free(view),
      () => heap.usableSize(ptr),
      () => heap.isAllocated(ptr),
      () => heap.view(ptr, Uint8Array),
      () => heap.stats(),
      () => heap.check(),
      () => heap.recover(2),
      () => heap.workerId,
      () => heap.workerIds(),
      () => heap.end,
      () => heap.blocks(),
      () => heap.adopt(ptr),
      () => heap.imports.malloc(1),
      () => heap.imports.free(0),
      () => heap.scope().malloc(1),
      () => heap.scope().free(view),
      () => heap.block(1),
      () => heap.allocArray(Uint8Array, 1),
      () => heap.reallocArray(view, 1),
      () => scope.dispose(),
    ];
    for (const call of calls) expect([call.toString(), thrown(call)]).toEqual([call.toString(), 'DETACHED']);
  });

  it.each(
    KINDS,
  )('that are detached still know where the heap lies and what it was made with, in a %s', (kind) => {
    const heap = create(kind, { start: 100, unit: 32, maxWorkers: 7, trackOwners: true });
    const facts = () => {
      const { buffer, handle, start, unit, maximum, maxWorkers, trackOwners } = heap;
      return { length: buffer.byteLength, handle, start, unit, maximum, maxWorkers, trackOwners };
    };
    const before = facts();
    expect(before).toMatchObject({ start: 100, unit: 32, maxWorkers: 7, trackOwners: true });
    heap.detach();
    expect(facts()).toEqual(before);
    expect(SharedHeap.attach(heap.handle)?.workerIds().length).toBe(1);
  });

  it.each(KINDS)('that have died are recovered, in a %s', (kind) => {
    const heap = create(kind, { trackOwners: true });
    const other = attach(heap);
    const mine = heap.malloc(100);
    other.malloc(1);
    other.malloc(1000);
    expect(heap.recover(other.workerId)).toEqual({ blocks: 2, bytes: 1040, complete: true });
    expect(heap.stats()).toMatchObject({ liveBlocks: 1, used: 112, workers: 1 });
    expect(heap.isAllocated(mine)).toBe(true);
    expect(heap.check()).toEqual([]);
    expect(heap.recover(other.workerId)).toEqual({ blocks: 0, bytes: 0, complete: true });

    // What has changed hands stays when the first owner dies, and goes with the second.
    const first = attach(heap);
    const passed = first.malloc(50);
    const view = first.allocArray(Uint8Array, 50);
    heap.adopt(passed);
    heap.adopt(view as Uint8Array);
    expect(heap.recover(first.workerId)).toEqual({ blocks: 0, bytes: 0, complete: true });
    expect(heap.isAllocated(passed)).toBe(true);
    const second = attach(heap);
    second.adopt(passed);
    expect(heap.recover(second.workerId)).toEqual({ blocks: 1, bytes: 64, complete: true });
    expect(thrown(() => heap.adopt(passed))).toBe('NOT_ALLOCATED');
    expect(thrown(() => heap.adopt(passed + 1))).toBe('NOT_ALLOCATED');
    heap.free(view as Uint8Array);

    // With the giver's id, only the block that was handed over.
    const giver = attach(heap);
    const { workerId } = giver;
    const handed = giver.malloc(50);
    const lost = giver.malloc(5000);
    fillPages(heap);
    heap.adopt(handed, workerId);
    expect(thrown(() => heap.adopt(handed, workerId))).toBe('NOT_ALLOCATED');
    expect(heap.recover(workerId)).toMatchObject({ blocks: 1, complete: true });
    const later = attach(heap);
    const fresh = later.malloc(5000);
    expect(fresh).toBe(lost);
    expect(thrown(() => heap.adopt(lost, workerId))).toBe('NOT_ALLOCATED');
    expect(thrown(() => heap.adopt(lost + 16, workerId))).toBe('INTERIOR');
    expect(thrown(() => heap.adopt(lost, '1' as unknown as number))).toBe('TypeError');
    expect(thrown(() => heap.adopt(lost, 0))).toBe('RangeError');
    heap.adopt(fresh, later.workerId);
    expect(heap.recover(later.workerId)).toMatchObject({ blocks: 0, complete: true });
    for (const ptr of [handed, fresh]) heap.free(ptr);

    const untracked = create(kind);
    const dead = attach(untracked);
    dead.malloc(100);
    expect(untracked.recover(dead.workerId)).toEqual({ blocks: 0, bytes: 0, complete: true });
    expect(untracked.stats()).toMatchObject({ liveBlocks: 1, workers: 1 });
  });

  it.each([
    'SharedArrayBuffer',
    'growable SharedArrayBuffer',
  ] as const)('that keep an empty word of a full %s as a hint do not keep a block beside it from growing', (kind) => {
    const heap = create(kind);
    const { page } = roundingOf(heap);
    const word = 16 * page;
    const blocks: number[] = [];
    while (heap.largestFree >= word) blocks.push(heap.alignedAlloc(word, word));
    fillPages(heap);
    const { end } = heap;
    const lower = blocks.find((ptr) => ptr % (2 * word) === 0 && blocks.includes(ptr + word)) as number;
    heap.free(lower + word);
    // The word of 16 pages is split, and empty again.
    const pages = heap.alignedAlloc(2 * page, 2 * page);
    expect(pages).toBeGreaterThanOrEqual(lower + word);
    expect(pages).toBeLessThan(lower + 2 * word);
    heap.free(pages);
    expect(heap.realloc(lower, 2 * word)).toBe(lower);
    expect(heap.usableSize(lower)).toBe(2 * word);
    expect(heap.end).toBe(end);
    expect(heap.check()).toEqual([]);
  });

  it.each([
    false,
    true,
  ])('that make the heap grow at the same time lose nothing, at whatever step they meet; owners tracked: %s', (trackOwners) => {
    let meetings = 0;
    for (let at = 0; meetings === at; at++) {
      const heap = create('growable SharedArrayBuffer', { trackOwners });
      const other = attach(heap);
      fillPages(heap);
      const { used } = heap.stats();
      let step = 0;
      let theirs = 0;
      const cas = Atomics.compareExchange;
      const spy = vi.spyOn(Atomics, 'compareExchange').mockImplementation(((
        ...operands: Parameters<typeof cas>
      ) => {
        if (step++ === at) {
          spy.mockRestore();
          meetings++;
          theirs = other.malloc(65_536);
        }
        return cas(...operands);
      }) as typeof cas);
      const ours = heap.malloc(32_768);
      spy.mockRestore();
      expect(heap.usableSize(ours)).toBe(32_768);
      if (meetings > at) expect(heap.usableSize(theirs)).toBe(65_536);
      expect(heap.stats().used).toBe(used + 32_768 + (meetings > at ? 65_536 : 0));
      expect(heap.check()).toEqual([]);
    }
    expect(meetings).toBeGreaterThan(5);
  });

  it.each([
    ['after another has grown it', [LIMIT / 4], []],
    ['when nobody has since', [], [16, LIMIT / 4]],
  ])('that have died while they made the heap grow leave nothing behind when recovered %s, owners tracked', (_, before, after) => {
    class Death extends Error {}
    let deaths = 0;
    for (let last = 0; ; last++) {
      const heap = create('growable SharedArrayBuffer', { trackOwners: true });
      const dead = attach(heap);
      fillPages(heap);
      const { used, liveBlocks } = heap.stats();
      // Dies at one of the steps that change anything.
      let step = 0;
      const cas = Atomics.compareExchange;
      const spy = vi.spyOn(Atomics, 'compareExchange').mockImplementation(((
        ...operands: Parameters<typeof cas>
      ) => {
        if (step++ === last) throw new Death();
        return cas(...operands);
      }) as typeof cas);
      let died = true;
      try {
        dead.malloc(40_000);
        died = false;
      } catch (error) {
        if (!(error instanceof Death)) throw error;
      } finally {
        spy.mockRestore();
      }
      if (!died) break;
      deaths++;
      const pointers = before.map((size) => heap.malloc(size));
      expect(heap.recover(dead.workerId).complete).toBe(true);
      expect(heap.check()).toEqual([]);
      for (const size of after) pointers.push(heap.malloc(size));
      expect(heap.stats()).toMatchObject({ workers: 1, liveBlocks: liveBlocks + pointers.length });
      for (const ptr of pointers) heap.free(ptr);
      expect(heap.check()).toEqual([]);
      expect(heap.stats()).toMatchObject({ used, liveBlocks });
    }
    expect(deaths).toBeGreaterThan(5);
  });
});

describe('misuse', () => {
  it.each(
    KINDS.flatMap((kind) => [false, true].map((trackOwners) => [kind, trackOwners] as const)),
  )('of a %s is an error, and changes nothing; owners tracked: %s', (kind, trackOwners) => {
    const heap = create(kind, { start: 1000, trackOwners, keepSizes: true });
    const ptr = heap.malloc(100);
    const freed = heap.malloc(4096);
    heap.free(freed);
    const view = heap.view(ptr, Uint8Array);
    const stats = heap.stats();
    const pointers: [unknown, string][] = [
      [freed, 'NOT_ALLOCATED'],
      [freed + 8, 'NOT_ALLOCATED'],
      [ptr + 16, 'INTERIOR'],
      [ptr + 1, 'INTERIOR'],
      [500, 'NOT_ALLOCATED'],
      [1024, 'NOT_ALLOCATED'],
      [5000, 'NOT_ALLOCATED'],
      [heap.end, 'RangeError'],
      [heap.end + 16, 'RangeError'],
      [ptr + 2 ** 32, 'RangeError'],
      [ptr + 2 ** 31, 'RangeError'],
      [2 ** 31, 'RangeError'],
      [2 ** 32, 'RangeError'],
      [2 ** 53, 'RangeError'],
      [Number.POSITIVE_INFINITY, 'RangeError'],
      [Number.NEGATIVE_INFINITY, 'RangeError'],
      [ptr - 2 ** 32, 'RangeError'],
      [-16, 'RangeError'],
      [-1, 'RangeError'],
      [0.5, 'RangeError'],
      [ptr + 0.5, 'RangeError'],
      [Number.NaN, 'RangeError'],
      ['16', 'TypeError'],
      [String(ptr), 'TypeError'],
      [16n, 'TypeError'],
      [BigInt(ptr), 'TypeError'],
      [new Number(ptr), 'TypeError'],
      [{ valueOf: () => ptr }, 'TypeError'],
      [{ [Symbol.toPrimitive]: () => ptr }, 'TypeError'],
      [Symbol('ptr'), 'TypeError'],
      [[ptr], 'TypeError'],
      [true, 'TypeError'],
      [null, 'TypeError'],
      [undefined, 'TypeError'],
      [{}, 'TypeError'],
    ];
    for (const [bad, error] of pointers) {
      const at = bad as number;
      expect([bad, thrown(() => heap.free(at))]).toEqual([bad, error]);
      expect([bad, thrown(() => heap.realloc(at, 50))]).toEqual([bad, error]);
      expect([bad, thrown(() => heap.usableSize(at))]).toEqual([bad, error]);
      expect([bad, thrown(() => heap.lengthOf(at))]).toEqual([bad, error]);
      expect([bad, thrown(() => heap.free(at, 100))]).toEqual([bad, error]);
      expect([bad, thrown(() => heap.adopt(at))]).toEqual([bad, error]);
      expect([bad, thrown(() => heap.adopt(at, heap.workerId))]).toEqual([bad, error]);
      const isPointer = Number.isInteger(at) && at >= 0; // beyond the end, too
      expect([bad, thrown(() => heap.isAllocated(at))]).toEqual([bad, isPointer ? 'nothing' : error]);
      if (isPointer) expect(heap.isAllocated(at)).toBe(false);
      if (error !== 'INTERIOR') expect([bad, thrown(() => heap.view(at, Uint8Array))]).toEqual([bad, error]);
    }
    const asked = {
      valueOf() {
        throw new Error('asked');
      },
    } as unknown as number;
    const calls: [string, () => unknown][] = [
      ['NOT_ALLOCATED', () => heap.usableSize(0)],
      ['NOT_ALLOCATED', () => heap.view(0, Uint8Array)],
      ['RangeError', () => heap.view(ptr, Uint8Array, 113)],
      ['RangeError', () => heap.view(ptr + 1, Uint16Array)],
      ['TypeError', () => heap.view(ptr, Map as unknown as Uint8ArrayConstructor)],
      ['RangeError', () => heap.malloc(-1)],
      ['RangeError', () => heap.malloc(1.5)],
      ['RangeError', () => heap.malloc(Number.POSITIVE_INFINITY)],
      ['RangeError', () => heap.malloc(Number.NaN)],
      ['RangeError', () => heap.malloc(-(2 ** 31))],
      ['RangeError', () => heap.malloc(-(2 ** 32))],
      ['TypeError', () => heap.malloc(1n as unknown as number)],
      ['TypeError', () => heap.malloc(new Number(1) as unknown as number)],
      ['RangeError', () => heap.realloc(0, -1)],
      ['RangeError', () => heap.realloc(ptr, Number.NaN)],
      ['RangeError', () => heap.realloc(ptr, 0.5)],
      ['TypeError', () => heap.realloc(ptr, '8' as unknown as number)],
      ['TypeError', () => heap.realloc(ptr, 8n as unknown as number)],
      ['TypeError', () => heap.realloc(ptr, asked)],
      ['TypeError', () => heap.free(asked)],
      ['TypeError', () => heap.adopt(asked)],
      ['TypeError', () => heap.adopt(ptr, asked)],
      ['TypeError', () => heap.adopt(ptr, null as unknown as number)],
      ['RangeError', () => heap.adopt(ptr, 0)],
      ['RangeError', () => heap.adopt(ptr, 33)],
      ['RangeError', () => heap.adopt(ptr, heap.workerId + 0.5)],
      ['RangeError', () => heap.adopt(ptr, heap.workerId + 2 ** 32)],
      ['RangeError', () => heap.free(ptr, 99)],
      ['RangeError', () => heap.free(ptr, 101)],
      ['RangeError', () => heap.free(ptr, -1)],
      ['RangeError', () => heap.free(ptr, Number.NaN)],
      ['TypeError', () => heap.free(ptr, '100' as unknown as number)],
      ['TypeError', () => heap.free(ptr, asked)],
      ['TypeError', () => heap.free(ptr, null as unknown as number)],
      ['TypeError', () => heap.malloc('1' as unknown as number)],
      ['TypeError', () => heap.malloc(undefined as unknown as number)],
      ['TypeError', () => heap.malloc(asked)],
      ['TypeError', () => heap.usableSize(asked)],
      ['TypeError', () => heap.realloc(asked, 1)],
      ['RangeError', () => heap.calloc(-1, 1)],
      ['RangeError', () => heap.calloc(1, Number.NaN)],
      ['RangeError', () => heap.realloc(ptr, -1)],
      ['TypeError', () => heap.realloc(ptr, null as unknown as number)],
      ['RangeError', () => heap.alignedAlloc(3, 1)],
      ['RangeError', () => heap.alignedAlloc(16, -1)],
      ['RangeError', () => heap.allocArray(Uint8Array, -1)],
      ['RangeError', () => heap.reallocArray(view, -1)],
      ['RangeError', () => heap.recover(0)],
      ['RangeError', () => heap.recover(33)],
      ['RangeError', () => heap.recover(heap.workerId)],
      ['TypeError', () => heap.recover('2' as unknown as number)],
    ];
    for (const [error, call] of calls) {
      expect([call.toString(), thrown(call)]).toEqual([call.toString(), error]);
    }
    // Messages count in bytes.
    expect(() => heap.free(freed)).toThrow(`byte ${freed} is free`);
    expect(() => heap.free(ptr + 16)).toThrow(`byte ${ptr + 16} is inside the block at ${ptr}`);
    expect(heap.stats()).toEqual(stats);
    expect(heap.lengthOf(ptr)).toBe(100);
    expect(heap.check()).toEqual([]);
  });

  it('of the options is an error', () => {
    const memory = new SharedArrayBuffer(PAGE);
    const cases: [string, unknown][] = [
      ['TypeError', {}],
      ['TypeError', { memory, size: PAGE }],
      ['TypeError', { memory: new ArrayBuffer(PAGE) }],
      ['TypeError', { memory: new WebAssembly.Memory({ initial: 1 }), maximum: PAGE }],
      ['TypeError', { memory: new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true }) }],
      ['TypeError', { memory: {} }],
      ['TypeError', { memory, trackOwners: 1 }],
      ['TypeError', { memory, maxWorkers: '1' }],
      ['RangeError', { memory, maxWorkers: 0 }],
      ['RangeError', { memory, maxWorkers: 253 }],
      ['TypeError', { memory, keepSizes: 1 }],
      ['RangeError', { memory, keepSizes: true, unit: PAGE }],
      ['RangeError', { memory, unit: 4 }],
      ['RangeError', { memory, unit: 48 }],
      ['RangeError', { memory, unit: 2 ** 17 }],
      ['RangeError', { memory, start: -1 }],
      ['RangeError', { memory, start: PAGE + 1 }],
      ['RangeError', { memory, start: PAGE }],
      ['RangeError', { memory, start: PAGE - 1000 }],
      ['RangeError', { memory, maximum: 0 }],
      ['RangeError', { memory, maximum: 2 ** 32 + 1 }],
      ['RangeError', { memory, maximum: 100 }],
      ['RangeError', { size: 0 }],
      ['RangeError', { size: 100 }],
      ['RangeError', { size: 2 * PAGE, maximum: PAGE }],
      ['TypeError', { size: '1' }],
    ];
    for (const [error, options] of cases) {
      expect([options, thrown(() => SharedHeap.create(options as SharedHeapOptions))]).toEqual([
        options,
        error,
      ]);
    }
  });

  it('of the options of bytesFor is an error, and makes no memory', () => {
    const cases: [string, unknown][] = [
      ['TypeError', {}],
      ['TypeError', { size: PAGE, trackOwners: 1 }],
      ['TypeError', { memory: new ArrayBuffer(PAGE) }],
      ['RangeError', { size: 100 }],
      ['RangeError', { size: PAGE, maxWorkers: 253 }],
      ['RangeError', { size: PAGE, start: PAGE + 1 }],
      ['nothing', { size: 2 ** 32 }],
      ['nothing', { size: PAGE, maximum: 2 ** 32, trackOwners: true }],
    ];
    for (const [error, options] of cases) {
      expect([options, thrown(() => SharedHeap.bytesFor(options as SharedHeapOptions))]).toEqual([
        options,
        error,
      ]);
    }
    const own = { size: PAGE, maximum: LIMIT, maxWorkers: 2 };
    expect(SharedHeap.bytesFor(own)).toBe(SharedHeap.create(own).stats().metadataBytes);
  });

  it('of a handle is an error', () => {
    const heap = create('SharedArrayBuffer', { start: 100 });
    const edited = (at: number, value: number): SharedHeapHandle => {
      const memory = heap.buffer.slice(0);
      new Int32Array(memory, 128)[at] = value;
      return { memory, start: 100 };
    };
    const attaching = (handle: unknown) => thrown(() => SharedHeap.attach(handle as SharedHeapHandle));
    expect(attaching(undefined)).toBe('TypeError');
    expect(attaching(null)).toBe('TypeError');
    expect(attaching(heap.buffer)).toBe('TypeError');
    expect(attaching({ memory: new ArrayBuffer(PAGE) })).toBe('TypeError');
    expect(attaching({ memory: heap.buffer, start: '100' })).toBe('TypeError');
    expect(attaching({ memory: heap.buffer, start: -1 })).toBe('RangeError');
    expect(attaching({ memory: heap.buffer })).toBe('FOREIGN');
    expect(attaching({ memory: new SharedArrayBuffer(PAGE) })).toBe('FOREIGN');
    expect(attaching({ memory: new SharedArrayBuffer(100) })).toBe('TRUNCATED');
    expect(attaching({ memory: heap.buffer.slice(0, PAGE), start: 100 })).toBe('TRUNCATED');
    expect(attaching(edited(0, 1))).toBe('FOREIGN');
    expect(attaching(edited(1, 99))).toBe('VERSION');
    const { page } = roundingOf(heap);
    const frontier = new Int32Array(heap.buffer, 128)[16];
    const firstPage = Math.ceil((128 + heap.stats().metadataBytes) / page);
    const corrupt: [number, number[]][] = [
      [2, [17, 0, 4, 2 ** 17, -16]], // unit
      [3, [-1, 1]], // base, in pages: not behind the header
      [4, [0, 8, 48, page + 16, 2 ** 17, -page]], // page
      [5, [-1, 8, 48, 32 * page]], // largest slot
      [6, [-1, 4, 8]], // flags
      [16, [0, 1, firstPage - 1, firstPage, frontier + 1, 2 ** 29, -1]], // frontier
      [32 + 2, [0, -1, 2 ** 31 - 1]], // pages, in the state of the arena
      [32 + 3, [0, 255]], // slots
    ];
    for (const [at, values] of corrupt) {
      for (const value of values)
        expect([at, value, attaching(edited(at, value))]).toEqual([at, value, 'CORRUPT']);
    }
    expect(attaching(edited(16, frontier - 1))).toBe('nothing');
    // A copy that ends where the heap does, of a heap that may grow.
    const growing = create('growable SharedArrayBuffer');
    const memory = growing.buffer.slice(0);
    const cells = new Int32Array(memory);
    expect(attaching({ memory })).toBe('nothing');
    cells[16]++;
    expect(attaching({ memory })).toBe('TRUNCATED');
    expect(attaching({ memory: new Uint8Array(heap.buffer), start: 100 })).toBe('nothing');
    expect(attaching({ memory: new Uint8Array(heap.buffer, 8), start: 92 })).toBe('TypeError');
    expect(() => SharedHeap.attach({ memory: new Uint8Array(heap.buffer, 0, PAGE) })).toThrow(
      /part of shared memory/,
    );
    expect(attaching({ memory: new Uint8Array(PAGE) })).toBe('TypeError');
  });
});

describe('pointers above 2^31', () => {
  it('are positive numbers, and as good as others', () => {
    const heap = SharedHeap.create({ size: PAGE, maximum: 2 ** 32, unit: 65_536 });
    const low = heap.malloc(2 ** 30);
    const high = heap.malloc(2 ** 31);
    expect(low).toBe(2 ** 30);
    expect(high).toBe(2 ** 31);
    expect(heap.end).toBe(2 ** 32);
    const array = heap.callocArray(Uint8Array, 10) as Uint8Array;
    array[9] = 9;
    heap.view(high, Uint8Array)[2 ** 31 - 1] = 8;
    expect(heap.realloc(high, 2 ** 30 + 1)).toBe(high);
    expect(new Uint8Array(heap.buffer)[2 ** 32 - 1]).toBe(8);
    const { malloc, free } = heap.imports;
    heap.free(high);
    const signed = malloc(2 ** 31);
    expect(signed).toBe(-(2 ** 31));
    free(signed);
    expect(heap.malloc(2 ** 32)).toBe(0);
    heap.free(low);
    heap.free(array);
    expect(heap.stats().used).toBe(0);
    expect(heap.check()).toEqual([]);
  });
});
