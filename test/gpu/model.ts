// A model of a pool that consists of lists of ranges, and random operations on the pool and the model. It takes the
// fakes of all graphics APIs.

import fc from 'fast-check';
import { expect } from 'vitest';
import type { AbstractPool, BufferAllocation, BufferMove, DefragmentOptions } from '../../src/webgpu.ts';

/** A buffer of a fake. */
export interface ModelBuffer {
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly destroyed: boolean;
}

/** A pool, and the fake that it runs on. */
export interface World<B extends ModelBuffer> {
  readonly pool: AbstractPool<B>;
  /** Sizes are rounded up to multiples of it. */
  readonly granule: number;
  /** Size of all buffers but dedicated ones, and of the first. */
  readonly bufferSize: number;
  readonly firstBufferSize: number;
  /** The pool's `maxBytes`. */
  readonly limit: number;
  readonly device: {
    /** All buffers ever made, in their order. */
    readonly buffers: readonly B[];
    readonly undestroyed: readonly B[];
    /** Number of flushes for which the pool waits. */
    readonly inFlight: number;
    /** Ends the first `count` flushes. */
    finish(count?: number): Promise<void>;
  };
  /** Moves ranges. The copies are made when it returns. */
  defragment(options: DefragmentOptions<B>): BufferMove<B>[];
}

interface Range<B> {
  readonly buffer: B;
  readonly offset: number;
  readonly size: number;
}

interface Live<B> {
  readonly allocation: BufferAllocation<B>;
  readonly alignment: number;
  readonly isPinned: boolean;
  tag: number;
  range: Range<B>;
}

/** What is done to a pool. */
export type Operation =
  | { kind: 'alloc'; bytes: number; alignment: number; dedicated: boolean; isPinned: boolean }
  | { kind: 'free'; pick: number }
  | { kind: 'resize'; pick: number; bytes: number }
  | { kind: 'flush' }
  | { kind: 'finish'; count: number }
  | { kind: 'scatter'; bytes: number }
  | { kind: 'defragment'; maxMoves: number | undefined; maxBytes: number | undefined };

const bytes = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 5000 }) },
);
const pick = fc.nat(1000);
const limit = (max: number) => fc.option(fc.integer({ min: 1, max }), { nil: undefined });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('alloc' as const),
      bytes,
      alignment: fc.oneof(
        { weight: 4, arbitrary: fc.constant(4) },
        { weight: 2, arbitrary: fc.constantFrom(1, 3, 12, 20, 36, 100) },
        { weight: 1, arbitrary: fc.constantFrom(16, 256, 1024, 2047, 2048) },
      ),
      dedicated: fc.integer({ min: 0, max: 15 }).map((n) => n === 0),
      isPinned: fc.integer({ min: 0, max: 11 }).map((n) => n === 0),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('free' as const), pick }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('resize' as const), pick, bytes }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('finish' as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('scatter' as const),
      bytes: fc.integer({ min: 50, max: 300 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('defragment' as const),
      maxMoves: limit(6),
      maxBytes: limit(1000),
    }),
  },
);

export const operations: fc.Arbitrary<Operation[]> = fc.array(operation, { maxLength: 80, size: 'max' });

const up = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
const overlap = (a: Range<unknown>, b: Range<unknown>): boolean =>
  a.buffer === b.buffer && a.offset < b.offset + b.size && b.offset < a.offset + a.size;

/** A pool and the model of it, which must always agree. */
export class Run<B extends ModelBuffer> {
  readonly #world: World<B>;
  #live: Live<B>[] = [];
  /**
   * What the freed ranges take up, one list for each flush that they wait for. The last list waits for the next flush.
   */
  #pending: Range<B>[][] = [[]];
  /** Dedicated buffers, and temporary ones. */
  readonly #single = new Set<B>();
  #tags = 0;
  /** Number of ranges that moved, and of those that changed their size. */
  moved = 0;
  resized = 0;

  constructor(world: World<B>) {
    this.#world = world;
  }

  async do(operation: Operation): Promise<void> {
    if (operation.kind === 'alloc') this.#alloc(operation);
    else if (operation.kind === 'free') this.#free(operation.pick);
    else if (operation.kind === 'resize') this.#resize(operation);
    else if (operation.kind === 'flush') this.#flush();
    else if (operation.kind === 'finish') await this.#finish(operation.count);
    else if (operation.kind === 'defragment') this.#defragment(operation);
    else {
      // Random operations alone seldom leave much to defragment.
      for (let i = 0; i < 16; i++) {
        const bytes = operation.bytes + 8 * i;
        this.#alloc({ kind: 'alloc', bytes, alignment: 4, dedicated: false, isPinned: false });
      }
      for (let i = 0; i < this.#live.length; i++) this.#free(i);
      this.#flush();
      await this.#finish(Number.POSITIVE_INFINITY);
    }
    this.#check();
  }

  /** Frees everything, and destroys the pool. */
  async end(): Promise<void> {
    const { device, pool } = this.#world;
    while (this.#live.length > 0) this.#free(0);
    this.#flush();
    await this.#finish(Number.POSITIVE_INFINITY);
    this.#check();
    expect(pool.stats()).toMatchObject({ liveBlocks: 0, used: 0, pending: 0 });
    expect(device.undestroyed.length).toBeLessThanOrEqual(1);
    pool.destroy();
    expect(device.undestroyed).toEqual([]);
  }

  /** The bytes of a buffer that a range takes up. */
  #footprint({ buffer, offset, size }: Range<B>): Range<B> {
    if (this.#single.has(buffer)) return { buffer, offset: 0, size: buffer.size };
    return { buffer, offset, size: up(size, this.#world.pool.unit) };
  }

  get #taken(): Range<B>[] {
    return [...this.#live.map(({ range }) => this.#footprint(range)), ...this.#pending.flat()];
  }

  /** The lowest place for a range, in the first buffer that has one; null if none has. */
  #lowestFit(size: number, alignment: number): { buffer: B; offset: number } | null {
    const { device, pool } = this.#world;
    const taken = this.#taken;
    let multiple = alignment;
    while (multiple % pool.unit !== 0) multiple += alignment;
    for (const buffer of device.undestroyed) {
      if (this.#single.has(buffer)) continue;
      const ends = taken.filter((one) => one.buffer === buffer).map((one) => one.offset + one.size);
      // The lowest place is the first behind a range that is taken, or at the start.
      for (const end of [0, ...ends].sort((a, b) => a - b)) {
        const range = { buffer, offset: up(end, multiple), size: up(size, pool.unit) };
        if (range.offset + range.size > buffer.size) break;
        if (!taken.some((one) => overlap(one, range))) return { buffer, offset: range.offset };
      }
    }
    return null;
  }

  #alloc({ bytes, alignment, dedicated, isPinned }: Operation & { kind: 'alloc' }): void {
    const { bufferSize, device, firstBufferSize, granule, limit, pool } = this.#world;
    const size = up(bytes, granule);
    const before = pool.stats();
    const made = device.buffers.length;
    const isSingle = dedicated || size > bufferSize;
    const place = isSingle ? null : this.#lowestFit(size, alignment);
    const allocation = pool.alloc(bytes, { alignment, dedicated });
    if (allocation === null) {
      // Nothing changed, and there was no room, neither in a buffer nor for another one.
      expect([pool.stats(), place]).toEqual([before, null]);
      expect(device.buffers).toHaveLength(made);
      const least = Math.max(firstBufferSize, 2 ** Math.ceil(Math.log2(size)));
      if (!isSingle) expect(before.bytes + least).toBeGreaterThan(limit);
      return;
    }
    const { buffer, offset } = allocation;
    const [added, ...more] = device.buffers.slice(made);
    expect(more).toEqual([]);
    expect(allocation.size).toBe(size);
    if (place !== null) expect({ buffer, offset }).toEqual(place);
    else {
      expect([buffer, offset]).toEqual([added, 0]);
      if (isSingle) {
        this.#single.add(buffer);
        expect(buffer.size).toBe(size);
      } else expect([firstBufferSize, 2 * firstBufferSize, bufferSize]).toContain(buffer.size);
    }
    const live = { allocation, alignment, isPinned, tag: 0, range: { buffer, offset, size } };
    this.#live.push(live);
    this.#fill(live);
  }

  /** Fills a range with a tag of its own. */
  #fill(live: Live<B>): void {
    live.tag = (this.#tags++ % 255) + 1;
    this.#world.pool.write(live.allocation, new Uint8Array(live.range.size).fill(live.tag));
  }

  #defer(range: Range<B>): void {
    this.#pending[this.#pending.length - 1].push(range);
  }

  #free(pick: number): void {
    const { pool } = this.#world;
    if (this.#live.length === 0) return;
    const [{ allocation, range }] = this.#live.splice(pick % this.#live.length, 1);
    pool.free(allocation);
    this.#defer(this.#footprint(range));
    expect(() => pool.free(allocation)).toThrow(expect.objectContaining({ code: 'NOT_ALLOCATED' }));
  }

  #resize({ pick, bytes }: Operation & { kind: 'resize' }): void {
    const { granule, pool } = this.#world;
    if (this.#live.length === 0) return;
    const live = this.#live[pick % this.#live.length];
    const { buffer, offset } = live.range;
    const old = this.#footprint(live.range);
    const range = { buffer, offset, size: up(bytes, granule) };
    const wanted = this.#single.has(buffer) ? range : this.#footprint(range);
    const fits =
      wanted.offset + wanted.size <= buffer.size &&
      !this.#taken.some((one) => one.offset !== offset && overlap(one, wanted) && one.offset > offset);
    expect(pool.resize(live.allocation, bytes)).toBe(fits);
    if (!fits) return;
    this.resized++;
    live.range = range;
    const rest = old.size - this.#footprint(range).size;
    if (rest > 0) this.#defer({ buffer, offset: offset + this.#footprint(range).size, size: rest });
    this.#fill(live);
  }

  #flush(): void {
    const { device, pool } = this.#world;
    const before = device.inFlight;
    void pool.flush();
    if (device.inFlight > before) this.#pending.push([]);
  }

  async #finish(count: number): Promise<void> {
    const { device } = this.#world;
    const done = Math.min(count, device.inFlight);
    await device.finish(count);
    this.#pending.splice(0, done);
  }

  #defragment({ maxMoves, maxBytes }: Operation & { kind: 'defragment' }): void {
    const { defragment, device } = this.#world;
    const taken = this.#taken;
    const made = device.buffers.length;
    const pinned = new Set(this.#live.filter(({ isPinned }) => isPinned).map(({ allocation }) => allocation));
    const moves = defragment({
      ...(maxMoves === undefined ? {} : { maxMoves }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
      filter: (allocation) => !pinned.has(allocation),
    });
    expect(moves.length).toBeLessThanOrEqual(maxMoves ?? this.#live.length);
    expect(moves.reduce((sum, { source }) => sum + source.size, 0)).toBeLessThanOrEqual(maxBytes ?? 2 ** 20);
    const [temporary, ...more] = device.buffers.slice(made);
    expect(more).toEqual([]);
    for (const { allocation, source, destination } of moves) {
      const live = this.#live.find((one) => one.allocation === allocation);
      expect(source).toEqual(live?.range);
      expect(pinned.has(allocation)).toBe(false);
      const { buffer, offset, size } = allocation;
      expect(destination).toEqual({ buffer, offset, size });
      // It goes down, and overlaps no range that is live or pending.
      const position = ({ buffer, offset }: Range<B>) => device.buffers.indexOf(buffer) * 2 ** 20 + offset;
      expect(position(destination)).toBeLessThan(position(source));
      expect(taken.filter((range) => overlap(range, destination))).toEqual([]);
      this.#defer(this.#footprint(source));
      if (live !== undefined) live.range = destination;
    }
    if (temporary !== undefined) {
      this.#single.add(temporary);
      this.#defer({ buffer: temporary, offset: 0, size: temporary.size });
    }
    this.moved += moves.length;
    this.#flush();
  }

  #check(): void {
    const { device, limit, pool } = this.#world;
    const waiting = this.#pending.flat();
    const taken = this.#taken;
    const sum = (ranges: readonly { size: number }[]) => ranges.reduce((bytes, { size }) => bytes + size, 0);
    expect([...pool.ranges()]).toEqual(this.#live.map(({ allocation }) => allocation));
    const isRight = ({ allocation, alignment, range, tag }: Live<B>): boolean => {
      const { buffer, offset, size } = allocation;
      const isAligned = this.#single.has(buffer) || (offset % alignment === 0 && offset % pool.unit === 0);
      const isSame = buffer === range.buffer && offset === range.offset && size === range.size;
      const bytes = buffer.bytes.subarray(offset, offset + size);
      return isAligned && isSame && bytes.length === size && bytes.every((byte) => byte === tag);
    };
    expect(this.#live.filter((one) => !isRight(one))).toEqual([]);
    expect(taken.filter(({ buffer }) => buffer.destroyed)).toEqual([]);
    expect(taken.filter((one, i) => taken.some((other, j) => j > i && overlap(one, other)))).toEqual([]);
    const stats = pool.stats();
    const temporary = [...this.#single].filter((b) => !this.#live.some(({ range }) => range.buffer === b));
    expect(stats.bytes).toBeLessThanOrEqual(limit + sum(temporary));
    expect(stats).toMatchObject({
      buffers: device.undestroyed.length,
      bytes: sum(device.undestroyed),
      liveBlocks: this.#live.length,
      requested: sum(this.#live.map(({ range }) => range)),
      used: sum(taken) - sum(waiting),
      pending: sum(waiting),
      free: stats.bytes - sum(taken),
    });
    // At most one buffer is empty.
    const needed = new Set(taken.map(({ buffer }) => buffer));
    expect(stats.buffers - needed.size).toBeLessThanOrEqual(1);
  }
}
