// Workers with slabs, for tests: several engines on one memory in one thread, that can die at any change of the memory, and
// a naive model that says which blocks are live and whose they are.

import assert from 'node:assert/strict';
import { AtomicCells, type Cells } from '../../src/shared/cells.ts';
import { check } from '../../src/shared/check.ts';
import { Engine } from '../../src/shared/engine.ts';
import { changeOwner, RESERVED } from '../../src/shared/owners.ts';
import { recover } from '../../src/shared/recover.ts';
import { attachWorker, slotOf, workerIdOf, workerIdsOf } from '../../src/shared/slots.ts';
import { writeEmpty } from '../../src/shared/state.ts';
import { SlabEngine } from '../../src/shared-slab/engine.ts';
import { SlabHoldings, takeBack } from '../../src/shared-slab/holdings.ts';
import { blocksBetween, usedUnits } from '../../src/shared-slab/inspect.ts';
import { type Geometry, geometryFor, LINE, lineAt } from '../../src/shared-slab/layout.ts';
import { ownCells } from '../../src/shared-slab/own.ts';
import { slabsBefore } from '../../src/shared-slab/slab.ts';
import { checkSlabs } from './slab-check.ts';

export interface Setting {
  readonly pages: number;
  readonly pageShift: number;
  readonly base: number;
  readonly tracked: boolean;
}

/**
 * One call. `by` and `at`, in [0, 1), pick a worker and a block or another worker. With `death`, the worker dies before
 * that change of the memory, numbered from 0.
 */
export interface Operation {
  readonly kind:
    | 'malloc'
    | 'free'
    | 'adopt'
    | 'adopt late'
    | 'attach'
    | 'detach'
    | 'recover'
    | 'reclaim'
    | 'look';
  readonly by: number;
  readonly at: number;
  readonly bytes: number;
  readonly death: number | undefined;
}

const UNIT_SHIFT = 4;
const WORKERS = 4;

class Death extends Error {}

/** Cells that a worker changes until it dies. */
class MortalCells implements Cells {
  readonly #cells: Cells;
  /** Changes that the worker makes before it dies. */
  left = Infinity;

  constructor(cells: Cells) {
    this.#cells = cells;
  }

  read(pos: number): number {
    return this.#cells.read(pos);
  }

  readLow(pos: number): number {
    return this.#cells.readLow(pos);
  }

  readHigh(pos: number): number {
    return this.#cells.readHigh(pos);
  }

  load(pos: number): number {
    return this.#cells.load(pos);
  }

  write(pos: number, value: number): void {
    this.#live();
    this.#cells.write(pos, value);
  }

  writeLow(pos: number, value: number): void {
    this.#live();
    this.#cells.writeLow(pos, value);
  }

  settle(): void {}

  store(pos: number, value: number): void {
    this.#live();
    this.#cells.store(pos, value);
  }

  cas(pos: number, expected: number, value: number): boolean {
    this.#live();
    return this.#cells.cas(pos, expected, value);
  }

  or(pos: number, bits: number): void {
    this.#live();
    this.#cells.or(pos, bits);
  }

  and(pos: number, bits: number): number {
    this.#live();
    return this.#cells.and(pos, bits);
  }

  #live(): void {
    if (this.left-- <= 0) throw new Death();
  }
}

interface Worker {
  readonly id: number;
  readonly cells: MortalCells;
  readonly own: Cells;
  readonly slabs: SlabEngine;
}

/** A live block. `owner` is the id of the worker that it belongs to or was left by. */
interface Block {
  readonly bytes: number;
  owner: number;
}

export class SlabWorkers {
  readonly #G: Geometry;
  readonly #cells: AtomicCells;
  readonly #holdings: SlabHoldings;
  readonly #living: Worker[] = [];
  /** The ids of the dead that are not recovered. */
  readonly #dead: number[] = [];
  /** By address. */
  readonly #blocks = new Map<number, Block>();
  /** Blocks of which a dead worker may have freed or adopted the one, and whose owner before is given. */
  readonly #doubtful = new Map<number, Block>();
  /** What messages about blocks said, some of them old: the address and the id of the giver. */
  readonly #messages: (readonly [ptr: number, from: number])[] = [];
  /** Whether blocks may be live that nobody knows: of dead workers, if owners are not tracked. */
  #mayHaveLost = false;
  /** Whether any worker has died in a call: then the counts may be wrong. */
  #hasDied = false;

  constructor({ pages, pageShift, base, tracked }: Setting) {
    const largestSlot = Math.min(2 ** 13, 4 << pageShift);
    const G = geometryFor({
      pages,
      workers: WORKERS,
      unitShift: UNIT_SHIFT,
      pageShift,
      largestSlot,
      base,
      tracked,
    });
    this.#G = G;
    this.#cells = new AtomicCells(new Int32Array(new SharedArrayBuffer(4 * G.length)));
    this.#holdings = new SlabHoldings(this.#cells, G, () => pages);
    writeEmpty(this.#cells, G.arena);
    const engine = new Engine(this.#cells, G.arena, attachWorker(this.#cells, G.arena, 0, pages));
    changeOwner(this.#cells, G.arena, engine.allocate(0), engine.slot, RESERVED);
    engine.detach();
    this.#attach();
  }

  perform({ kind, by, at, bytes, death }: Operation): void {
    const worker = this.#living[Math.floor(by * this.#living.length)];
    const ptr = [...this.#blocks.keys()][Math.floor(at * this.#blocks.size)];
    if (kind === 'attach') this.#attach();
    else if (kind === 'malloc') this.#malloc(worker, bytes, death);
    else if (kind === 'reclaim') this.#as(worker, death, () => worker.slabs.reclaim());
    else if (kind === 'detach') this.#detach(worker, death);
    else if (kind === 'recover') this.#recover(worker, at, death);
    else if (kind === 'look') this.look();
    else if (kind === 'free' && ptr !== undefined) this.#free(worker, ptr, death);
    else if (kind === 'adopt' && ptr !== undefined)
      this.#adopt(worker, ptr, this.#blocks.get(ptr)?.owner ?? 0, death);
    else if (kind === 'adopt late' && this.#messages.length > 0)
      this.#adopt(worker, ...this.#messages[Math.floor(at * this.#messages.length)], death);
  }

  /** Recovers all dead workers, and compares what the memory says with the model. */
  look(): void {
    for (const id of [...this.#dead]) this.#recoverBy(this.#living[0], id, undefined);
    if (this.#dead.length > 0) return;
    const { arena } = this.#G;
    assert.deepEqual(check(this.#cells, arena), []);
    const ownOf = (slot: number): Cells => (this.#living.find(({ id }) => slotOf(id) === slot) as Worker).own;
    assert.deepEqual(checkSlabs(this.#cells, this.#G, ownOf), []);
    const shown = new Map(
      [...blocksBetween(this.#cells, this.#G, 1, arena.capacity)].map(({ unit, units }) => [
        ((unit << UNIT_SHIFT) + this.#G.base) >>> 0,
        units << UNIT_SHIFT,
      ]),
    );
    for (const [ptr, block] of this.#blocks) assert.equal(shown.get(ptr), block.bytes, `the block at ${ptr}`);
    if (this.#mayHaveLost) return;
    assert.equal(shown.size, this.#blocks.size);
    assert.deepEqual(
      [...workerIdsOf(this.#cells, arena)].toSorted(),
      this.#living.map(({ id }) => id).toSorted(),
    );
  }

  /** Frees all blocks and leaves: everything is one free range of pages then. */
  end(): void {
    this.look();
    if (this.#dead.length > 0) return;
    const [first, ...others] = this.#living;
    for (const [ptr, { bytes }] of this.#blocks) assert.equal(first.slabs.free(ptr), bytes);
    for (const worker of others) this.#detach(worker, undefined);
    for (let round = 0; round < 3; round++) first.slabs.reclaim();
    if (this.#mayHaveLost) return;
    assert.deepEqual([...slabsBefore(this.#cells, this.#G, this.#G.arena.capacity)], []);
    assert.equal(this.#hasDied ? 0 : usedUnits(this.#cells, this.#G), 0);
  }

  /** Runs a call of a worker, which may die in it. Returns the result; undefined if the worker has died. */
  #as<T>(worker: Worker, death: number | undefined, call: () => T): T | undefined {
    // The last one lives.
    worker.cells.left = this.#living.length > 1 ? (death ?? Infinity) : Infinity;
    try {
      const result = call();
      worker.cells.left = Infinity;
      return result;
    } catch (error) {
      if (!(error instanceof Death)) throw error;
      this.#living.splice(this.#living.indexOf(worker), 1);
      this.#dead.push(worker.id);
      this.#hasDied = true;
      if (!this.#G.tracked) this.#mayHaveLost = true;
      return undefined;
    }
  }

  #attach(): void {
    const { arena } = this.#G;
    const cells = new MortalCells(this.#cells);
    const slot = attachWorker(cells, arena, 1, arena.capacity, this.#holdings);
    if (slot === 0) return;
    const own = new AtomicCells(new Int32Array(ownCells(this.#G)));
    const line = lineAt(this.#G, slot);
    const tally = this.#cells.s.subarray(line, line + LINE);
    const slabs = new SlabEngine(new Engine(cells, arena, slot), this.#G, own, tally);
    slabs.open();
    const id = workerIdOf(cells, arena, slot);
    for (const block of [...this.#blocks.values(), ...this.#doubtful.values()]) {
      // Those that the former worker in the slot has left are nobody's now.
      if (slotOf(block.owner) === slot) block.owner = 0;
    }
    this.#living.push({ id, cells, own, slabs });
  }

  #malloc(worker: Worker, bytes: number, death: number | undefined): void {
    const { slabs } = worker;
    const ptr = this.#as(
      worker,
      death,
      () => slabs.malloc(bytes) || (slabs.reclaim() ? slabs.malloc(bytes) : 0),
    );
    if (ptr === undefined || ptr === 0) return;
    const size = slabs.sizeAt(ptr);
    assert(
      size >= bytes && size < bytes + Math.max(2 ** this.#G.pageShift, bytes),
      `${size} bytes for ${bytes}`,
    );
    this.#add(worker, ptr);
    this.#messages.push([ptr, worker.id]);
    if (this.#messages.length > 20) this.#messages.shift();
  }

  /** Notes the block of `worker` at `ptr`. */
  #add(worker: Worker, ptr: number): void {
    const size = worker.slabs.sizeAt(ptr);
    for (const [other, block] of this.#blocks)
      assert(other + block.bytes <= ptr || ptr + size <= other, `${ptr} overlaps ${other}`);
    // A block of which it was not known whether it was freed has been, if its place is taken.
    for (const [other, block] of this.#doubtful)
      if (other < ptr + size && ptr < other + block.bytes) this.#doubtful.delete(other);
    this.#blocks.set(ptr, { bytes: size, owner: worker.id });
  }

  #free(worker: Worker, ptr: number, death: number | undefined): void {
    const block = this.#blocks.get(ptr) as Block;
    this.#blocks.delete(ptr);
    const freed = this.#as(worker, death, () => worker.slabs.free(ptr));
    if (freed === undefined) this.#doubtful.set(ptr, block);
    else {
      assert.equal(freed, block.bytes);
      assert.equal(worker.slabs.free(ptr), 0);
    }
  }

  #adopt(worker: Worker, ptr: number, from: number, death: number | undefined): void {
    if (!this.#G.tracked || this.#doubtful.has(ptr)) return;
    const block = this.#blocks.get(ptr);
    const isRight = block !== undefined && (from === 0 || block.owner === from);
    const adopted = this.#as(worker, death, () => worker.slabs.adopt(ptr, from));
    if (adopted === undefined) {
      if (!isRight) return;
      this.#blocks.delete(ptr);
      this.#doubtful.set(ptr, block);
      return;
    }
    // A dead worker may have allocated a block there in its last call.
    if (adopted && block === undefined && this.#dead.includes(from)) this.#add(worker, ptr);
    else assert.equal(adopted, isRight, `the adoption of ${ptr} from ${from}`);
    if (block !== undefined && adopted) block.owner = worker.id;
  }

  #detach(worker: Worker, death: number | undefined): void {
    const left = this.#as(worker, death, () => {
      worker.slabs.abandonAll();
      worker.slabs.arena.detach(this.#holdings);
      return true;
    });
    if (left) this.#living.splice(this.#living.indexOf(worker), 1);
    if (this.#living.length === 0) this.#attach();
  }

  /** Recovers a dead worker; if there is none, one of the living dies first, between two calls. */
  #recover(worker: Worker, at: number, death: number | undefined): void {
    if (this.#dead.length === 0) {
      const others = this.#living.filter((other) => other !== worker);
      if (others.length === 0) return;
      const victim = others[Math.floor(at * others.length)];
      this.#living.splice(this.#living.indexOf(victim), 1);
      this.#dead.push(victim.id);
    }
    this.#recoverBy(worker, this.#dead[Math.floor(at * this.#dead.length)], death);
  }

  #recoverBy(worker: Worker, dead: number, death: number | undefined): void {
    const { slabs } = worker;
    const recovered = this.#as(worker, death, () => {
      const takes = (slot: number): void => {
        takeBack(slabs, slot);
      };
      return recover(slabs.arena, dead, { holdings: this.#holdings, takeBack: takes });
    });
    if (this.#G.tracked) {
      // If the recovering worker has died, some of them are still there, and the next recovery takes those back.
      for (const [ptr, block] of this.#blocks) if (block.owner === dead) this.#blocks.delete(ptr);
    }
    if (recovered === undefined || !recovered.complete) return;
    const units = recovered.units << (this.#G.pageShift - UNIT_SHIFT);
    slabs.noteFreed(units);
    const ids = workerIdsOf(this.#cells, this.#G.arena);
    for (const id of [...this.#dead]) {
      if (ids.includes(id)) continue;
      this.#dead.splice(this.#dead.indexOf(id), 1);
      if (!this.#G.tracked) continue;
      for (const [ptr, block] of this.#blocks) if (block.owner === id) this.#blocks.delete(ptr);
    }
    if (this.#dead.length > 0) return;
    // Now it is known what has become of the blocks that a worker was freeing or adopting when it died.
    for (const [ptr, block] of this.#doubtful) {
      if (slabs.sizeAt(ptr) === block.bytes) this.#blocks.set(ptr, block);
    }
    this.#doubtful.clear();
  }
}
