// The invariants of the slabs of a shared heap in a quiet moment: no worker is in a call, and none has died in one
// without being recovered.

import type { Cells } from '../../src/shared/cells.ts';
import { sizeAt } from '../../src/shared/inspect.ts';
import { SLOT_STATE } from '../../src/shared/layout.ts';
import { IN_SLAB, NOBODY, ownerAt } from '../../src/shared/owners.ts';
import { ATTACHED, isLeft, kindOf, slotPos, VACANT } from '../../src/shared/slots.ts';
import { byteAt } from '../../src/shared-slab/bytes.ts';
import {
  ADOPTED,
  AT_ABANDONED,
  BITS,
  CACHED,
  CLASS_MASK,
  descriptorAt,
  FULL,
  type Geometry,
  LARGEST_ORDER,
  META,
  NEXT,
  OWNER,
  PREV,
  SHARED,
  SLAB_SHIFT,
  SLOT_MASK,
  SLOTS_PER_CELL,
  slotBits,
  slotsIn,
} from '../../src/shared-slab/layout.ts';
import { CLASS_SHIFT, cacheAt, cachedPagesAt, HEAD, PAGES, RING } from '../../src/shared-slab/own.ts';
import { classAt, countAt, isEmpty, liveSlots, pagesAt, slabsBefore } from '../../src/shared-slab/slab.ts';

/** The violated invariants, in words. `ownOf` gives the own cells of the worker in a slot. O(units). */
export function checkSlabs(cells: Cells, G: Geometry, ownOf: (slot: number) => Cells): string[] {
  const { arena } = G;
  const wrong: string[] = [];
  const slabs = [...slabsBefore(cells, G, arena.capacity)];
  for (const h of slabs) wrong.push(...wrongIn(cells, G, h).map((what) => `slab ${h}: ${what}`));

  const inSlabs = new Set(
    slabs.flatMap((h) => Array.from({ length: pagesAt(cells, G, h) }, (_, i) => h + i)),
  );
  for (let page = 0; page < arena.capacity; page++) {
    if (cells.load(G.map + page) !== 0 && !inSlabs.has(page))
      wrong.push(`page ${page} is mapped, but in no slab`);
    if (ownerAt(cells, arena, page) === IN_SLAB && !slabs.includes(page))
      wrong.push(`page ${page} is said to be in a slab, but is not`);
  }
  const ownerless = slabs.filter((h) => ownerOf(cells, G, h) === 0).length;
  if (cells.load(G.header + AT_ABANDONED) < ownerless)
    wrong.push(`${cells.load(G.header + AT_ABANDONED)} abandoned slabs are counted, of ${ownerless}`);
  for (let slot = 1; slot <= arena.slots; slot++) {
    const owned = slabs.filter((h) => ownerOf(cells, G, h) === slot);
    if (kindOf(cells.load(slotPos(arena, slot) + SLOT_STATE)) === ATTACHED)
      wrong.push(...wrongOf(cells, G, ownOf(slot), owned).map((what) => `worker ${slot}: ${what}`));
    else if (owned.length > 0) wrong.push(`slabs ${owned} belong to slot ${slot}, which is vacant`);
  }
  return wrong;
}

const ownerOf = (cells: Cells, G: Geometry, h: number): number =>
  cells.load(descriptorAt(G, h) + OWNER) & SLOT_MASK;

/** What is wrong with slab `h`. */
function wrongIn(cells: Cells, G: Geometry, h: number): string[] {
  const wrong: string[] = [];
  const c = classAt(cells, G, h);
  const pages = pagesAt(cells, G, h);
  const count = countAt(cells, G, h);
  const d = descriptorAt(G, h);
  const owner = cells.load(d + OWNER);
  if (c >= G.classes) wrong.push(`class ${c}`);
  if (sizeAt(cells, G.arena, h) !== pages)
    wrong.push(`${pages} pages, but ${sizeAt(cells, G.arena, h)} in the arena`);
  if (count !== slotsIn(G, c, Math.log2(pages))) wrong.push(`${count} slots of class ${c} in ${pages} pages`);
  for (let page = h; page < h + pages; page++) {
    if (cells.load(G.map + page) !== ((h << SLAB_SHIFT) | (c & CLASS_MASK)))
      wrong.push(`the map of page ${page}`);
  }
  for (let first = 0, pos = d + BITS; first < count; first += SLOTS_PER_CELL, pos++) {
    const value = cells.load(pos);
    const bits = slotBits(count, first);
    if (((value | (value >>> SLOTS_PER_CELL)) & ~bits & 0xffff) !== 0)
      wrong.push('bits beyond the last slot');
    if ((value & (value >>> SLOTS_PER_CELL) & 0xffff) !== 0) wrong.push('a slot is free twice');
  }
  if ((owner & ~(SLOT_MASK | SHARED | ADOPTED)) !== 0) wrong.push(`owner ${owner}`);
  for (const { unit } of G.tracked ? liveSlots(cells, G, h) : []) {
    const byte = byteAt(cells, G, unit);
    if (byte === 0 ? ownerOf(cells, G, h) === 0 : (owner & ADOPTED) === 0 || !canOwn(cells, G, byte))
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
