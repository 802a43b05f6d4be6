// Replaying traces: placement, figures over time, capacities and memory maps.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import {
  arenaAfter,
  fitCapacity,
  memoryMap,
  readTrace,
  replay,
  type Trace,
  traceFromOps,
} from '../../src/trace.ts';
import { TRACE_CAPACITY, TRACE_HASHES, TRACE_UNIT, type TraceName } from '../support/traces.ts';

function recorded(name: TraceName): Promise<Trace> {
  return readTrace(readFileSync(new URL(`../../data/${name}.tr.gz`, import.meta.url)));
}

function trace(...ops: number[]): Trace {
  return traceFromOps(Int32Array.from(ops));
}

/** Any trace: sizes up to `maxBytes`, frees of random live blocks. */
function traces(maxBytes: number): fc.Arbitrary<Trace> {
  return fc
    .array(fc.record({ bytes: fc.nat(maxBytes), free: fc.boolean(), pick: fc.nat() }), {
      minLength: 1,
      maxLength: 400,
    })
    .map((steps) => {
      const ops: number[] = [];
      const live: number[] = [];
      let id = 0;
      for (const { bytes, free, pick } of steps) {
        if (free && live.length > 0) ops.push(~live.splice(pick % live.length, 1)[0]);
        else {
          live.push(id++);
          ops.push(bytes);
        }
      }
      return trace(...ops);
    });
}

describe('placement', () => {
  it.each(
    Object.keys(TRACE_HASHES) as TraceName[],
  )('%s: blocks lie where the reference puts them', async (name) => {
    const report = replay(await recorded(name), { unit: TRACE_UNIT, capacity: TRACE_CAPACITY });
    expect(report).toMatchObject({
      placementHash: TRACE_HASHES[name],
      failures: 0,
      capacity: TRACE_CAPACITY,
    });
    expect(report.nsPerOperation).toBeGreaterThan(0);
  });

  it('the recorded traces have their known peaks of live bytes', async () => {
    expect(replay(await recorded('sqlite')).peakLiveBytes).toBe(6_455_501);
    expect(replay(await recorded('jq')).peakLiveBytes).toBe(18_500_898);
  });

  it('the hash is taken over every offset, failures included', () => {
    // Offsets 0, no room, 2.
    expect(replay(trace(2, 5, 2), { unit: 1, capacity: 4 }).placementHash).toBe(
      (0 * 31 - 1) * 31 + 2 + 2 ** 32,
    );
  });
});

describe('figures', () => {
  // In units of 16 bytes: block 0 takes 2 units at 0, block 1 one at 2, block 2 (0 bytes) one at 3, block 3 four at 4.
  const small = trace(20, 16, 0, 49, ~1, ~0, ~3);
  const report = replay(small, { unit: 16, capacity: 8 });

  it('totals', () => {
    expect(report).toMatchObject({
      unit: 16,
      capacity: 8,
      format: 'int32',
      operations: 7,
      allocations: 4,
      frees: 3,
      failures: 0,
      peakLiveBytes: 20 + 16 + 1 + 49,
      peakUsedUnits: 8,
      skippedFrees: 0,
      impliedFrees: 0,
      refusedRequests: 0,
      oversizedRequests: 0,
      cutOffLines: 0,
    });
  });

  it('a short trace is sampled after every operation', () => {
    const column = (key: 'operations' | 'liveBlocks' | 'liveBytes' | 'usedUnits' | 'largestFree'): number[] =>
      report.samples.map((sample) => sample[key]);
    expect(column('operations')).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(column('liveBlocks')).toEqual([1, 2, 3, 4, 3, 2, 1]);
    expect(column('liveBytes')).toEqual([20, 36, 37, 86, 70, 50, 1]);
    expect(column('usedUnits')).toEqual([2, 3, 4, 8, 7, 5, 1]);
    expect(column('largestFree')).toEqual([4, 4, 4, 0, 1, 2, 4]);
  });

  it('fragmentation follows its definition', () => {
    const internal = report.samples.map((sample) => sample.internalFragmentation);
    const external = report.samples.map((sample) => sample.externalFragmentation);
    const expected = [12 / 32, 12 / 48, 27 / 64, 42 / 128, 42 / 112, 30 / 80, 15 / 16];
    for (let i = 0; i < 7; i++) expect(internal[i]).toBeCloseTo(expected[i], 12);
    expect(external).toEqual([1 - 4 / 6, 1 - 4 / 5, 0, 0, 0, 1 - 2 / 3, 1 - 4 / 7]);
    expect(replay(trace(5, ~0)).samples[1]).toMatchObject({
      internalFragmentation: 0,
      externalFragmentation: 0,
    });
  });

  it('the memory map follows every operation', () => {
    expect(report.samples.map(({ map }) => map.join(''))).toEqual([
      '11000000',
      '11100000',
      '11110000',
      '11111111',
      '11011111',
      '00011111',
      '00010000',
    ]);
  });

  it('sizes are counted by the order of the block', () => {
    expect(report.sizes).toEqual([
      { order: 0, blockBytes: 16, allocations: 2, requestedBytes: 17 },
      { order: 1, blockBytes: 32, allocations: 1, requestedBytes: 20 },
      { order: 2, blockBytes: 64, allocations: 1, requestedBytes: 49 },
    ]);
    expect(replay(trace(1, 16), { unit: 4 }).sizes).toEqual([
      { order: 0, blockBytes: 4, allocations: 1, requestedBytes: 1 },
      { order: 1, blockBytes: 8, allocations: 0, requestedBytes: 0 },
      { order: 2, blockBytes: 16, allocations: 1, requestedBytes: 16 },
    ]);
  });

  it('allocations without room are counted, and their frees passed over', () => {
    const full = replay(trace(32, 33, 64, ~1, ~0, 64, ~3, ~2), { unit: 16, capacity: 4 });
    expect(full).toMatchObject({
      failures: 2,
      allocations: 4,
      frees: 4,
      peakLiveBytes: 64,
      peakUsedUnits: 4,
    });
    expect(full.samples.map((sample) => sample.liveBlocks)).toEqual([1, 1, 1, 1, 0, 1, 0, 0]);
    expect(full.sizes.map((size) => size.allocations)).toEqual([0, 1, 3]);
  });

  it('a long trace is sampled 256 times, evenly, up to its end', async () => {
    const sqlite = await recorded('sqlite');
    const { samples } = replay(sqlite, { capacity: 2 ** 20 });
    expect(samples.length).toBe(256);
    samples.forEach((sample, i) => {
      expect(sample.operations).toBe(Math.floor(((i + 1) * sqlite.ops.length) / 256));
      expect(sample.map.length).toBe(128);
    });
  });

  it('a report is plain data', () => {
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('of any trace agree with the allocator itself', () => {
    fc.assert(
      fc.property(
        traces(900),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 3000 }),
        (some, unit, capacity) => {
          const { samples, failures, peakUsedUnits } = replay(some, { unit, capacity });
          for (const sample of samples) {
            const { allocator } = arenaAfter(some, { unit, capacity, operations: sample.operations });
            const { liveBlocks, usedUnits, largestFree, externalFragmentation } = allocator.stats();
            expect(sample).toMatchObject({ liveBlocks, usedUnits, largestFree, externalFragmentation });
            expect(sample.map).toEqual(
              memoryMap(allocator, 128).map((full) => Math.ceil(full * 1000) / 1000),
            );
            expect(sample.usedUnits).toBeLessThanOrEqual(peakUsedUnits);
            expect(sample.liveBytes).toBeLessThanOrEqual(sample.usedUnits * unit);
          }
          expect(arenaAfter(some, { unit, capacity }).failures).toBe(failures);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('progress', () => {
  it('runs from the first operation to the last of all passes', async () => {
    const sqlite = await recorded('sqlite');
    const seen: number[] = [];
    replay(sqlite, {
      capacity: 2 ** 20,
      onProgress: (done, total) => {
        expect(total).toBe(4 * sqlite.ops.length);
        seen.push(done);
      },
    });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(256);
    expect(seen.at(-1)).toBe(4 * sqlite.ops.length);
  });

  it('is reported during the search for a capacity', async () => {
    const sqlite = await recorded('sqlite');
    const seen: [number, number][] = [];
    fitCapacity(sqlite, 16, (done, total) => seen.push([done, total]));
    expect(seen.at(-1)).toEqual([sqlite.ops.length, sqlite.ops.length]);
  });
});

describe('fitCapacity', () => {
  it('is the power of two that holds the peak, if there is no fragmentation', () => {
    expect(fitCapacity(trace(1), 16)).toBe(1);
    expect(fitCapacity(trace(16, 16, 16), 16)).toBe(4);
    expect(fitCapacity(trace(17), 16)).toBe(2);
    expect(fitCapacity(trace(0), 1)).toBe(1);
    expect(fitCapacity(trace(2 ** 31 - 1), 16)).toBe(2 ** 27);
  });

  it('doubles if fragmentation needs more', () => {
    // At most four units are live, but the request for two finds no two free neighbours among them.
    expect(fitCapacity(trace(1, 1, 1, 1, ~1, ~3, 2), 1)).toBe(8);
  });

  it('ends at 2^30', () => {
    expect(fitCapacity(trace(2 ** 31 - 1), 1)).toBe(2 ** 30);
  });

  it('is the smallest in which the trace fits, and what a replay takes', () => {
    fc.assert(
      fc.property(traces(500), fc.integer({ min: 1, max: 40 }), (some, unit) => {
        const capacity = fitCapacity(some, unit);
        expect(replay(some, { unit })).toMatchObject({ capacity, failures: 0 });
        for (let smaller = 1; smaller < capacity; smaller *= 2) {
          expect(arenaAfter(some, { unit, capacity: smaller }).failures).toBeGreaterThan(0);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('arenaAfter', () => {
  const some = trace(16, 16, ~0, 16);

  it('stops after the operations asked for', () => {
    const blocksAfter = (operations: number): number[] =>
      [...arenaAfter(some, { capacity: 4, operations }).allocator.blocks()]
        .filter((b) => !b.free)
        .map((b) => b.offset);
    expect([0, 1, 2, 3, 4].map(blocksAfter)).toEqual([[], [0], [0, 1], [1], [0, 1]]);
    expect(arenaAfter(some).allocator.stats()).toMatchObject({ capacity: 2, liveBlocks: 2 });
  });

  it('counts failures up to there', () => {
    expect(arenaAfter(trace(16, 16, 16), { capacity: 1, operations: 2 }).failures).toBe(1);
  });

  it.each([-1, 5, 1.5, Number.NaN])('refuses %s operations of 4', (operations) => {
    expect(() => arenaAfter(some, { operations })).toThrow(RangeError);
    expect(() => arenaAfter(some, { operations })).toThrow('operations');
  });

  it('refuses a value that is not a number', () => {
    expect(() => arenaAfter(some, { operations: '1' as unknown as number })).toThrow(TypeError);
  });
});

describe('memoryMap', () => {
  it('gives the fullness of equal regions', () => {
    const arena = new BuddyAllocator({ capacity: 16 });
    arena.reserve(3, 4);
    expect(memoryMap(arena, 4)).toEqual([1 / 4, 3 / 4, 0, 0]);
    expect(memoryMap(arena, 1)).toEqual([1 / 4]);
    expect(
      memoryMap(arena, 16)
        .map((full, unit) => (full === 1 ? unit : 0))
        .filter(Boolean),
    ).toEqual([3, 4, 5, 6]);
  });

  it('has no more regions than there are units', () => {
    const arena = new BuddyAllocator({ capacity: 3 });
    arena.alloc(2);
    expect(memoryMap(arena, 100)).toEqual([1, 1, 0]);
  });

  it('loses nothing if the regions do not divide the capacity', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.integer({ min: 1, max: 200 })),
        (capacity, regions, sizes) => {
          const arena = new BuddyAllocator({ capacity });
          for (const size of sizes) arena.alloc(size);
          const map = memoryMap(arena, regions);
          expect(map.length).toBe(Math.min(regions, capacity));
          map.forEach((full, i) => {
            const from = Math.floor((i * capacity) / map.length);
            const to = Math.floor(((i + 1) * capacity) / map.length);
            let used = 0;
            for (let unit = from; unit < to; unit++) if (arena.blockOf(unit) >= 0) used++;
            expect(full).toBe(used / (to - from));
          });
        },
      ),
    );
  });

  it('refuses a bad number of regions', () => {
    const arena = new BuddyAllocator({ capacity: 4 });
    for (const regions of [0, -1, 1.5, Number.NaN])
      expect(() => memoryMap(arena, regions)).toThrow(RangeError);
    expect(() => memoryMap(arena, '4' as unknown as number)).toThrow(TypeError);
  });
});

describe('bad arguments', () => {
  const some = trace(1);

  it.each([0, -16, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('a unit of %s bytes is refused', (unit) => {
    for (const call of [replay, arenaAfter]) {
      expect(() => call(some, { unit })).toThrow(RangeError);
      expect(() => call(some, { unit, capacity: 4 })).toThrow('unit must be a positive integer');
    }
    expect(() => fitCapacity(some, unit)).toThrow(RangeError);
  });

  it.each([0, -1, 2.5, 2 ** 30 + 1, Number.NaN])('a capacity of %s units is refused', (capacity) => {
    expect(() => replay(some, { capacity })).toThrow(RangeError);
  });

  it('a value that is not a number is refused', () => {
    expect(() => replay(some, { unit: '16' as unknown as number })).toThrow(TypeError);
    expect(() => replay(some, { capacity: '16' as unknown as number })).toThrow(TypeError);
  });
});
