// The computations of the playground, without a browser: the other allocators, reading words, going back, explaining.

import { describe, expect, it, vi } from 'vitest';
import { BestFitBuddy } from '../../playground/model/best-fit-buddy.ts';
import type { Contender } from '../../playground/model/contender.ts';
import { describe as describeOperation } from '../../playground/model/describe.ts';
import { explain } from '../../playground/model/explain.ts';
import { FirstFit } from '../../playground/model/first-fit.ts';
import { fullest, Operations, UNIT } from '../../playground/model/operations.ts';
import { Ours } from '../../playground/model/ours.ts';
import { randomEntries } from '../../playground/model/random.ts';
import { Ranges } from '../../playground/model/ranges.ts';
import { Session } from '../../playground/model/session.ts';
import { HeapSlabs } from '../../playground/model/slabs.ts';
import { Timeline } from '../../playground/model/timeline.ts';
import { blockOf, levelsOf, RegionSums, walkTree, wordAt } from '../../playground/model/words.ts';
import { offsetAt, rectangleOf, Viewport } from '../../playground/view/viewport.ts';
import { layoutOf } from '../../src/core/layout.ts';
import { Heap } from '../../src/heap.ts';
import { type Block, BuddyAllocator } from '../../src/index.ts';
import { traceFromOps } from '../../src/trace.ts';
import { Random } from '../support/random.ts';

const CAPACITY = 256;
const NOW = Number.POSITIVE_INFINITY;
const orderOf = (units: number): number => Math.ceil(Math.log2(units));

/** The offset that a request gets by the allocator's rule, computed naively from the units in use. */
type Rule = (isFree: (from: number, to: number) => boolean, units: number) => number;

const firstFit: Rule = (isFree, units) => {
  for (let offset = 0; offset + units <= CAPACITY; offset++) {
    if (isFree(offset, offset + units)) return offset;
  }
  return -1;
};

const bestFitBuddy: Rule = (isFree, units) => {
  for (let size = 2 ** orderOf(units); size <= CAPACITY; size *= 2) {
    for (let offset = 0; offset < CAPACITY; offset += size) {
      const buddy = offset ^ size;
      if (!isFree(offset, offset + size)) continue;
      if (size === CAPACITY || !isFree(buddy, buddy + size)) return offset;
    }
  }
  return -1;
};

describe.each([
  ['first fit', new FirstFit(CAPACITY), firstFit, (units: number) => units],
  ['exact ranges', new Ranges(CAPACITY), firstFit, (units: number) => units],
  ['best-fit buddy', new BestFitBuddy(CAPACITY), bestFitBuddy, (units: number) => 2 ** orderOf(units)],
] as [string, Contender, Rule, (units: number) => number][])('%s', (_, contender, rule, rounded) => {
  it('follows its rule, and its figures and saves are right', () => {
    const random = new Random(7);
    const taken = new Uint8Array(CAPACITY);
    const live: { offset: number; units: number }[] = [];
    const isFree = (from: number, to: number): boolean => taken.subarray(from, to).every((bit) => bit === 0);
    let failures = 0;
    for (let i = 0; i < 3000; i++) {
      if (live.length === 0 || random.next() < 0.52) {
        const units = 1 + random.below(2 ** random.below(7));
        const offset = contender.alloc(units);
        expect(offset).toBe(rule(isFree, units));
        if (offset < 0) failures++;
        else {
          live.push({ offset, units });
          taken.fill(1, offset, offset + rounded(units));
        }
      } else {
        const [{ offset, units }] = live.splice(random.below(live.length), 1);
        contender.free(offset, units);
        taken.fill(0, offset, offset + rounded(units));
      }
      const used = taken.reduce((sum, bit) => sum + bit, 0);
      const figures = contender.figures();
      expect(figures.usedUnits).toBe(used);
      expect(figures.span).toBe(taken.lastIndexOf(1) + 1);
      expect(figures.largestFree === 0 || rule(isFree, figures.largestFree) >= 0).toBe(true);
      if (figures.largestFree < CAPACITY) expect(rule(isFree, figures.largestFree + 1)).toBe(-1);
      const fullness = new Float32Array(16);
      contender.measure(fullness);
      fullness.forEach((full, region) => {
        expect(full * 16).toBe(
          taken.subarray(region * 16, (region + 1) * 16).reduce((sum, bit) => sum + bit, 0),
        );
      });
      if (i % 100 === 0) contender.load(contender.save());
    }
    expect(failures).toBeGreaterThan(10);
  });
});

describe('the slabs of a heap', () => {
  it('are those of a Heap, block by block, and their figures and saves are right', () => {
    const capacity = 2 ** 13;
    const slabs = new HeapSlabs(capacity);
    const heap = new Heap({ size: (capacity + slabs.page) * UNIT });
    const random = new Random(9);
    const live: number[] = [];
    for (let i = 0; i < 4000; i++) {
      if (live.length === 0 || random.next() < 0.52) {
        const units = 1 + random.below(2 ** random.below(11));
        const offset = slabs.alloc(units);
        const ptr = heap.malloc(units * UNIT);
        expect(offset).toBe(ptr === 0 ? -1 : ptr / UNIT - slabs.page);
        if (ptr !== 0) live.push(offset);
      } else {
        const [offset] = live.splice(random.below(live.length), 1);
        slabs.free(offset);
        heap.free((offset + slabs.page) * UNIT);
      }
      if (i % 50 !== 0) continue;
      slabs.load(slabs.save());
      const { usedUnits, span } = slabs.figures();
      expect(usedUnits).toBe(heap.usedBytes / UNIT);
      const highest = [...heap.blocks()].at(-1);
      expect(span * UNIT).toBeGreaterThanOrEqual(
        highest === undefined ? 0 : highest.ptr + highest.size - slabs.page * UNIT,
      );
      let used = 0;
      for (const run of slabs.runs(0, capacity)) {
        expect(run.used % run.slot).toBe(0);
        expect(run.used).toBeLessThanOrEqual(run.size);
        used += run.used;
      }
      expect(used).toBe(usedUnits);
      const fullness = new Float32Array(16);
      slabs.measure(fullness);
      expect(fullness.reduce((sum, full) => sum + (full * capacity) / 16, 0)).toBeCloseTo(used, 1);
    }
    expect(slabs.figures().largestFree).toBe(Math.floor(heap.largestFree / UNIT));
  });
});

it('the exact ranges know where each of them starts', () => {
  const ranges = new Ranges(128);
  const starts = [10, 1, 60, 7].map((units) => ranges.alloc(units));
  expect([...ranges.startsIn(0, 128)]).toEqual(starts);
  ranges.free(10, 1);
  expect([...ranges.startsIn(0, 128)]).toEqual([0, 11, 71]);
  expect([...ranges.startsIn(1, 71)]).toEqual([11]);
  expect(ranges.countStarts(0, 72)).toBe(3);
});

it('the fullest moment is after the operation that makes the most units live', () => {
  expect(fullest(Int32Array.of(16, 100, ~0, 160, ~1, ~2))).toBe(4);
  expect(fullest(Int32Array.of())).toBe(0);
});

/** An arena of 2^order units, about half of them in use, in blocks of all sizes. */
function arena(order: number, seed: number): Ours {
  const random = new Random(seed);
  const ours = new Ours(2 ** order);
  const live: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const offset = ours.alloc(1 + random.below(2 ** random.below(order)));
    if (offset >= 0) live.push(offset);
    if (ours.allocator.freeUnits < 2 ** order / 2) ours.free(live.splice(random.below(live.length), 1)[0]);
  }
  return ours;
}

const nodesOf = (state: Int32Array, from: number, to: number): Block[] => {
  const found: Block[] = [];
  walkTree(state, from, to, 0, (kind, offset, order) => {
    if (kind !== 'split') found.push({ offset, size: 2 ** order, free: kind === 'free' });
  });
  return found;
};

describe('reading the words', () => {
  it.each([5, 8, 11, 15])('of 2^%i units agrees with blocks()', (order) => {
    const { allocator, state } = arena(order, order);
    const { capacity } = allocator;
    const blocks = [...allocator.blocks()];
    expect(blocks.length).toBeGreaterThan(4);
    expect(nodesOf(state, 0, capacity)).toEqual(blocks);
    const random = new Random(order);
    for (let i = 0; i < 60; i++) {
      const at = random.below(capacity);
      const block = blocks.find(({ offset, size }) => offset <= at && at < offset + size);
      expect(blockOf(state, at)).toEqual({
        kind: block?.free ? 'free' : 'live',
        offset: block?.offset,
        size: block?.size,
      });

      const units = 2 ** random.below(order);
      const count = 1 + random.below(Math.min(64, capacity / units));
      const from = units * random.below(capacity / units);
      const sums = new RegionSums(state, from, units, count);
      for (let region = 0; region < count; region++) {
        const [start, end] = [from + region * units, from + (region + 1) * units];
        let used = 0;
        let parts = 0;
        for (const block of blocks) {
          const common = Math.min(end, block.offset + block.size) - Math.max(start, block.offset);
          if (block.free || common <= 0) continue;
          used += common;
          parts += common / block.size;
        }
        expect([sums.used[region], sums.blocks[region]]).toEqual([used, parts]);
      }
    }
  });
});

describe('a timeline', () => {
  // More requests than the arena has room for.
  const entries = randomEntries(2048);
  const facts = (timeline: Timeline) => ({
    blocks: [...timeline.ours.allocator.blocks()],
    figures: timeline.figures(),
    failures: timeline.tracks.map(({ failures }) => failures),
    liveBlocks: timeline.liveBlocks,
    internalFragmentation: timeline.internalFragmentation,
  });

  it('has the same facts at any position as a fresh timeline', () => {
    expect(traceFromOps(entries).allocations).toBeGreaterThan(500);
    const timeline = new Timeline(new Operations(entries), 1024);
    const random = new Random(3);
    for (let i = 0; i < 60; i++) {
      const target = random.below(entries.length + 1);
      while (!timeline.seek(target, 1));
      const fresh = new Timeline(new Operations(entries), 1024);
      fresh.seek(target, NOW);
      expect(facts(timeline)).toEqual(facts(fresh));
      expect(timeline.last?.offset).toBe(fresh.last?.offset);
      expect(timeline.ours.allocator.check()).toEqual([]);
    }
    timeline.seek(entries.length, NOW);
    expect(facts(timeline).failures[0]).toBeGreaterThan(0);
  });

  it('goes on by hand from any position, and back again', () => {
    const timeline = new Timeline(new Operations(entries), 1024);
    timeline.seek(900, NOW);
    timeline.seek(300, NOW);
    const before = facts(timeline);
    const offset = timeline.alloc(3);
    expect(timeline.bytesAt(offset)).toBe(3 * UNIT);
    expect([timeline.position, timeline.operations.length]).toEqual([301, 301]);
    timeline.free(offset);
    expect(facts(timeline)).toEqual(before);
    for (let i = 0; i < 400; i++) timeline.free(timeline.alloc(1 + (i % 7)));
    const end = facts(timeline);
    timeline.seek(300, NOW);
    expect(facts(timeline)).toEqual(before);
    timeline.seek(timeline.operations.length, NOW);
    expect(facts(timeline)).toEqual(end);
  });
});

describe('the explanation of an operation', () => {
  it('accounts for every changed bit, and ends with the present words', () => {
    const timeline = new Timeline(new Operations(randomEntries(4096)), 4096);
    const titles = new Set<string>();
    for (let position = 1; position <= 600; position++) {
      timeline.seek(position, NOW);
      const { last } = timeline;
      if (last === undefined) throw new Error(`the last operation at ${position} is unknown`);
      const after = timeline.ours.state;
      const steps = explain(last, after);
      expect(steps.length > 0).toBe(last.offset >= 0);
      const { count } = layoutOf(4096);
      for (let level = 0; level < levelsOf(after); level++) {
        for (let index = 0; index < count[level]; index++) {
          const [old, now] = [wordAt(last.before, level, index), wordAt(after, level, index)];
          const own = steps.filter(({ word }) => word.level === level && word.index === index);
          expect(own.reduce((bits, { usedChanged }) => bits ^ usedChanged, 0)).toBe(old.used ^ now.used);
          expect(own.reduce((bits, { contChanged }) => bits ^ contChanged, 0)).toBe(old.cont ^ now.cont);
          if (own.length > 0) expect(own[own.length - 1].word).toEqual(now);
        }
      }
      for (const { title } of steps) titles.add(title);
    }
    expect([...titles].sort()).toEqual(['Close', 'Coalesce', 'Find', 'Give back', 'Open', 'Size', 'Take']);
  });

  it('marks the children of the block, and describes splits and coalescing', () => {
    const timeline = new Timeline(new Operations(), 64);
    timeline.alloc(3);
    const { last } = timeline;
    const [opened, find, take] = last === undefined ? [] : explain(last, timeline.ours.state);
    expect(opened).toMatchObject({ title: 'Open', marked: 1, contChanged: 1, usedChanged: 0 });
    expect(find).toMatchObject({ title: 'Find', marked: 0b1111, candidates: 0x11111111, usedChanged: 0 });
    expect(take).toMatchObject({ title: 'Take', usedChanged: 0b1111, contChanged: 0b1110 });
    expect(take.text).toContain('a free block of 64 is split 4 times');
    timeline.free(0);
    const steps = timeline.last === undefined ? [] : explain(timeline.last, timeline.ours.state);
    expect(steps.map(({ title }) => title)).toEqual(['Size', 'Give back', 'Close', 'Coalesce']);
    expect(steps[3].text).toContain('one free block of 64 units at 0, 4 orders up the tree');
  });
});

describe('the map', () => {
  it('shows every block as one rectangle, and finds its units in it', () => {
    const random = new Random(5);
    const { allocator } = arena(14, 2);
    for (let i = 0; i < 300; i++) {
      const viewport = new Viewport(allocator.capacity);
      viewport.zoom(2 ** (-10 * random.next()), random.below(allocator.capacity));
      viewport.pan((random.next() - 0.5) * viewport.units);
      expect(viewport.from).toBeGreaterThanOrEqual(0);
      expect(viewport.end).toBeLessThanOrEqual(allocator.capacity);
      const geometry = viewport.geometry(100 + random.below(1000), 100 + random.below(300));
      for (const { offset, size } of allocator.blocks()) {
        const { x, y, width, height } = rectangleOf(geometry, offset, Math.log2(size));
        const found = offsetAt(geometry, x + width / 2, y + height / 2);
        expect(found >= offset && found < offset + size).toBe(true);
      }
    }
  });
});

it('the package itself is one of the contenders', () => {
  const ours = new Ours(64);
  const plain = new BuddyAllocator({ capacity: 64 });
  for (const units of [3, 9, 1, 30]) expect(ours.alloc(units)).toBe(plain.alloc(units));
  expect(ours.figures()).toEqual({
    usedUnits: plain.stats().usedUnits,
    largestFree: plain.largestFree,
    externalFragmentation: plain.stats().externalFragmentation,
    span: 64,
  });
});

it('a block that is the whole arena has no buddy', () => {
  const session = new Session(new Operations(), 1024, true);
  session.alloc(1024);
  session.free(0);
  const { last, ours } = session.timeline;
  if (last === undefined) throw new Error('the last operation is unknown');
  expect(describeOperation(last, ours.state, 1024)).toBe('Freed 1,024 units at 0, the whole arena.');
  expect(explain(last, ours.state).at(-1)?.text).toBe('The block is the whole arena, so it has no buddy.');
});

it('the example takes the same part of any arena', () => {
  const parts = [100, 20, 3, 200, 8, 1, 60].map((part) => part / 1024);
  const session = Session.example(2 ** 25);
  const { operations, capacity } = session.timeline;
  const requests = parts.map((_, i) => operations.at(i) / UNIT / capacity);
  expect(requests).toEqual(parts);
});

it('operations by hand keep a copy of the state now and then, not at each operation', () => {
  const session = Session.example(2 ** 16);
  const save = vi.spyOn(session.timeline.ours, 'save');
  for (let i = 0; i < 100; i++) {
    session.alloc(3);
    session.free(session.timeline.last?.offset ?? 0);
  }
  expect(save.mock.calls.length).toBeLessThan(10);
});
