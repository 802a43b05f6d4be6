// The algebra of one word against loops over its children.

import { describe, expect, it } from 'vitest';
import {
  blockLength,
  blockStart,
  freeRunOrder,
  groupsOf,
  levelOfOrder,
  longestRunOrder,
  lowestBit,
  MAX_RUN_ORDER,
  maskOf,
  orderOf,
  runMask,
  runStarts,
  tileOrder,
} from '../../src/base/word.ts';
import { Random } from '../support/random.ts';

const isSet = (mask: number, child: number): boolean => Math.floor((mask >>> 0) / 2 ** child) % 2 === 1;

/** The children from `child` on that are set in `mask`, without a gap. */
function run(mask: number, child: number): number {
  let length = 0;
  while (child + length < 32 && isSet(mask, child + length)) length++;
  return length;
}

function naiveStarts(free: number, r: number): number[] {
  const starts: number[] = [];
  for (let child = 0; child < 32; child += 2 ** r) if (run(free, child) >= 2 ** r) starts.push(child);
  return starts;
}

const children = (mask: number): number[] =>
  Array.from({ length: 32 }, (_, c) => c).filter((c) => isSet(mask, c));

/** Masks of 32 children: all of 12 at both ends and in the middle, and random ones. */
function* masks(): Generator<number> {
  for (let low = 0; low < 2 ** 12; low++) {
    yield low;
    yield low << 10;
    yield low << 20;
    yield ~low;
  }
  const random = new Random(7);
  for (let i = 0; i < 4000; i++) yield (random.below(2 ** 16) << 16) | random.below(2 ** 16);
}

describe('free runs', () => {
  it('start where a loop finds them', () => {
    for (const free of masks()) {
      for (let r = 0; r <= MAX_RUN_ORDER; r++) {
        expect(children(runStarts(free, r)), `${free} ${r}`).toEqual(naiveStarts(free, r));
      }
    }
  });

  it('are as long as a loop finds them', () => {
    for (const free of masks()) {
      let longest = -1;
      for (let r = 0; r <= MAX_RUN_ORDER; r++) if (naiveStarts(free, r).length > 0) longest = r;
      expect(longestRunOrder(free), `${free}`).toBe(longest);
      const [first] = longest < 0 ? [] : naiveStarts(free, longest);
      if (first !== undefined) expect(freeRunOrder(free, first), `${free}`).toBe(longest);
    }
  });

  it('of all masks of 16 children agree, too, as the shared arena has them', () => {
    for (let free = 0; free < 2 ** 16; free++) {
      for (let r = 0; r <= 3; r++) {
        let naive = 0;
        for (let child = 0; child < 16; child += 2 ** r) {
          const aligned = maskOf(2 ** r, child);
          if ((free & aligned) === aligned) naive |= 1 << child;
        }
        if (runStarts(free, r) !== naive) expect([free, r, runStarts(free, r)]).toEqual([free, r, naive]);
      }
    }
  });
});

describe('live blocks', () => {
  it('have the start and the length with which they were written', () => {
    for (let r = 0; r <= MAX_RUN_ORDER; r++) {
      for (let start = 0; start < 32; start += 2 ** r) {
        // A block of one child on either side, where there is room.
        const beside = (start > 0 ? 1 << (start - 1) : 0) | (start + 2 ** r < 32 ? 1 << (start + 2 ** r) : 0);
        const used = (runMask(r) << start) | beside;
        const cont = (runMask(r) ^ 1) << start;
        expect(blockLength(used, cont, start)).toBe(2 ** r);
        for (let child = start; child < start + 2 ** r; child++)
          expect(blockStart(used, cont, child)).toBe(start);
      }
    }
  });
});

describe('orders, levels and masks', () => {
  it('of a size: the smallest power of two that holds it', () => {
    for (const k of [0, 1, 2, 3, 4, 5, 10, 20, 29, 30]) {
      expect(orderOf(2 ** k)).toBe(k);
      if (k > 0) expect(orderOf(2 ** k + 1)).toBe(k + 1);
      if (k > 1) expect(orderOf(2 ** k - 1)).toBe(k);
    }
    expect(orderOf(2 ** 31)).toBe(31);
  });

  it('divide by five', () => {
    for (let order = 0; order <= 34; order++) expect(levelOfOrder(order)).toBe(Math.floor(order / 5));
  });

  it('have a lowest bit', () => {
    expect(lowestBit(0)).toBe(-1);
    for (let bit = 0; bit < 32; bit++) expect(lowestBit(-1 << bit)).toBe(bit);
  });

  it('take shift counts modulo 32', () => {
    for (let n = 1; n <= 32; n++) {
      for (let c = 0; c + n <= 32; c++) {
        expect(children(maskOf(n, c))).toEqual(Array.from({ length: n }, (_, i) => c + i));
        expect(maskOf(n, c + 32)).toBe(maskOf(n, c));
      }
    }
  });

  it('count groups of 32 bits', () => {
    for (const bits of [1, 31, 32, 33, 64, 65, 1023, 1024, 1025])
      expect(groupsOf(bits)).toBe(Math.ceil(bits / 32));
  });
});

describe('tiles', () => {
  it('cover a range with the largest aligned blocks', () => {
    for (let offset = 0; offset < 80; offset++) {
      for (let end = offset + 1; end <= 160; end++) {
        const order = tileOrder(offset, end);
        const fits = (k: number): boolean => offset % 2 ** k === 0 && offset + 2 ** k <= end;
        expect(fits(order) && !fits(order + 1)).toBe(true);
      }
    }
  });
});
