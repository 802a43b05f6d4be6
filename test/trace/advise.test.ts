// Advice on traces whose best unit, capacity and losses are known, and on any trace, compared with a replay.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import {
  type Advice,
  advise,
  arenaAfter,
  fitCapacity,
  type Reason,
  readTrace,
  replay,
  type Trace,
  traceFromOps,
} from '../../src/trace.ts';
import type { TraceName } from '../support/traces.ts';

function trace(...ops: number[]): Trace {
  return traceFromOps(Int32Array.from(ops));
}

/** `count` allocations of `bytes`. */
function blocks(count: number, bytes: number): number[] {
  return Array.from({ length: count }, () => bytes);
}

function recorded(name: TraceName): Promise<Trace> {
  return readTrace(readFileSync(new URL(`../../data/${name}.tr.gz`, import.meta.url)));
}

function codes({ reasons }: Advice): Reason['code'][] {
  return reasons.map(({ code }) => code);
}

/** Any trace of at most 10 sizes that frees blocks at random. */
const traces = fc
  .tuple(
    fc.array(fc.nat(6000), { minLength: 1, maxLength: 10 }),
    fc.array(fc.record({ size: fc.nat(), free: fc.boolean(), pick: fc.nat() }), {
      minLength: 1,
      maxLength: 200,
    }),
  )
  .map(([sizes, steps]) => {
    const ops: number[] = [];
    const live: number[] = [];
    let id = 0;
    for (const { size, free, pick } of steps) {
      if (free && live.length > 0) ops.push(~live.splice(pick % live.length, 1)[0]);
      else {
        live.push(id++);
        ops.push(sizes[size % sizes.length]);
      }
    }
    return trace(...ops);
  });

describe('the verdict', () => {
  it('sizes that are powers of two suit well and lose nothing', () => {
    const advice = advise(trace(...blocks(64, 4096), ...blocks(8, 8192)));
    expect(advice).toMatchObject({
      operations: 72,
      allocations: 72,
      verdict: 'suits well',
      peakLiveBytes: 80 * 4096,
      firstFitBytes: 64 * 4112 + 8 * 8208,
      recommended: {
        unit: 4096,
        smallest: { capacity: 80, arenaBytes: 80 * 4096 },
        powerOfTwo: { capacity: 128, arenaBytes: 128 * 4096 },
        peakUsedUnits: 80,
        peakAt: 72,
        liveBytesAtPeak: 80 * 4096,
        internalAtPeak: 0,
        internalOverAll: 0,
      },
      remedies: [],
      sizes: [],
    });
    expect(codes(advice)).toEqual(['FIRST_FIT', 'ROUNDING']);
    expect(advice.reasons[1]).toEqual({ code: 'ROUNDING', bytes: 0, share: 0 });
    expect(advice.remedied).toBeNull();
  });

  it('sizes just above powers of two do not suit; one byte less, and they do', () => {
    const sizes = [...blocks(100, 2049), ...blocks(50, 4097)];
    const advice = advise(trace(...sizes));
    expect(advice.verdict).toBe('does not suit');
    expect(advice.recommended).toMatchObject({ unit: 4096, smallest: { capacity: 200 } });
    expect(advice.reasons).toEqual([
      {
        code: 'FIRST_FIT',
        ratio: advice.recommended.smallest.totalBytes / (100 * 2064 + 50 * 4112),
      },
      { code: 'ROUNDING', bytes: 100 * 2047 + 50 * 4095, share: 1 - (100 * 2049 + 50 * 4097) / (200 * 4096) },
      { code: 'SIZE', bytes: 4097, blockBytes: 8192, share: (50 * 4095) / (100 * 2047 + 50 * 4095) },
      { code: 'SIZE', bytes: 2049, blockBytes: 4096, share: (100 * 2047) / (100 * 2047 + 50 * 4095) },
    ]);
    const trimmed = advise(trace(...sizes.map((bytes) => bytes - 1)));
    expect(trimmed.verdict).toBe('suits well');
    expect(trimmed.recommended.smallest.arenaBytes).toBe(advice.recommended.smallest.arenaBytes / 2);
  });

  it('tiny blocks take less than they would with headers', () => {
    const advice = advise(trace(...blocks(10_000, 1)));
    expect(advice).toMatchObject({
      verdict: 'suits well',
      firstFitBytes: 160_000,
      recommended: { unit: 8, smallest: { capacity: 10_000 }, internalAtPeak: 7 / 8 },
      remedies: [{ kind: 'SLAB', bytes: 1, blockBytes: 8, liveAtPeak: 10_000, savesBytes: 70_000 }],
    });
    expect(advice.units.at(-1)?.smallest.arenaBytes).toBe(10_000 * 4096);
  });

  it('one huge block is judged by its distance from a power of two', () => {
    const verdict = (bytes: number): string => advise(trace(bytes)).verdict;
    expect(verdict(2 ** 20)).toBe('suits well');
    expect(verdict(2 ** 20 + 1)).toBe('does not suit');
    expect(verdict(2 ** 20 + 2 ** 18)).toBe('suits, at a price'); // 8/5
    expect(verdict(2 ** 20 + 2 ** 17)).toBe('does not suit'); // 16/9
    expect(verdict(2 ** 20 + 2 ** 19 + 2 ** 14)).toBe('suits well'); // a little less than 4/3
    expect(verdict(2 ** 20 + 2 ** 19 - 2 ** 14)).toBe('suits, at a price');
  });

  it('gaps that no block uses are named', () => {
    // Every other block of 4096 goes, and blocks of twice the size find no room between those that stay.
    const first = blocks(256, 4096);
    const frees = first.map((_, id) => ~id).filter((_, id) => id % 2 === 0);
    const advice = advise(trace(...first, ...frees, ...blocks(128, 8192)));
    expect(advice.recommended).toMatchObject({ unit: 4096, smallest: { capacity: 512 }, peakUsedUnits: 384 });
    expect(advice.reasons).toContainEqual({
      code: 'GAPS',
      bytes: 128 * 4096,
      share: (128 * 4096) / advice.recommended.smallest.totalBytes,
    });
    expect(advice.firstFitBytes).toBe(256 * 4112 + 128 * 8208);
  });

  it('state is named if it takes 5 % or more', () => {
    const advice = advise(trace(16));
    const { stateBytes, totalBytes } = advice.recommended.smallest;
    expect(advice.recommended.unit).toBe(16);
    expect(advice.reasons).toContainEqual({
      code: 'STATE',
      bytes: stateBytes,
      share: stateBytes / totalBytes,
    });
    expect(codes(advise(trace(...blocks(1000, 4096))))).not.toContain('STATE');
  });

  it('names sizes of a tenth or more, three at most', () => {
    const named = (...sizes: number[]): number[] =>
      advise(trace(...sizes)).reasons.flatMap((reason) => (reason.code === 'SIZE' ? [reason.bytes] : []));
    const above = (power: number): number => 2 ** power + 8;
    expect(named(above(13), above(14), above(15), above(16))).toEqual([above(16), above(15), above(14)]);
    const alike = [8, 16, 24, 32].map((more) => 2 ** 16 + more);
    expect(named(...alike)).toEqual(alike.slice(0, 3));
  });
});

describe('remedies', () => {
  const only = (bytes: number, count: number): Advice['remedies'] =>
    advise(trace(...blocks(count, bytes)), { minUnit: 8 }).remedies;

  it('a header is kept elsewhere', () => {
    expect(only(4112, 3)).toEqual([
      {
        kind: 'SHRINK',
        bytes: 4112,
        blockBytes: 8192,
        liveAtPeak: 3,
        excessBytes: 16,
        savesBytes: 3 * (4096 - 16),
      },
    ]);
    expect(only(2 ** 16 + 512, 1)).toMatchObject([{ kind: 'SHRINK', excessBytes: 512 }]);
    expect(only(2 ** 16 + 513, 1)).toMatchObject([{ kind: 'SPLIT' }]);
  });

  it('blocks with too much excess for a header are cut from slabs, if there are many', () => {
    expect(only(3000, 32)).toEqual([
      { kind: 'SLAB', bytes: 3000, blockBytes: 4096, liveAtPeak: 32, savesBytes: 32 * 1096 },
    ]);
    expect(only(3000, 31)).toEqual([]);
  });

  it('few large blocks are split', () => {
    expect(only(5_000_000, 2)).toEqual([
      {
        kind: 'SPLIT',
        bytes: 5_000_000,
        blockBytes: 2 ** 23,
        liveAtPeak: 2,
        pieces: [2 ** 22, 2 ** 20],
        savesBytes: 2 * (2 ** 22 - 2 ** 20),
      },
    ]);
    expect(only(7_000_000, 2)).toEqual([]);
    // A block of one unit cannot be split.
    expect(advise(trace(1000), { minUnit: 4096 }).remedies).toEqual([]);
  });

  it('are at most five, the best first, and none that saves too little', () => {
    const sizes = [14, 15, 16, 17, 18, 19].map((power) => 2 ** power + 8);
    const { remedies } = advise(trace(...sizes));
    expect(remedies.map(({ bytes }) => bytes)).toEqual(sizes.slice(1).reverse());
    expect(advise(trace(520, 2 ** 16, 2 ** 16)).remedies).toEqual([]);
  });

  it('are replayed all together', async () => {
    const sqlite = await recorded('sqlite');
    const { remedies, remedied, verdict, recommended } = advise(sqlite);
    expect(verdict).toBe('does not suit');
    expect(remedies).toMatchObject([
      { kind: 'SHRINK', bytes: 4368, excessBytes: 272, liveAtPeak: 1017 },
      { kind: 'SHRINK', bytes: 1032, excessBytes: 8, liveAtPeak: 1743 },
    ]);
    const mostLive = (bytes: number): number => {
      const sizes: number[] = [];
      let live = 0;
      let most = 0;
      for (const op of sqlite.ops) {
        if (op >= 0) sizes.push(op);
        if (op === bytes) most = Math.max(most, ++live);
        else if (op < 0 && sizes[~op] === bytes) live--;
      }
      return most;
    };
    const smaller = sqlite.ops.map((op) => (op === 4368 ? 4096 : op === 1032 ? 1024 : op));
    const { units } = advise(traceFromOps(smaller));
    const after = units.find(({ unit }) => unit === recommended.unit);
    expect(remedied).toEqual({
      totalBytes: (after?.smallest.totalBytes ?? 0) + 272 * mostLive(4368) + 8 * mostLive(1032),
      verdict: 'suits well',
    });
  });

  it('slabs hold as many slots as are ever live, outside the arena', () => {
    // The last ten small blocks come after the large one, which made the peak, is gone.
    const ops = [...blocks(40, 3000), 2 ** 18, ~40, ...blocks(10, 3000), ...blocks(5, 0).map((_, id) => ~id)];
    const { remedies, remedied, recommended } = advise(trace(...ops));
    expect(recommended.unit).toBe(4096);
    expect(remedies).toMatchObject([{ kind: 'SLAB', liveAtPeak: 40 }]);
    const left = advise(trace(2 ** 18)).recommended.smallest;
    expect(remedied?.totalBytes).toBe(50 * 3000 + left.totalBytes);
    // With nothing left for the arena, it takes nothing.
    expect(advise(trace(...blocks(40, 3000))).remedied?.totalBytes).toBe(40 * 3000);
  });

  it('both parts of a block that is split come and go', () => {
    const { remedied } = advise(trace(5_000_000, 4096, ~0, 5_000_000, ~1));
    const parts = advise(trace(2 ** 22, 2 ** 20, 4096, ~0, ~1, 2 ** 22, 2 ** 20, ~2));
    expect(remedied).toEqual({
      totalBytes: parts.recommended.smallest.totalBytes,
      verdict: 'suits well',
    });
  });

  it('are left out if a replay shows that they save nothing', () => {
    // At the peak 40 of the small blocks are live, before it a thousand: slabs for these would stay.
    const small = blocks(1000, 3000);
    const frees = small.map((_, id) => ~id).slice(40);
    const advice = advise(trace(...small, ...frees, 2 ** 22));
    expect(advice.recommended.liveBytesAtPeak).toBe(40 * 3000 + 2 ** 22);
    expect(advice).toMatchObject({ remedies: [], remedied: null });
    // Some more of them live at the peak, and the slabs are worth it.
    expect(advise(trace(...small, ...frees.slice(900), 2 ** 22)).remedies).toMatchObject([{ kind: 'SLAB' }]);
  });
});

describe('of real programs', () => {
  it.each<[TraceName, string, number, number]>([
    ['sqlite', 'does not suit', 128, 1.75],
    ['lua', 'suits well', 32, 0.93],
    ['py', 'suits, at a price', 32, 1.4],
    ['jq', 'suits, at a price', 32, 1.39],
  ])('%s: %s, in units of %i bytes', async (name, verdict, unit, ratio) => {
    const advice = advise(await recorded(name));
    expect(advice).toMatchObject({ verdict, recommended: { unit } });
    const [first] = advice.reasons;
    expect(first.code === 'FIRST_FIT' && first.ratio).toBeCloseTo(ratio, 2);
    expect(advice.units.length).toBe(10);
    expect(advice.sizes.length).toBe(10);
  });
});

describe('of any trace', () => {
  it('the smallest capacity is enough, and one unit less is not', () => {
    fc.assert(
      fc.property(traces, (some) => {
        const { units } = advise(some);
        expect(units.map(({ unit }) => unit)).toEqual([8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]);
        for (const { unit, smallest, powerOfTwo } of units) {
          const { capacity } = smallest;
          expect(arenaAfter(some, { unit, capacity }).failures).toBe(0);
          if (capacity > 1) {
            expect(arenaAfter(some, { unit, capacity: capacity - 1 }).failures).toBeGreaterThan(0);
          }
          expect(powerOfTwo.capacity).toBe(fitCapacity(some, unit));
          for (const arena of [smallest, powerOfTwo]) {
            expect(arena.arenaBytes).toBe(arena.capacity * unit);
            expect(arena.stateBytes).toBe(BuddyAllocator.bytesFor(arena.capacity));
            expect(arena.totalBytes).toBe(arena.arenaBytes + arena.stateBytes);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('the recommended unit takes the fewest bytes', () => {
    fc.assert(
      fc.property(traces, (some) => {
        const { units, recommended } = advise(some);
        for (const { unit, smallest } of units) {
          if (unit > recommended.unit)
            expect(smallest.totalBytes).toBeGreaterThan(recommended.smallest.totalBytes);
          else expect(smallest.totalBytes).toBeGreaterThanOrEqual(recommended.smallest.totalBytes);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('figures are those of a replay', () => {
    fc.assert(
      fc.property(traces, (some) => {
        const { units, peakLiveBytes } = advise(some, { minUnit: 64 });
        for (const figures of units) {
          const { unit, smallest, peakAt } = figures;
          // So short a trace is sampled after every operation.
          const report = replay(some, { unit, capacity: smallest.capacity });
          expect(report).toMatchObject({ peakLiveBytes, peakUsedUnits: figures.peakUsedUnits });
          const peak = report.samples.find(({ usedUnits }) => usedUnits === report.peakUsedUnits);
          expect(peak).toMatchObject({
            operations: peakAt,
            liveBytes: figures.liveBytesAtPeak,
            internalFragmentation: figures.internalAtPeak,
          });
          const sum = (key: 'liveBytes' | 'usedUnits'): number =>
            report.samples.reduce((total, sample) => total + sample[key], 0);
          expect(figures.internalOverAll).toBeCloseTo(1 - sum('liveBytes') / (sum('usedUnits') * unit), 12);
        }
      }),
      { numRuns: 5 },
    );
  });

  it('sizes agree with a count by hand', () => {
    fc.assert(
      fc.property(traces, (some) => {
        const { recommended, sizes, reasons } = advise(some);
        const { unit, peakAt } = recommended;
        const allocated: number[] = [];
        const live = new Map<number, number>();
        const lost = new Map<number, number>();
        const atPeak = new Map<number, number>();
        const waste = (bytes: number): number =>
          unit * 2 ** Math.ceil(Math.log2(Math.ceil(bytes / unit))) - bytes;
        some.ops.forEach((op, at) => {
          const bytes = op < 0 ? allocated[~op] : Math.max(1, op);
          if (op >= 0) allocated.push(bytes);
          live.set(bytes, (live.get(bytes) ?? 0) + (op < 0 ? -1 : 1));
          for (const [size, count] of live) {
            lost.set(size, (lost.get(size) ?? 0) + count * waste(size));
            if (at + 1 === peakAt) atPeak.set(size, count);
          }
        });
        const total = [...lost.values()].reduce((a, b) => a + b, 0);
        const rounding = reasons.find(({ code }) => code === 'ROUNDING');
        const wasted = sizes.reduce((sum, size) => sum + size.wastedAtPeak, 0);
        expect(rounding).toMatchObject({ bytes: wasted });
        expect(sizes.length).toBe([...lost].filter(([size]) => waste(size) > 0).length);
        for (const size of sizes) {
          const { bytes } = size;
          const liveAtPeak = atPeak.get(bytes) ?? 0;
          expect(size).toMatchObject({
            blockBytes: bytes + waste(bytes),
            allocations: allocated.filter((other) => other === bytes).length,
            liveAtPeak,
            wastedAtPeak: liveAtPeak * waste(bytes),
            shareAtPeak: wasted === 0 ? 0 : (liveAtPeak * waste(bytes)) / wasted,
          });
          expect(size.shareOverAll).toBeCloseTo((lost.get(bytes) ?? 0) / total, 12);
        }
        const order = sizes.map(({ shareAtPeak }) => shareAtPeak);
        expect(order).toEqual([...order].sort((a, b) => b - a));
      }),
      { numRuns: 100 },
    );
  });

  it('the first-fit heap agrees with a plain list of ranges', () => {
    fc.assert(
      fc.property(traces, (some) => {
        // The heap as a list of used ranges in address order.
        const used: { start: number; end: number; id: number }[] = [];
        let highest = 0;
        let id = 0;
        for (const op of some.ops) {
          if (op < 0) {
            used.splice(
              used.findIndex((range) => range.id === ~op),
              1,
            );
            continue;
          }
          const size = Math.ceil((Math.max(1, op) + 8) / 16) * 16;
          let start = 0;
          let place = 0;
          while (place < used.length && used[place].start - start < size) start = used[place++].end;
          used.splice(place, 0, { start, end: start + size, id: id++ });
          highest = Math.max(highest, start + size);
        }
        expect(advise(some, { minUnit: 4096 }).firstFitBytes).toBe(highest);
      }),
      { numRuns: 500 },
    );
  });

  it('is plain data, the same every time', () => {
    fc.assert(
      fc.property(traces, (some) => {
        const advice = advise(some);
        expect(JSON.parse(JSON.stringify(advice))).toEqual(advice);
        expect(advise(some)).toEqual(advice);
      }),
      { numRuns: 10 },
    );
  });
});

describe('limits', () => {
  it('units of which a trace needs more than 2^30 are left out', () => {
    const huge = trace(...blocks(1024, 2 ** 31 - 1));
    const { units, recommended } = advise(huge);
    expect(units.map(({ unit }) => unit)).toEqual([2048, 4096]);
    expect(units[0].smallest.capacity).toBe(2 ** 30);
    expect(recommended.unit).toBe(4096);
  });

  it('a trace that needs more of the largest is refused', () => {
    const huge = trace(...blocks(2049, 2 ** 31 - 1));
    expect(() => advise(huge)).toThrow(RangeError);
    expect(() => advise(huge)).toThrow('more than 2^30 units of 4096 bytes');
  });

  it.each([0, -8, 4, 12, 8192, 16.5, Number.NaN])('a smallest unit of %s bytes is refused', (minUnit) => {
    expect(() => advise(trace(1), { minUnit })).toThrow(RangeError);
    expect(() => advise(trace(1), { minUnit })).toThrow('minUnit must be');
  });

  it('a smallest unit that is not a number is refused', () => {
    expect(() => advise(trace(1), { minUnit: '8' as unknown as number })).toThrow(TypeError);
  });

  it('progress runs from the first operation to the last of all passes', async () => {
    const sqlite = await recorded('sqlite');
    const seen: number[] = [];
    advise(sqlite, {
      minUnit: 1024, // three units, and three passes besides
      onProgress: (done, total) => {
        expect(total).toBe(6 * sqlite.ops.length);
        seen.push(done);
      },
    });
    expect(seen[0]).toBe(0);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.at(-1)).toBe(6 * sqlite.ops.length);
  });
});
