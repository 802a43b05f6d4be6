// Random programs on a DebugHeap: correct programs run as on a Heap; each bug of a program is found, and nothing else.

import { describe, expect, test } from 'vitest';
import { BuddyError, DebugHeap, type DebugHeapOptions } from '../../src/debug.ts';
import { Random } from '../support/random.ts';

const SIZE = 2 ** 17;
const STEPS = 1500;

/** A block as the program knows it: its pointer and its content. */
interface Mine {
  ptr: number;
  readonly bytes: Uint8Array;
}

class Program {
  readonly heap: DebugHeap;
  readonly random: Random;
  readonly live: Mine[] = [];
  /** Blocks that this program has freed, the last one last. */
  readonly freed: Mine[] = [];

  constructor(seed: number, options: Omit<DebugHeapOptions, 'size' | 'memory'>) {
    this.heap = new DebugHeap({ size: SIZE, ...options });
    this.random = new Random(seed);
  }

  step(): void {
    const { heap, random, live } = this;
    const at = random.below(live.length + 1);
    const size = random.below(random.below(8) === 0 ? 20_000 : 200);
    const kind = random.below(8);
    if (at === live.length || kind < 2) {
      const ptr = kind === 0 ? heap.alignedAlloc(2 ** random.below(9), size) : heap.malloc(size);
      if (ptr !== 0) this.fill({ ptr, bytes: new Uint8Array(size) });
    } else if (kind === 2) {
      const ptr = heap.calloc(size, 1);
      if (ptr === 0) return;
      expect(heap.view(ptr, Uint8Array).every((byte) => byte === 0)).toBe(true);
      this.fill({ ptr, bytes: new Uint8Array(size) });
    } else if (kind < 5) {
      const [old] = live.slice(at, at + 1);
      const ptr = heap.realloc(old.ptr, size);
      if (ptr === 0) return;
      const kept = Math.min(size, old.bytes.length);
      expect([...heap.view(ptr, Uint8Array, kept)]).toEqual([...old.bytes.subarray(0, kept)]);
      const moved = { ptr, bytes: new Uint8Array(size) };
      // Where no other block has room, it shrinks in place, and is no new block.
      if (ptr === old.ptr) this.fill(moved, at);
      else {
        live.splice(at, 1);
        this.fill(moved);
      }
    } else {
      const [old] = live.splice(at, 1);
      expect([...heap.view(old.ptr, Uint8Array)]).toEqual([...old.bytes]);
      heap.free(old.ptr);
      this.freed.push(old);
    }
  }

  /** Any live block that has a byte. */
  pick(): Mine {
    const { live, random } = this;
    const candidates = live.filter(({ bytes }) => bytes.length > 0);
    return candidates[random.below(candidates.length)];
  }

  /** Fills a block, the last one of {@link live} unless it is in the place of one there. */
  private fill(mine: Mine, at = this.live.length): void {
    const value = this.random.below(256);
    mine.bytes.fill(value);
    this.heap.view(mine.ptr, Uint8Array).fill(value);
    this.live[at] = mine;
  }
}

const SETTINGS: [string, Omit<DebugHeapOptions, 'size' | 'memory'>][] = [
  ['as it is', {}],
  ['without quarantine', { quarantine: 0 }],
  ['with a small quarantine', { quarantine: 3000 }],
  ['with units of 8, wide red zones, growth', { unit: 8, redZone: 50, maximum: 4 * SIZE }],
  ['embedded', { embed: true, quarantine: 10_000 }],
];

describe.each(SETTINGS)('%s', (_, options) => {
  test.each([1, 2, 3])('a correct program, seed %i, raises no alarm', (seed) => {
    const program = new Program(seed, options);
    const { heap, live } = program;
    for (let i = 0; i < STEPS; i++) {
      program.step();
      if (i % 100 !== 0) continue;
      expect(heap.verify()).toEqual([]);
      expect(heap.check()).toEqual([]);
      expect(heap.stats().liveBlocks).toBe(live.length);
    }
    expect(heap.leaks().map(({ ptr, size }) => [ptr, size])).toEqual(
      live.map(({ ptr, bytes }) => [ptr, bytes.length]),
    );
    for (const { ptr } of live) heap.free(ptr);
    heap.clear();
    expect([heap.leaks(), heap.stats().used, heap.check()]).toEqual([[], 0, []]);
  });

  test.each([4, 5, 6])('each write beside a block, seed %i, is found, and nothing else', (seed) => {
    const program = new Program(seed, options);
    const { heap, random } = program;
    for (let i = 0; i < 60; i++) {
      for (let k = 0; k < 10 || program.pick() === undefined; k++) program.step();
      const mine = program.pick();
      const zone = heap.unit;
      const away = random.below(zone);
      const at = mine.ptr + (random.below(2) ? mine.bytes.length + away : -1 - away);
      const bytes = new Uint8Array(heap.buffer);
      bytes[at] ^= 1 + random.below(255);
      const [found, ...others] = heap.verify();
      expect(found).toMatchObject({ code: 'REDZONE' });
      expect(found.message).toContain(`block of ${mine.bytes.length} byte`);
      expect(found.message).toContain(`bytes ${at} to ${at} hold`);
      expect(others).toEqual([]);
      expect(() => heap.free(mine.ptr)).toThrow(found.message.split('\n')[0]);
    }
  });

  test.each([
    7, 8,
  ])('each write to a block in quarantine, seed %i, is found before it is used again', (seed) => {
    const program = new Program(seed, options);
    const { heap, random, freed } = program;
    let found = 0;
    for (let i = 0; i < 60; i++) {
      for (let k = 0; k < 10; k++) program.step();
      const stale = freed.at(-1);
      if (stale === undefined || stale.bytes.length === 0) continue;
      const quarantined = (() => {
        try {
          heap.usableSize(stale.ptr);
          return false; // recycled
        } catch (error) {
          return error instanceof BuddyError && error.message.includes('which is freed');
        }
      })();
      if (!quarantined) continue;
      const bytes = new Uint8Array(heap.buffer);
      bytes[stale.ptr + random.below(stale.bytes.length)] ^= 1 + random.below(255);
      expect(heap.verify().map(({ code }) => code)).toEqual(['USE_AFTER_FREE']);
      // All of the quarantine is looked at by a trim; the damage is thrown once.
      expect(() => heap.trim()).toThrow(expect.objectContaining({ code: 'USE_AFTER_FREE' }));
      heap.trim();
      expect(heap.verify()).toEqual([]);
      found++;
    }
    expect(found > 10).toBe(options.quarantine !== 0);
  });
});
