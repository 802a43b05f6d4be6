// The check of a shared heap: stray writes to what it verifies are found, one by one, each bit of each cell.

import { describe, expect, it } from 'vitest';
import { backingOf } from '../../src/heap/memory.ts';
import { SharedHeap } from '../../src/shared.ts';
import { type Layout, readLayout } from '../../src/shared-heap/header.ts';
import {
  ADOPTED,
  AT_NONE,
  BITS,
  CLASS_MASK,
  COUNT_MASK,
  descriptorAt,
  META,
  ORDER_MASK,
  ORDER_SHIFT,
  OWNER,
  SLAB_SHIFT,
  SLOTS_PER_CELL,
  slotsIn,
} from '../../src/shared-slab/layout.ts';
import { Random } from '../support/random.ts';

function attach(heap: SharedHeap): SharedHeap {
  const other = SharedHeap.attach(heap.handle);
  if (other === null) throw new Error('no slot is left');
  return other;
}

interface Populated {
  readonly heap: SharedHeap;
  readonly layout: Layout;
  /** The state of the pages and the slabs. */
  readonly cells: Int32Array;
  readonly frontier: number;
  /** The first pages of all slabs. */
  readonly slabs: readonly number[];
}

/** A heap with everything that there can be: slabs full, half full, empty, left, with freed slots; large blocks. */
function populated(trackOwners: boolean): Populated {
  const heap = SharedHeap.create({ size: 2 ** 17, maximum: 2 ** 20, maxWorkers: 4, trackOwners });
  const heaps = [heap, attach(heap), attach(heap)];
  const random = new Random(3);
  const live: number[] = [];
  for (let i = 0; i < 900; i++) {
    const by = heaps[i % 3];
    live.push(by.malloc(1 + random.below(i % 20 === 0 ? 9000 : 200)));
    if (i % 11 === 0) by.adopt(live[random.below(live.length)]);
  }
  for (let i = 0; i < 500; i++) heaps[i % 2].free(live.splice(random.below(live.length), 1)[0]);
  heaps[2].detach();
  const layout = readLayout(backingOf(heap.buffer), 0);
  const cells = new Int32Array(heap.buffer, layout.state, layout.slabs.length);
  const frontier = new Int32Array(heap.buffer, layout.header)[16];
  const slabs: number[] = [];
  for (let page = 0; page < frontier; page++)
    if (cells[layout.slabs.map + page] >>> SLAB_SHIFT === page && page > 0) slabs.push(page);
  return { heap, layout, cells, frontier, slabs };
}

/** The positions and bits of `changes` that the check does not find. */
function unfound(
  { heap, cells }: Populated,
  changes: Iterable<readonly [pos: number, bits: number]>,
): string[] {
  const missed: string[] = [];
  let count = 0;
  for (const [pos, bits] of changes) {
    const before = cells[pos];
    cells[pos] ^= bits;
    if (heap.check().length === 0) missed.push(`cell ${pos} ^ ${bits}`);
    cells[pos] = before;
    count++;
  }
  expect(heap.check()).toEqual([]);
  expect(count).toBeGreaterThan(0);
  return missed;
}

const bitsOf = (mask: number): number[] =>
  Array.from({ length: 32 }, (_, i) => mask & (1 << i)).filter((bit) => bit !== 0);

describe.each([false, true])('of what is in a heap, owners tracked: %s', (trackOwners) => {
  const all = populated(trackOwners);
  const { heap, layout, cells, frontier, slabs } = all;
  const { slabs: G, g } = layout;

  it('there is all that the following changes', () => {
    expect(heap.check()).toEqual([]);
    expect(slabs.length).toBeGreaterThan(30);
  });

  it('every bit of the page map', () => {
    const changes: [number, number][] = [];
    for (let page = 0; page < frontier; page += 3) {
      for (const bit of [0, 6, 7, 9, 15, 30, 31]) changes.push([G.map + page, 1 << bit]);
    }
    // A slab of one page has as many slots of some other classes as of its own: then nothing contradicts the class.
    const isAnother = ([pos, bit]: [number, number]) => {
      const page = pos - G.map;
      const meta = cells[descriptorAt(G, page) + META];
      const isPage = slabs.includes(page) && ((meta >>> ORDER_SHIFT) & ORDER_MASK) === 0;
      return (
        bit > CLASS_MASK || !isPage || slotsIn(G, (cells[pos] ^ bit) & CLASS_MASK, 0) !== (meta & COUNT_MASK)
      );
    };
    const telling = changes.filter(isAnother);
    expect(telling.length).toBeGreaterThan(0.95 * changes.length);
    expect(unfound(all, telling)).toEqual([]);
  });

  it('the number of slots and of pages of a slab', () => {
    const bits = bitsOf(COUNT_MASK | (ORDER_MASK << ORDER_SHIFT));
    const changes = slabs
      .slice(0, 12)
      .flatMap((h) => bits.map((bit) => [descriptorAt(G, h) + META, bit] as const));
    expect(unfound(all, changes)).toEqual([]);
  });

  it('slots behind the last of a slab', () => {
    const changes = slabs.flatMap((h) => {
      const d = descriptorAt(G, h);
      const count = cells[d + META] & COUNT_MASK;
      const last = d + BITS + Math.floor(count / SLOTS_PER_CELL);
      return bitsOf((0xffff << (count % SLOTS_PER_CELL)) & 0xffff)
        .filter(() => count % SLOTS_PER_CELL !== 0)
        .flatMap((bit) => [[last, bit] as const, [last, bit << SLOTS_PER_CELL] as const]);
    });
    expect(unfound(all, changes)).toEqual([]);
  });

  it('an owner that is not attached, and bytes of blocks that no mark tells of', () => {
    const owned = slabs.map((h) => descriptorAt(G, h) + OWNER);
    const other = 4; // no worker has had this slot
    expect(
      unfound(
        all,
        owned.map((pos) => [pos, (cells[pos] & 0xff) ^ other] as const),
      ),
    ).toEqual([]);
    expect(
      unfound(
        all,
        owned.map((pos) => [pos, (cells[pos] & 0xff) ^ 0xff] as const),
      ),
    ).toEqual([]);
    if (!trackOwners) return;
    const adopted = owned.filter((pos) => (cells[pos] & ADOPTED) !== 0);
    const missed = unfound(
      all,
      adopted.map((pos) => [pos, ADOPTED] as const),
    );
    expect(missed.length).toBeLessThan(adopted.length); // a mark that nothing needs is no fault
    const unmarked = new Set(slabs.filter((h) => (cells[descriptorAt(G, h) + OWNER] & ADOPTED) === 0));
    const units = [...heap.blocks()]
      .map(({ ptr }) => (ptr - layout.base) / layout.unit)
      .filter((unit) =>
        unmarked.has(cells[G.map + Math.floor((unit * layout.unit) / layout.page)] >>> SLAB_SHIFT),
      );
    const changes = units
      .slice(0, 20)
      .map((unit) => [G.owners + (unit >>> 2), 1 << ((unit & 3) * 8)] as const);
    expect(unfound(all, changes)).toEqual([]);
  });

  it('the cell of no slab', () => {
    expect(unfound(all, [[G.header + AT_NONE, 1]])).toEqual([]);
  });

  it('every bit of the words of the arena that are in use, and of the owners of pages', () => {
    const changes: [number, number][] = [];
    for (let level = 0; level < g.levels; level++) {
      const children = g.capacity / 16 ** level;
      for (let word = 0; word < g.count[level]; word++) {
        const pos = g.words[level] + word;
        if (cells[pos] === 0) continue; // closed
        const mask = 2 ** Math.min(16, children - 16 * word) - 1;
        for (const bit of bitsOf(mask | (mask << 16))) changes.push([pos, bit]);
      }
    }
    expect(changes.length).toBeGreaterThan(200);
    expect(unfound(all, changes)).toEqual([]);
    const owners = Array.from({ length: Math.ceil(frontier / 4) }, (_, i) => g.owners + i);
    expect(
      unfound(
        all,
        owners.flatMap((pos) => bitsOf(-1).map((bit) => [pos, bit] as const)),
      ),
    ).toEqual([]);
  });

  it('a frontier that pages without memory do not begin at', () => {
    const header = new Int32Array(heap.buffer, layout.header);
    for (const wrong of [frontier - 1, frontier - 16]) {
      header[16] = wrong;
      expect(heap.check().join()).toMatch('is not reserved');
    }
    header[16] = frontier;
    expect(heap.check()).toEqual([]);
  });
});
