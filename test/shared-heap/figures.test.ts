// What a shared heap tells of itself, and what it keeps for its user: figures, the root, sizes, copies; and heaps of
// unusual dimensions.

import { describe, expect, it } from 'vitest';
import { SharedHeap, type SharedHeapOptions } from '../../src/shared.ts';
import { Random } from '../support/random.ts';
import { roundingOf } from '../support/shared-rounding.ts';

const PAGE = 65_536;

function attach(heap: SharedHeap): SharedHeap {
  const other = SharedHeap.attach(heap.handle);
  if (other === null) throw new Error('no slot is left');
  return other;
}

/** Expects that the figures which cost little are those of all blocks, and returns the bytes in use. */
function expectFigures(heap: SharedHeap): number {
  const { used, free, capacity, largestFree } = heap.stats();
  expect([heap.usedBytes, heap.freeBytes, heap.largestFree]).toEqual([used, free, largestFree]);
  expect(heap.usedBytes + heap.freeBytes).toBe(capacity);
  expect([...heap.blocks()].reduce((sum, { size }) => sum + size, 0)).toBe(used);
  return used;
}

describe('the figures', () => {
  it.each([
    { size: 2 ** 20 },
    { size: 2 ** 16, maximum: 2 ** 22, trackOwners: true },
    { size: 2 ** 21, unit: PAGE },
    { size: 2 ** 20, unit: 4096, trackOwners: true },
  ])('are those of all blocks, whichever worker allocates, resizes and frees: %o', (options) => {
    const heap = SharedHeap.create(options);
    const heaps = [heap, attach(heap), attach(heap)];
    const random = new Random(1);
    const live: number[] = [];
    for (let i = 0; i < 600; i++) {
      const by = random.below(3);
      const size = random.below(random.below(10) === 0 ? 40_000 : 500);
      const kind = random.below(8);
      if (kind < 4) live.push(heaps[by].malloc(size));
      else if (kind < 5) live.push(heaps[by].alignedAlloc(2 ** random.below(14), size));
      else if (live.length > 0) {
        const at = random.below(live.length);
        const ptr = live[at];
        if (kind < 6) {
          live[at] = heaps[by].realloc(ptr, size) || ptr;
        } else {
          live.splice(at, 1);
          heaps[by].free(ptr);
        }
      }
      while (live.at(-1) === 0) live.pop();
      if (random.below(50) === 0) {
        heaps[by].detach();
        heaps[by] = attach(heaps[(by + 1) % 3]);
      }
      if (i % 10 === 0) expectFigures(heaps[by]);
    }
    expect(expectFigures(heaps[0])).toBeGreaterThan(0);
    for (const ptr of live) heaps[1].free(ptr);
    expect(expectFigures(heaps[0])).toBe(0);
    expect(heaps[0].check()).toEqual([]);
  });

  it.each([
    false,
    true,
  ])('are right after workers have died between two calls; owners tracked: %s', (trackOwners) => {
    const heap = SharedHeap.create({ size: 2 ** 20, trackOwners });
    const mine = heap.malloc(100);
    for (let i = 0; i < 40; i++) {
      const dead = attach(heap);
      const pointers = [10, 500, 3000, 20_000].map((size) => dead.malloc(size));
      dead.free(pointers[i % 4]);
      const before = heap.usedBytes;
      const { blocks, bytes } = heap.recover(dead.workerId);
      expect([blocks, bytes > 0]).toEqual(trackOwners ? [3, true] : [0, false]);
      expect(heap.usedBytes).toBe(before - bytes);
      expectFigures(heap);
      if (!trackOwners) for (const [j, ptr] of pointers.entries()) if (j !== i % 4) heap.free(ptr);
      expect(expectFigures(heap)).toBe(heap.usableSize(mine));
    }
    expect(heap.check()).toEqual([]);
  });

  it('count blocks that others free beyond 2^31 units', () => {
    const heap = SharedHeap.create({ size: 2 ** 25, unit: 8 });
    const others = [attach(heap), attach(heap)];
    const bytes = heap.largestFree;
    // As many units as one worker's count has room for; the two others count half of them each.
    const rounds = Math.ceil(2 ** 31 / (bytes / 8)) + 2;
    for (let i = 0; i < rounds; i++) others[i % 2].free(heap.malloc(bytes));
    expect(heap.usedBytes).toBe(0);
    heap.malloc(100);
    expect(expectFigures(others[0])).toBe(104);
  });

  it('of the largest free run is what a request above the largest slot has room for', () => {
    const heap = SharedHeap.create({ size: 2 ** 20 });
    for (;;) {
      const { largestFree } = heap;
      if (largestFree <= roundingOf(heap).largestSlot) break;
      const other = attach(heap);
      expect(other.malloc(largestFree + 1)).toBe(0);
      expect(other.malloc(largestFree)).toBeGreaterThan(0);
      other.detach();
    }
  });
});

describe('the root', () => {
  it('is a uint32 that all workers see, 0 at first, for which no memory has to be clean', () => {
    const memory = new SharedArrayBuffer(2 ** 20);
    new Uint8Array(memory).fill(0xa5);
    const heap = SharedHeap.create({ memory });
    const other = attach(heap);
    expect([heap.root, other.root]).toEqual([0, 0]);
    for (const value of [heap.malloc(10), 2 ** 31, 2 ** 32 - 1, 0, 1]) {
      heap.root = value;
      expect([heap.root, other.root, attach(heap).root]).toEqual([value, value, value]);
    }
    other.root = 77;
    expect(heap.root).toBe(77);
    expect(heap.check()).toEqual([]);
  });

  it('takes nothing else, and is not changed then', () => {
    const heap = SharedHeap.create({ size: 2 ** 16 });
    heap.root = 5;
    const set = (value: unknown) => () => {
      heap.root = value as number;
    };
    for (const bad of [-1, 2 ** 32, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(set(bad)).toThrow(RangeError);
    for (const bad of ['1', 1n, null, undefined, { valueOf: () => 1 }, true])
      expect(set(bad)).toThrow(TypeError);
    expect(heap.root).toBe(5);
    heap.detach();
    expect(() => heap.root).toThrow(expect.objectContaining({ code: 'DETACHED' }));
    expect(set(1)).toThrow(expect.objectContaining({ code: 'DETACHED' }));
  });
});

describe('free with a size', () => {
  it('takes any size that the block has room for', () => {
    const heap = SharedHeap.create({ size: 2 ** 20 });
    for (const [asked, told] of [
      [100, 100],
      [100, 1],
      [100, 112],
      [0, 0],
      [20_000, 32_768],
    ]) {
      heap.free(heap.malloc(asked), told);
    }
    const ptr = heap.malloc(100);
    expect(() => heap.free(ptr, 113)).toThrow(`the block at ${ptr} has 112 bytes, not 113`);
    expect(heap.isAllocated(ptr)).toBe(true);
    const view = heap.allocArray(Float64Array, 10) as Float64Array;
    expect(() => heap.free(view, 81)).toThrow(RangeError);
    heap.free(view, 80);
    heap.free(0, 100);
    heap.free(ptr);
    expect(heap.usedBytes).toBe(0);
  });

  it('takes no other than the size that was asked for, if sizes are kept', () => {
    const heap = SharedHeap.create({ size: 2 ** 20, keepSizes: true });
    const other = attach(heap);
    const ptr = heap.malloc(100);
    for (const size of [99, 101, 112, 0]) {
      expect(() => other.free(ptr, size)).toThrow(`the block at ${ptr} has 100 bytes, not ${size}`);
    }
    other.free(ptr, 100);
    expect(() => heap.free(ptr, 100)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
  });
});

describe('lengthOf', () => {
  it.each([8, 16, 4096, 32_768])('is the size that was asked for, at every size, in units of %d', (unit) => {
    const heap = SharedHeap.create({ size: 2 ** 24, unit, keepSizes: true, trackOwners: unit === 16 });
    const other = attach(heap);
    const kept = heap.malloc(1);
    const sizes = [
      0, 1, 7, 8, 9, 100, 1023, 4097, 8191, 8193, 30_000, 65_535, 65_536, 65_537, 70_000, 131_073,
    ];
    for (const size of [...sizes, 600_000, 1_048_577]) {
      let ptr = heap.malloc(size);
      expect(ptr).toBeGreaterThan(0);
      expect(other.lengthOf(ptr)).toBe(size);
      for (const next of [2 * size, size, Math.floor(size / 3), size + 1, 0]) {
        ptr = other.realloc(ptr, next);
        expect(ptr).toBeGreaterThan(0);
        expect(heap.lengthOf(ptr)).toBe(Math.max(1, next));
      }
      heap.free(ptr, 1);
      for (const each of [other.calloc(size, 1), other.alignedAlloc(65_536, size)]) {
        expect(heap.lengthOf(each)).toBe(size);
        heap.free(each, size);
      }
      expect(heap.lengthOf(kept)).toBe(1);
    }
    expect(heap.stats().liveBlocks).toBe(1);
    expect(heap.check()).toEqual([]);
  });

  it('is that of a block which could not become smaller elsewhere', () => {
    const heap = SharedHeap.create({ size: 2 ** 20, keepSizes: true });
    const ptr = heap.malloc(200_000);
    for (const size of [16_384, 1024, 16]) while (heap.malloc(size) !== 0);
    expect(heap.realloc(ptr, 1)).toBe(ptr);
    expect(heap.usableSize(ptr)).toBeGreaterThan(65_536);
    expect(heap.lengthOf(ptr)).toBe(1);
  });

  it('takes a heap that keeps sizes', () => {
    const heap = SharedHeap.create({ size: 2 ** 16 });
    expect(() => heap.lengthOf(heap.malloc(1))).toThrow(TypeError);
    const keeping = SharedHeap.create({ size: 2 ** 20, keepSizes: true });
    const { handle } = keeping;
    expect(SharedHeap.attach(handle)?.lengthOf(keeping.malloc(33))).toBe(33);
    keeping.detach();
    expect(() => keeping.lengthOf(16)).toThrow(expect.objectContaining({ code: 'DETACHED' }));
  });
});

describe('allocFrom', () => {
  it('copies views on any memory, the own one too', () => {
    const heap = SharedHeap.create({ size: 2 ** 16, maximum: 2 ** 22 });
    const numbers = Float64Array.from({ length: 5000 }, (_, i) => i / 3);
    const copy = heap.allocFrom(numbers);
    expect(copy).toEqual(numbers);
    expect(copy?.buffer).toBe(heap.buffer);
    const again = attach(heap).allocFrom(copy as Float64Array<SharedArrayBuffer>);
    expect(again).toEqual(numbers);
    expect(again?.byteOffset).not.toBe(copy?.byteOffset);
    const view = heap.allocFrom(new DataView(Uint8Array.of(1, 2, 3).buffer, 1)) as DataView;
    expect([view.byteLength, view.getUint8(0), view.getUint8(1)]).toEqual([2, 2, 3]);
    for (const each of [copy, again, view]) heap.free(each as ArrayBufferView);
    expect(heap.usedBytes).toBe(0);
    expect(heap.allocFrom(new Uint8Array(2 ** 23))).toBeNull();
    expect(() => heap.allocFrom([1] as unknown as Uint8Array)).toThrow(TypeError);
    expect(heap.usedBytes).toBe(0);
  });
});

describe('heaps of unusual dimensions', () => {
  it('have room for 60,000 bytes before they grow, however large they may become', () => {
    for (const maximum of [2 ** 17, 2 ** 20, 2 ** 24, 2 ** 28, 2 ** 30]) {
      const heap = SharedHeap.create({ size: 2 ** 16, maximum });
      const { end, buffer } = heap;
      expect(heap.freeBytes).toBeGreaterThan(60_000);
      let total = 0;
      for (; total <= 60_000; total += 1000) expect(heap.malloc(1000)).toBeGreaterThan(0);
      expect([heap.end, heap.buffer.byteLength]).toEqual([end, buffer.byteLength]);
      expect(total).toBeGreaterThan(60_000);
    }
  });

  it('of pages that are units have no slabs: every block is a power of two of units', () => {
    const heap = SharedHeap.create({ size: 2 ** 22, unit: PAGE, trackOwners: true });
    const other = attach(heap);
    expect(roundingOf(heap).largestSlot).toBe(0);
    const sizes = [0, 1, PAGE, PAGE + 1, 3 * PAGE];
    const pointers = sizes.map((size, i) => (i % 2 === 0 ? heap : other).malloc(size));
    expect(pointers.map((ptr) => heap.usableSize(ptr) / PAGE)).toEqual([1, 1, 1, 2, 4]);
    expect(pointers.every((ptr) => ptr > 0 && ptr % PAGE === 0)).toBe(true);
    expect(heap.realloc(pointers[4], 2 * PAGE)).toBe(pointers[4]);
    other.adopt(pointers[0]);
    expect(heap.recover(other.workerId)).toEqual({ blocks: 3, bytes: 4 * PAGE, complete: true });
    let blocks = 0;
    while (heap.malloc(1) !== 0) blocks++;
    expect(heap.freeBytes).toBe(0);
    expect(blocks).toBeGreaterThan(20);
    expect(heap.check()).toEqual([]);
  });

  it('of a few KiB hand out all of their pages', () => {
    for (let size = 2800; size < 20_000; size += 333) {
      for (const [unit, trackOwners] of [
        [8, false],
        [16, true],
        [64, false],
      ] as const) {
        const heap = SharedHeap.create({ size, maxWorkers: 2, unit, trackOwners });
        const { freeBytes } = heap;
        const pointers: number[] = [];
        for (let ptr = heap.malloc(1); ptr !== 0; ptr = heap.malloc(1)) pointers.push(ptr);
        expect(pointers.length).toBe(freeBytes / unit);
        expect(heap.freeBytes).toBe(0);
        expect(heap.check()).toEqual([]);
        const other = attach(heap);
        for (const ptr of pointers) other.free(ptr);
        expect([heap.freeBytes, heap.check()]).toEqual([freeBytes, []]);
        // Slabs become pages again, for one block and for another worker.
        expect(heap.malloc(roundingOf(heap).largestSlot)).toBeGreaterThan(0);
      }
    }
  });

  it('too small for anything are refused, and nothing else', () => {
    const options = (size: number): SharedHeapOptions => ({ size, maxWorkers: 1 });
    let least = 0;
    for (let size = 4000; size > 0 && least === 0; size -= 8) {
      try {
        expect(SharedHeap.create(options(size)).malloc(1)).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        least = size + 8;
      }
    }
    expect(least).toBeGreaterThan(500);
    expect(least).toBeLessThan(3000);
    for (let size = least - 8; size > 0; size -= 8)
      expect(() => SharedHeap.create(options(size))).toThrow(RangeError);
  });

  it.each([8, 16, 1024])('are shared by 252 workers, each with slabs of its own, in units of %d', (unit) => {
    const heap = SharedHeap.create({ size: 2 ** 23, unit, maxWorkers: 252, trackOwners: true });
    const heaps = [heap];
    for (let other = SharedHeap.attach(heap.handle); other !== null; other = SharedHeap.attach(heap.handle))
      heaps.push(other);
    expect(heaps.length).toBe(252);
    expect(new Set(heap.workerIds()).size).toBe(252);
    const { page } = roundingOf(heap);
    const pointers = heaps.map((each) => each.malloc(1));
    expect(new Set(pointers.map((ptr) => Math.floor(ptr / page))).size).toBe(252);
    expect(expectFigures(heaps[251])).toBe(252 * unit);
    // Each frees the block of another, and the last of them takes back what 250 leave.
    for (let i = 0; i < 252; i += 2) heaps[(i + 99) % 252].free(pointers[i]);
    for (const dead of heaps.slice(1, 251)) heaps[251].recover(dead.workerId);
    expect(heap.stats()).toMatchObject({ workers: 2, liveBlocks: 1 });
    heap.free(pointers[251]);
    expect(expectFigures(heap)).toBe(0);
    expect(heap.check()).toEqual([]);
  });

  it('keep as many bytes for each worker as is said', () => {
    for (const maximum of [2 ** 16, 2 ** 20, 2 ** 24, 2 ** 28, 2 ** 32]) {
      const bytes = (maxWorkers: number) => SharedHeap.bytesFor({ size: 2 ** 16, maximum, maxWorkers });
      const each = (bytes(101) - bytes(1)) / 100;
      expect(each).toBeGreaterThanOrEqual(132);
      expect(each).toBeLessThanOrEqual(260);
    }
  });
});
