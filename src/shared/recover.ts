// Tracked arenas: taking back what a worker that has died held and had half-done, while others go on.
//
// A worker can have died between two steps of one call. Whatever that has left lies around the offset that it announced:
// a word in transit that contains the offset, or the live block at it without an owner. But what looks so may also be
// another worker's affair at this moment, who has then announced it likewise. So everyone's announcements are read, then the tree, then
// the announcements again: if nobody alive was at work there in between, it is the dead worker's, and stays so.

import type { Cells } from './cells.ts';
import type { Engine } from './engine.ts';
import { refreshHints } from './hints.ts';
import { levelOf, sizeAt } from './inspect.ts';
import {
  ATTACHED,
  DEAD,
  FAN_BITS,
  type Geometry,
  ORDERS_PER_LEVEL,
  RECOVERING,
  SLOT_AT,
  SLOT_SEQUENCE,
  SLOT_STATE,
  slotOf,
  VACANT,
} from './layout.ts';
import { announce, conclude, ownerAt } from './owners.ts';
import { contOf, usedOf } from './word.ts';

/** What a recovery has taken back. */
export interface Recovered {
  /** Live blocks that the dead worker owned. */
  readonly blocks: number;
  /** Their units. */
  readonly units: number;
  /**
   * False when another worker is recovering the same one, or was at work on what the dead worker had half-done: call again
   * later. The slot stays taken until then.
   */
  readonly complete: boolean;
}

/** How often a recovery looks again at what another worker was at work on. */
const ATTEMPTS = 3;

/** Recovers from the death of worker `dead`. O(capacity). */
export function recover(engine: Engine, dead: number): Recovered {
  const { cells, g, worker } = engine;
  const mark = RECOVERING + 256 * worker;
  const state = slotOf(g, dead) + SLOT_STATE;
  if (!cells.cas(state, ATTACHED, mark) && !cells.cas(state, DEAD, mark)) {
    const found = cells.load(state);
    if (found !== mark) return { blocks: 0, units: 0, complete: found === VACANT };
  }
  const complete = finish(engine, dead);
  let blocks = 0;
  let units = 0;
  for (let offset = 0; g.tracked && offset < g.capacity; offset++) {
    if (ownerAt(cells, g, offset) !== dead) continue;
    const freed = engine.reclaim(offset, dead);
    if (freed === 0) continue; // somebody else was freeing it
    blocks++;
    units += freed;
  }
  engine.closeHints(dead, ORDERS_PER_LEVEL * g.levels);
  if (g.tracked) conclude(cells, g, worker);
  for (let level = 0; level < g.levels; level++) {
    for (let word = 0; word < g.count[level]; word++) refreshHints(cells, g, level, word);
  }
  // Whom it was recovering itself is now this worker's affair.
  let inherited = true;
  for (let other = 1; other <= g.slots; other++) {
    if (!cells.cas(slotOf(g, other) + SLOT_STATE, RECOVERING + 256 * dead, mark)) continue;
    const more = recover(engine, other);
    blocks += more.blocks;
    units += more.units;
    inherited &&= more.complete;
  }
  if (complete && inherited) cells.store(slotOf(g, dead) + SLOT_AT, 0);
  cells.store(state, complete && inherited ? VACANT : DEAD);
  return { blocks, units, complete: complete && inherited };
}

/** Completes or undoes what worker `dead` was doing. Returns whether that could be told from what others do. */
function finish(engine: Engine, dead: number): boolean {
  const { cells, g, worker } = engine;
  const announced = cells.load(slotOf(g, dead) + SLOT_AT);
  if (announced === 0) return true;
  const offset = announced - 1;
  announce(cells, g, worker, offset);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = announcements(cells, g, worker);
    const level = levelOf(cells, g, offset);
    const child = offset >>> (FAN_BITS * level);
    const raw = cells.load(g.words[level] + (child >>> FAN_BITS));
    const subdivided = (((contOf(raw) & ~usedOf(raw)) >>> (child & 15)) & 1) === 1;
    // In transit is the word under the subdivided child; else the block has no owner, or nothing is half-done.
    const isBlock = !subdivided && sizeAt(cells, g, offset) !== 0 && ownerAt(cells, g, offset) === 0;
    if (!subdivided && !isBlock) return true;
    const first = child << (FAN_BITS * level);
    const last = subdivided ? first + (1 << (FAN_BITS * level)) - 1 : offset;
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
    const counts = other !== worker && (state & 255) !== RECOVERING && state !== DEAD;
    all.push({ state, sequence, at: counts ? at : 0 });
  }
  return all;
}

function isSame(before: readonly Announcement[], after: readonly Announcement[]): boolean {
  return before.every(({ state, sequence }, i) => state === after[i].state && sequence === after[i].sequence);
}
