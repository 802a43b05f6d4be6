// The invariants of a quiet shared arena: no worker is in a call, and none has died in one without being recovered.

import { blockLength } from '../base/word.ts';
import type { Cells } from './cells.ts';
import {
  FANOUT_BITS,
  type Geometry,
  ORDERS_PER_LEVEL,
  SLOT_ADOPTS,
  SLOT_ANNOUNCED,
  SLOT_HINTS,
  SLOT_STATE,
} from './layout.ts';
import { isKept, NOBODY, ownerAt } from './owners.ts';
import { isLeft, kindOf, slotPos, VACANT } from './slots.ts';
import { CLOSED, contOf, EMPTY, isSubdivided, runOf, usedOf } from './word.ts';

/** The violated invariants, in words. O(capacity). */
export function check(cells: Cells, g: Geometry): string[] {
  const wrong: string[] = [];
  const live = new Set<number>();
  for (let level = 0; level < g.levels; level++) {
    for (let word = 0; word < g.count[level]; word++) {
      const value = cells.load(g.words[level] + word);
      const name = `word ${word} of level ${level}`;
      if (level + 1 < g.levels) {
        const parent = cells.load(g.words[level + 1] + (word >>> FANOUT_BITS));
        const below = parent !== CLOSED && isSubdivided(parent, word & 15);
        if (value === CLOSED && below) wrong.push(`${name} is in transit`);
        if (value !== CLOSED && !below) wrong.push(`${name} is open, but not subdivided above`);
      } else if (value === CLOSED) wrong.push('the top word is closed');
      if (value === CLOSED) continue;
      if (value === EMPTY && !isHint(cells, g, level, word))
        wrong.push(`${name} is empty, and nobody's hint`);
      checkChildren(value, level, word, g, name, live, wrong);
    }
  }
  if (g.tracked) {
    for (let offset = 0; offset < g.capacity; offset++) {
      const owner = ownerAt(cells, g, offset);
      if ((owner !== 0) !== live.has(offset) || !canOwn(cells, g, owner))
        wrong.push(`the owner noted at ${offset} is wrong`);
    }
    for (let slot = 1; slot <= g.slots; slot++) {
      const pos = slotPos(g, slot);
      if (cells.load(pos + SLOT_ANNOUNCED) !== 0 || cells.load(pos + SLOT_ADOPTS) !== 0)
        wrong.push(`the worker in slot ${slot} is in the middle of a call`);
    }
  }
  return wrong;
}

/**
 * Checks the children of an open word. Adds the offsets of its blocks to `live`, and the violated invariants to
 * `wrong`.
 */
function checkChildren(
  value: number,
  level: number,
  word: number,
  g: Geometry,
  name: string,
  live: Set<number>,
  wrong: string[],
): void {
  const used = usedOf(value);
  const cont = contOf(value);
  if (level === 0 && (cont & ~used) !== 0) wrong.push(`${name} has a subdivided child`);
  for (let c = 0; c < 16; ) {
    const start = (((word << FANOUT_BITS) | c) << (FANOUT_BITS * level)) >>> 0;
    if (((used >>> c) & 1) === 0) {
      if (start >= g.capacity) wrong.push(`child ${c} of ${name} lies beyond the capacity and is not in use`);
      c++;
      continue;
    }
    if (((cont >>> c) & 1) === 1) {
      wrong.push(`child ${c} of ${name} continues no block`);
      c++;
      continue;
    }
    const length = blockLength(used, cont, c);
    if ((length & (length - 1)) !== 0 || length > 8 || c % length !== 0) {
      wrong.push(`the block at child ${c} of ${name} has ${length} children`);
    }
    if (start < g.capacity) live.add(start);
    c += length;
  }
}

/**
 * The bits that the index lacks, in words. Not a part of {@link check}, because users need not know of them: a
 * missing bit costs time only, and some processors may lose one.
 */
export function checkIndex(cells: Cells, g: Geometry): string[] {
  const wrong: string[] = [];
  for (let level = 0; level < g.levels; level++) {
    const tiers = g.index[level];
    for (let word = 0; word < g.count[level]; word++) {
      const value = cells.load(g.words[level] + word);
      for (let r = value === CLOSED ? -1 : runOf(value); r >= 0; r--) {
        let missing = ((cells.load(tiers[0] + (word >>> 3)) >>> (8 * r + (word & 7))) & 1) === 0;
        for (let tier = 1, i = word >>> 3; tier < tiers.length; tier++, i >>>= 5) {
          const group = cells.load(tiers[tier] + (i >>> 5) * ORDERS_PER_LEVEL + r);
          if (((group >>> i) & 1) === 0) missing = true;
        }
        if (missing)
          wrong.push(`word ${word} of level ${level} has a run of order ${r} that the index lacks`);
      }
    }
  }
  return wrong;
}

/** Whether blocks can have that owner: a slot only if a worker has it, or has left its blocks there. */
function canOwn(cells: Cells, g: Geometry, owner: number): boolean {
  if (owner < 1 || owner > g.slots) return owner === 0 || owner === NOBODY || isKept(owner);
  const state = cells.load(slotPos(g, owner) + SLOT_STATE);
  return kindOf(state) !== VACANT || isLeft(state);
}

/** Whether `word` of `level` is a hint of any worker. */
function isHint(cells: Cells, g: Geometry, level: number, word: number): boolean {
  for (let slot = 1; slot <= g.slots; slot++) {
    const hints = slotPos(g, slot) + SLOT_HINTS + level * ORDERS_PER_LEVEL;
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
      if (cells.load(hints + r) === word) return true;
    }
  }
  return false;
}
