// Taking back the blocks and the slot of a dead worker, and completing or undoing its last call, while others go on.
//
// A worker can die between two steps of one call. The picture that it leaves lies around the offset that it
// announced: a word in transit that contains the offset, or a live block there without an owner. A living worker in
// the middle of a call leaves the same picture, but it has announced an offset there as well. So a recovery reads all
// announcements, then the tree, then the announcements again. If no living worker was at work there in between, the
// picture is the dead worker's, and stays so.
//
// A worker that dies while it attaches may have taken the slot of one that has left blocks, and have no blocks itself.
// Those that are left are made nobody's, as it would have done.

import { announce, endAnnouncement } from './announcements.ts';
import type { Cells } from './cells.ts';
import type { Engine } from './engine.ts';
import type { Holdings } from './holdings.ts';
import { levelOf, sizeAt } from './inspect.ts';
import {
  FANOUT_BITS,
  type Geometry,
  ORDERS_PER_LEVEL,
  SLOT_ANNOUNCED,
  SLOT_SEQUENCE,
  SLOT_STATE,
} from './layout.ts';
import { disown, nextOwned, ownerAt } from './owners.ts';
import { refresh } from './run-index.ts';
import {
  checkWorkerId,
  DEAD,
  endAdoption,
  generationOf,
  generationOfId,
  isLeft,
  kindOf,
  RECOVERING,
  recovererOf,
  slotOf,
  slotPos,
  stateFrom,
  VACANT,
  workerIdOf,
} from './slots.ts';
import { isSubdivided } from './word.ts';

/** The result of a recovery. */
export interface Recovered {
  /** Live blocks that were taken back: those of the dead worker, and of others that were known to be dead. */
  readonly blocks: number;
  /** Units of these blocks. */
  readonly units: number;
  /**
   * False if another worker is recovering the same one, or was at work on what a dead worker left unfinished. The
   * slot stays taken then: call again later, when all other dead workers have been recovered as well.
   */
  readonly complete: boolean;
}

/** How often a recovery looks again at a spot where another worker was at work. */
const ATTEMPTS = 3;

/** What a recovery has to know of the blocks besides those of the arena. */
export interface FurtherBlocks {
  readonly holdings: Holdings;
  /** Takes those of the dead worker in a slot back, before those of the arena. No other worker recovers it. */
  takeBack(slot: number): void;
}

/**
 * Recovers from the death of the worker with the id `dead`, and of all others that are known to be dead: those whose
 * recovery was not complete, and those that a dead worker was recovering. O(capacity).
 */
export function recover(engine: Engine, dead: number, further?: FurtherBlocks): Recovered {
  const { cells, g, slot } = engine;
  const first = slotOf(dead);
  if (!mark(engine, first, generationOfId(dead))) {
    const state = cells.load(slotPos(g, first) + SLOT_STATE);
    const isGone = kindOf(state) === VACANT || generationOf(state) !== generationOfId(dead);
    return { blocks: 0, units: 0, complete: isGone };
  }
  const all = inherit(engine, first);
  let complete = true;
  for (const one of all) {
    if (g.tracked) endAdoption(cells, g, one);
    if (isLeft(cells.load(slotPos(g, one) + SLOT_STATE))) {
      disown(cells, g, one);
      further?.holdings.disown(one);
    }
    further?.takeBack(one);
    if (!finish(engine, one, further?.holdings)) complete = false;
    engine.closeHints(one, ORDERS_PER_LEVEL * g.levels);
  }
  let blocks = 0;
  let units = 0;
  for (let offset = nextOwned(cells, g, 0); offset < g.capacity; offset = nextOwned(cells, g, offset + 1)) {
    const owner = ownerAt(cells, g, offset);
    if (!all.includes(owner)) continue;
    const freed = engine.reclaim(offset, owner);
    if (freed === 0) continue; // another worker frees it, or has adopted it
    blocks++;
    units += freed;
  }
  if (g.tracked) endAnnouncement(cells, g, slot);
  for (let level = 0; level < g.levels; level++) {
    for (let word = 0; word < g.count[level]; word++) refresh(cells, g, level, word);
  }
  for (const one of all) {
    const pos = slotPos(g, one);
    if (complete) cells.store(pos + SLOT_ANNOUNCED, 0);
    // No slot is given back until all is complete: the caller will ask for the same id again.
    const generation = generationOf(cells.load(pos + SLOT_STATE));
    cells.store(pos + SLOT_STATE, stateFrom(generation, complete ? VACANT : DEAD));
  }
  return { blocks, units, complete };
}

/**
 * Throws a TypeError or a RangeError if `workerId` is not the id of another worker. A generation that is gone is
 * allowed: then there is nothing to recover.
 */
export function checkDead({ cells, g, slot }: Engine, workerId: number): void {
  checkWorkerId(g, 'workerId', workerId);
  if (workerId === workerIdOf(cells, g, slot))
    throw new RangeError("workerId must be another worker's id, not the caller's own");
}

/**
 * Marks the dead worker in slot `dead` as recovered by this one. Returns false if another worker recovers it, or the
 * slot has another generation by now.
 */
function mark({ cells, g, slot }: Engine, dead: number, generation: number): boolean {
  const pos = slotPos(g, dead) + SLOT_STATE;
  const state = cells.load(pos);
  const kind = kindOf(state);
  if (generationOf(state) !== generation || kind === VACANT) return false;
  if (kind === RECOVERING) return recovererOf(state) === slot;
  return cells.cas(pos, state, stateFrom(generation, RECOVERING, isLeft(state), slot));
}

/**
 * Marks all workers that are known to be dead and that no living one recovers. Returns their slots and `dead`, a
 * marked one.
 */
function inherit({ cells, g, slot }: Engine, dead: number): number[] {
  const all = [dead];
  for (const one of all) {
    for (let other = 1; other <= g.slots; other++) {
      const pos = slotPos(g, other) + SLOT_STATE;
      const state = cells.load(pos);
      const kind = kindOf(state);
      if (all.includes(other)) continue;
      if (kind !== DEAD && (kind !== RECOVERING || recovererOf(state) !== one)) continue;
      // `all` grows while it is iterated: a dead worker may have been recovering one that was recovering a third.
      const marked = stateFrom(generationOf(state), RECOVERING, isLeft(state), slot);
      if (cells.cas(pos, state, marked)) all.push(other);
    }
  }
  return all;
}

/**
 * Completes or undoes the last call of the worker in slot `dead`. Returns false if it cannot be told from calls of
 * others.
 */
function finish(engine: Engine, dead: number, holdings?: Holdings): boolean {
  const { cells, g, slot } = engine;
  const announced = cells.load(slotPos(g, dead) + SLOT_ANNOUNCED);
  const offset = announced - 1;
  // 0 announces nothing, and neither does a number that is damaged.
  if (!g.tracked || offset >>> 0 >= g.capacity) return true;
  announce(cells, g, slot, offset);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = announcements(cells, g, slot);
    const level = levelOf(cells, g, offset);
    const child = offset >>> (FANOUT_BITS * level);
    const value = cells.load(g.words[level] + (child >>> FANOUT_BITS));
    const subdivided = isSubdivided(value, child & 15);
    // If the child is subdivided, the word under it is in transit. Else a block lacks its owner, or nothing is
    // unfinished.
    const isBlock = !subdivided && sizeAt(cells, g, offset) !== 0 && ownerAt(cells, g, offset) === 0;
    if (!subdivided && !isBlock) return true;
    const first = child << (FANOUT_BITS * level);
    const last = subdivided ? first + (1 << (FANOUT_BITS * level)) - 1 : offset;
    if (before.some(({ announced }) => announced > first && announced <= last + 1)) continue;
    if (!isSame(before, announcements(cells, g, slot))) continue;
    if (subdivided) engine.closeUp(level - 1, child, false);
    else {
      holdings?.forget(offset);
      engine.reclaim(offset, 0);
    }
    return true;
  }
  return false;
}

/** A slot as another worker sees it: its state, its sequence and its announcement, 0 for a dead worker's. */
interface Announcement {
  readonly state: number;
  readonly sequence: number;
  readonly announced: number;
}

/**
 * The announcements of all living workers but the one in `own`. The sequence is read before the offset: see
 * `announce`.
 */
function announcements(cells: Cells, g: Geometry, own: number): Announcement[] {
  const all: Announcement[] = [];
  for (let slot = 1; slot <= g.slots; slot++) {
    const pos = slotPos(g, slot);
    const state = cells.load(pos + SLOT_STATE);
    const sequence = cells.load(pos + SLOT_SEQUENCE);
    const announced = cells.load(pos + SLOT_ANNOUNCED);
    const counts = slot !== own && kindOf(state) !== RECOVERING && kindOf(state) !== DEAD;
    all.push({ state, sequence, announced: counts ? announced : 0 });
  }
  return all;
}

function isSame(before: readonly Announcement[], after: readonly Announcement[]): boolean {
  return before.every(({ state, sequence }, i) => state === after[i].state && sequence === after[i].sequence);
}
