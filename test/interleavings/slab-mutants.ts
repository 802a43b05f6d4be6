// Planted bugs in the slabs of many workers: memories that perform an access in another way than the engine requests, and
// calls that are carried out in a way that one could take for right. The explorer has to find each.

import type { Cells } from '../../src/shared/cells.ts';
import { SLOT_ADOPTS, SLOT_ANNOUNCED } from '../../src/shared/layout.ts';
import { RESERVED } from '../../src/shared/owners.ts';
import { recover } from '../../src/shared/recover.ts';
import { slotOf, slotPos } from '../../src/shared/slots.ts';
import { SlabHoldings, takeBack } from '../../src/shared-slab/holdings.ts';
import {
  ADOPTED,
  AT_ABANDONED,
  BITS,
  descriptorAt,
  type Geometry,
  lineAt,
  OWNED,
  OWNER,
  SHARED,
  SLOTS_PER_CELL,
  slotIn,
  TAKING,
} from '../../src/shared-slab/layout.ts';
import { changeOwners, liveOf, slabsBefore } from '../../src/shared-slab/slab.ts';
import { CAS, LOAD, Memory, READ, STORE } from './cells.ts';
import { SlabSubject } from './slab-subject.ts';
import { DETACH, RECOVER } from './subject.ts';

/** An access, with the value of the cell before it. */
interface Access {
  readonly kind: number;
  readonly pos: number;
  readonly a: number;
  readonly b: number;
  readonly now: number;
}

/** Performs an access as requested. */
type Perform = (kind: number, pos: number, a: number, b: number) => number;

/** An operation of the worker with an id. */
type Call = (cells: Cells, subject: SlabSubject, id: number, argument: number) => number;

export interface SlabMutant {
  readonly name: string;
  /** A program in which the bug shows. There are 2 pages of 4 units. */
  readonly program: string;
  /** The most workers that can be attached at once. */
  readonly workers: number;
  readonly tracked?: boolean;
  /**
   * Performs an access in its own way. Returns the answer; undefined to have the access performed as requested. `live` is
   * whether a slot is live that begins at a unit.
   */
  readonly access?: (
    access: Access,
    G: Geometry,
    plain: Perform,
    live: (unit: number) => boolean,
  ) => number | undefined;
  /** The operation that is carried out in another way. */
  readonly call?: readonly [kind: number, call: Call];
}

/** The page of the slab whose field `field` is at `pos`; -1 if that is another cell. */
const slabWith = (G: Geometry, pos: number, field: number): number => {
  const page = Math.floor((pos - G.descriptors) / G.pageCells);
  return page >= 1 && page < G.arena.capacity && pos === descriptorAt(G, page) + field ? page : -1;
};
const isBits = (G: Geometry, pos: number): boolean => slabWith(G, pos, BITS) >= 0;
const isOwner = (G: Geometry, pos: number): boolean => slabWith(G, pos, OWNER) >= 0;
const isMap = (G: Geometry, pos: number): boolean => pos >= G.map && pos < G.map + G.arena.capacity;
const isBytes = (G: Geometry, pos: number): boolean => G.tracked && pos >= G.owners && pos < G.length;
/** Whether `pos` is a field of a worker's slot in the arena. */
const isOfSlot = ({ arena }: Geometry, pos: number, field: number): boolean =>
  Array.from({ length: arena.slots }, (_, i) => slotPos(arena, i + 1) + field).includes(pos);
const isTaking = (G: Geometry, pos: number): boolean =>
  Array.from({ length: G.arena.slots }, (_, i) => lineAt(G, i + 1) + TAKING).includes(pos);

const blindly = (plain: Perform, { pos, b }: Access): number => {
  plain(STORE, pos, b, 0);
  return 1;
};

/** The unit whose byte a change from `a` to `b` concerns, and its new byte. */
const byteOf = (G: Geometry, { pos, a, b }: Access): readonly [unit: number, byte: number] => {
  const i = (31 - Math.clz32(a ^ b)) >>> 3;
  return [(pos - G.owners) * 4 + i, (b >>> (8 * i)) & 255];
};

/** Leaves as `detach` does, but gives the slabs up before their blocks have bytes. */
const leaveFirst: Call = (cells, subject, id) => {
  const { G } = subject;
  const slot = slotOf(id);
  for (const h of slabsBefore(cells, G, G.arena.capacity)) {
    const pos = descriptorAt(G, h) + OWNER;
    if (slotIn(cells.load(pos)) !== slot) continue;
    for (let before = -1; before < 0 || !cells.cas(G.header + AT_ABANDONED, before, before + 1); )
      before = cells.load(G.header + AT_ABANDONED);
    cells.store(pos, OWNED | SHARED | ADOPTED);
    changeOwners(cells, G, h, 0, slot);
  }
  const engine = subject.engine(cells, slot);
  engine.arena.detach(new SlabHoldings(cells, G, () => G.arena.capacity));
  return 0;
};

const recoverWith =
  (change: (holdings: SlabHoldings, takes: (slot: number) => void) => Parameters<typeof recover>[2]): Call =>
  (cells, subject, id, argument) => {
    const { G } = subject;
    const engine = subject.engine(cells, slotOf(id));
    const holdings = new SlabHoldings(cells, G, () => G.arena.capacity);
    const further = change(holdings, (slot) => takeBack(engine, slot));
    return recover(engine.arena, argument, further).complete ? 1 : 0;
  };

export const SLAB_MUTANTS: readonly SlabMutant[] = [
  {
    name: 'another worker frees by a store instead of a CAS',
    program: 'p:0 q:0 ; | -p | -q',
    workers: 3,
    access: (access, G, plain) =>
      access.kind === CAS &&
      isBits(G, access.pos) &&
      access.b >>> SLOTS_PER_CELL > access.a >>> SLOTS_PER_CELL
        ? blindly(plain, access)
        : undefined,
  },
  {
    name: 'the owner collects freed slots by a store instead of a CAS',
    program: 'p:1 q:1 ; a:1 | -p -q',
    workers: 2,
    access: (access, G, plain) =>
      access.kind === CAS &&
      isBits(G, access.pos) &&
      access.a >>> SLOTS_PER_CELL !== 0 &&
      access.b >>> 16 === 0
        ? blindly(plain, access)
        : undefined,
  },
  {
    name: 'the owner does not see what others have freed',
    program: 'p:0 q:0 ; -p | -p',
    workers: 2,
    access: ({ kind, pos, now }, G) => (kind === READ && isBits(G, pos) ? now & 0xffff : undefined),
  },
  {
    name: 'a slab is taken over by a store instead of a CAS',
    program: 'p:0 q:0 . ; | a:0 | b:0',
    workers: 3,
    access: (access, G, plain) =>
      access.kind === CAS && isOwner(G, access.pos) && slotIn(access.a) === 0
        ? blindly(plain, access)
        : undefined,
  },
  {
    name: 'a worker that leaves does not count the slabs that it gives up',
    program: 'p:0 . ; | -p a:2',
    workers: 2,
    access: ({ kind, pos, a, b }, G) =>
      kind === CAS && pos === G.header + AT_ABANDONED && b > a ? 1 : undefined,
  },
  {
    name: 'a worker that leaves gives its slabs up before the blocks have bytes',
    program: 'p:0 ; ~0 . | !0 b:0',
    workers: 2,
    tracked: true,
    call: [DETACH, leaveFirst],
  },
  {
    name: 'the map does not forget a slab that is given back',
    program: 'p:0 ; -p a:2 -a | b:0',
    workers: 2,
    access: ({ kind, pos, a }, G, plain) =>
      kind === STORE && isMap(G, pos) && a === 0 ? plain(LOAD, pos, 0, 0) : undefined,
  },
  {
    name: 'a slab that is given back is not announced',
    program: 'p:0 ; ~0 -p . | !0 a:2',
    workers: 2,
    tracked: true,
    access: ({ kind, pos }, G, plain) =>
      kind === STORE && isOfSlot(G, pos, SLOT_ANNOUNCED) ? plain(LOAD, pos, 0, 0) : undefined,
  },
  {
    name: 'a recovery gives pages back whose slab the map still knows',
    program: 'p:0 ; ~0 -p . | !0 a:2 -a',
    workers: 2,
    tracked: true,
    call: [
      RECOVER,
      recoverWith((holdings, takes) => ({
        holdings: {
          owns: (slot) => holdings.owns(slot),
          disown: (slot) => holdings.disown(slot),
          forget() {},
        },
        takeBack: takes,
      })),
    ],
  },
  {
    name: 'a recovery does not look at the slabs',
    program: '~0 a:0 | !0 c:2 -c',
    workers: 2,
    tracked: true,
    call: [RECOVER, recoverWith((holdings) => ({ holdings, takeBack() {} }))],
  },
  {
    name: 'a recovery frees blocks without a claim to their bytes',
    program: 'p:0 ; | !0 b:0 | *p',
    workers: 3,
    tracked: true,
    access: (access, G) =>
      access.kind === CAS && isBytes(G, access.pos) && byteOf(G, access)[1] === RESERVED ? 1 : undefined,
  },
  {
    name: 'a recovery does not say which block it is about to free',
    program: 'p:0 | +p | ; a:0 !2 | | ~2 !1',
    workers: 3,
    tracked: true,
    access: ({ kind, pos }, G, plain) =>
      kind === STORE && isTaking(G, pos) ? plain(LOAD, pos, 0, 0) : undefined,
  },
  {
    name: 'adopting does not mark the slab',
    program: '| p:0 ; ~0 +p | !0',
    workers: 2,
    tracked: true,
    access: ({ kind, pos, a, b }, G) =>
      kind === CAS && isOwner(G, pos) && slotIn(a) > 0 && slotIn(a) === slotIn(b) && (b & ADOPTED) !== 0
        ? 1
        : undefined,
  },
  {
    name: 'adopting is not announced',
    program: 'p:0 ; | !0 | ^ q:0 | *p',
    workers: 3,
    tracked: true,
    access: ({ kind, pos }, G, plain) =>
      kind === STORE && isOfSlot(G, pos, SLOT_ADOPTS) ? plain(LOAD, pos, 0, 0) : undefined,
  },
  {
    name: 'the owner of a marked slab leaves the bytes of free slots as they are',
    program: 'p:0 q:0 ; -p -z a:0 | +p z:0',
    workers: 2,
    tracked: true,
    access: (access, G, _plain, live) => {
      if (access.kind !== CAS || !isBytes(G, access.pos)) return undefined;
      const [unit, byte] = byteOf(G, access);
      return byte !== RESERVED && !live(unit) ? Number(access.now === access.a) : undefined;
    },
  },
  {
    name: 'the owner of a marked slab makes the bytes of free slots 0',
    program: 'p:0 q:0 | +q ; | !0 b:0 | *p',
    workers: 3,
    tracked: true,
    access: (access, G, plain, live) => {
      if (access.kind !== CAS || !isBytes(G, access.pos)) return undefined;
      const [unit, byte] = byteOf(G, access);
      if (byte === RESERVED || byte === 0 || live(unit)) return undefined;
      return plain(CAS, access.pos, access.a, access.b & ~(255 << (8 * (unit & 3))));
    },
  },
];

/** A subject in which an operation is carried out as in `mutant`. */
export class SlabMutantSubject extends SlabSubject {
  readonly #mutant: SlabMutant;

  constructor(mutant: SlabMutant) {
    super({ pages: 2, pageShift: 2, workers: mutant.workers, tracked: mutant.tracked ?? false });
    this.#mutant = mutant;
  }

  override call(cells: Cells, id: number, kind: number, argument: number): number {
    const [mutated, call] = this.#mutant.call ?? [];
    return call !== undefined && kind === mutated
      ? call(cells, this, id, argument)
      : super.call(cells, id, kind, argument);
  }
}

/** Makes memories of slabs that perform accesses as in `mutant`. */
export function slabMemoryOf({ G }: SlabSubject, { access }: SlabMutant): (length: number) => Memory {
  class MutatedMemory extends Memory {
    readonly #plain: Perform = (kind, pos, a, b) => super.perform(kind, pos, a, b);
    /** There is one slab, in page 1. */
    readonly #isLive = (unit: number): boolean => {
      const size = (this.cells[G.map + 1] & 1) + 1;
      const slot = (unit - (1 << G.pageShift)) / size;
      return ((liveOf(this.cells[descriptorAt(G, 1) + BITS]) >>> slot) & 1) === 1;
    };

    override perform(kind: number, pos: number, a: number, b: number): number {
      const answer = access?.({ kind, pos, a, b, now: this.cells[pos] }, G, this.#plain, this.#isLive);
      return answer ?? super.perform(kind, pos, a, b);
    }
  }
  return (length) => new MutatedMemory(length);
}
