// The invariants of the slabs of a shared heap in a quiet moment, with those of what each worker knows of its own.

import type { Cells } from '../../src/shared/cells.ts';
import { SLOT_STATE } from '../../src/shared/layout.ts';
import { NOBODY } from '../../src/shared/owners.ts';
import { ATTACHED, isLeft, kindOf, slotPos, VACANT } from '../../src/shared/slots.ts';
import { byteAt } from '../../src/shared-slab/bytes.ts';
import { check } from '../../src/shared-slab/check.ts';
import {
  AT_ABANDONED,
  BITS,
  CACHED,
  descriptorAt,
  FULL,
  type Geometry,
  LARGEST_ORDER,
  META,
  NEXT,
  OWNER,
  PREV,
  SLOTS_PER_CELL,
  slotIn,
} from '../../src/shared-slab/layout.ts';
import { CLASS_SHIFT, cacheAt, cachedPagesAt, HEAD, PAGES, RING } from '../../src/shared-slab/own.ts';
import { classAt, countAt, isEmpty, liveSlots, pagesAt, slabsBefore } from '../../src/shared-slab/slab.ts';

/** The violated invariants, in words. `ownOf` gives the own cells of the worker in a slot. O(units). */
export function checkSlabs(cells: Cells, G: Geometry, ownOf: (slot: number) => Cells): string[] {
  const { arena } = G;
  const wrong = check(cells, G, 1, arena.capacity);
  const slabs = [...slabsBefore(cells, G, arena.capacity)];
  for (const h of slabs) wrong.push(...wrongIn(cells, G, h).map((what) => `slab ${h}: ${what}`));
  const ownerless = slabs.filter((h) => ownerOf(cells, G, h) === 0).length;
  if (cells.load(G.header + AT_ABANDONED) < ownerless)
    wrong.push(`${cells.load(G.header + AT_ABANDONED)} abandoned slabs are counted, of ${ownerless}`);
  for (let slot = 1; slot <= arena.slots; slot++) {
    if (kindOf(cells.load(slotPos(arena, slot) + SLOT_STATE)) !== ATTACHED) continue;
    const owned = slabs.filter((h) => ownerOf(cells, G, h) === slot);
    wrong.push(...wrongOf(cells, G, ownOf(slot), owned).map((what) => `worker ${slot}: ${what}`));
  }
  return wrong;
}

const ownerOf = (cells: Cells, G: Geometry, h: number): number =>
  slotIn(cells.load(descriptorAt(G, h) + OWNER));

/** What is wrong with the slots of slab `h`, and with whose they are. */
function wrongIn(cells: Cells, G: Geometry, h: number): string[] {
  const wrong: string[] = [];
  const count = countAt(cells, G, h);
  for (let first = 0, pos = descriptorAt(G, h) + BITS; first < count; first += SLOTS_PER_CELL, pos++) {
    const value = cells.load(pos);
    if ((value & (value >>> SLOTS_PER_CELL) & 0xffff) !== 0) wrong.push('a slot is free twice');
  }
  for (const { unit } of G.tracked ? liveSlots(cells, G, h) : []) {
    const byte = byteAt(cells, G, unit);
    if (byte === 0 ? ownerOf(cells, G, h) === 0 : !canOwn(cells, G, byte))
      wrong.push(`unit ${unit} belongs to ${byte}, by its byte`);
  }
  return wrong;
}

function canOwn(cells: Cells, { arena }: Geometry, owner: number): boolean {
  if (owner === NOBODY) return true;
  if (owner > arena.slots) return false;
  const state = cells.load(slotPos(arena, owner) + SLOT_STATE);
  return kindOf(state) !== VACANT || isLeft(state);
}

/** What is wrong with what a worker knows of the slabs that it owns. */
function wrongOf(cells: Cells, G: Geometry, own: Cells, owned: readonly number[]): string[] {
  const wrong: string[] = [];
  const found: number[] = [];
  const field = (h: number, pos: number): number => cells.load(descriptorAt(G, h) + pos);
  for (let c = 0; c < G.classes; c++) {
    const k = c << CLASS_SHIFT;
    const before = found.length;
    let last = 0;
    for (let h = own.load(k + HEAD); h !== 0 && found.length <= owned.length; h = field(h, NEXT)) {
      if (field(h, PREV) !== last) wrong.push(`the slab before ${h} in its list is wrong`);
      if ((field(h, META) & (FULL | CACHED)) !== 0)
        wrong.push(`slab ${h}, on a list, is said to be elsewhere`);
      found.push(h);
      last = h;
    }
    const ring = own.load(k + RING);
    for (let h = ring; h !== 0 && found.length <= owned.length; ) {
      const next = field(h, NEXT);
      if (field(next, PREV) !== h) wrong.push(`the slab before ${next} in its ring is wrong`);
      if ((field(h, META) & FULL) === 0) wrong.push(`slab ${h}, in a ring, is not said to be full`);
      found.push(h);
      h = next === ring ? 0 : next;
    }
    const ofClass = found.slice(before);
    for (const h of ofClass)
      if (classAt(cells, G, h) !== c) wrong.push(`slab ${h} is listed with class ${c}`);
    const pages = ofClass.reduce((sum, h) => sum + pagesAt(cells, G, h), 0);
    if (own.load(k + PAGES) !== pages) wrong.push(`${own.load(k + PAGES)} pages of class ${c}, not ${pages}`);
  }
  let cached = 0;
  for (let order = 0; order <= LARGEST_ORDER; order++) {
    for (let h = own.load(cacheAt(G) + order); h !== 0 && found.length <= owned.length; h = field(h, NEXT)) {
      if ((field(h, META) & CACHED) === 0 || !isEmpty(cells, G, h) || pagesAt(cells, G, h) !== 1 << order)
        wrong.push(`slab ${h} is wrong in the cache`);
      found.push(h);
      cached += 1 << order;
    }
  }
  if (own.load(cachedPagesAt(G)) !== cached)
    wrong.push(`${own.load(cachedPagesAt(G))} pages in the cache, not ${cached}`);
  if (String(found.toSorted()) !== String(owned.toSorted()))
    wrong.push(`it has slabs ${found} on its lists, and owns ${owned}`);
  return wrong;
}
