// The bench's transcription of OffsetAllocator beside a plain list of regions.

import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { binDown, binUp, OffsetAllocator, sizeOfBin } from '../../bench/ranges/offset-allocator.ts';
import { Random } from '../support/random.ts';

describe('bins', () => {
  it('have the sizes of floats with 3 bits of mantissa', () => {
    expect(Array.from({ length: 26 }, (_, bin) => sizeOfBin(bin))).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
      ...[16, 18, 20, 22, 24, 26, 28, 30, 32, 36],
    ]);
  });

  it('are the nearest ones below and above every size', () => {
    for (let size = 1; size < 100_000; size++) {
      const down = binDown(size);
      assert(sizeOfBin(down) <= size && size < sizeOfBin(down + 1), `${size}`);
      assert.equal(binUp(size), sizeOfBin(down) === size ? down : down + 1);
    }
    expect(sizeOfBin(binUp(2 ** 31 - 1))).toBe(2 ** 31);
  });
});

describe('OffsetAllocator', () => {
  it.each([1, 2, 3, 4])('cuts and joins regions, and refuses only where no bin has one: seed %i', (seed) => {
    const capacity = 20_000;
    const random = new Random(seed);
    const allocator = new OffsetAllocator(capacity, 4000);
    const used = new Uint8Array(capacity);
    const live: { region: number; size: number }[] = [];
    /** Lengths of the free regions, by the map. */
    const gaps = (): number[] => {
      const found: number[] = [];
      for (let start = used.indexOf(0); start !== -1; ) {
        const end = used.indexOf(1, start);
        found.push((end === -1 ? capacity : end) - start);
        start = end === -1 ? -1 : used.indexOf(0, end);
      }
      return found;
    };
    let refused = 0;
    for (let i = 0; i < 4000; i++) {
      if (random.next() < 0.55) {
        const size = 1 + random.below(random.below(2) === 0 ? 20 : 600);
        const fits = gaps().some((length) => binDown(length) >= binUp(size));
        const region = allocator.alloc(size);
        assert.equal(region !== -1, fits);
        if (region === -1) {
          refused++;
          continue;
        }
        const offset = allocator.offsetOf(region);
        assert(!used.subarray(offset, offset + size).includes(1) && offset + size <= capacity);
        used.fill(1, offset, offset + size);
        live.push({ region, size });
      } else if (live.length > 0) {
        const [{ region, size }] = live.splice(random.below(live.length), 1);
        const offset = allocator.offsetOf(region);
        allocator.free(region);
        used.fill(0, offset, offset + size);
      }
    }
    expect(refused).toBeGreaterThan(10);
    for (const { region } of live) allocator.free(region);
    const whole = allocator.alloc(sizeOfBin(binDown(capacity)));
    expect(allocator.offsetOf(whole)).toBe(0);
  });
});
