// A program in the middle of being run: the memory, where every worker stands, and the ghost record of who holds what.
// One step is one access to memory by one worker. Everything beside the memory is one small Int32Array, `control`, which
// can be copied and put back.

import type { Automaton } from './automaton.ts';
import { DirectCells, DONE, FAILED, LOAD, type Memory, mix, READ, SALT_1, WRITE } from './cells.ts';
import type { Op, Program } from './program.ts';
import { ADOPT, ALLOC, CALL_NAMES, FREE, isOnBlock, RECOVER, type Subject } from './subject.ts';
import { Violation } from './violation.ts';

/** Where a worker stands that is between two operations, or dead. Else: a node of the automaton. */
const IDLE = -1;
const DEAD = -2;

/** Fields of a worker in `control`: number of its operation; where it stands in it; who owned the block that it adopts; then the mask. */
const NODE = 1;
const GIVER = 2;
const MASK = 3;

/** Results of an ALLOC, when no offset. */
const PENDING = -3;
const NONE = -1;

/**
 * Who has a block: nobody; its holder; or maybe nobody, since a worker was killed while it freed or adopted the block, or another
 * adopts it while its holder is recovered.
 */
export const NOT_HELD = 0;
export const HELD = 1;
export const LIMBO = 2;

/** Fields of a block in `control`: the offset; who has it; how many frees of it are over; how many gave it back; its owner. */
const SLOT_FIELDS = 5;

/**
 * How many outdated values a worker may still read. A plain read comes after the worker's last atomic access, but may come before
 * other plain reads that are written before it: it may see what any cell held at any time since that access.
 */
export const STALE = 2;

export interface MachineOptions {
  /** Let plain reads see outdated values, the last few. */
  readonly stale: boolean;
  /** Check that an ALLOC fails only when no block that fits was free throughout. */
  readonly full: boolean;
}

export class Machine {
  readonly subject: Subject;
  readonly program: Program;
  readonly automaton: Automaton;
  readonly memory: Memory;
  /**
   * By worker and by block, fields as said above, where the mask is the units free since the worker's operation began; at last, 1
   * when the victim is recovered.
   */
  readonly control: Int32Array;
  /** Of the step just made: the node of the automaton that it began at, and the one that it led to. */
  from = 0;
  to = 0;
  /** Of the step just made: what the access was answered. */
  answer = 0;

  readonly #full: boolean;
  readonly #maskLength: number;
  readonly #stride: number;
  readonly #slots: number;
  readonly #recovery: number;
  /** Position of the outdated values in `control`: for each worker, STALE times a cell, or -1, and what it held. */
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
    this.#slots = program.workers.length * this.#stride;
    this.#recovery = this.#slots + program.names.length * SLOT_FIELDS;
    this.#stale = this.#recovery + 1;
    this.control = new Int32Array(this.#stale + (options.stale ? program.workers.length * STALE * 2 : 0));
    this.control.fill(-1, this.#stale);
    this.#free = new Int32Array(Math.ceil(subject.capacity / 32));
    for (let w = 0; w < program.workers.length; w++) this.#setNode(w, IDLE);
    for (let slot = 0; slot < program.names.length; slot++) {
      this.#setSlot(slot, PENDING, NOT_HELD);
      this.#setOwner(slot, NONE);
    }

    const cells = new DirectCells(memory);
    subject.setUp(cells);
    program.before.forEach((ops, worker) => {
      for (const op of ops) this.#alone(cells, worker, op);
    });
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
    if (isOnBlock(op.kind)) return this.offset(op.slot) !== PENDING;
    return op.kind !== RECOVER || (this.isDead(op.argument) && !this.#isFreeing(op.argument));
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

  /** Whether recovery of the victim is over. */
  get recovered(): boolean {
    return this.control[this.#recovery] === 1;
  }

  /** Whether somebody is freeing a block of `owner`. */
  #isFreeing(owner: number): boolean {
    return this.ownedBy(owner).some((slot) => this.#isAt(FREE, slot));
  }

  /** Whether somebody but `except` is in the middle of an operation of that kind on a block. */
  #isAt(kind: number, slot: number, except = -1): boolean {
    for (let w = 0; w < this.workers; w++) {
      const op = this.#op(w);
      if (w !== except && this.isBusy(w) && op?.kind === kind && op.slot === slot) return true;
    }
    return false;
  }

  /** The blocks that `worker` has allocated or adopted, and nobody has adopted since. */
  ownedBy(worker: number): number[] {
    return this.program.names.map((_, slot) => slot).filter((slot) => this.#owner(slot) === worker);
  }

  /** Whether everyone has done everything. */
  isOver(): boolean {
    for (let w = 0; w < this.workers; w++) {
      if (this.#node(w) !== DEAD && (this.#node(w) !== IDLE || this.#op(w) !== undefined)) return false;
    }
    return !this.canKill();
  }

  /** Offset of a block; negative when there is none, or not yet. */
  offset(slot: number): number {
    return this.control[this.#slots + slot * SLOT_FIELDS];
  }

  /** Who has a block. */
  holding(slot: number): number {
    return this.control[this.#slots + slot * SLOT_FIELDS + 1];
  }

  /** Units of a block. */
  sizeOf(slot: number): number {
    return 2 ** this.#ordersBySlot()[slot];
  }

  /** The hash of all that the future depends on, in two halves. */
  hash(salt: number): number {
    let h = salt === SALT_1 ? this.memory.hash1 : this.memory.hash2;
    const { control } = this;
    for (let i = 0; i < control.length; i++) h ^= mix(i + 0x10000, control[i], salt);
    return h;
  }

  /** The cell of the next access of `worker`, which is enabled; -1 when its operation makes none. */
  nextCell(worker: number): number {
    const node = this.isBusy(worker) ? this.#node(worker) : this.#root(worker);
    return this.automaton.kind(node) < DONE ? this.automaton.at(node) : -1;
  }

  /** Whether the next access of `worker`, which is enabled, is a plain read that may see its outdated value `i`. */
  canBeStale(worker: number, i: number): boolean {
    const at = this.#stale + (worker * STALE + i) * 2;
    if (at >= this.control.length || this.control[at] < 0 || !this.isBusy(worker)) return false;
    return this.automaton.kind(this.#node(worker)) === READ && this.control[at] === this.nextCell(worker);
  }

  /** Lets `worker`, which is enabled, make its next access; a plain read sees its outdated value `stale`, if given. */
  step(worker: number, stale = -1): void {
    const { automaton, memory } = this;
    let node = this.#node(worker);
    if (node === IDLE) {
      node = this.#root(worker);
      this.#begin(worker);
    }
    this.from = node;
    const kind = automaton.kind(node);
    if (kind < DONE) {
      const at = automaton.at(node);
      const before = memory.cells[at];
      this.answer =
        stale >= 0
          ? this.control[this.#stale + (worker * STALE + stale) * 2 + 1]
          : memory.perform(kind, at, automaton.a(node), automaton.b(node));
      if (this.#stale < this.control.length) this.#age(worker, kind, at, before, stale);
      node = automaton.next(node, this.answer);
      if (this.#full && kind !== READ && kind !== LOAD) this.#narrow(worker);
    }
    this.to = node;
    this.#setNode(worker, node);
    if (automaton.kind(node) >= DONE) this.#end(worker, node);
  }

  /** Whether the step just made ended its operation. */
  get ended(): boolean {
    return this.automaton.kind(this.to) >= DONE;
  }

  /** Ends the victim where it stands. */
  kill(): void {
    const { victim } = this.program;
    const op = this.#op(victim);
    if (this.isBusy(victim) && op !== undefined) {
      const adopting = op.kind === ADOPT && this.holding(op.slot) === HELD;
      if (op.kind === FREE || adopting) this.#setSlot(op.slot, this.offset(op.slot), LIMBO);
    }
    for (const { kind, slot } of this.program.workers[victim]) {
      if (kind === ALLOC && this.offset(slot) === PENDING) this.#setSlot(slot, NONE, NOT_HELD);
    }
    this.control.fill(0, victim * this.#stride, (victim + 1) * this.#stride);
    this.#setNode(victim, DEAD);
    if (this.#stale < this.control.length) this.#age(victim, DONE, 0, this.memory.cells[0]);
    this.#skip();
  }

  /** The operation that `worker` is in, or comes to next. */
  operation(worker: number): Op | undefined {
    return this.#op(worker);
  }

  // --- operations ---------------------------------------------------------------------------------------------------

  /** Where the next operation of `worker` begins. */
  #root(worker: number): number {
    const op = this.#op(worker) as Op;
    return this.automaton.root(worker, op.kind, this.#argument(op));
  }

  #begin(worker: number): void {
    const op = this.#op(worker) as Op;
    if (op.kind === FREE) {
      if (this.holding(op.slot) === HELD) this.#setSlot(op.slot, this.offset(op.slot), NOT_HELD);
    } else if (op.kind === ADOPT) {
      this.control[worker * this.#stride + GIVER] = this.#owner(op.slot);
    } else if (op.kind === RECOVER) {
      for (const slot of this.ownedBy(op.argument)) {
        if (this.holding(slot) !== NOT_HELD && this.#isAt(ADOPT, slot))
          this.#setSlot(slot, this.offset(slot), LIMBO);
        else this.#setSlot(slot, NONE, NOT_HELD);
      }
      this.#skip();
    } else if (op.kind === ALLOC && this.#full) {
      const free = this.#freeNow();
      for (let i = 0; i < free.length; i++) this.control[worker * this.#stride + MASK + i] = free[i];
      this.#erode(worker, op.argument);
    }
  }

  #end(worker: number, node: number): void {
    const op = this.#op(worker) as Op;
    const result = this.automaton.a(node);
    const failed = this.automaton.kind(node) === FAILED;
    if (op.kind === FREE) this.#freed(op.slot, failed, result);
    else if (failed) throw new Violation(`${CALL_NAMES[op.kind]} throws`);
    else if (op.kind === ALLOC) this.#allocated(worker, op, result);
    else if (op.kind === ADOPT) this.#adopted(worker, op.slot, result === 1);
    else if (op.kind === RECOVER && result === 1) this.control[this.#recovery] = 1;
    if (this.#stale < this.control.length) this.#age(worker, DONE, 0, this.memory.cells[0]);
    const at = worker * this.#stride;
    this.control.fill(0, at + GIVER, at + this.#stride);
    this.control[at]++;
    this.#setNode(worker, IDLE);
    this.#skip();
  }

  #allocated(worker: number, op: Op, offset: number): void {
    if (offset === -1) {
      if (this.#full) this.#checkFull(worker, op);
      this.#setSlot(op.slot, NONE, NOT_HELD);
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
    const { names } = this.program;
    for (let slot = 0; slot < names.length; slot++) {
      if (this.holding(slot) !== HELD) continue;
      const other = this.offset(slot);
      if (offset < other + this.sizeOf(slot) && other < offset + size) {
        throw new Violation(
          `alloc returns ${offset}, ${size} units, while block ${names[slot]} holds ${other}, ${this.sizeOf(slot)} units`,
        );
      }
    }
    this.#setSlot(op.slot, offset, HELD);
    this.#setOwner(op.slot, worker);
  }

  #adopted(worker: number, slot: number, succeeded: boolean): void {
    const holding = this.holding(slot);
    const isSame = this.#owner(slot) === this.control[worker * this.#stride + GIVER];
    const name = this.program.names[slot];
    if (succeeded) {
      if (!isSame) throw new Violation(`block ${name} is adopted from who does not own it any more`);
      // Who frees it may have done so already.
      if (holding === LIMBO && this.program.frees[slot] === 0) this.#setSlot(slot, this.offset(slot), HELD);
      this.#setOwner(slot, worker);
    } else if (holding === HELD) {
      // Another may have adopted it and not ended yet.
      if (isSame && !this.#isAt(ADOPT, slot, worker)) throw new Violation(`block ${name} cannot be adopted`);
    } else if (holding === LIMBO && this.isDead(this.#owner(slot))) {
      // It was recovered, or its owner was killed who was freeing it.
      this.#setSlot(slot, NONE, NOT_HELD);
    }
  }

  #freed(slot: number, failed: boolean, units: number): void {
    const { names, frees } = this.program;
    if (this.holding(slot) === LIMBO) {
      if (!failed) this.#setSlot(slot, NONE, NOT_HELD);
      return;
    }
    if (failed && frees[slot] === 1) throw new Violation(`free of block ${names[slot]} throws`);
    if (!failed && units !== this.sizeOf(slot)) {
      throw new Violation(`free of block ${names[slot]} of ${this.sizeOf(slot)} units gives back ${units}`);
    }
    const at = this.#slots + slot * SLOT_FIELDS;
    this.control[at + 2]++;
    if (!failed && ++this.control[at + 3] > 1)
      throw new Violation(`block ${names[slot]} is given back twice`);
    if (this.control[at + 2] === frees[slot]) {
      if (this.control[at + 3] === 0) throw new Violation(`block ${names[slot]} cannot be given back`);
      this.#setSlot(slot, NONE, NOT_HELD);
    }
  }

  /** Frees and adoptions of blocks that are not there, or no longer, are left out. */
  #skip(): void {
    for (let w = 0; w < this.workers; w++) {
      while (this.#node(w) === IDLE) {
        const op = this.#op(w);
        if (op === undefined || !isOnBlock(op.kind) || this.offset(op.slot) !== NONE) break;
        this.control[w * this.#stride]++;
      }
    }
  }

  /** Runs an operation that nothing interrupts. */
  #alone(cells: DirectCells, worker: number, op: Op): void {
    const result = this.subject.call(cells, worker, op.kind, this.#argument(op));
    if (op.kind === ALLOC) this.#allocated(worker, op, result);
    else this.#setSlot(op.slot, NONE, NOT_HELD);
  }

  /**
   * Notes for the others what a cell held before the access. The worker itself is up to date after an atomic access, and
   * after a plain one as far as that cell goes; one that saw outdated value `stale` may see that again, but none before it.
   */
  #age(worker: number, kind: number, at: number, before: number, stale = -1): void {
    const { control } = this;
    const length = STALE * 2;
    const isPlain = kind === READ || kind === WRITE;
    const own = this.#stale + worker * length;
    for (let i = own + (stale + 1) * 2; i < own + length; i += 2) {
      if (!isPlain || control[i] === at) control.fill(-1, i, i + 2);
    }
    if (this.memory.cells[at] === before) return;
    for (let w = 0; w < this.workers; w++) {
      if (w === worker || !this.isBusy(w)) continue;
      const first = this.#stale + w * length;
      control.copyWithin(first + 2, first, first + length - 2);
      control[first] = at;
      control[first + 1] = before;
    }
  }

  // --- was it full? -------------------------------------------------------------------------------------------------

  #freeNow(): Int32Array {
    this.#free.fill(0);
    this.subject.markFree(this.memory.cells, this.#free);
    return this.#free;
  }

  /** Of what has been free since each ALLOC began, keeps what is still free. */
  #narrow(stepping: number): void {
    let free: Int32Array | undefined;
    for (let w = 0; w < this.workers; w++) {
      const op = this.#op(w);
      if ((w !== stepping && !this.isBusy(w)) || op?.kind !== ALLOC) continue;
      free ??= this.#freeNow();
      for (let i = 0; i < free.length; i++) this.control[w * this.#stride + MASK + i] &= free[i];
      this.#erode(w, op.argument);
    }
  }

  /** Of the units noted for an ALLOC, drops those that are no part of a whole block. */
  #erode(worker: number, order: number): void {
    const at = worker * this.#stride + MASK;
    const size = 2 ** order;
    const mask = size >= 32 ? -1 : 2 ** size - 1;
    for (let from = 0; from < this.subject.capacity; from += size) {
      let whole = true;
      for (let i = from; i < from + size && whole; i += 32) {
        whole = ((this.control[at + (i >>> 5)] >>> (i & 31)) & mask) === mask;
      }
      if (whole) continue;
      for (let i = from; i < from + size && i >>> 5 < this.#maskLength; i += 32) {
        this.control[at + (i >>> 5)] &= ~(mask << (i & 31));
      }
    }
  }

  #checkFull(worker: number, op: Op): void {
    const at = worker * this.#stride + MASK;
    for (let i = 0; i < this.#maskLength; i++) {
      const mask = this.control[at + i];
      if (mask === 0) continue;
      const offset = i * 32 + 31 - Math.clz32(mask & -mask);
      throw new Violation(`alloc of ${2 ** op.argument} finds no room, but ${offset} was free all the time`);
    }
  }

  /** What an operation is called with. */
  #argument({ kind, slot, argument }: Op): number {
    if (!isOnBlock(kind)) return argument;
    return kind === FREE ? this.offset(slot) : this.offset(slot) * 16 + this.#owner(slot);
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

  #setSlot(slot: number, offset: number, holding: number): void {
    this.control[this.#slots + slot * SLOT_FIELDS] = offset;
    this.control[this.#slots + slot * SLOT_FIELDS + 1] = holding;
  }

  #owner(slot: number): number {
    return this.control[this.#slots + slot * SLOT_FIELDS + 4];
  }

  #setOwner(slot: number, worker: number): void {
    this.control[this.#slots + slot * SLOT_FIELDS + 4] = worker;
  }

  #orders: Int8Array | undefined;
  #ordersBySlot(): Int8Array {
    if (this.#orders === undefined) {
      this.#orders = new Int8Array(this.program.names.length);
      for (const ops of [...this.program.before, ...this.program.workers]) {
        for (const op of ops) if (op.kind === ALLOC) this.#orders[op.slot] = op.argument;
      }
    }
    return this.#orders;
  }
}
