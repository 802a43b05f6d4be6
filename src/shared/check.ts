// The invariants of a shared arena that is quiet: nobody is in the middle of a call, and nobody has died in one.

import { blockLength } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { FANOUT_BITS, type Geometry, ORDERS_PER_LEVEL, SLOT_AT, SLOT_HINTS, slotOf } from './layout.ts';
import { ownerAt } from './owners.ts';
import { CLOSED, contOf, EMPTY, runOf, usedOf } from './word.ts';

/** What is violated, in words. O(capacity). */
export function check(cells: Cells, g: Geometry): string[] {
  const wrong: string[] = [];
  const live = new Set<number>();
  for (let level = 0; level < g.levels; level++) {
    for (let word = 0; word < g.count[level]; word++) {
      const raw = cells.load(g.words[level] + word);
      const name = `word ${word} of level ${level}`;
      if (level + 1 < g.levels) {
        const c = word & 15;
        const parent = cells.load(g.words[level + 1] + (word >>> FANOUT_BITS));
        const below = parent !== CLOSED && (contOf(parent) >>> c) & 1 && !((usedOf(parent) >>> c) & 1);
        if (raw === CLOSED && below) wrong.push(`${name} is in transit`);
        if (raw !== CLOSED && !below) wrong.push(`${name} is open, but not subdivided above`);
      } else if (raw === CLOSED) wrong.push('the top word is closed');
      if (raw === CLOSED) continue;
      if (raw === EMPTY && !isHint(cells, g, level, word)) wrong.push(`${name} is empty, and nobody's hint`);
      checkChildren(raw, level, word, g, name, live, wrong);
    }
  }
  if (g.tracked) {
    for (let offset = 0; offset < g.capacity; offset++) {
      if ((ownerAt(cells, g, offset) !== 0) !== live.has(offset))
        wrong.push(`the owner noted at ${offset} is wrong`);
    }
    for (let worker = 1; worker <= g.slots; worker++) {
      if (cells.load(slotOf(g, worker) + SLOT_AT) !== 0)
        wrong.push(`worker ${worker} is in the middle of a call`);
    }
  }
  return wrong;
}

function checkChildren(
  raw: number,
  level: number,
  word: number,
  g: Geometry,
  name: string,
  live: Set<number>,
  wrong: string[],
): void {
  const used = usedOf(raw);
  const cont = contOf(raw);
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
 * What the index lacks, in words. Apart from `check`, as no user need be told: a bit that is missing costs time, and some processors
 * may lose one.
 */
export function checkIndex(cells: Cells, g: Geometry): string[] {
  const wrong: string[] = [];
  for (let level = 0; level < g.levels; level++) {
    const tiers = g.index[level];
    for (let word = 0; word < g.count[level]; word++) {
      const raw = cells.load(g.words[level] + word);
      for (let r = raw === CLOSED ? -1 : runOf(raw); r >= 0; r--) {
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

function isHint(cells: Cells, g: Geometry, level: number, word: number): boolean {
  for (let worker = 1; worker <= g.slots; worker++) {
    const hints = slotOf(g, worker) + SLOT_HINTS + level * ORDERS_PER_LEVEL;
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
      if (cells.load(hints + r) === word) return true;
    }
  }
  return false;
}
