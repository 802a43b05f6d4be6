// The check of the books: whatever is overwritten is found, or does no harm.

import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { reserveRun } from '../../src/slab/books.ts';
import { faultsOf } from '../../src/slab/check.ts';
import { liveBlocks } from '../../src/slab/inspect.ts';
import {
  AT_CACHE,
  AT_CACHED,
  AT_LARGE,
  AT_LARGE_PAGES,
  AT_LIMIT,
  AT_NONE,
  AT_PAGES,
  AT_RESERVED,
  AT_ROOT,
  AT_TOP,
  arenaAt,
  BITS,
  BUSY_SHIFT,
  CLASS_CELLS,
  CLASS_PAGES,
  CLASSES,
  descriptorsAt,
  HEAD,
  INVERSE,
  LIVE,
  META,
  mapAt,
  NEXT,
  PAGE_CELLS,
  PREV,
  RESERVED,
  SIZE,
  SLAB_SHIFT,
  SLOTS_MASK,
  WORD,
  WORD_BASE,
} from '../../src/slab/layout.ts';
import { classOf } from '../../src/slab/size-classes.ts';
import { Slabs } from '../../src/slab/slabs.ts';
import { Random } from '../support/random.ts';
import { makeSlabs } from '../support/slabs.ts';

const LIMIT = 350;

/** Slabs with everything that there can be: slabs that are full, half full and in the cache, large blocks, a reservation. */
function populated(): Slabs {
  const slabs = makeSlabs({ unitShift: 4, pageShift: 10, origin: 6, lead: 2, pages: 300, limit: LIMIT });
  const random = new Random(11);
  const live: number[] = [];
  for (let i = 0; i < 300; i++) live.push(slabs.malloc(1 + random.below(i % 20 === 0 ? 6000 : 150)));
  for (let i = 0; i < 80; i++) live.push(slabs.malloc(96));
  for (let i = 0; i < 9; i++) live.push(slabs.mallocLarge(2 + random.below(6), 1));
  for (let i = 0; i < 250; i++) slabs.free(live.splice(random.below(live.length), 1)[0]);
  slabs.free(slabs.mallocLarge(9, 1));
  reserveRun(slabs, 296, 3);
  return slabs;
}

let slabs = populated();
beforeEach(() => {
  slabs = populated();
});

const { geometry } = slabs;
const MAP = mapAt(geometry, LIMIT);
const DESCRIPTORS = descriptorsAt(geometry);
const ARENA = arenaAt(geometry, LIMIT);
/** The record of the class of slots of 96 bytes. */
const CLASS = CLASSES + classOf(5) * CLASS_CELLS;
const descriptorOf = (h: number): number => DESCRIPTORS + h * PAGE_CELLS;

test('what is sound has no faults, and all that there can be', () => {
  const { b, map } = slabs;
  expect(faultsOf(slabs)).toEqual([]);
  expect(b[CLASS + HEAD]).toBeGreaterThan(0);
  expect(b[descriptorOf(b[CLASS + HEAD]) + NEXT]).toBeGreaterThan(0);
  for (const at of [AT_LARGE, AT_CACHED, AT_RESERVED]) expect(b[at]).toBeGreaterThan(0);
  expect(map.includes(-RESERVED - 3)).toBe(true);
});

describe('every invariant', () => {
  /** Position of the cells of the head and of the second slab of the class. */
  const head = (): number => descriptorOf(slabs.b[CLASS + HEAD]);
  const second = (): number => descriptorOf(slabs.b[head() + NEXT]);
  const cached = (): number => slabs.b.subarray(AT_CACHE, CLASSES).findIndex((h) => h !== 0);
  const large = (): number => MAP + slabs.map.findIndex((entry) => entry < -1 && entry > -RESERVED);
  const slab = (): number => slabs.b[CLASS + HEAD];
  /** The last word of a bitmap that is not used up to its last bit. */
  const lastWord = (): number => {
    const slotsAt = (h: number): number => slabs.b[descriptorOf(h) + META] & SLOTS_MASK;
    const h = slabs.map.findIndex((entry, page) => entry >>> SLAB_SHIFT === page && slotsAt(page) % 32 > 0);
    return descriptorOf(h) + BITS + (slotsAt(h) >>> 5);
  };

  test.each<[string, () => number, (old: number) => number, RegExp]>([
    ['the word of no slab', () => AT_NONE, () => 1, /word of no slab/],
    ['pages', () => AT_PAGES, () => 351, /351 pages in books for 350/],
    ['no pages', () => AT_PAGES, () => 0, /0 pages in books/],
    ['highest page', () => AT_TOP, () => 301, /highest page/],
    ['highest page, too low', () => AT_TOP, () => 3, /highest page/],
    ['large blocks', () => AT_LARGE, (n) => n + 1, /large blocks/],
    ['large pages', () => AT_LARGE_PAGES, (n) => n - 1, /pages in large blocks/],
    ['reserved pages', () => AT_RESERVED, (n) => n - 1, /pages reserved/],
    ['cached runs', () => AT_CACHED, (n) => n + 1, /runs in the cache/],
    ['the cache leads to a slab', () => AT_CACHE, () => slab(), /cache/],
    ['the cache leads into a slab', () => AT_CACHE, () => slab() + 1, /cache/],
    ['the cache leads to a free page', () => AT_CACHE, () => 290, /cache/],
    [
      'the cache leads nowhere',
      () => AT_CACHE + 4,
      () => 2000,
      /the cache of runs of 5 pages leads to page 2000/,
    ],
    ['the cache leads to a negative page', () => AT_CACHE + 4, () => -1, /leads to page -1/],
    ['the cache forgets a run', () => AT_CACHE + cached(), () => 0, /./],
    [
      'a run of the cache that has slots',
      () => descriptorOf(slabs.b[AT_CACHE + cached()]) + META,
      () => 3,
      /cache/,
    ],
    ['word of the class', () => CLASS + WORD, (n) => n + 40, /no word of its head/],
    ['word before the class', () => CLASS + WORD, () => 0, /no word of its head/],
    ['another word of the class', () => CLASS + WORD_BASE, (n) => n + 96, /another address/],
    ['size', () => CLASS + SIZE, () => 112, /slots of 112 bytes/],
    ['inverse', () => CLASS + INVERSE, (n) => n + 1, /slots of/],
    ['live slots', () => CLASS + LIVE, (n) => n + 1, /live slots/],
    ['head', () => CLASS + HEAD, () => 0, /./],
    ['head elsewhere', () => CLASS + HEAD, () => 290, /./],
    ['head outside', () => CLASS + HEAD, () => -5, /list of class 5 leads to page -5/],
    ['pages of the class', () => CLASS + CLASS_PAGES, (n) => n + 1, /class 5 has \d+ pages/],
    ['a word of no class', () => CLASSES + 6 * CLASS_CELLS + WORD, (n) => n + 1, /./],
    ['a slab without slots', () => head() + META, () => 0, /with 0 slots/],
    ['a slab with too many', () => head() + META, () => 1023, /./],
    ['a slab with one slot less', () => head() + META, (n) => n - 1, /./],
    ['a busy word beyond the slab', () => head() + META, (n) => n | (9 << BUSY_SHIFT), /no word of its own/],
    ['a list that ends early', () => head() + NEXT, () => 0, /on no list/],
    ['a list with a loop', () => second() + NEXT, () => slab(), /list of class 5/],
    ['a way back that is wrong', () => second() + PREV, () => 0, /lead back/],
    ['slots beyond the last', lastWord, () => -1, /slots beyond/],
    ['a free slot more', () => head() + BITS, (bits) => bits & (bits - 1), /live slots/],
    ['a page of a slab', () => MAP + slab(), () => 0, /./],
    ['a slab of another class', () => MAP + slab(), (entry) => entry + 1, /./],
    ['a slab elsewhere', () => MAP + slab(), (entry) => entry + (1 << SLAB_SHIFT), /leads to a slab/],
    ['a large block that is longer', large, (entry) => entry - 1, /./],
    ['a large block that is shorter', large, (entry) => entry + 1, /./],
    ['a large block that is forgotten', large, () => 0, /nobody's/],
    ['a large block beyond the end', large, () => -4000, /a run of 4000 pages/],
    ['an entry inside a large block', () => large() + 1, () => -1, /other entries/],
    ['page 0', () => MAP, () => -1, /page 0/],
    ['a large block in free pages', () => MAP + 290, () => -1, /./],
    ['a reservation in free pages', () => MAP + 290, () => -RESERVED - 1, /./],
    ['free pages of the arena', () => ARENA + 4, (n) => n + 1, /^pages: /],
  ])('%s', (_, at, change, message) => {
    const { b } = slabs;
    const cell = at() | 0;
    const old = b[cell];
    b[cell] = change(old);
    expect(b[cell]).not.toBe(old);
    expect(faultsOf(slabs).join('\n')).toMatch(message);
    b[cell] = old;
    expect(faultsOf(slabs)).toEqual([]);
  });

  test('pages before the first, and behind the last, are not free', () => {
    const { arena } = slabs;
    arena.release(0, 3);
    expect(faultsOf(slabs)).toContain('pages before the first are free');
    arena.reserve(0, 3);
    arena.release(302, 50);
    expect(faultsOf(slabs)).toContain('pages beyond the end are free');
  });

  test('pages of a block are not free', () => {
    const { arena, map } = slabs;
    const page = map.findIndex((entry) => entry < -1 && entry > -RESERVED);
    arena.release(page + 2, -map[page]);
    expect(faultsOf(slabs)).toContain(`a page of the run at ${page} is free`);
  });
});

test('a cell that is overwritten is found, or does no harm', () => {
  const random = new Random(5);
  const sound = slabs.b.slice();
  const count = [...liveBlocks(slabs)].length;
  let harmless = 0;
  for (let cell = 0; cell < ARENA; cell++) {
    if (cell === AT_ROOT || cell === AT_LIMIT) continue;
    const old = sound[cell];
    for (const value of [0, -1, old + 1, old ^ 0x80, random.below(2 ** 31)]) {
      if ((value | 0) === old) continue;
      const b = sound.slice();
      b[cell] = value;
      const damaged = new Slabs(geometry, b);
      if (faultsOf(damaged).length > 0) continue;
      harmless++;
      const where = `cell ${cell} was ${old}, is ${value}`;
      // As when a free slot and a live one have changed places.
      const live = [...liveBlocks(damaged)];
      expect(live.length, where).toBe(count);
      const taken = new Uint8Array((310 * 1024) / 16);
      const take = (ptr: number, size: number): void => {
        const [from, to] = [ptr / 16, (ptr + size) / 16];
        if (size === 0 || to > taken.length || taken.subarray(from, to).includes(1))
          expect.fail(`${where}: ${ptr}`);
        taken.fill(1, from, to);
      };
      for (const { ptr, size } of live) take(ptr, size);
      for (let i = 0; i < 60; i++) {
        const ptr = damaged.malloc(1 + ((i * 397) % 3000));
        if (ptr !== 0) take(ptr, damaged.sizeAt(ptr));
      }
      expect(faultsOf(damaged), where).toEqual([]);
    }
  }
  expect(harmless).toBeGreaterThan(100);
});

test('garbage is reported, without an error and without an end', () => {
  const sound = slabs.b.slice();
  const value = fc.oneof(
    fc.integer(),
    fc.integer({ min: -200, max: 200 }),
    fc.constantFrom(...sound.subarray(0, ARENA)),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(ARENA - 1), value), { minLength: 1, maxLength: 200, size: 'max' }),
      (changes) => {
        const b = sound.slice();
        for (const [cell, to] of changes) if (cell !== AT_LIMIT) b[cell] = to;
        const faults = faultsOf(new Slabs(geometry, b));
        expect(faults.length).toBeLessThanOrEqual(100);
        if (changes.length > 20) expect(faults).not.toEqual([]);
      },
    ),
    { numRuns: 2000 },
  );
});
