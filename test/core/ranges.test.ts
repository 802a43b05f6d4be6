// Ranges of any size and alignment, against plain first fit over a bitmap. gap-table.test.ts has real sizes.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import { withDump } from '../support/with-dump.ts';

/** First fit of exact sizes, unit by unit. */
class Bitmap {
  readonly used: Uint8Array;

  constructor(capacity: number) {
    this.used = new Uint8Array(capacity);
  }

  #isFree(offset: number, end: number): boolean {
    return end <= this.used.length && !this.used.subarray(offset, end).includes(1);
  }

  allocRange(size: number, alignment: number): number {
    for (let offset = 0; offset + size <= this.used.length; offset += alignment) {
      if (!this.#isFree(offset, offset + size)) continue;
      this.used.fill(1, offset, offset + size);
      return offset;
    }
    return -1;
  }

  release(offset: number, size: number): void {
    this.used.fill(0, offset, offset + size);
  }

  resizeRange(offset: number, size: number, newSize: number): boolean {
    if (newSize > size && !this.#isFree(offset + size, offset + newSize)) return false;
    this.used.fill(0, offset, offset + size).fill(1, offset, offset + newSize);
    return true;
  }

  get largestRange(): number {
    return Math.max(
      ...Array.from(this.used, String)
        .join('')
        .split('1')
        .map((gap) => gap.length),
    );
  }
}

/** The units that are in use, as `allocator` tells by its blocks. */
function usedUnits(allocator: BuddyAllocator): Uint8Array {
  const used = new Uint8Array(allocator.capacity);
  for (const { offset, size, free } of allocator.blocks()) if (!free) used.fill(1, offset, offset + size);
  return used;
}

function agree(allocator: BuddyAllocator, model: Bitmap): void {
  assert.deepEqual(allocator.check(), []);
  assert.deepEqual(usedUnits(allocator), model.used);
  assert.equal(allocator.largestRange, model.largestRange);
  assert.equal(allocator.freeUnits, model.used.length - model.used.reduce((sum, unit) => sum + unit, 0));
}

describe('allocRange', () => {
  it('takes exactly the units asked for, at the lowest address that has them', () => {
    const arena = new BuddyAllocator({ capacity: 100 });
    expect([arena.allocRange(5), arena.allocRange(7), arena.allocRange(1)]).toEqual([0, 5, 12]);
    arena.release(5, 7);
    expect([arena.allocRange(8), arena.allocRange(7)]).toEqual([13, 5]);
    expect(arena.freeUnits).toBe(100 - 5 - 7 - 1 - 8);
    expect([arena.largestRange, arena.allocRange(80), arena.allocRange(79)]).toEqual([79, -1, 21]);
  });

  it('aligns to any number of units', () => {
    const arena = new BuddyAllocator({ capacity: 100 });
    expect([arena.allocRange(1), arena.allocRange(9, 12), arena.allocRange(9, 12)]).toEqual([0, 12, 24]);
    expect([arena.allocRange(1, 7), arena.allocRange(20, 33), arena.allocRange(1, 1000)]).toEqual([
      7, 33, -1,
    ]);
    expect([arena.allocRange(1, 2 ** 40), arena.allocRange(100), arena.allocRange(2 ** 40)]).toEqual([
      -1, -1, -1,
    ]);
  });

  it('mixes with blocks, reserved units and growth', () => {
    const arena = new BuddyAllocator({ capacity: 64 });
    const block = arena.alloc(5); // 8 units
    expect(arena.reserve(10, 3)).toBe(true);
    expect([arena.allocRange(2), arena.allocRange(3)]).toEqual([8, 13]);
    arena.release(8, 8);
    arena.grow(1000);
    expect([arena.free(block), arena.allocRange(999), arena.allocRange(1000)]).toEqual([8, 0, -1]);
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity, -(2 ** 31)])('refuses size and alignment %d', (value) => {
    const arena = new BuddyAllocator({ capacity: 64 });
    arena.allocRange(5);
    const before = arena.state.slice(0);
    if (value !== Infinity) expect(() => arena.allocRange(value)).toThrow(RangeError);
    expect(() => arena.allocRange(1, value)).toThrow(RangeError);
    expect(() => arena.resizeRange(0, 5, value)).toThrow(RangeError);
    expect(() => arena.resizeRange(0, value, 5)).toThrow(RangeError);
    expect(arena.state).toEqual(before);
  });

  it.each(['1', null, {}, [1], 1n])('refuses %o, which is not a number', (value) => {
    const arena = new BuddyAllocator({ capacity: 64 });
    arena.allocRange(5);
    const before = arena.state.slice(0);
    for (const call of [
      () => arena.allocRange(value as number),
      () => arena.allocRange(1, value as number),
      () => arena.resizeRange(value as number, 5, 6),
      () => arena.resizeRange(0, value as number, 6),
      () => arena.resizeRange(0, 5, value as number),
    ]) {
      expect(call).toThrow(TypeError);
    }
    expect(arena.state).toEqual(before);
  });

  it('has no room for more than any arena has', () => {
    const arena = new BuddyAllocator({ capacity: 64 });
    for (const size of [65, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53]) {
      expect([size, arena.allocRange(size)]).toEqual([size, -1]);
    }
    for (const alignment of [2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53]) {
      expect([alignment, arena.allocRange(1, alignment)]).toEqual([
        alignment,
        alignment === 2 ** 31 - 1 ? 0 : -1,
      ]);
    }
  });
});

describe('resizeRange and release', () => {
  it('change the end of a range in place', () => {
    const arena = new BuddyAllocator({ capacity: 100 });
    arena.allocRange(10);
    const second = arena.allocRange(10);
    expect(arena.resizeRange(0, 10, 11)).toBe(false);
    expect(arena.resizeRange(second, 10, 81)).toBe(true);
    expect(arena.resizeRange(second, 81, 91)).toBe(false); // beyond the capacity
    expect(arena.resizeRange(second, 81, 3)).toBe(true);
    expect([arena.freeUnits, arena.largestRange]).toEqual([87, 87]);
    arena.release(0, 13);
    expect(arena.largestRange).toBe(100);
  });

  it('refuse ranges that live blocks do not tile, and change nothing', () => {
    const arena = new BuddyAllocator({ capacity: 100 });
    arena.allocRange(11); // 8 + 2 + 1
    const before = arena.state.slice(0);
    for (const [offset, size, code] of [
      [0, 12, 'NOT_ALLOCATED'],
      [11, 1, 'NOT_ALLOCATED'],
      [0, 5, 'INTERIOR'],
      [1, 10, 'INTERIOR'],
      [0, 9, 'INTERIOR'],
    ] as const) {
      expect(() => arena.release(offset, size), `${offset} + ${size}`).toThrow(
        expect.objectContaining({ code }),
      );
      expect(() => arena.resizeRange(offset, size, 3)).toThrow(expect.objectContaining({ code }));
    }
    expect(() => arena.release(0, 101)).toThrow(RangeError);
    expect(arena.state).toEqual(before);
    arena.release(0, 10); // whole blocks of it
    expect(arena.freeUnits).toBe(99);
  });
});

describe('every sequence', () => {
  /** All states that `depth` operations reach in an arena of `capacity` units, and all requests in each of them. */
  function explore(capacity: number, alignments: readonly number[]): number {
    const seen = new Set<string>();
    const queue: [ArrayBuffer, [number, number][]][] = [[new BuddyAllocator({ capacity }).state, []]];
    for (const [state, live] of queue) {
      const key = `${Buffer.from(state).toString('latin1')} ${live.toSorted((a, b) => a[0] - b[0]).join(' ')}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const step = (act: (arena: BuddyAllocator, model: Bitmap) => [number, number][] | undefined): void => {
        const arena = BuddyAllocator.attach(state.slice(0));
        const model = new Bitmap(capacity);
        for (const [offset, size] of live) model.used.fill(1, offset, offset + size);
        const after = act(arena, model);
        agree(arena, model);
        if (after !== undefined) queue.push([arena.state, after]);
      };
      for (let size = 1; size <= capacity + 1; size++) {
        for (const alignment of alignments) {
          step((arena, model) => {
            const offset = arena.allocRange(size, alignment);
            assert.equal(offset, model.allocRange(size, alignment));
            return offset < 0 ? undefined : [...live, [offset, size]];
          });
        }
      }
      live.forEach(([offset, size], i) => {
        const others = live.filter((_, other) => other !== i);
        step((arena, model) => {
          arena.release(offset, size);
          model.release(offset, size);
          return others;
        });
        for (let newSize = 1; newSize <= capacity - offset; newSize++) {
          step((arena, model) => {
            const fits = arena.resizeRange(offset, size, newSize);
            assert.equal(fits, model.resizeRange(offset, size, newSize));
            return fits ? [...others, [offset, newSize]] : undefined;
          });
        }
      });
    }
    return seen.size;
  }

  it.each([
    [1, [1, 2]],
    [2, [1, 2, 3]],
    [3, [1, 2, 3]],
    [4, [1, 2, 3]],
    [5, [1, 2, 3]],
    [6, [1]],
  ])('in an arena of %i units places as first fit does', (capacity, alignments) => {
    expect(explore(capacity, alignments)).toBeGreaterThan(2 ** capacity - 1);
  });
});

describe('any sequence', () => {
  type Step = readonly [kind: number, at: number, size: number, alignment: number];

  const steps = (most: number): fc.Arbitrary<Step[]> =>
    fc.array(
      fc.tuple(
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 0, max: 999_999 }),
        fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: most })),
        fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
      ),
      { maxLength: 60 },
    );

  function run(capacity: number, sequence: readonly Step[]): void {
    let arena = new BuddyAllocator({ capacity });
    let model = new Bitmap(capacity);
    const live: { offset: number; size: number }[] = [];
    for (const [kind, at, size, alignment] of sequence) {
      withDump(arena, () => {
        const i = Math.floor((at / 1_000_000) * live.length);
        if (kind <= 4) {
          const offset = arena.allocRange(size, alignment);
          assert.equal(offset, model.allocRange(size, alignment));
          if (offset >= 0) live.push({ offset, size });
        } else if (kind === 5) {
          const offset = arena.alloc(size);
          if (offset >= 0) {
            live.push({ offset, size: arena.sizeOf(offset) });
            model.used.fill(1, offset, offset + arena.sizeOf(offset));
          }
        } else if (kind === 6 && live.length > 0) {
          const range = live[i];
          const newSize = Math.min(size, model.used.length - range.offset);
          const fits = arena.resizeRange(range.offset, range.size, newSize);
          assert.equal(fits, model.resizeRange(range.offset, range.size, newSize));
          if (fits) range.size = newSize;
        } else if (kind === 7) {
          const offset = at % model.used.length;
          const most = Math.min(size, model.used.length - offset);
          if (arena.reserve(offset, most)) {
            model.used.fill(1, offset, offset + most);
            live.push({ offset, size: most });
          } else assert(model.used.subarray(offset, offset + most).includes(1));
        } else if (kind === 8 && at % 7 === 0) {
          arena.grow(arena.capacity + size);
          const grown = new Bitmap(arena.capacity);
          grown.used.set(model.used);
          model = grown;
        } else if (live.length > 0) {
          const [range] = live.splice(i, 1);
          arena.release(range.offset, range.size);
          model.release(range.offset, range.size);
        }
        agree(arena, model);
      });
      if (at % 13 === 0) arena = BuddyAllocator.attach(arena.state.slice(0));
    }
  }

  it('on tiny arenas', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), steps(40), (capacity, sequence) =>
        run(capacity, sequence),
      ),
      { numRuns: 300 },
    );
  });

  it('on arenas of several levels', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 3000 }), steps(1200), (capacity, sequence) =>
        run(capacity, sequence),
      ),
      { numRuns: 150 },
    );
  });
});
