// The checker of shared arenas: it finds every contradiction that is written into one, and none in a sound one.

import { describe, expect, it } from 'vitest';
import { AtomicCells } from '../../src/shared/cells.ts';
import { checkIndex } from '../../src/shared/check.ts';
import { geometryOf, SLOT_ANNOUNCED } from '../../src/shared/layout.ts';
import { slotPos } from '../../src/shared/slots.ts';
import { EMPTY } from '../../src/shared/word.ts';
import { SharedBuddyAllocator } from '../../src/shared.ts';

const CAPACITY = 200;
const g = geometryOf(CAPACITY, 2, true);
const LEAF = g.words[0];
const TOP = g.words[1];

/** An arena with a block of two units at 0 and one of 32 at 32, and its cells. */
function setUp() {
  const arena = SharedBuddyAllocator.create({ capacity: CAPACITY, maxWorkers: 2, trackOwners: true });
  expect([arena.alloc(2), arena.alloc(32)]).toEqual([0, 32]);
  expect(arena.check()).toEqual([]);
  return { arena, s: new Int32Array(arena.buffer) };
}

describe('check', () => {
  const used = (c: number) => 1 << c;
  const cont = (c: number) => 0x10000 << c;
  const damages: [string, (s: Int32Array) => void, string][] = [
    ['a word is closed', (s) => s.fill(0, LEAF, LEAF + 1), 'word 0 of level 0 is in transit'],
    [
      'a word is open',
      (s) => s.fill(EMPTY ^ used(0), LEAF + 1, LEAF + 2),
      'is open, but not subdivided above',
    ],
    ['the top word is closed', (s) => s.fill(0, TOP, TOP + 1), 'the top word is closed'],
    [
      'an empty word is not a hint',
      (s) => {
        s[TOP] ^= cont(1);
        s[LEAF + 1] = EMPTY;
      },
      "word 1 of level 0 is empty, and nobody's hint",
    ],
    [
      'a unit is subdivided',
      (s) => s.fill(s[LEAF] ^ cont(9), LEAF, LEAF + 1),
      'word 0 of level 0 has a subdivided child',
    ],
    [
      'units beyond the capacity are free',
      (s) => s.fill(s[LEAF + 12] ^ used(15), LEAF + 12, LEAF + 13),
      'child 15 of word 12 of level 0 lies beyond',
    ],
    [
      'a block has no first child',
      (s) => s.fill(s[LEAF] ^ used(9) ^ cont(9), LEAF, LEAF + 1),
      'child 9 of word 0 of level 0 continues no block',
    ],
    [
      'a block has three children',
      (s) => s.fill(s[LEAF] ^ used(2) ^ cont(2), LEAF, LEAF + 1),
      'the block at child 0 of word 0 of level 0 has 3 children',
    ],
    [
      'a block lies askew',
      (s) => s.fill(s[LEAF] ^ used(9) ^ used(10) ^ cont(10), LEAF, LEAF + 1),
      'the block at child 9 of word 0 of level 0 has 2 children',
    ],
    ['an owner is missing', (s) => s.fill(0, g.owners, g.owners + 1), 'the owner noted at 0 is wrong'],
    ['an owner owns nothing', (s) => s.fill(1, g.owners + 2, g.owners + 3), 'the owner noted at 8 is wrong'],
    [
      'a worker announces something',
      (s) => s.fill(9, slotPos(g, 2) + SLOT_ANNOUNCED, slotPos(g, 2) + SLOT_ANNOUNCED + 1),
      'the worker in slot 2 is in the middle of a call',
    ],
  ];

  it.each(damages)('finds that %s', (_, damage, message) => {
    const { arena, s } = setUp();
    damage(s);
    expect(arena.check().join('\n')).toContain(message);
  });

  it('does not report bits that the index lacks, because nothing depends on them', () => {
    const { arena, s } = setUp();
    const cells = new AtomicCells(s);
    expect(checkIndex(cells, g)).toEqual([]);
    for (const tier of g.index[0]) s[tier] = 0;
    expect(checkIndex(cells, g)).not.toEqual([]);
    expect(arena.check()).toEqual([]);
    // All free units are found without it.
    const units = Array.from({ length: CAPACITY - 34 }, () => arena.alloc(1));
    expect(new Set(units).size).toBe(CAPACITY - 34);
    expect(units).not.toContain(-1);
    expect(arena.alloc(1)).toBe(-1);
  });
});
