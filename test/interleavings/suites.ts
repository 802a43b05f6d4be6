// The explored programs: families of programs on small arenas, each family complete.
//
// An arena of 16 units is one word of level 0. 32 and 48 units have two and three such words below one word; 144
// units have nine, so that the index has a second tier. Orders 0 … 3 belong to level 0, higher ones to the levels
// above.

import { ORDERS_PER_LEVEL } from '../../src/shared/layout.ts';
import type { Family, Program } from './program.ts';
import { parseProgram, programsOf } from './program.ts';
import { SharedSubject } from './shared.ts';
import { ATTACH, DETACH, RECOVER } from './subject.ts';

export interface Suite {
  readonly name: string;
  readonly capacity: number;
  readonly workers: number;
  /** Slots of the arena; default: one for each worker. */
  readonly slots?: number;
  readonly tracked?: boolean;
  readonly stale?: boolean;
  /** All programs of a family, or single ones. */
  readonly programs: Omit<Family, 'workers'> | readonly string[];
}

/** Suites that take seconds each. */
export const SHORT: readonly Suite[] = [
  {
    name: 'two workers in one word',
    capacity: 16,
    workers: 2,
    stale: true,
    programs: { operations: 2, orders: [0, 3] },
  },
  {
    name: 'two workers, one word and the arena',
    capacity: 16,
    workers: 2,
    programs: { operations: 2, orders: [4], before: 'p:3' },
  },
  {
    name: 'two workers, two words',
    capacity: 32,
    workers: 2,
    stale: true,
    programs: { operations: 2, orders: [0, 4] },
  },
  {
    name: 'two workers, two words, all of them taken',
    capacity: 32,
    workers: 2,
    programs: { operations: 2, orders: [0], before: 'p:4 | q:4' },
  },
  {
    name: 'two workers that detach themselves',
    capacity: 32,
    workers: 2,
    tracked: true,
    programs: { operations: 1, orders: [0, 4], before: 'p:0 | q:4', detaching: true },
  },
  {
    name: 'three workers in one word',
    capacity: 16,
    workers: 3,
    programs: { operations: 1, orders: [3], before: 'p:3' },
  },
  {
    name: 'a worker is killed in one word',
    capacity: 16,
    workers: 2,
    tracked: true,
    programs: { operations: 2, orders: [0], killed: true },
  },
  {
    name: 'a worker is killed, two words',
    capacity: 32,
    workers: 2,
    tracked: true,
    programs: { operations: 2, orders: [0, 4], killed: true },
  },
  {
    name: 'a worker is killed that frees the blocks of others',
    capacity: 32,
    workers: 2,
    tracked: true,
    programs: { operations: 1, orders: [0, 4], before: 'p:0 | q:4 r:0', killed: true },
  },
  {
    name: 'a worker is killed, an index of two tiers',
    capacity: 144,
    workers: 2,
    tracked: true,
    programs: [
      '| p:6 q:6 ; ~0 -p b:3 | !0 d:3',
      '| p:6 q:6 ; ~0 a:3 -a | !0 d:3',
      '| p:6 q:3 ; ~0 -q | c:6 !0',
    ],
  },
  {
    name: 'two workers, three levels',
    capacity: 256,
    workers: 2,
    tracked: true,
    programs: ['a:0 -a | b:0', 'a:0 | b:4 -b', 'p:0 -p ; a:8 | b:0', 'p:0 ; -p | b:4', '~0 a:0 | !0 b:8'],
  },
  {
    name: 'a block is freed twice at once',
    capacity: 32,
    workers: 3,
    programs: [
      'p:0 ; -p | -p |',
      'p:0 q:0 ; -p | -p | -q',
      'p:3 q:3 ; -p | -p | -q',
      'p:4 q:0 ; -p -q | -p |',
      'p:0 ; -p | -p | -p',
    ],
  },
  {
    name: 'a block is freed twice at once, with owners',
    capacity: 32,
    workers: 3,
    tracked: true,
    programs: ['p:0 ; -p | -p |', 'p:3 q:3 ; -p | -p | -q', 'p:4 ; -p | -p |', 'p:0 ; -p | -p | -p'],
  },
  {
    name: 'a block changes hands',
    capacity: 32,
    workers: 3,
    tracked: true,
    stale: true,
    programs: [
      'p:0 ; -p | +p |',
      'p:4 ; -p | +p |',
      'p:0 ; . | +p | c:0',
      'p:0 ; a:0 . | +p -p |',
      'p:0 q:0 ; +q | +p | +p',
      '| p:0 ; +p -p | a:0 | b:4',
    ],
  },
  {
    name: 'a block changes hands, and a worker is killed',
    capacity: 32,
    workers: 3,
    tracked: true,
    programs: [
      'p:0 q:0 ; ~0 a:0 | +p | !0',
      'p:0 ; ~0 a:0 | +p !0 -p |',
      'p:4 q:0 ; ~0 -q | +p | !0 c:4',
      'p:0 ; ~0 -p | +p | !0',
      '| p:0 ; ~0 +p | !0 | c:0',
      '| p:0 ; ~0 +p -p | !0 | c:0',
      '| | p:0 ; ~0 +p | +p | !0',
      '| p:4 ; ~0 +p -p | c:4 | !0 d:4',
    ],
  },
  {
    name: 'a late adoption, and a successor in the slot of the giver',
    capacity: 16,
    workers: 4,
    slots: 3,
    tracked: true,
    programs: [
      // The giver was recovered, and its successor has the same units.
      'p:0 | !0 | ^ q:0 | ; | | -q | *p',
      'p:0 | !0 | ^ q:0 | ; | +q | | *p',
      'p:0 | !0 | ^ q:0 | ; | !2 a:0 | ~2 | *p',
      'p:0 | !0 | ^ q:0 | ; | !3 a:0 | | ~3 *p',
      'p:0 | !0 | ^ q:0 | ; | +q | . | *p',
      'p:0 | !0 | ^ q:0 . | ; | +q | | *p',
      // The giver is dead, and is recovered in the meantime.
      'p:0 ; | !0 | ^ q:0 | *p',
      'p:0 ; | !0 !2 | ~2 ^ q:0 | *p',
      'p:0 ; | !0 !3 | ^ q:0 | ~3 *p',
      'p:0 ; | ~1 !0 | *p | !1',
      'p:0 ; ~0 | !0 | ^ q:0 | *p',
    ],
  },
  {
    name: 'a worker is killed while it detaches itself',
    capacity: 16,
    workers: 3,
    tracked: true,
    programs: [
      'p:0 q:0 ; ~0 . | !0 |',
      'p:0 q:0 ; ~0 . | *p !0 |',
      'p:0 q:0 ; ~0 -q . | !0 | *p',
      'p:0 ; ~0 . | !0 | *p',
      'p:0 ; ~0 . | !0 | ^ q:0',
      'p:0 | q:0 ; ~0 +q . | !0 |',
    ],
  },
  {
    name: 'a successor in the slot of a worker that has left blocks',
    capacity: 16,
    workers: 3,
    slots: 2,
    tracked: true,
    programs: [
      'p:0 ; . | *p | ^ q:0',
      'p:0 ; . | -p | ^ q:0',
      'p:0 ; . | *p !2 | ~2 ^ q:0',
      'p:0 q:0 . ; | -q *p | ^ a:0',
      'p:0 q:0 . ; | *q *p !2 | ~2 ^ a:0',
      'p:0 q:0 . ; | *q -p | ^ a:0 .',
    ],
  },
  {
    name: 'a worker that is killed while it adopts a block, and a successor in the slot of the giver',
    capacity: 16,
    workers: 4,
    slots: 3,
    tracked: true,
    programs: [
      'p:0 . ; | ~1 *p | ^ q:0 | !1',
      'p:0 ; . | ~1 *p | ^ | !1',
      'p:0 ; | ~1 *p | ^ | !0 !1',
      'p:0 . ; | *p | ^ | ^ q:0',
    ],
  },
];

/** Suites that take minutes each. */
export const LONG: readonly Suite[] = [
  ...[false, true].flatMap((tracked): Suite[] => {
    const owners = tracked ? ', with owners' : '';
    return [
      {
        name: `two workers, three operations in one word${owners}`,
        capacity: 16,
        workers: 2,
        tracked,
        programs: { operations: 3, orders: [0, 4] },
      },
      {
        name: `two workers, three operations, two words${owners}`,
        capacity: 32,
        workers: 2,
        tracked,
        programs: { operations: 3, orders: [0, 4] },
      },
      {
        name: `two workers, three words, nearly full${owners}`,
        capacity: 48,
        workers: 2,
        tracked,
        stale: true,
        programs: { operations: 2, orders: [0, 3, 4], before: 'p:3 q:3 | r:4' },
      },
      {
        name: `three workers, two words${owners}`,
        capacity: 32,
        workers: 3,
        tracked,
        programs: { operations: 1, orders: [0, 3, 4, 5], before: 'p:4 | q:3' },
      },
      {
        name: `two workers, nine words${owners}`,
        capacity: 144,
        workers: 2,
        tracked,
        programs: { operations: 2, orders: [3, 4], before: 'p:6 q:6 | r:3' },
      },
    ];
  }),
  {
    name: 'two workers, three levels, all programs',
    capacity: 256,
    workers: 2,
    programs: { operations: 2, orders: [0, 4, 8] },
  },
  {
    name: 'a worker is killed, three levels',
    capacity: 256,
    workers: 2,
    tracked: true,
    programs: { operations: 1, orders: [0, 4, 8], before: 'p:0 -p', killed: true },
  },
  {
    name: 'three workers, two operations in one word',
    capacity: 16,
    workers: 3,
    programs: { operations: 2, orders: [3] },
  },
  {
    name: 'three workers, one is killed',
    capacity: 32,
    workers: 3,
    tracked: true,
    programs: { operations: 1, orders: [0, 4], before: 'p:0 | q:4', killed: true },
  },
  {
    name: 'two workers, two words, all of them taken, any order',
    capacity: 32,
    workers: 2,
    stale: true,
    programs: { operations: 2, orders: [0, 4], before: 'p:4 | q:4' },
  },
  {
    name: 'a worker is killed, nine words',
    capacity: 144,
    workers: 2,
    tracked: true,
    programs: { operations: 2, orders: [3], before: '| p:6 q:6', killed: true },
  },
  {
    name: 'a late adoption, and a successor in the slot of the giver, two words',
    capacity: 32,
    workers: 4,
    slots: 3,
    tracked: true,
    stale: true,
    programs: [
      'p:4 ; | !0 | ^ q:4 | *p',
      'p:4 ; ~0 -p | !0 | ^ q:4 | *p',
      'p:4 ; | !0 !3 a:4 | ^ q:4 | ~3 *p -p',
      'p:4 ; | !0 !2 a:4 | ~2 ^ q:4 -q | *p -p',
      'p:0 ; ~0 +q . | q:4 !0 | ^ r:0 | *p -p',
      'p:0 ; . | ~1 *p | ^ q:0 | !1',
      'p:0 ; . | *p | ^ | ^ q:0',
    ],
  },
  {
    name: 'a worker is killed, three operations',
    capacity: 16,
    workers: 2,
    tracked: true,
    programs: { operations: 3, orders: [0, 4], killed: true },
  },
];

/**
 * The most accesses that an operation may take if its worker is alone, in whatever state the others have stopped. It
 * looks at all words, at all hints of all workers and at the word of each hint, and may open or close a few words. A
 * worker that comes, goes or recovers another also looks at the owner of each unit.
 */
export function boundOf({ g }: SharedSubject, program: Program): number {
  const words = g.count.reduce((sum, count) => sum + count, 0);
  const hints = g.slots * g.levels * ORDERS_PER_LEVEL;
  const look = 40 + 4 * words + 2 * hints;
  const kinds = program.workers.flat().map(({ kind }) => kind);
  const looksAtOwners = [RECOVER, DETACH, ATTACH].some((kind) => kinds.includes(kind));
  return looksAtOwners ? 2 * look + 3 * g.capacity : look;
}

export function subjectOf({ capacity, workers, slots = workers, tracked = false }: Suite): SharedSubject {
  return new SharedSubject(capacity, slots, tracked);
}

export function programsIn({ programs, workers }: Suite): Iterable<Program> {
  return 'operations' in programs ? programsOf({ ...programs, workers }) : programs.map(parseProgram);
}
