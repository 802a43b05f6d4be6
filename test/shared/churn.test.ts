// Room for large blocks after churn: a peak, and then the blocks that are left replaced again and again, at random. The
// measure is the sequential allocator, which takes the lowest address each time.

import { describe, expect, it } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import { AtomicCells } from '../../src/shared/cells.ts';
import { Engine } from '../../src/shared/engine.ts';
import { geometryOf } from '../../src/shared/layout.ts';
import { attachWorker } from '../../src/shared/slots.ts';
import { writeEmpty } from '../../src/shared/state.ts';
import { SharedBuddyAllocator } from '../../src/shared.ts';
import { Random } from '../support/random.ts';

const CAPACITY = 2 ** 16;
const TURNOVERS = 20;
/** Most by which the sequential allocator's largest free block may be larger. */
const FACTOR = 4;

type Arena = Pick<BuddyAllocator, 'alloc' | 'free' | 'largestFree'>;

interface Live {
  readonly offset: number;
  /** Index of the arena that has allocated it. */
  readonly by: number;
}

interface Churn {
  /** Part of the blocks of the peak that is left. */
  readonly kept: number;
  /** Whether any worker may free a block and allocate its successor, or its owner only. */
  readonly byAny: boolean;
  readonly seed: number;
}

/** Fills the arena that `workers` are attached to, and churns. Returns the largest free block then. */
function largestFreeAfter(workers: readonly Arena[], { kept, byAny, seed }: Churn): number {
  const random = new Random(seed);
  const isLive = new Uint8Array(CAPACITY);
  const alloc = (by: number): Live => {
    const offset = workers[by].alloc(1);
    if (offset < 0 || isLive[offset] === 1) throw new Error(`alloc returns ${offset}`);
    isLive[offset] = 1;
    return { offset, by };
  };
  const free = (by: number, { offset }: Live) => {
    isLive[offset] = 0;
    workers[by].free(offset);
  };
  const live = Array.from({ length: CAPACITY }, (_, i) => alloc(i % workers.length));
  while (live.length > CAPACITY * kept) {
    const i = random.below(live.length);
    free(live[i].by, live[i]);
    live[i] = live[live.length - 1];
    live.pop();
  }
  for (let n = 0; n < TURNOVERS * live.length; n++) {
    const i = random.below(live.length);
    const by = byAny ? random.below(workers.length) : live[i].by;
    free(by, live[i]);
    live[i] = alloc(by);
  }
  return workers[0].largestFree;
}

function attached(workers: number, trackOwners: boolean): SharedBuddyAllocator[] {
  const first = SharedBuddyAllocator.create({ capacity: CAPACITY, trackOwners });
  const all = [first];
  while (all.length < workers) {
    const next = SharedBuddyAllocator.attach(first.buffer);
    if (next === null) throw new Error('no slot is left');
    all.push(next);
  }
  return all;
}

describe.each([
  { workers: 1, byAny: false, trackOwners: false },
  { workers: 4, byAny: false, trackOwners: false },
  { workers: 4, byAny: true, trackOwners: true },
])('$workers workers, blocks freed by any: $byAny, owners tracked: $trackOwners', (kind) => {
  it.each([0.01, 0.1, 0.5])('have room for large blocks after churn with %d live', (kept) => {
    const { workers, byAny, trackOwners } = kind;
    for (let seed = 1; seed <= 2; seed++) {
      const churn = { kept, byAny, seed };
      const sequential = largestFreeAfter([new BuddyAllocator({ capacity: CAPACITY })], churn);
      const arenas = attached(workers, trackOwners);
      expect(largestFreeAfter(arenas, churn), `seed ${seed}`).toBeGreaterThanOrEqual(sequential / FACTOR);
      expect(arenas[0].check()).toEqual([]);
    }
  }, 120_000);
});

/** Cells that count the accesses. */
class CountingCells extends AtomicCells {
  accesses = 0;

  override read(pos: number): number {
    this.accesses++;
    return super.read(pos);
  }

  override load(pos: number): number {
    this.accesses++;
    return super.load(pos);
  }
}

it('A request that fails passes the words below large blocks in one step', () => {
  const g = geometryOf(2 ** 20, 2, false);
  const cells = new CountingCells(new Int32Array(g.length));
  writeEmpty(cells, g);
  const engine = new Engine(cells, g, attachWorker(cells, g, 0, g.capacity));
  for (let block = 0; block < 4; block++) engine.allocate(18);
  const last = engine.free(3 * 2 ** 18);
  expect(last).toBe(2 ** 18);
  for (let n = 0; n < 64; n++) expect(engine.allocate(12)).toBeGreaterThanOrEqual(0);
  cells.accesses = 0;
  expect(engine.allocate(0)).toBe(-1);
  expect(cells.accesses).toBeLessThan(2000); // of 70,000 words
});
