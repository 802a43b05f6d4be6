// Recovery if more than one worker dies: at the same spot, or while recovering another. Deaths happen at exact steps.

import { expect, it } from 'vitest';
import { announce, endAnnouncement } from '../../src/shared/announcements.ts';
import { AtomicCells } from '../../src/shared/cells.ts';
import { Engine } from '../../src/shared/engine.ts';
import { geometryOf, SLOT_ANNOUNCED } from '../../src/shared/layout.ts';
import { recover } from '../../src/shared/recover.ts';
import { slotOf, slotPos } from '../../src/shared/slots.ts';
import { SharedBuddyAllocator } from '../../src/shared.ts';

const CAPACITY = 256;
const g = geometryOf(CAPACITY, 8, true);

class Dead extends Error {}

/** Cells of a worker that dies before its change number `steps`, from 0. */
class MortalCells extends AtomicCells {
  #steps: number;

  constructor(s: Int32Array, steps: number) {
    super(s);
    this.#steps = steps;
  }

  override cas(at: number, expected: number, value: number): boolean {
    this.#step();
    return super.cas(at, expected, value);
  }

  override store(at: number, value: number): void {
    this.#step();
    super.store(at, value);
  }

  override write(at: number, value: number): void {
    this.#step();
    super.write(at, value);
  }

  #step(): void {
    if (this.#steps-- === 0) throw new Dead();
  }
}

function setUp() {
  const arena = SharedBuddyAllocator.create({ capacity: CAPACITY, maxWorkers: 8, trackOwners: true });
  const s = new Int32Array(arena.buffer);
  const attach = (): SharedBuddyAllocator => {
    const attached = SharedBuddyAllocator.attach(arena.buffer);
    if (attached === null) throw new Error('no slot');
    return attached;
  };
  /** Has `worker` make a call, and die before its change number `steps`. Returns whether the call came so far. */
  const dies = (worker: number, steps: number, call: (engine: Engine) => void): boolean => {
    try {
      call(new Engine(new MortalCells(s, steps), g, slotOf(worker)));
      return false;
    } catch (error) {
      if (!(error instanceof Dead)) throw error;
      return true;
    }
  };
  const die = (worker: number, steps: number, call: (engine: Engine) => void) => {
    expect(dies(worker, steps, call)).toBe(true);
  };
  /** The offset that `worker` announces. */
  const announced = (worker: number) => s[slotPos(g, slotOf(worker)) + SLOT_ANNOUNCED] - 1;
  return { arena, cells: new AtomicCells(s), attach, die, dies, announced };
}

/** Announces twice, then opens a word: dies after the CAS of the parent, before the word is stored. */
const HALF_OPEN = 3;

it('a worker that dies while recovering another leaves both to its own recovery, even if not at once', () => {
  const { arena, cells, attach, die, announced } = setUp();
  const [a, b, c] = [attach(), attach(), attach()];
  die(a.workerId, HALF_OPEN, (engine) => engine.allocate(0));
  // b marks a as being recovered, and dies.
  die(b.workerId, 1, (engine) => recover(engine, a.workerId));
  // c seems to be at work at the same spot as a.
  announce(cells, g, slotOf(c.workerId), announced(a.workerId));
  expect(arena.recover(b.workerId)).toEqual({ blocks: 0, units: 0, complete: false });
  expect(arena.recover(a.workerId).complete).toBe(false);
  endAnnouncement(cells, g, slotOf(c.workerId));
  expect(c.recover(b.workerId).complete).toBe(true);
  expect(arena.workerIds()).toEqual([arena.workerId, c.workerId]);
  expect(arena.check()).toEqual([]);
  expect(arena.alloc(CAPACITY)).toBe(0);
});

it('two workers that died at the same spot are recovered when both are known to be dead, in either order', () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { arena, cells, attach, die, announced } = setUp();
    const dead = [attach(), attach()];
    die(dead[0].workerId, HALF_OPEN, (engine) => engine.allocate(0));
    announce(cells, g, slotOf(dead[1].workerId), announced(dead[0].workerId));
    const [first, second] = order.map((i) => dead[i].workerId);
    const once = arena.recover(first);
    expect(arena.recover(second).complete).toBe(true);
    if (!once.complete) expect(arena.recover(first).complete).toBe(true);
    expect(arena.workerIds()).toEqual([arena.workerId]);
    expect(arena.check()).toEqual([]);
    expect(arena.alloc(CAPACITY)).toBe(0);
  }
});

it('a worker may die at any step of a recovery; another completes it', () => {
  let steps = 0;
  for (; ; steps++) {
    const { arena, attach, die, dies } = setUp();
    const [a, b] = [attach(), attach()];
    a.alloc(1);
    a.alloc(20);
    // After the CAS that takes a block, before its owner is noted.
    die(a.workerId, 3, (engine) => engine.allocate(4));
    if (!dies(b.workerId, steps, (engine) => recover(engine, a.workerId))) break;
    for (const dead of [a.workerId, b.workerId, a.workerId]) arena.recover(dead);
    expect([steps, arena.workerIds()]).toEqual([steps, [arena.workerId]]);
    expect([steps, arena.check()]).toEqual([steps, []]);
    expect([steps, arena.alloc(CAPACITY)]).toEqual([steps, 0]);
    expect(steps).toBeLessThan(500);
  }
  expect(steps).toBeGreaterThan(10);
});
