// A program in the middle of its run: the memory, the position of each worker, and the ghost record of which worker
// holds which block. One step is one access to memory by one worker, with the accesses to its private cells before and
// after it, which nobody can tell from one. Everything besides the memory is one small Int32Array, `control`, which can
// be copied and put back.

import type { Automaton } from './automaton.ts';
import {
  BROKEN,
  DirectCells,
  DONE,
  FAILED,
  LOAD,
  type Memory,
  mix,
  READ,
  SALT_1,
  WRITE,
  WRITE_LOW,
} from './cells.ts';
import { attachesLater, type Op, type Program } from './program.ts';
import {
  ADOPT,
  ALLOC,
  ATTACH,
  adoptionOf,
  CALL_NAMES,
  DETACH,
  FREE,
  isOnBlock,
  RECOVER,
  type Subject,
} from './subject.ts';
import { Violation } from './violation.ts';

/** Position of a worker that is between two operations, or dead. Otherwise it is a node of the automaton. */
const IDLE = -1;
const DEAD = -2;

/**
 * Fields of a worker in `control`: the number of its operation; its position in it; its id; what has become of it; the
 * worker from which it adopts a block, or -1 if that block is gone; then the mask.
 */
const NODE = 1;
const ID = 2;
const FATE = 3;
const GIVER = 4;
const MASK = 5;

/** Instead of an id: the worker is not attached yet; there was no room for it. */
const NOT_YET = 0;
const NO_ROOM = -1;

/** What has become of a worker: it has detached itself; its recovery has begun; it is recovered. */
const LEFT = 1;
const RECOVERING = 2;
const RECOVERED = 3;

/** Results of an ALLOC that are not an offset: it is not over; there was no room. */
const PENDING = -3;
const NONE = -1;

/**
 * Whether a block is held: no; yes; or maybe, because a worker was killed while it freed or adopted the block, or
 * because a worker adopts it while its holder is being recovered.
 */
export const NOT_HELD = 0;
export const HELD = 1;
export const LIMBO = 2;

/**
 * Fields of a block in `control`: its offset; whether it is held; its frees that are over; those that gave it back;
 * its owner; the offset that it was allocated at, even after it is gone.
 */
const BLOCK_FIELDS = 6;

/**
 * How many outdated values a worker may still read. A plain read happens after the worker's last atomic access, but
 * perhaps before other plain reads that precede it in the program: it may see any value that the cell had since that
 * access.
 */
export const STALE = 2;

export interface MachineOptions {
  /** Let plain reads see outdated values, the last {@link STALE} of them. */
  readonly stale: boolean;
  /** Check that an ALLOC fails only if no block that fits was free throughout. */
  readonly full: boolean;
}

export class Machine {
  readonly subject: Subject;
  readonly program: Program;
  readonly automaton: Automaton;
  readonly memory: Memory;
  /**
   * The fields of each worker, then those of each block, then the outdated values. The mask of a worker has a bit for
   * each unit that has been free since its operation began.
   */
  readonly control: Int32Array;
  /** The nodes of the automaton before and after the last step. */
  from = 0;
  to = 0;
  /** The answer to the access of the last step. */
  answer = 0;
  /** The cells that the last step has accessed, each with the value that it had before. */
  readonly changes: number[] = [];

  readonly #full: boolean;
  readonly #maskLength: number;
  readonly #stride: number;
  readonly #blocks: number;
  /** Position of the outdated values in `control`: for each worker, STALE times a cell, or -1, and its former value. */
  readonly #stale: number;
  readonly #free: Int32Array;

  constructor(automaton: Automaton, memory: Memory, program: Program, options: MachineOptions) {
    const { subject } = automaton;
    this.subject = subject;
    this.automaton = automaton;
    this.program = program;
    this.memory = memory;
    this.#full = options.full;
    this.#maskLength = options.full ? Math.ceil(subject.capacity / 32) : 0;
    this.#stride = MASK + this.#maskLength;
    this.#blocks = program.workers.length * this.#stride;
    this.#stale = this.#blocks + program.names.length * BLOCK_FIELDS;
    this.control = new Int32Array(this.#stale + (options.stale ? program.workers.length * STALE * 2 : 0));
    this.control.fill(-1, this.#stale);
    this.#free = new Int32Array(Math.ceil(subject.capacity / 32));
    for (let w = 0; w < program.workers.length; w++) this.#setNode(w, IDLE);
    for (let block = 0; block < program.names.length; block++) {
      this.#setBlock(block, PENDING, NOT_HELD);
      this.#setOwner(block, NONE);
      this.#setPlace(block, PENDING);
    }

    const cells = new DirectCells(memory);
    subject.setUp(cells);
    for (let w = 0; w < program.workers.length; w++) {
      if (!attachesLater(program, w)) this.#alone(cells, w, { kind: ATTACH, block: -1, argument: 0 });
    }
    program.before.forEach((ops, worker) => {
      for (const op of ops) this.#alone(cells, worker, op);
    });
    for (const worker of program.dead) this.#setNode(worker, DEAD);
    this.#skip();
  }

  get workers(): number {
    return this.program.workers.length;
  }

  /** Whether `worker` can make a step. */
  enabled(worker: number): boolean {
    const node = this.#node(worker);
    if (node !== IDLE) return node !== DEAD;
    const op = this.#op(worker);
    if (op === undefined) return false;
    if (isOnBlock(op.kind)) return this.placeOf(op) !== PENDING;
    if (op.kind !== RECOVER) return true;
    return this.isDead(op.argument) && !(this.subject.takesBack && this.#isFreeing(op.argument));
  }

  /** Whether `worker` is in the middle of an operation. */
  isBusy(worker: number): boolean {
    return this.#node(worker) >= 0;
  }

  isDead(worker: number): boolean {
    return this.#node(worker) === DEAD;
  }

  /** Whether the victim, if the program has one, can still be killed. */
  canKill(): boolean {
    const { victim } = this.program;
    return victim >= 0 && !this.isDead(victim);
  }

  /** The id of a worker; not positive if it has none, or if that is not known. */
  idOf(worker: number): number {
    return this.control[worker * this.#stride + ID];
  }

  /** Whether a worker has detached itself. */
  hasLeft(worker: number): boolean {
    return this.#fate(worker) === LEFT;
  }

  /** The workers that are attached. */
  get living(): number[] {
    const all = this.program.workers.map((_, w) => w);
    return all.filter((w) => this.idOf(w) > 0 && !this.isDead(w) && !this.hasLeft(w));
  }

  /** The workers that are dead and not recovered. */
  get unrecovered(): number[] {
    const all = this.program.workers.map((_, w) => w);
    return all.filter((w) => this.idOf(w) > 0 && this.isDead(w) && [0, RECOVERING].includes(this.#fate(w)));
  }

  /** The workers that are dead and recovered. */
  get recovered(): number[] {
    return this.program.workers.map((_, w) => w).filter((w) => this.#fate(w) === RECOVERED);
  }

  /** The blocks that are held, or may be, after all dead workers are recovered. */
  get ghost(): number[] {
    return this.program.names.flatMap((_, block) => {
      const owner = this.owner(block);
      const isDeads = this.subject.takesBack && owner >= 0 && this.isDead(owner) && !this.hasLeft(owner);
      return this.holding(block) === NOT_HELD || isDeads ? [] : [block];
    });
  }

  /** Whether a worker is freeing a block of `owner`. */
  #isFreeing(owner: number): boolean {
    return this.ownedBy(owner).some((block) => this.#isAt(FREE, block));
  }

  /** Whether a worker other than `except` is in the middle of an operation of that kind on a block. */
  #isAt(kind: number, block: number, except = -1): boolean {
    for (let w = 0; w < this.workers; w++) {
      const op = this.#op(w);
      if (w !== except && this.isBusy(w) && op?.kind === kind && op.block === block) return true;
    }
    return false;
  }

  /** The blocks that `worker` has allocated or adopted, and that no other worker has adopted since. */
  ownedBy(worker: number): number[] {
    return this.program.names.map((_, block) => block).filter((block) => this.owner(block) === worker);
  }

  /** Whether all operations of all workers are over. */
  isOver(): boolean {
    for (let w = 0; w < this.workers; w++) {
      if (this.#node(w) !== DEAD && (this.#node(w) !== IDLE || this.#op(w) !== undefined)) return false;
    }
    return !this.canKill();
  }

  /** Offset of a block; negative if there is none, or not yet. */
  offset(block: number): number {
    return this.control[this.#blocks + block * BLOCK_FIELDS];
  }

  /**
   * The offset at which an operation looks for its block; negative if there is none, or not yet. One that is late
   * looks where the block was.
   */
  placeOf({ kind, block, argument }: Op): number {
    return this.control[this.#blocks + block * BLOCK_FIELDS + (kind === ADOPT && argument === 1 ? 5 : 0)];
  }

  /** Whether a block is held. */
  holding(block: number): number {
    return this.control[this.#blocks + block * BLOCK_FIELDS + 1];
  }

  /** Units of a block. */
  sizeOf(block: number): number {
    return 2 ** this.#ordersByBlock()[block];
  }

  /** The hash of everything on which the future depends; one half for each salt. */
  hash(salt: number): number {
    let h = salt === SALT_1 ? this.memory.hash1 : this.memory.hash2;
    const { control } = this;
    for (let i = 0; i < control.length; i++) h ^= mix(i + 0x10000, control[i], salt);
    return h;
  }

  /** Whether the next access of `worker`, which is enabled, is a plain read that may see its outdated value `i`. */
  canBeStale(worker: number, i: number): boolean {
    const pos = this.#stale + (worker * STALE + i) * 2;
    if (pos >= this.control.length || this.control[pos] < 0 || !this.isBusy(worker)) return false;
    const node = this.#node(worker);
    return this.automaton.kind(node) === READ && this.control[pos] === this.automaton.pos(node);
  }

  /**
   * Lets `worker`, which is enabled, make its next access. With `stale`, that is a plain read of that outdated value.
   */
  step(worker: number, stale = -1): void {
    const { automaton, memory } = this;
    let node = this.#node(worker);
    if (node === IDLE) {
      node = this.#root(worker);
      this.#begin(worker, this.#op(worker) as Op);
    }
    this.changes.length = 0;
    node = this.#advance(node);
    this.from = node;
    const kind = automaton.kind(node);
    if (kind < DONE) {
      const pos = automaton.pos(node);
      const before = memory.cells[pos];
      this.changes.push(pos, before);
      this.answer =
        stale >= 0
          ? this.control[this.#stale + (worker * STALE + stale) * 2 + 1]
          : memory.perform(kind, pos, automaton.a(node), automaton.b(node));
      if (this.#stale < this.control.length) this.#age(worker, kind, pos, before, stale, automaton.a(node));
      node = this.#advance(automaton.next(node, this.answer));
      if (this.#full && kind !== READ && kind !== LOAD) this.#narrow(worker);
    }
    this.to = node;
    this.#setNode(worker, node);
    if (automaton.kind(node) >= DONE) this.#end(worker, node);
  }

  /** Makes the accesses to private cells from `node` on. Returns the node that follows. */
  #advance(from: number): number {
    const { automaton, memory, subject } = this;
    let node = from;
    while (automaton.kind(node) < DONE && subject.isPrivate?.(automaton.pos(node))) {
      const pos = automaton.pos(node);
      this.changes.push(pos, memory.cells[pos]);
      node = automaton.next(
        node,
        memory.perform(automaton.kind(node), pos, automaton.a(node), automaton.b(node)),
      );
    }
    return node;
  }

  /** Whether the last step ended its operation. */
  get ended(): boolean {
    return this.automaton.kind(this.to) >= DONE;
  }

  /** Kills the victim at its present position. */
  kill(): void {
    const { victim } = this.program;
    const op = this.#op(victim);
    const pos = victim * this.#stride;
    if (this.isBusy(victim) && op !== undefined) {
      const giver = this.control[pos + GIVER];
      const adopting = op.kind === ADOPT && this.holding(op.block) === HELD && this.owner(op.block) === giver;
      if (op.kind === FREE || adopting) this.#setBlock(op.block, this.offset(op.block), LIMBO);
      const ids = this.subject.workerIds(new DirectCells(this.memory));
      const known = this.program.workers.map((_, w) => this.idOf(w));
      // Its id may be one that no worker is known to have: so users find it as well.
      if (op.kind === ATTACH) this.control[pos + ID] = ids.find((id) => !known.includes(id)) ?? NOT_YET;
      if (op.kind === DETACH && !ids.includes(this.idOf(victim))) this.#setFate(victim, LEFT);
    }
    this.#abandon(victim);
    this.control[pos] = 0;
    this.control.fill(0, pos + GIVER, pos + this.#stride);
    this.#setNode(victim, DEAD);
    if (this.#stale < this.control.length) this.#age(victim, DONE, 0, this.memory.cells[0]);
    this.#skip();
  }

  /** The present operation of `worker`, or its next one. */
  operation(worker: number): Op | undefined {
    return this.#op(worker);
  }

  // --- operations ---------------------------------------------------------------------------------------------------

  /** The node at which the next operation of `worker` begins. */
  #root(worker: number): number {
    const op = this.#op(worker) as Op;
    return this.automaton.root(Math.max(0, this.idOf(worker)), op.kind, this.#argument(worker, op));
  }

  #begin(worker: number, op: Op): void {
    if (op.kind === FREE) {
      if (this.holding(op.block) === HELD) this.#setBlock(op.block, this.offset(op.block), NOT_HELD);
    } else if (op.kind === ADOPT) {
      const isGone = this.offset(op.block) === NONE;
      this.control[worker * this.#stride + GIVER] = isGone ? NONE : this.#giverOf(op);
    } else if (op.kind === RECOVER) {
      if (this.#fate(op.argument) === 0) this.#setFate(op.argument, RECOVERING);
      // A recovery goes on with those that the dead worker, or another dead one, has begun.
      for (let w = 0; w < this.workers; w++) if (this.#fate(w) === RECOVERING) this.#recover(w, false);
      this.#skip();
    } else if (op.kind === ALLOC && this.#full) {
      const free = this.#freeFor(worker, op);
      for (let i = 0; i < free.length; i++) this.control[worker * this.#stride + MASK + i] = free[i];
      this.#erode(worker, op.argument);
    }
  }

  /**
   * Takes back the blocks of a dead worker, those that cannot be adopted any more if the recovery is over. Until then,
   * they may be adopted.
   */
  #recover(dead: number, isOver: boolean): void {
    if (!this.subject.takesBack) return;
    for (const block of this.ownedBy(dead)) {
      const mayBeAdopted = this.#isAt(ADOPT, block) || (!isOver && this.program.late.includes(block));
      if (this.holding(block) !== NOT_HELD && mayBeAdopted) this.#setBlock(block, this.offset(block), LIMBO);
      else this.#setBlock(block, NONE, NOT_HELD);
    }
  }

  #end(worker: number, node: number): void {
    const op = this.#op(worker) as Op;
    if (this.automaton.kind(node) === BROKEN) {
      throw new Violation(`${CALL_NAMES[op.kind]} breaks: ${this.automaton.message(node)}`);
    }
    this.#conclude(worker, op, this.automaton.a(node), this.automaton.kind(node) === FAILED);
    if (this.#stale < this.control.length) this.#age(worker, DONE, 0, this.memory.cells[0]);
    this.control[worker * this.#stride]++;
    this.#setNode(worker, IDLE);
    this.#skip();
  }

  #conclude(worker: number, op: Op, result: number, failed: boolean): void {
    if (op.kind === FREE) this.#freed(op.block, failed, result);
    else if (failed) throw new Violation(`${CALL_NAMES[op.kind]} throws`);
    else if (op.kind === ALLOC) this.#allocated(worker, op, result);
    else if (op.kind === ADOPT) this.#adopted(worker, op, result === 1);
    else if (op.kind === ATTACH) this.#attached(worker, result);
    else if (op.kind === DETACH) this.#setFate(worker, LEFT);
    else if (result === 1 && this.#fate(op.argument) === RECOVERING) {
      this.#setFate(op.argument, RECOVERED);
      this.#recover(op.argument, true);
    }
    const pos = worker * this.#stride;
    this.control.fill(0, pos + GIVER, pos + this.#stride);
  }

  #attached(worker: number, id: number): void {
    if (id > 0 && this.program.workers.some((_, w) => this.idOf(w) === id))
      throw new Violation(`attach gives the id ${id}, which another worker has or had`);
    this.control[worker * this.#stride + ID] = id > 0 ? id : NO_ROOM;
    if (id <= 0) this.#abandon(worker);
  }

  /** Gives up the allocations that a worker has not made. */
  #abandon(worker: number): void {
    for (const { kind, block } of this.program.workers[worker]) {
      if (kind !== ALLOC || this.offset(block) !== PENDING) continue;
      this.#setBlock(block, NONE, NOT_HELD);
      this.#setPlace(block, NONE);
    }
  }

  #allocated(worker: number, op: Op, offset: number): void {
    if (offset === -1) {
      if (this.#full) this.#checkFull(worker, op);
      this.#setBlock(op.block, NONE, NOT_HELD);
      this.#setPlace(op.block, NONE);
      return;
    }
    const size = 2 ** op.argument;
    if (
      !Number.isInteger(offset) ||
      offset < 0 ||
      offset % size !== 0 ||
      offset + size > this.subject.capacity
    ) {
      throw new Violation(`alloc of ${size} returns ${offset}`);
    }
    this.#checkApart(op, offset);
    this.#setBlock(op.block, offset, HELD);
    this.#setOwner(op.block, worker);
    this.#setPlace(op.block, offset);
  }

  /** Throws if the units of a block that a worker gets at `offset` are held already. */
  #checkApart({ kind, block }: Op, offset: number): void {
    const size = this.sizeOf(block);
    this.program.names.forEach((name, other) => {
      if (other === block || this.holding(other) !== HELD) return;
      const start = this.offset(other);
      if (offset >= start + this.sizeOf(other) || start >= offset + size) return;
      throw new Violation(
        `${CALL_NAMES[kind]} returns ${offset}, ${size} units, while block ${name} holds ${start}, ${this.sizeOf(other)} units`,
      );
    });
  }

  #adopted(worker: number, op: Op, succeeded: boolean): void {
    const { block } = op;
    const holding = this.holding(block);
    const giver = this.control[worker * this.#stride + GIVER];
    const isSame = this.owner(block) === giver;
    const name = this.program.names[block];
    if (succeeded) {
      if (!isSame)
        throw new Violation(`block ${name} is adopted from a worker that does not own it any more`);
      this.#checkApart(op, this.offset(block));
      // The worker that frees it may have done so already.
      if (holding === LIMBO && this.program.frees[block] === 0)
        this.#setBlock(block, this.offset(block), HELD);
      this.#setOwner(block, worker);
    } else if (holding === HELD) {
      // Another worker may have adopted it in an operation that is not over. And where slots are few, one that attaches
      // may have got the slot of one that has left.
      const isNobodys = isSame && this.hasLeft(giver) && this.workers > this.subject.workers;
      if (isSame && !isNobodys && !this.#isAt(ADOPT, block, worker))
        throw new Violation(`block ${name} cannot be adopted`);
    } else if (holding === LIMBO && this.isDead(this.owner(block))) {
      // It was recovered, or its owner was killed while freeing it.
      this.#setBlock(block, NONE, NOT_HELD);
    }
  }

  #freed(block: number, failed: boolean, units: number): void {
    const { names, frees } = this.program;
    if (this.holding(block) === LIMBO) {
      if (!failed) this.#setBlock(block, NONE, NOT_HELD);
      return;
    }
    if (failed && frees[block] === 1) throw new Violation(`free of block ${names[block]} throws`);
    if (!failed && units !== this.sizeOf(block)) {
      throw new Violation(`free of block ${names[block]} of ${this.sizeOf(block)} units gives back ${units}`);
    }
    const pos = this.#blocks + block * BLOCK_FIELDS;
    this.control[pos + 2]++;
    if (!failed && ++this.control[pos + 3] > 1)
      throw new Violation(`block ${names[block]} is given back twice`);
    if (this.control[pos + 2] === frees[block]) {
      if (this.control[pos + 3] === 0) throw new Violation(`block ${names[block]} cannot be given back`);
      this.#setBlock(block, NONE, NOT_HELD);
    }
  }

  /**
   * Skips frees and adoptions of blocks that do not exist, or no longer; recoveries of workers that never had an id; and
   * whatever a worker does for which there was no room.
   */
  #skip(): void {
    for (let w = 0; w < this.workers; w++) {
      while (this.#node(w) === IDLE) {
        const op = this.#op(w);
        if (op === undefined) break;
        const hasNoBlock = isOnBlock(op.kind) && this.placeOf(op) === NONE;
        const hasNoTarget =
          op.kind === RECOVER &&
          (this.idOf(op.argument) === NO_ROOM || (this.isDead(op.argument) && this.idOf(op.argument) <= 0));
        if (!hasNoBlock && !hasNoTarget && this.idOf(w) !== NO_ROOM) break;
        this.control[w * this.#stride]++;
      }
    }
  }

  /** Runs an operation that is not interrupted. One that is recovered is dead. */
  #alone(cells: DirectCells, worker: number, op: Op): void {
    if (op.kind === RECOVER) this.#setNode(op.argument, DEAD);
    const argument = this.#argument(worker, op);
    this.#begin(worker, op);
    this.#conclude(worker, op, this.subject.call(cells, this.idOf(worker), op.kind, argument), false);
  }

  /**
   * Notes for the other workers the value of a cell before the access. The worker itself is up to date after an
   * atomic access, and after a plain one for that cell only. A worker that saw outdated value `stale` may see it
   * again, but none before it. A plain write of half a cell may be followed by a read that sees it, and the other half
   * outdated.
   */
  #age(worker: number, kind: number, pos: number, before: number, stale = -1, written = 0): void {
    const { control } = this;
    const length = STALE * 2;
    const isPlain = kind === READ || kind === WRITE || kind === WRITE_LOW;
    const own = this.#stale + worker * length;
    for (let i = own + (stale + 1) * 2; i < own + length; i += 2) {
      if (kind === WRITE_LOW && control[i] === pos)
        control[i + 1] = (control[i + 1] & ~0xffff) | (written & 0xffff);
      else if (!isPlain || control[i] === pos) control.fill(-1, i, i + 2);
    }
    if (this.memory.cells[pos] === before) return;
    for (let w = 0; w < this.workers; w++) {
      if (w === worker || !this.isBusy(w)) continue;
      const first = this.#stale + w * length;
      control.copyWithin(first + 2, first, first + length - 2);
      control[first] = pos;
      control[first + 1] = before;
    }
  }

  // --- was it full? -------------------------------------------------------------------------------------------------

  /** The units that `worker` could allocate at this moment. */
  #freeFor(worker: number, { argument }: Op): Int32Array {
    this.#free.fill(0);
    this.subject.markFree(this.memory.cells, this.#free, this.idOf(worker), argument);
    return this.#free;
  }

  /** Keeps those of the units that have been free since each ALLOC began that are still free. */
  #narrow(stepping: number): void {
    for (let w = 0; w < this.workers; w++) {
      const op = this.#op(w);
      if ((w !== stepping && !this.isBusy(w)) || op?.kind !== ALLOC) continue;
      const free = this.#freeFor(w, op);
      for (let i = 0; i < free.length; i++) this.control[w * this.#stride + MASK + i] &= free[i];
      this.#erode(w, op.argument);
    }
  }

  /** Drops those of the units noted for an ALLOC that are not part of a whole block that fits. */
  #erode(worker: number, order: number): void {
    const pos = worker * this.#stride + MASK;
    const size = 2 ** order;
    const mask = size >= 32 ? -1 : 2 ** size - 1;
    for (let from = 0; from < this.subject.capacity; from += size) {
      let whole = true;
      for (let i = from; i < from + size && whole; i += 32) {
        whole = ((this.control[pos + (i >>> 5)] >>> (i & 31)) & mask) === mask;
      }
      if (whole) continue;
      for (let i = from; i < from + size && i >>> 5 < this.#maskLength; i += 32) {
        this.control[pos + (i >>> 5)] &= ~(mask << (i & 31));
      }
    }
  }

  #checkFull(worker: number, op: Op): void {
    const pos = worker * this.#stride + MASK;
    for (let i = 0; i < this.#maskLength; i++) {
      const mask = this.control[pos + i];
      if (mask === 0) continue;
      const offset = i * 32 + 31 - Math.clz32(mask & -mask);
      throw new Violation(`alloc of ${2 ** op.argument} finds no room, but ${offset} was free all the time`);
    }
  }

  /** The argument of the call of an operation. */
  #argument(worker: number, op: Op): number {
    if (op.kind === ATTACH) return worker;
    if (op.kind === RECOVER) return this.idOf(op.argument);
    if (op.kind === ADOPT) return adoptionOf(this.placeOf(op), this.idOf(this.#giverOf(op)));
    return op.kind === FREE ? this.offset(op.block) : op.argument;
  }

  /** The worker from which an operation adopts its block. */
  #giverOf({ block, argument }: Op): number {
    return argument === 1 ? this.#allocators()[block] : this.owner(block);
  }

  // --- control ------------------------------------------------------------------------------------------------------

  #op(worker: number): Op | undefined {
    return this.program.workers[worker][this.control[worker * this.#stride]];
  }

  #node(worker: number): number {
    return this.control[worker * this.#stride + NODE];
  }

  #setNode(worker: number, node: number): void {
    this.control[worker * this.#stride + NODE] = node;
  }

  #fate(worker: number): number {
    return this.control[worker * this.#stride + FATE];
  }

  #setFate(worker: number, fate: number): void {
    this.control[worker * this.#stride + FATE] = fate;
  }

  #setBlock(block: number, offset: number, holding: number): void {
    this.control[this.#blocks + block * BLOCK_FIELDS] = offset;
    this.control[this.#blocks + block * BLOCK_FIELDS + 1] = holding;
  }

  /** The worker that owns a block; negative if none does. */
  owner(block: number): number {
    return this.control[this.#blocks + block * BLOCK_FIELDS + 4];
  }

  #setPlace(block: number, offset: number): void {
    this.control[this.#blocks + block * BLOCK_FIELDS + 5] = offset;
  }

  #setOwner(block: number, worker: number): void {
    this.control[this.#blocks + block * BLOCK_FIELDS + 4] = worker;
  }

  #orders: Int8Array | undefined;
  #ordersByBlock(): Int8Array {
    this.#orders ??= this.#byBlock((_, { argument }) => argument);
    return this.#orders;
  }

  #allocatorsByBlock: Int8Array | undefined;
  #allocators(): Int8Array {
    this.#allocatorsByBlock ??= this.#byBlock((worker) => worker);
    return this.#allocatorsByBlock;
  }

  /** [block]: a field of the operation that allocates it. */
  #byBlock(fieldOf: (worker: number, op: Op) => number): Int8Array {
    const values = new Int8Array(this.program.names.length);
    for (const part of [this.program.before, this.program.workers]) {
      part.forEach((ops, worker) => {
        for (const op of ops) if (op.kind === ALLOC) values[op.block] = fieldOf(worker, op);
      });
    }
    return values;
  }
}
