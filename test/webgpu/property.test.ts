// Random sequences of pool operations, on the strict fake device, compared with a model that consists of lists of
// ranges.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type BufferAllocation, BufferPool } from '../../src/webgpu.ts';
import { type FakeBuffer, FakeDevice, Usage } from './fake.ts';

interface Range {
  readonly buffer: FakeBuffer;
  readonly offset: number;
  readonly size: number;
}

interface Live {
  readonly allocation: BufferAllocation<FakeBuffer>;
  readonly alignment: number;
  readonly tag: number;
  range: Range;
}

const BUFFER = 2048;
const LIMIT = 4 * BUFFER;

/** Usage of the temporary buffers for moves within a buffer. */
const TEMPORARY = Usage.COPY_SRC | Usage.COPY_DST;

const snapshot = ({ buffer, offset, size }: Range): Range => ({ buffer, offset, size });
const overlap = (a: Range, b: Range): boolean =>
  a.buffer === b.buffer && a.offset < b.offset + b.size && b.offset < a.offset + a.size;

/** The pool, and the model of it. */
class Run {
  readonly device = new FakeDevice();
  readonly pool: BufferPool<FakeBuffer>;
  readonly unit: number;
  live: Live[] = [];
  /** Freed ranges, one list for each flush that they wait for. The last list waits for the next flush. */
  pending: Range[][] = [[]];
  tags = 0;

  constructor(uniform: boolean) {
    const usage = (uniform ? Usage.UNIFORM : Usage.VERTEX) | Usage.COPY_SRC | Usage.COPY_DST;
    this.unit = uniform ? 256 : 16;
    this.pool = new BufferPool(this.device, { usage, bufferSize: BUFFER, maxBytes: LIMIT });
  }

  alloc(bytes: number, alignment: number): void {
    const before = this.pool.stats();
    const allocation = this.pool.alloc(bytes, { alignment });
    if (allocation === null) {
      // Nothing changed, and there was no room, neither in a buffer nor for another one.
      expect(this.pool.stats()).toEqual(before);
      if (bytes <= BUFFER) {
        const block = 2 ** Math.ceil(Math.log2(Math.max(bytes, alignment, this.unit)));
        expect(before.largestFree).toBeLessThan(block);
        expect(before.bytes + BUFFER).toBeGreaterThan(LIMIT);
      }
      return;
    }
    const range = snapshot(allocation);
    expect(range.size).toBe(4 * Math.ceil(bytes / 4));
    const tag = (this.tags++ % 255) + 1;
    this.live.push({ allocation, alignment, tag, range });
    this.device.queue.writeBuffer(range.buffer, range.offset, new Uint8Array(range.size).fill(tag));
  }

  free(pick: number): void {
    if (this.live.length === 0) return;
    const [{ allocation, range }] = this.live.splice(pick % this.live.length, 1);
    this.pool.free(allocation);
    this.pending[this.pending.length - 1].push(range);
    expect(() => this.pool.free(allocation)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
  }

  flush(): void {
    const inFlight = this.device.inFlight;
    void this.pool.flush();
    if (this.device.inFlight > inFlight) this.pending.push([]);
  }

  async finish(count: number): Promise<void> {
    const done = Math.min(count, this.device.inFlight);
    await this.device.finish(count);
    this.pending.splice(0, done);
  }

  /** Returns the number of ranges that moved. */
  defragment(): number {
    const encoder = this.device.createCommandEncoder();
    const before = this.live.map(({ range }) => range);
    const buffers = this.device.buffers.length;
    const moves = this.pool.defragment(encoder);
    for (const { allocation, source, destination } of moves) {
      const moved = this.live.find((one) => one.allocation === allocation);
      expect(source).toEqual(moved?.range);
      expect(destination).toEqual(snapshot(allocation));
      // The destination overlaps no live range and no pending one. The encoder checks that no copy is within one
      // buffer.
      for (const range of [...before, ...this.pending.flat()])
        expect(overlap(range, destination)).toBe(false);
    }
    const waiting = this.pending[this.pending.length - 1];
    waiting.push(...moves.map(({ source }) => source));
    const [temporary, ...more] = this.device.buffers.slice(buffers);
    expect(more).toEqual([]);
    if (temporary !== undefined) waiting.push({ buffer: temporary, offset: 0, size: temporary.size });
    for (const one of this.live) one.range = snapshot(one.allocation);
    this.device.queue.submit([encoder]);
    this.flush();
    return moves.length;
  }

  check(): void {
    const waiting = this.pending.flat();
    for (const [i, { allocation, alignment, range, tag }] of this.live.entries()) {
      expect(snapshot(allocation)).toEqual(range);
      expect(range.buffer.destroyed).toBe(false);
      expect(range.offset % Math.max(alignment, this.unit)).toBe(0);
      expect(range.offset + range.size).toBeLessThanOrEqual(range.buffer.size);
      for (const other of this.live.slice(i + 1)) expect(overlap(range, other.range)).toBe(false);
      for (const freed of waiting) expect(overlap(range, freed)).toBe(false);
      expect(
        range.buffer.bytes.subarray(range.offset, range.offset + range.size).every((b) => b === tag),
      ).toBe(true);
    }
    for (const { buffer } of waiting) expect(buffer.destroyed).toBe(false);
    const stats = this.pool.stats();
    expect(stats.used + stats.pending + stats.free).toBe(stats.bytes);
    const temporary = waiting.filter(({ buffer }) => buffer.usage === TEMPORARY);
    expect(stats.bytes).toBeLessThanOrEqual(temporary.reduce((sum, { size }) => sum + size, LIMIT));
    expect(stats.liveBlocks).toBe(this.live.length);
    expect(stats.requested).toBe(this.live.reduce((sum, { range }) => sum + range.size, 0));
    expect(stats.pending === 0).toBe(waiting.length === 0);
    // At most one buffer is empty.
    const needed = new Set([
      ...this.live.map(({ range }) => range.buffer),
      ...waiting.map(({ buffer }) => buffer),
    ]);
    expect(stats.buffers - needed.size).toBeLessThanOrEqual(1);
  }
}

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('alloc' as const),
      bytes: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 1, max: 300 }) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 5000 }) },
      ),
      alignment: fc.oneof(
        { weight: 4, arbitrary: fc.constant(4) },
        { weight: 1, arbitrary: fc.constantFrom(1, 16, 256, 1024, 2048) },
      ),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('free' as const), pick: fc.nat(1000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('finish' as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
  // Frees every second range, and finishes the frees: random operations alone seldom leave much to defragment.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('thin' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('defragment' as const) }) },
);

it('no range overlaps another or is reused early, moves keep contents, and everything is free in the end', async () => {
  let moved = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(operation, { maxLength: 80, size: 'max' }),
      async (uniform, operations) => {
        const run = new Run(uniform);
        for (const one of operations) {
          if (one.kind === 'alloc') run.alloc(one.bytes, one.alignment);
          else if (one.kind === 'free') run.free(one.pick);
          else if (one.kind === 'flush') run.flush();
          else if (one.kind === 'finish') await run.finish(one.count);
          else if (one.kind === 'thin') {
            for (let i = 0; i < run.live.length; i++) run.free(i);
            run.flush();
            await run.finish(Number.POSITIVE_INFINITY);
          } else moved += run.defragment();
          run.check();
        }
        while (run.live.length > 0) run.free(0);
        run.flush();
        await run.finish(Number.POSITIVE_INFINITY);
        run.check();
        expect(run.pool.stats()).toMatchObject({ liveBlocks: 0, used: 0, pending: 0 });
        expect(run.device.undestroyed.length).toBeLessThanOrEqual(1);
        run.pool.destroy();
        expect(run.device.undestroyed).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
  // Otherwise the test has shown nothing about moves.
  expect(moved).toBeGreaterThan(50);
});
