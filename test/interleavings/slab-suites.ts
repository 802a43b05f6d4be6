// The explored programs of the slabs of many workers. Orders 0 and 1 are slots of one and of two units, higher ones blocks
// of pages. Page 0 is taken: 2 pages have room for one slab, 4 pages for three.

import type { Family, Program } from './program.ts';
import { parseProgram, programsOf } from './program.ts';
import { SlabSubject } from './slab-subject.ts';
import { ATTACH, DETACH, RECOVER } from './subject.ts';

export interface SlabSuite {
  readonly name: string;
  readonly pages: number;
  /** log2 of the units of a page; default: 2. */
  readonly pageShift?: number;
  readonly workers: number;
  /** How many workers can be attached; default: one for each worker. */
  readonly slots?: number;
  readonly tracked?: boolean;
  readonly stale?: boolean;
  /** The most switches away from a worker in the middle of an operation; default: no limit. */
  readonly preemptions?: number;
  /** All programs of a family, or single ones. */
  readonly programs: Omit<Family, 'workers'> | readonly string[];
}

/** Words of a program, for the numbers from `from` up to `to`. */
const words = (from: number, to: number, word: (i: number) => string): string =>
  Array.from({ length: to - from }, (_, i) => word(from + i)).join(' ');

/**
 * A page of a slab without an owner becomes the inside of a larger slab, whose bitmap reaches as far as there. Worker 2 has
 * looked at the owner before, and takes the slab. A slab of two pages is made where there are four pages of slabs. With y40
 * free and y36 freed by worker 3, the cell of the bitmap would be the same as the owner, but for the mark of an owner.
 */
const LARGER_SLAB = [
  `${words(0, 80, (i) => `x${i}:0`)} | p:0 . | ${words(48, 64, (i) => `-x${i}`)}`,
  `-p big:7 ${words(0, 48, (i) => `y${i}:0`)} -y40 | | a:0 | -y36`,
].join(' ; ');

/** Suites that take seconds each. */
export const SHORT_SLABS: readonly SlabSuite[] = [
  {
    name: 'two workers allocate and free',
    pages: 2,
    workers: 2,
    programs: { operations: 2, orders: [0, 1, 2] },
  },
  {
    name: 'two workers free in a slab of one of them',
    pages: 2,
    workers: 2,
    stale: true,
    programs: { operations: 2, orders: [0], before: 'p:0 q:0' },
  },
  {
    name: 'another worker frees in a full slab',
    pages: 2,
    workers: 2,
    stale: true,
    programs: { operations: 2, orders: [1], before: 'p:1 q:1' },
  },
  {
    name: 'a slab is made and given back, room for three',
    pages: 4,
    workers: 2,
    programs: ['a:0 -a | b:0 -b', 'a:2 -a | b:0', 'a:2 | b:2 -b', 'a:3 | b:0 -b', 'p:0 ; a:2 | -p b:2'],
  },
  {
    name: 'slabs without blocks wait to be used again',
    pages: 16,
    workers: 2,
    tracked: true,
    programs: ['p:0 q:1 -q ; -p a:0 | b:1', 'p:1 q:1 r:1 ; -r a:0 | -p', '| p:0 ; ~0 a:0 -a b:1 | !0'],
  },
  {
    name: 'a block is freed twice at once',
    pages: 2,
    workers: 3,
    programs: [
      'p:0 ; -p | -p |',
      'p:0 q:0 ; -p a:1 | -p |',
      'p:0 ; | -p | -p',
      'p:0 ; -p | -p | -p',
      'p:0 q:0 ; -p -q | -p | -q',
      'p:1 q:1 ; -p | -p | -q',
      'p:0 . ; | -p | -p',
      'p:0 ; . | -p | -p',
      'p:2 ; -p | -p | -p',
    ],
  },
  {
    name: 'two workers that detach themselves',
    pages: 2,
    workers: 2,
    programs: { operations: 1, orders: [0, 1, 2], before: 'p:0 | q:1', detaching: true },
  },
  {
    name: 'a slab without an owner is taken over, and given back',
    pages: 2,
    workers: 3,
    programs: [
      'p:0 q:0 . ; | a:0 | b:0',
      'p:0 . ; | a:0 | -p',
      'p:0 . ; | a:1 | -p',
      'p:0 . ; | a:0 | -p b:1 .',
      'p:0 q:0 r:0 s:0 . ; | a:0 | -p -q',
      'p:0 ; . | -p a:2 |',
      'p:0 ; . | a:0 -p |',
    ],
  },
  {
    name: 'a slab without an owner becomes a part of a larger one',
    pages: 8,
    pageShift: 4,
    workers: 4,
    preemptions: 1,
    programs: [LARGER_SLAB],
  },
  {
    name: 'a worker is killed, owners are not tracked',
    pages: 2,
    workers: 2,
    programs: { operations: 2, orders: [0, 1], killed: true },
  },
  {
    name: 'a worker is killed',
    pages: 2,
    workers: 2,
    tracked: true,
    stale: true,
    programs: { operations: 2, orders: [0, 2], killed: true },
  },
  {
    name: 'a worker is killed that frees the blocks of others',
    pages: 2,
    workers: 2,
    tracked: true,
    stale: true,
    programs: { operations: 2, orders: [0], before: 'p:0 | q:0', killed: true },
  },
  {
    name: 'a worker is killed while it detaches itself',
    pages: 2,
    workers: 3,
    tracked: true,
    programs: [
      'p:0 q:0 ; ~0 . | !0 |',
      'p:0 q:0 ; ~0 -q . | !0 a:0 |',
      'p:0 ; ~0 . | !0 | -p',
      'p:0 q:0 ; ~0 . | *p !0 |',
      'p:0 q:0 ; ~0 -q . | !0 | *p',
      'p:0 | q:0 ; ~0 +q . | !0 |',
      'p:0 ; ~0 . | !0 | ^ q:0',
    ],
  },
  {
    name: 'a worker is killed that recovers another',
    pages: 2,
    workers: 3,
    tracked: true,
    programs: [
      'p:0 q:0 ; | ~1 !0 | !1 a:2',
      'p:0 q:0 ; | ~1 !0 | *p !1',
      'p:0 | +p ; a:0 | | ~2 !1',
      '| +p | p:0 ; | ~1 !0 | a:0 !1',
    ],
  },
  {
    name: 'a block changes hands',
    pages: 2,
    workers: 3,
    tracked: true,
    programs: [
      'p:0 q:0 ; -p | +p |',
      'p:0 q:0 ; -q a:0 | +p |',
      'p:0 q:0 ; -p -z a:0 | +p z:0 |',
      'p:0 q:0 ; +q | +p | +p',
      'p:0 ; . | +p -p |',
      'p:0 ; a:0 . | +p -p |',
      'p:1 q:1 ; a:1 | +p -p |',
      'p:2 ; -p | +p |',
    ],
  },
  {
    name: 'a block changes hands, and a worker is killed',
    pages: 2,
    workers: 3,
    tracked: true,
    programs: [
      'p:0 q:0 ; ~0 a:0 | +p | !0',
      'p:0 ; ~0 a:0 | +p !0 -p |',
      'p:0 ; ~0 -p | +p | !0',
      '| p:0 ; ~0 +p | !0 | c:0',
      '| p:0 ; ~0 +p -p | !0 | c:0',
      '| | p:0 ; ~0 +p | +p | !0',
      '| p:0 q:0 r:0 s:0 ; ~0 +p +q | !0 a:0 |',
      'p:2 ; ~0 -p | !0 | *p',
      'p:2 ; | !0 | *p -p b:0',
    ],
  },
  {
    name: 'a late adoption, and a successor in the slot of the giver',
    pages: 2,
    workers: 4,
    slots: 3,
    tracked: true,
    programs: [
      'p:0 | !0 | ^ q:0 | ; | | -q | *p',
      'p:0 | !0 | ^ q:0 | ; | !2 a:0 | ~2 | *p',
      'p:0 | !0 | ^ q:0 | ; | !3 a:0 | | ~3 *p',
      'p:0 ; | !0 b:0 | | *p',
      'p:0 ; | !0 | ^ q:0 | *p',
      'p:0 ; ~0 | !0 | ^ q:0 | *p',
    ],
  },
  {
    name: 'a successor in the slot of a worker that has left blocks',
    pages: 2,
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
];

/** Suites that take minutes each. */
export const LONG_SLABS: readonly SlabSuite[] = [
  ...[false, true].flatMap((tracked): SlabSuite[] => {
    const owners = tracked ? ', with owners' : '';
    return [
      {
        name: `two workers, three operations${owners}`,
        pages: 2,
        workers: 2,
        tracked,
        programs: { operations: 3, orders: [0, 1] },
      },
      {
        name: `two workers, room for three slabs${owners}`,
        pages: 4,
        workers: 2,
        tracked,
        stale: true,
        programs: { operations: 2, orders: [0, 1, 2] },
      },
      {
        name: `two workers, three operations in a slab of one of them${owners}`,
        pages: 2,
        workers: 2,
        tracked,
        stale: true,
        programs: { operations: 3, orders: [0], before: 'p:0 q:0 r:0' },
      },
      {
        name: `three workers, a slab of each${owners}`,
        pages: 4,
        workers: 3,
        tracked,
        programs: { operations: 1, orders: [0, 1, 2], before: 'p:0 | q:1 | r:0' },
      },
      {
        name: `two workers that detach themselves, two operations${owners}`,
        pages: 2,
        workers: 2,
        tracked,
        preemptions: 3,
        programs: { operations: 2, orders: [0, 1], before: 'p:0 | q:0', detaching: true },
      },
      {
        name: `a worker is killed, room for three slabs${owners}`,
        pages: 4,
        workers: 2,
        tracked,
        programs: { operations: 2, orders: [0, 1], before: 'p:0 | q:0', killed: true },
      },
      {
        name: `a worker leaves while two need its slab${owners}`,
        pages: 2,
        workers: 3,
        tracked,
        preemptions: 3,
        programs: ['p:0 ; . | a:0 | b:0', 'p:0 ; -p . | a:0 | b:0', 'p:0 ; . | -p a:1 | b:0'],
      },
    ];
  }),
  {
    name: 'a worker is killed, three operations',
    pages: 2,
    workers: 2,
    tracked: true,
    programs: { operations: 3, orders: [0], killed: true },
  },
  {
    name: 'three workers, one is killed',
    pages: 2,
    workers: 3,
    tracked: true,
    programs: { operations: 1, orders: [0, 2], before: 'p:0 q:0 | r:0', killed: true },
  },
  {
    name: 'a late adoption, and the slab in other hands',
    pages: 2,
    workers: 4,
    slots: 3,
    tracked: true,
    preemptions: 3,
    programs: [
      'p:0 ; | !0 !2 | ~2 ^ q:0 | *p',
      'p:0 ; | !0 !3 | ^ q:0 | ~3 *p',
      'p:0 ; | !0 b:0 . | ^ q:0 | *p',
      'p:0 q:0 ; ~0 -q | !0 a:1 | ^ | *p',
      'p:0 ; . | ~1 *p | ^ q:0 | !1',
      'p:0 ; . | *p | ^ | ^ q:0',
      'p:0 ; ~0 +q . | q:0 !0 | ^ r:0 | *p -p',
    ],
  },
];

export function slabSubjectOf(suite: SlabSuite): SlabSubject {
  const { pages, pageShift = 2, workers, slots = workers, tracked = false } = suite;
  return new SlabSubject({ pages, pageShift, workers: slots, tracked });
}

export function slabProgramsIn({ programs, workers }: SlabSuite): Iterable<Program> {
  return 'operations' in programs ? programsOf({ ...programs, workers }) : programs.map(parseProgram);
}

/**
 * The most accesses that an operation may take if its worker is alone, in whatever state the others have stopped. It looks
 * at the descriptors and bitmaps of a few slabs on its own lists, and at most four times at all pages. A worker that comes,
 * goes or recovers another also looks at all owners of pages, and at the byte of each unit.
 */
export function slabBoundOf({ G }: SlabSubject, program: Program): number {
  const { capacity } = G.arena;
  const units = capacity << (G.pageShift - G.unitShift);
  const look = 100 + 24 * capacity + 2 * units;
  const kinds = program.workers.flat().map(({ kind }) => kind);
  return [RECOVER, DETACH, ATTACH].some((kind) => kinds.includes(kind)) ? 2 * look : look;
}
