// A program in the middle of its run: the memory, the position of each worker, and the ghost record of which worker
// holds which block. One step is one access to memory by one worker. Everything besides the memory is one small
// Int32Array, `control`, which can be copied and put back.

import type { Automaton } from './automaton.ts';
import { BROKEN, DirectCells, DONE, FAILED, LOAD, type Memory, mix, READ, SALT_1, WRITE } from './cells.ts';
import type { Op, Program } from './program.ts';
import { ADOPT, ALLOC, CALL_NAMES, FREE, isOnBlock, RECOVER, type Subject } from './subject.ts';
import { Violation } from './violation.ts';

/** Position of a worker that is between two operations, or dead. Otherwise it is a node of the automaton. */
const IDLE = -1;
const DEAD = -2;

/**
 * Fields of a worker in `control`: the number of its operation; its position in it; the former owner of the block
 * that it adopts; then the mask.
 */
const NODE = 1;
const GIVER = 2;
const MASK = 3;

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
 * its owner.
 */
const BLOCK_FIELDS = 5;

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
   * The fields of each worker, then those of each block. The mask of a worker has a bit for each unit that has been
   * free since its operation began. Then 1 if the victim is recovered, and the outdated values.
   */
  readonly control: Int32Array;
  /** The nodes of the automaton before and after the last step. */
  from = 0;
  to = 0;
  /** The answer to the access of the last step. */
  answer = 0;

  readonly #full: boolean;
  readonly #maskLength: number;
  readonly #stride: number;
  readonly #blocks: number;
  readonly #recovery: number;
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
    this.#recovery = this.#blocks + program.names.length * BLOCK_FIELDS;
    this.#stale = this.#recovery + 1;
    this.control = new Int32Array(this.#stale + (options.stale ? program.workers.length * STALE * 2 : 0));
    this.control.fill(-1, this.#stale);
    this.#free = new Int32Array(Math.ceil(subject.capacity / 32));
    for (let w = 0; w < program.workers.length; w++) this.#setNode(w, IDLE);
    for (let block = 0; block < program.names.length; block++) {
      this.#setBlock(block, PENDING, NOT_HELD);
      this.#setOwner(block, NONE);
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
    if (isOnBlock(op.kind)) return this.offset(op.block) !== PENDING;
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
    return this.program.names.map((_, block) => block).filter((block) => this.#owner(block) === worker);
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

  /** The cell of the next access of `worker`, which is enabled; -1 if its operation makes none. */
  nextCell(worker: number): number {
    const node = this.isBusy(worker) ? this.#node(worker) : this.#root(worker);
    return this.automaton.kind(node) < DONE ? this.automaton.pos(node) : -1;
  }

  /** Whether the next access of `worker`, which is enabled, is a plain read that may see its outdated value `i`. */
  canBeStale(worker: number, i: number): boolean {
    const pos = this.#stale + (worker * STALE + i) * 2;
    if (pos >= this.control.length || this.control[pos] < 0 || !this.isBusy(worker)) return false;
    return this.automaton.kind(this.#node(worker)) === READ && this.control[pos] === this.nextCell(worker);
  }

  /**
   * Lets `worker`, which is enabled, make its next access. With `stale`, that is a plain read of that outdated value.
   */
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
      const pos = automaton.pos(node);
      const before = memory.cells[pos];
      this.answer =
        stale >= 0
          ? this.control[this.#stale + (worker * STALE + stale) * 2 + 1]
          : memory.perform(kind, pos, automaton.a(node), automaton.b(node));
      if (this.#stale < this.control.length) this.#age(worker, kind, pos, before, stale);
      node = automaton.next(node, this.answer);
      if (this.#full && kind !== READ && kind !== LOAD) this.#narrow(worker);
    }
    this.to = node;
    this.#setNode(worker, node);
    if (automaton.kind(node) >= DONE) this.#end(worker, node);
  }

  /** Whether the last step ended its operation. */
  get ended(): boolean {
    return this.automaton.kind(this.to) >= DONE;
  }

  /** Kills the victim at its present position. */
  kill(): void {
    const { victim } = this.program;
    const op = this.#op(victim);
    if (this.isBusy(victim) && op !== undefined) {
      const adopting = op.kind === ADOPT && this.holding(op.block) === HELD;
      if (op.kind === FREE || adopting) this.#setBlock(op.block, this.offset(op.block), LIMBO);
    }
    for (const { kind, block } of this.program.workers[victim]) {
      if (kind === ALLOC && this.offset(block) === PENDING) this.#setBlock(block, NONE, NOT_HELD);
    }
    this.control.fill(0, victim * this.#stride, (victim + 1) * this.#stride);
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
    return this.automaton.root(worker, op.kind, this.#argument(op));
  }

  #begin(worker: number): void {
    const op = this.#op(worker) as Op;
    if (op.kind === FREE) {
      if (this.holding(op.block) === HELD) this.#setBlock(op.block, this.offset(op.block), NOT_HELD);
    } else if (op.kind === ADOPT) {
      this.control[worker * this.#stride + GIVER] = this.#owner(op.block);
    } else if (op.kind === RECOVER) {
      for (const block of this.ownedBy(op.argument)) {
        if (this.holding(block) !== NOT_HELD && this.#isAt(ADOPT, block))
          this.#setBlock(block, this.offset(block), LIMBO);
        else this.#setBlock(block, NONE, NOT_HELD);
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
    if (this.automaton.kind(node) === BROKEN) {
      throw new Violation(`${CALL_NAMES[op.kind]} breaks: ${this.automaton.message(node)}`);
    }
    if (op.kind === FREE) this.#freed(op.block, failed, result);
    else if (failed) throw new Violation(`${CALL_NAMES[op.kind]} throws`);
    else if (op.kind === ALLOC) this.#allocated(worker, op, result);
    else if (op.kind === ADOPT) this.#adopted(worker, op.block, result === 1);
    else if (op.kind === RECOVER && result === 1) this.control[this.#recovery] = 1;
    if (this.#stale < this.control.length) this.#age(worker, DONE, 0, this.memory.cells[0]);
    const pos = worker * this.#stride;
    this.control.fill(0, pos + GIVER, pos + this.#stride);
    this.control[pos]++;
    this.#setNode(worker, IDLE);
    this.#skip();
  }

  #allocated(worker: number, op: Op, offset: number): void {
    if (offset === -1) {
      if (this.#full) this.#checkFull(worker, op);
      this.#setBlock(op.block, NONE, NOT_HELD);
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
    for (let block = 0; block < names.length; block++) {
      if (this.holding(block) !== HELD) continue;
      const other = this.offset(block);
      if (offset < other + this.sizeOf(block) && other < offset + size) {
        throw new Violation(
          `alloc returns ${offset}, ${size} units, while block ${names[block]} holds ${other}, ${this.sizeOf(block)} units`,
        );
      }
    }
    this.#setBlock(op.block, offset, HELD);
    this.#setOwner(op.block, worker);
  }

  #adopted(worker: number, block: number, succeeded: boolean): void {
    const holding = this.holding(block);
    const isSame = this.#owner(block) === this.control[worker * this.#stride + GIVER];
    const name = this.program.names[block];
    if (succeeded) {
      if (!isSame)
        throw new Violation(`block ${name} is adopted from a worker that does not own it any more`);
      // The worker that frees it may have done so already.
      if (holding === LIMBO && this.program.frees[block] === 0)
        this.#setBlock(block, this.offset(block), HELD);
      this.#setOwner(block, worker);
    } else if (holding === HELD) {
      // Another worker may have adopted it in an operation that is not over.
      if (isSame && !this.#isAt(ADOPT, block, worker)) throw new Violation(`block ${name} cannot be adopted`);
    } else if (holding === LIMBO && this.isDead(this.#owner(block))) {
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

  /** Skips frees and adoptions of blocks that do not exist, or no longer. */
  #skip(): void {
    for (let w = 0; w < this.workers; w++) {
      while (this.#node(w) === IDLE) {
        const op = this.#op(w);
        if (op === undefined || !isOnBlock(op.kind) || this.offset(op.block) !== NONE) break;
        this.control[w * this.#stride]++;
      }
    }
  }

  /** Runs an operation that is not interrupted. */
  #alone(cells: DirectCells, worker: number, op: Op): void {
    const result = this.subject.call(cells, worker, op.kind, this.#argument(op));
    if (op.kind === ALLOC) this.#allocated(worker, op, result);
    else this.#setBlock(op.block, NONE, NOT_HELD);
  }

  /**
   * Notes for the other workers the value of a cell before the access. The worker itself is up to date after an
   * atomic access, and after a plain one for that cell only. A worker that saw outdated value `stale` may see it
   * again, but none before it.
   */
  #age(worker: number, kind: number, pos: number, before: number, stale = -1): void {
    const { control } = this;
    const length = STALE * 2;
    const isPlain = kind === READ || kind === WRITE;
    const own = this.#stale + worker * length;
    for (let i = own + (stale + 1) * 2; i < own + length; i += 2) {
      if (!isPlain || control[i] === pos) control.fill(-1, i, i + 2);
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

  #freeNow(): Int32Array {
    this.#free.fill(0);
    this.subject.markFree(this.memory.cells, this.#free);
    return this.#free;
  }

  /** Keeps those of the units that have been free since each ALLOC began that are still free. */
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
  #argument({ kind, block, argument }: Op): number {
    if (!isOnBlock(kind)) return argument;
    return kind === FREE ? this.offset(block) : this.offset(block) * 16 + this.#owner(block);
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

  #setBlock(block: number, offset: number, holding: number): void {
    this.control[this.#blocks + block * BLOCK_FIELDS] = offset;
    this.control[this.#blocks + block * BLOCK_FIELDS + 1] = holding;
  }

  #owner(block: number): number {
    return this.control[this.#blocks + block * BLOCK_FIELDS + 4];
  }

  #setOwner(block: number, worker: number): void {
    this.control[this.#blocks + block * BLOCK_FIELDS + 4] = worker;
  }

  #orders: Int8Array | undefined;
  #ordersByBlock(): Int8Array {
    if (this.#orders === undefined) {
      this.#orders = new Int8Array(this.program.names.length);
      for (const ops of [...this.program.before, ...this.program.workers]) {
        for (const op of ops) if (op.kind === ALLOC) this.#orders[op.block] = op.argument;
      }
    }
    return this.#orders;
  }
}
