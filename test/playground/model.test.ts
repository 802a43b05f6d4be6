// What the playground computes, without a browser: the rivals, reading the words, going back in time, explaining.

import { describe, expect, it, vi } from 'vitest';
import { BestFitBuddy } from '../../playground/model/best-fit-buddy.ts';
import type { Contender } from '../../playground/model/contender.ts';
import { describe as describeOperation } from '../../playground/model/describe.ts';
import { explain } from '../../playground/model/explain.ts';
import { FirstFit } from '../../playground/model/first-fit.ts';
import { Operations, UNIT } from '../../playground/model/operations.ts';
import { Ours } from '../../playground/model/ours.ts';
import { randomEntries } from '../../playground/model/random.ts';
import { Session } from '../../playground/model/session.ts';
import { Timeline } from '../../playground/model/timeline.ts';
import { blockOf, Cells, levelsOf, walkTree, wordAt } from '../../playground/model/words.ts';
import { rectangleOf, unitAt, Viewport } from '../../playground/view/viewport.ts';
import { layoutOf } from '../../src/core/layout.ts';
import { type Block, BuddyAllocator } from '../../src/index.ts';
import { traceFromOps } from '../../src/trace.ts';
import { Random } from '../support/random.ts';

const CAPACITY = 256;
const NOW = Number.POSITIVE_INFINITY;
const orderOf = (units: number): number => Math.ceil(Math.log2(units));

/** Where a request goes by the rule's own words, given which units are taken. */
type Rule = (isFree: (from: number, to: number) => boolean, units: number) => number;

const firstFit: Rule = (isFree, units) => {
  for (let at = 0; at + units <= CAPACITY; at++) if (isFree(at, at + units)) return at;
  return -1;
};

const bestFitBuddy: Rule = (isFree, units) => {
  for (let size = 2 ** orderOf(units); size <= CAPACITY; size *= 2) {
    for (let at = 0; at < CAPACITY; at += size) {
      const buddy = at ^ size;
      if (isFree(at, at + size) && (size === CAPACITY || !isFree(buddy, buddy + size))) return at;
    }
  }
  return -1;
};

describe.each([
  ['first fit', new FirstFit(CAPACITY), firstFit, (units: number) => units],
  ['best-fit buddy', new BestFitBuddy(CAPACITY), bestFitBuddy, (units: number) => 2 ** orderOf(units)],
] as [string, Contender, Rule, (units: number) => number][])('%s', (_, contender, rule, rounded) => {
  it('does what its rule says, and its figures and saves are true', () => {
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

/** An arena of 2^order units about half of which is in use, in blocks of all sizes. */
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
  it.each([5, 8, 11, 15])('of 2^%i units tells what blocks() tells', (order) => {
    const { allocator, state } = arena(order, order);
    const { capacity } = allocator;
    const blocks = [...allocator.blocks()];
    expect(blocks.length).toBeGreaterThan(4);
    expect(nodesOf(state, 0, capacity)).toEqual(blocks);
    const random = new Random(order);
    for (let i = 0; i < 60; i++) {
      const unit = random.below(capacity);
      const owner = blocks.find(({ offset, size }) => offset <= unit && unit < offset + size);
      expect(blockOf(state, unit)).toEqual({
        kind: owner?.free ? 'free' : 'live',
        offset: owner?.offset,
        size: owner?.size,
      });

      const units = 2 ** random.below(order);
      const count = 1 + random.below(Math.min(64, capacity / units));
      const from = units * random.below(capacity / units);
      const cells = new Cells(state, from, units, count);
      for (let cell = 0; cell < count; cell++) {
        const [start, end] = [from + cell * units, from + (cell + 1) * units];
        let used = 0;
        let parts = 0;
        for (const block of blocks) {
          const common = Math.min(end, block.offset + block.size) - Math.max(start, block.offset);
          if (block.free || common <= 0) continue;
          used += common;
          parts += common / block.size;
        }
        expect([cells.used[cell], cells.blocks[cell]]).toEqual([used, parts]);
      }
    }
  });
});

describe('a timeline', () => {
  // More than there is room for.
  const entries = randomEntries(2048);
  const facts = (timeline: Timeline) => ({
    blocks: [...timeline.ours.allocator.blocks()],
    figures: timeline.figures(),
    failures: timeline.tracks.map(({ failures }) => failures),
    liveBlocks: timeline.liveBlocks,
    internalFragmentation: timeline.internalFragmentation,
  });

  it('shows at any place what a fresh one shows there', () => {
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

  it('goes on by hand from any place, and back again', () => {
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
  it('accounts for every bit that changed, and ends at the words as they are', () => {
    const timeline = new Timeline(new Operations(randomEntries(4096)), 4096);
    const titles = new Set<string>();
    for (let at = 1; at <= 600; at++) {
      timeline.seek(at, NOW);
      const { last } = timeline;
      if (last === undefined) throw new Error(`nothing is known of operation ${at}`);
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
    expect([...titles].sort()).toEqual(['Close', 'Coalesce', 'Find', 'Give back', 'Size', 'Split', 'Take']);
  });

  it('marks the children of the block, and tells of splits and coalescing', () => {
    const timeline = new Timeline(new Operations(), 64);
    timeline.alloc(3);
    const { last } = timeline;
    const [split, find, take] = last === undefined ? [] : explain(last, timeline.ours.state);
    expect(split).toMatchObject({ title: 'Split', marked: 1, contChanged: 1, usedChanged: 0 });
    expect(find).toMatchObject({ title: 'Find', marked: 0b1111, candidates: 0x11111111, usedChanged: 0 });
    expect(take).toMatchObject({ title: 'Take', usedChanged: 0b1111, contChanged: 0b1110 });
    expect(take.text).toContain('a free block of 64 is split 4 times');
    timeline.free(0);
    const steps = timeline.last === undefined ? [] : explain(timeline.last, timeline.ours.state);
    expect(steps.map(({ title }) => title)).toEqual(['Size', 'Give back', 'Close', 'Coalesce']);
    expect(steps[3].text).toContain('one free block of 64 units at 0, 4 levels up the tree');
  });
});

describe('the map', () => {
  it('has every block as one rectangle, in which its units are found', () => {
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
        const unit = unitAt(geometry, x + width / 2, y + height / 2);
        expect(unit >= offset && unit < offset + size).toBe(true);
      }
    }
  });
});

it('the package itself is one of the three', () => {
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
  if (last === undefined) throw new Error('nothing was done');
  expect(describeOperation(last, ours.state, 1024)).toBe('Freed 1,024 units at 0, which is all there is.');
  expect(explain(last, ours.state).at(-1)?.text).toBe('The block is the whole arena, so it has no buddy.');
});

it('the example is the same part of any arena', () => {
  const parts = [100, 20, 3, 200, 8, 1, 60].map((part) => part / 1024);
  const session = Session.example(2 ** 25);
  const { operations, capacity } = session.timeline;
  const requests = parts.map((_, i) => operations.at(i) / UNIT / capacity);
  expect(requests).toEqual(parts);
});

it('work by hand keeps a copy of the state now and then, not at each operation', () => {
  const session = Session.example(2 ** 16);
  const save = vi.spyOn(session.timeline.ours, 'save');
  for (let i = 0; i < 100; i++) {
    session.alloc(3);
    session.free(session.timeline.last?.offset ?? 0);
  }
  expect(save.mock.calls.length).toBeLessThan(10);
});
