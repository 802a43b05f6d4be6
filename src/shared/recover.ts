// Tracked arenas: taking back what a worker that has died held and had half-done, while others go on.
//
// A worker can have died between two steps of one call. Whatever that has left lies around the offset that it announced:
// a word in transit that contains the offset, or the live block at it without an owner. But what looks so may also be
// another worker's affair at this moment, who has then announced it likewise. So everyone's announcements are read, then the tree, then
// the announcements again: if nobody alive was at work there in between, it is the dead worker's, and stays so.

import type { Cells } from './cells.ts';
import type { Engine } from './engine.ts';
import { levelOf, sizeAt } from './inspect.ts';
import {
  ATTACHED,
  DEAD,
  FANOUT_BITS,
  type Geometry,
  generationOf,
  kindOf,
  ORDERS_PER_LEVEL,
  RECOVERING,
  recovererOf,
  SLOT_AT,
  SLOT_SEQUENCE,
  SLOT_STATE,
  slotOf,
  stateFrom,
  VACANT,
} from './layout.ts';
import { announce, endAnnouncement, nextOwned, ownerAt } from './owners.ts';
import { refresh } from './run-index.ts';
import { checkWorkerId, workerIdOf } from './slots.ts';
import { contOf, usedOf } from './word.ts';

/** What a recovery has taken back. */
export interface Recovered {
  /** Live blocks that the dead worker owned, and others who were known to be dead. */
  readonly blocks: number;
  /** Their units. */
  readonly units: number;
  /**
   * False when another worker is recovering the same one, or was at work on what a dead worker had half-done: call again
   * later, when any others who have died have been recovered as well. The slot stays taken until then.
   */
  readonly complete: boolean;
}

/** How often a recovery looks again at what another worker was at work on. */
const ATTEMPTS = 3;

/**
 * Recovers from the death of the worker with the number `dead`, and of all others who are known to be dead: those whose
 * recovery was not complete, and those whom a dead one was recovering. O(capacity).
 */
export function recover(engine: Engine, dead: number): Recovered {
  const { cells, g, worker } = engine;
  const first = dead & 255;
  if (!mark(engine, first, dead >>> 8)) {
    const state = cells.load(slotOf(g, first) + SLOT_STATE);
    const isGone = kindOf(state) === VACANT || generationOf(state) !== dead >>> 8;
    return { blocks: 0, units: 0, complete: isGone };
  }
  const all = inherit(engine, first);
  let complete = true;
  for (const one of all) {
    if (!finish(engine, one)) complete = false;
    engine.closeHints(one, ORDERS_PER_LEVEL * g.levels);
  }
  let blocks = 0;
  let units = 0;
  for (let at = nextOwned(cells, g, 0); at < g.capacity; at = nextOwned(cells, g, at + 1)) {
    const owner = ownerAt(cells, g, at);
    if (!all.includes(owner)) continue;
    const freed = engine.reclaim(at, owner);
    if (freed === 0) continue; // somebody else was freeing it, or has adopted it
    blocks++;
    units += freed;
  }
  if (g.tracked) endAnnouncement(cells, g, worker);
  for (let level = 0; level < g.levels; level++) {
    for (let word = 0; word < g.count[level]; word++) refresh(cells, g, level, word);
  }
  for (const one of all) {
    const slot = slotOf(g, one);
    if (complete) cells.store(slot + SLOT_AT, 0);
    // Until all is complete no place is given back: the caller will ask for the same number again.
    const generation = generationOf(cells.load(slot + SLOT_STATE));
    cells.store(slot + SLOT_STATE, stateFrom(generation, complete ? VACANT : DEAD));
  }
  return { blocks, units, complete };
}

/** Refuses what is no number of another worker. The slot alone is checked: one of an earlier generation is long gone. */
export function checkDead({ cells, g, worker }: Engine, number: number): void {
  checkWorkerId(g, 'worker', number);
  if (number === workerIdOf(cells, g, worker))
    throw new RangeError("worker must be another's number, not one's own");
}

/** Marks the dead worker in slot `dead` as being recovered by this one. False when that is another's affair, or long done. */
function mark({ cells, g, worker }: Engine, dead: number, generation: number): boolean {
  const slot = slotOf(g, dead) + SLOT_STATE;
  const marked = stateFrom(generation, RECOVERING, worker);
  return (
    cells.cas(slot, stateFrom(generation, ATTACHED), marked) ||
    cells.cas(slot, stateFrom(generation, DEAD), marked) ||
    cells.load(slot) === marked
  );
}

/** Marks all who are known to be dead and whom nobody alive is recovering. Returns them and `dead`, who is marked. */
function inherit({ cells, g, worker }: Engine, dead: number): number[] {
  const all = [dead];
  for (const one of all) {
    for (let other = 1; other <= g.slots; other++) {
      const slot = slotOf(g, other) + SLOT_STATE;
      const state = cells.load(slot);
      const kind = kindOf(state);
      if (kind !== DEAD && (kind !== RECOVERING || recovererOf(state) !== one)) continue;
      // `all` grows as it is walked through: a dead worker may have been recovering one that was recovering a third.
      if (cells.cas(slot, state, stateFrom(generationOf(state), RECOVERING, worker))) all.push(other);
    }
  }
  return all;
}

/** Completes or undoes what the worker in slot `dead` was doing. Returns whether that could be told from what others do. */
function finish(engine: Engine, dead: number): boolean {
  const { cells, g, worker } = engine;
  const announced = cells.load(slotOf(g, dead) + SLOT_AT);
  if (announced === 0) return true;
  const offset = announced - 1;
  announce(cells, g, worker, offset);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = announcements(cells, g, worker);
    const level = levelOf(cells, g, offset);
    const child = offset >>> (FANOUT_BITS * level);
    const raw = cells.load(g.words[level] + (child >>> FANOUT_BITS));
    const subdivided = (((contOf(raw) & ~usedOf(raw)) >>> (child & 15)) & 1) === 1;
    // In transit is the word under the subdivided child; else the block has no owner, or nothing is half-done.
    const isBlock = !subdivided && sizeAt(cells, g, offset) !== 0 && ownerAt(cells, g, offset) === 0;
    if (!subdivided && !isBlock) return true;
    const first = child << (FANOUT_BITS * level);
    const last = subdivided ? first + (1 << (FANOUT_BITS * level)) - 1 : offset;
    if (before.some(({ at }) => at > first && at <= last + 1)) continue;
    if (!isSame(before, announcements(cells, g, worker))) continue;
    if (subdivided) engine.closeUp(level - 1, child, false);
    else engine.reclaim(offset, 0);
    return true;
  }
  return false;
}

interface Announcement {
  readonly state: number;
  readonly sequence: number;
  readonly at: number;
}

/** What all others who live have announced. The sequence is read before the offset: see `announce`. */
function announcements(cells: Cells, g: Geometry, worker: number): Announcement[] {
  const all: Announcement[] = [];
  for (let other = 1; other <= g.slots; other++) {
    const slot = slotOf(g, other);
    const state = cells.load(slot + SLOT_STATE);
    const sequence = cells.load(slot + SLOT_SEQUENCE);
    const at = cells.load(slot + SLOT_AT);
    const counts = other !== worker && kindOf(state) !== RECOVERING && kindOf(state) !== DEAD;
    all.push({ state, sequence, at: counts ? at : 0 });
  }
  return all;
}

function isSame(before: readonly Announcement[], after: readonly Announcement[]): boolean {
  return before.every(({ state, sequence }, i) => state === after[i].state && sequence === after[i].sequence);
}
