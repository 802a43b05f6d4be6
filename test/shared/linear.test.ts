// Linearizability: whether the results of workers that call at the same time in a shared arena can come about one
// call after the other. The exact meaning, and the conditions for -1, are in support/shared-linear.ts.

import { describe, expect, it } from 'vitest';
import { Random } from '../support/random.ts';
import { type HistorySetting, type Recorded, record } from '../support/shared-history.ts';
import { type Arena, type Call, History, type Live, overlap } from '../support/shared-linear.ts';

const plain: Arena = { capacity: 32, trackOwners: false };
const tracked: Arena = { capacity: 32, trackOwners: true };

/** A call of a history written by hand: `'alloc 4 = 8'`, with the moments of call and return. */
function call(worker: number, text: string, called: number, returned: number): Call {
  const [, kind, argument, result] = /^(alloc|free) (\d+) = (-?\w+)$/.exec(text) ?? [];
  const times = { worker, argument: Number(argument), called, returned };
  if (kind === 'alloc') return { ...times, kind, result: Number(result) };
  const refused = result === 'INTERIOR' || result === 'NOT_ALLOCATED';
  return { ...times, kind: 'free', result: refused ? result : Number(result) };
}

/** Calls one after the other: none overlap. */
function sequence(...texts: string[]): Call[] {
  return texts.map((text, i) => call(0, text, 2 * i, 2 * i + 1));
}

/** Calls of different workers, all at once. */
function together(...texts: string[]): Call[] {
  return texts.map((text, i) => call(i, text, i, 10 + i));
}

function explain(arena: Arena, before: Live[], calls: Call[]): Live[] | null {
  return new History(arena, calls).explain(before);
}

describe('the checker', () => {
  const halves = [
    { offset: 0, size: 16 },
    { offset: 16, size: 16 },
  ];

  it('explains correct histories', () => {
    expect(explain(plain, [], sequence('alloc 3 = 4', 'alloc 16 = 16', 'free 4 = 4'))).toEqual([halves[1]]);
    expect(explain(plain, halves, sequence('alloc 1 = -1', 'free 3 = INTERIOR', 'free 0 = 16'))).toEqual([
      halves[1],
    ]);
    expect(explain(plain, [], sequence('free 0 = NOT_ALLOCATED'))).toEqual([]);
    expect(
      explain(plain, [], together('alloc 32 = 0', 'free 0 = 32', 'alloc 1 = 31', 'free 31 = 1')),
    ).toEqual([]);
    expect(explain(plain, halves, together('free 0 = 16', 'free 0 = NOT_ALLOCATED'))).toEqual([halves[1]]);
  });

  it.each<[string, Live[], Call[]]>([
    ['a block that is live', halves, sequence('alloc 16 = 16')],
    ['a block that overlaps with one', [{ offset: 4, size: 1 }], sequence('alloc 8 = 0')],
    ['the same block for two', [], together('alloc 4 = 8', 'alloc 4 = 8')],
    ['blocks that overlap', [], together('alloc 4 = 8', 'alloc 16 = 0')],
    ['a block that is not at a multiple of its size', [], sequence('alloc 4 = 2')],
    ['a block beyond the capacity', [], sequence('alloc 16 = 32')],
    ['-1 for no reason', [], sequence('alloc 16 = -1')],
    ['-1 when the free ends before', halves, sequence('free 0 = 16', 'alloc 16 = -1')],
    ['two frees of the same block', halves, together('free 0 = 16', 'free 0 = 16')],
    ['a free of less than the live block', halves, sequence('free 0 = 8')],
    ['a free of a block that is not live', [], sequence('free 0 = 16')],
    ['a free that is refused for no reason', halves, sequence('free 0 = NOT_ALLOCATED')],
    ['a free that is refused for a wrong reason', halves, sequence('free 3 = NOT_ALLOCATED')],
    ['a free of the inside of a block that does not exist', [], sequence('free 3 = INTERIOR')],
    ['a free of a block that is allocated after it', [], sequence('free 8 = 4', 'alloc 4 = 8')],
    [
      'a block that is given out again before it is freed',
      halves,
      [call(0, 'alloc 16 = 0', 0, 2), call(1, 'free 0 = 16', 3, 4)],
    ],
  ])('does not explain %s', (_, before, calls) => {
    expect(explain(plain, before, calls)).toBeNull();
    expect(explain(tracked, before, calls)).toBeNull();
  });

  it('accepts -1 for a block that another call may be splitting or coalescing, and for no other', () => {
    // The other call opens, or closes, the word of one half, and might have closed an empty one in the other half.
    expect(explain(plain, [], together('alloc 1 = 0', 'alloc 1 = -1'))).not.toBeNull();
    expect(explain(plain, [{ offset: 0, size: 1 }], together('free 0 = 1', 'alloc 8 = -1'))).not.toBeNull();
    // Unit 31 keeps the word of the upper half open, in which there is room.
    const upper = { offset: 31, size: 1 };
    expect(explain(plain, [upper], together('alloc 1 = 0', 'alloc 8 = -1'))).toBeNull();
    expect(explain(plain, [upper], together('alloc 1 = 0', 'alloc 16 = -1'))).not.toBeNull();
    expect(explain(plain, [upper], together('free 31 = 1', 'alloc 8 = -1'))).not.toBeNull();
    // All the room was taken at some moment, if not at the same.
    const lower = { offset: 0, size: 16 };
    expect(
      explain(plain, [lower, upper], together('alloc 8 = 16', 'alloc 4 = 24', 'alloc 1 = -1')),
    ).toBeNull();
    expect(
      explain(
        plain,
        [lower, upper],
        together('alloc 8 = 16', 'alloc 4 = 24', 'alloc 2 = 28', 'alloc 1 = 30', 'alloc 1 = -1'),
      ),
    ).not.toBeNull();
    // The capacity cuts the upper word, which then never closes.
    const cut = { capacity: 31, trackOwners: false };
    expect(explain(cut, [], together('alloc 1 = 0', 'alloc 8 = -1'))).toBeNull();
    expect(explain(cut, [], together('alloc 8 = 16', 'alloc 8 = -1'))).not.toBeNull();
  });

  it('knows that a tracked block is not freed at one moment', () => {
    const live = [{ offset: 0, size: 16 }];
    const calls = [
      call(0, 'free 0 = 16', 0, 9),
      call(1, 'free 0 = NOT_ALLOCATED', 1, 2),
      call(1, 'free 1 = INTERIOR', 3, 4),
    ];
    expect(explain(tracked, live, calls)).toEqual([]);
    expect(explain(plain, live, calls)).toBeNull();
  });
});

/** Events in real histories. */
interface Met {
  calls: number;
  overlapping: number;
  full: number;
  /** -1 from calls that overlap with no other. */
  fullAlone: number;
  /** Frees that were refused while another worker freed the same block. */
  lost: number;
}

/** Checks all rounds in turn. The live blocks after one round are those before the next. */
function checkRounds(arena: Arena, recorded: Recorded): Met {
  const met: Met = { calls: 0, overlapping: 0, full: 0, fullAlone: 0, lost: 0 };
  let live: Live[] = [];
  for (const calls of recorded.rounds) {
    const history = new History(arena, calls);
    const after = history.explain(live);
    if (after === null) throw new Error(`no explanation: ${JSON.stringify({ ...arena, live, calls })}`);
    live = after;
    met.calls += calls.length;
    met.full += history.full.calls;
    met.fullAlone += history.full.uncontended;
    for (const one of calls) {
      const others = calls.filter((other) => other !== one && overlap(one, other));
      if (others.length > 0) met.overlapping++;
      const wins = (other: Call) =>
        other.kind === 'free' && other.argument === one.argument && typeof other.result === 'number';
      if (one.kind === 'free' && typeof one.result !== 'number' && others.some(wins)) met.lost++;
    }
  }
  expect(live).toEqual(recorded.live);
  expect(recorded.wrong).toEqual([]);
  return met;
}

const settings = [false, true].flatMap((trackOwners) =>
  [
    { capacity: 15, workers: 2, most: 3 },
    { capacity: 16, workers: 2, most: 4 },
    { capacity: 40, workers: 2, most: 5 },
    { capacity: 24, workers: 3, most: 3 },
    { capacity: 300, workers: 3, most: 7 },
  ].map((setting): HistorySetting => ({ ...setting, trackOwners, rounds: 1500, calls: 5, seed: 1 })),
);

describe('real histories', () => {
  const total = { overlapping: 0, lost: 0 };

  it.each(
    settings,
  )('of $workers workers in $capacity units, owners tracked: $trackOwners, have an explanation', async (setting) => {
    const met = checkRounds(setting, await record(setting));
    expect(met.calls).toBe(setting.workers * setting.rounds * setting.calls);
    expect(met.fullAlone).toBeGreaterThan(100);
    expect(met.full).toBeGreaterThanOrEqual(met.fullAlone);
    total.overlapping += met.overlapping;
    total.lost += met.lost;
  });

  it('have calls that overlap', () => {
    console.log(`${total.overlapping} calls overlap with another; ${total.lost} lose a free to another`);
    // Some ten thousand on an idle machine with two processors.
    expect(total.overlapping).toBeGreaterThan(100);
  });

  it('have no explanation after one result is corrupted', async () => {
    const arena = { capacity: 40, trackOwners: false };
    const recorded = await record({ ...arena, workers: 2, rounds: 300, calls: 5, most: 5, seed: 2 });
    const random = new Random(1);
    let corrupted = 0;
    let noticed = 0;
    let live: Live[] = [];
    for (const calls of recorded.rounds) {
      const i = random.below(calls.length);
      const one = calls[i];
      const wrong = calls.with(i, corruption(one, live));
      corrupted++;
      if (explain(arena, live, wrong) === null) noticed++;
      live = explain(arena, live, calls) ?? [];
    }
    // Some corruptions are possible results: of another free block, or of a full arena.
    expect(noticed / corrupted).toBeGreaterThan(0.8);
  });
});

/** The call with another result. */
function corruption(one: Call, live: readonly Live[]): Call {
  if (one.kind === 'free') return { ...one, result: typeof one.result === 'number' ? 'INTERIOR' : 1 };
  const taken = live.find(({ offset }) => offset !== one.result);
  return { ...one, result: one.result === -1 ? (taken?.offset ?? 1) : -1 };
}
