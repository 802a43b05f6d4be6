// The shared memory of the explorer: plain int32 cells, one access at a time, with a running hash of them all. And the
// cells on which an operation is run again, from a log of answers, up to its next access.

import type { Cells } from '../../src/shared/cells.ts';

/**
 * Kinds of access. Three kinds end an operation: DONE if it has returned, FAILED if it has thrown a BuddyError, and
 * BROKEN if it has thrown another error, such as that of an assertion.
 */
export const READ = 0;
export const LOAD = 1;
export const STORE = 2;
export const CAS = 3;
export const OR = 4;
export const AND = 5;
export const WRITE = 6;
export const WRITE_LOW = 7;
export const DONE = 8;
export const FAILED = 9;
export const BROKEN = 10;

export const KIND_NAMES = ['read', 'load', 'store', 'cas', 'or', 'and', 'write', 'write low half'];

/** A 32-bit hash of the pair (pos, value). With another `salt` it is another, independent hash. */
export function mix(pos: number, value: number, salt: number): number {
  let h = Math.imul(pos + salt, 0x9e3779b1) ^ Math.imul(value ^ salt, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12) ^ value, 0x297a2d39);
  return h ^ (h >>> 15);
}

export const SALT_1 = 0x51ed270b;
export const SALT_2 = 0x2545f491;

/** The memory. A planted bug is a subclass whose `perform` does something other than the requested access. */
export class Memory {
  readonly cells: Int32Array;
  /** Running hashes of all cells. */
  hash1 = 0;
  hash2 = 0;

  constructor(length: number) {
    this.cells = new Int32Array(length);
  }

  /** One atomic access: `a` and `b` are the arguments after the position. Returns the answer to the worker. */
  perform(kind: number, pos: number, a: number, b: number): number {
    const old = this.cells[pos];
    switch (kind) {
      case STORE:
      case WRITE:
        this.set(pos, a);
        return 0;
      case WRITE_LOW:
        this.set(pos, (old & ~0xffff) | (a & 0xffff));
        return 0;
      case CAS:
        if (old !== a) return 0;
        this.set(pos, b);
        return 1;
      case OR:
        this.set(pos, old | a);
        return 0;
      case AND:
        this.set(pos, old & a);
        return old & a;
      default:
        return old;
    }
  }

  /** Changes a cell, and the hashes with it. */
  set(pos: number, value: number): void {
    const old = this.cells[pos];
    if (old === value) return;
    this.hash1 ^= mix(pos, old, SALT_1) ^ mix(pos, value, SALT_1);
    this.hash2 ^= mix(pos, old, SALT_2) ^ mix(pos, value, SALT_2);
    this.cells[pos] = value;
  }
}

/** The memory as cells, for operations that are not interrupted. */
export class DirectCells implements Cells {
  readonly memory: Memory;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  read(pos: number): number {
    return this.memory.perform(READ, pos, 0, 0);
  }

  readLow(pos: number): number {
    return this.memory.perform(READ, pos, 0, 0) & 0xffff;
  }

  readHigh(pos: number): number {
    return this.memory.perform(READ, pos, 0, 0) >>> 16;
  }

  load(pos: number): number {
    return this.memory.perform(LOAD, pos, 0, 0);
  }

  write(pos: number, value: number): void {
    this.memory.perform(WRITE, pos, value, 0);
  }

  writeLow(pos: number, value: number): void {
    this.memory.perform(WRITE_LOW, pos, value, 0);
  }

  settle(): void {}

  store(pos: number, value: number): void {
    this.memory.perform(STORE, pos, value, 0);
  }

  cas(pos: number, expected: number, value: number): boolean {
    return this.memory.perform(CAS, pos, expected, value) === 1;
  }

  or(pos: number, bits: number): void {
    this.memory.perform(OR, pos, bits, 0);
  }

  and(pos: number, bits: number): number {
    return this.memory.perform(AND, pos, bits, 0);
  }
}

/** Thrown by {@link ModelCells} at the end of the log; an operation must not catch it. */
export const SUSPENDED = Symbol('suspended');

/** Cells that answer from a log. The first access after its end is noted, and ends the run. */
export class ModelCells implements Cells {
  /** Answers so far; the first `length` count. */
  log = new Int32Array(256);
  length = 0;
  /** After a run: the access at which the operation was suspended. */
  kind = DONE;
  pos = 0;
  a = 0;
  b = 0;
  #next = 0;

  /** Starts over at the first answer. */
  rewind(): void {
    this.#next = 0;
  }

  read(pos: number): number {
    return this.#answer(READ, pos, 0, 0);
  }

  readLow(pos: number): number {
    return this.#answer(READ, pos, 0, 0) & 0xffff;
  }

  readHigh(pos: number): number {
    return this.#answer(READ, pos, 0, 0) >>> 16;
  }

  load(pos: number): number {
    return this.#answer(LOAD, pos, 0, 0);
  }

  write(pos: number, value: number): void {
    this.#answer(WRITE, pos, value | 0, 0);
  }

  writeLow(pos: number, value: number): void {
    this.#answer(WRITE_LOW, pos, value & 0xffff, 0);
  }

  settle(): void {}

  store(pos: number, value: number): void {
    this.#answer(STORE, pos, value | 0, 0);
  }

  cas(pos: number, expected: number, value: number): boolean {
    return this.#answer(CAS, pos, expected | 0, value | 0) === 1;
  }

  or(pos: number, bits: number): void {
    this.#answer(OR, pos, bits | 0, 0);
  }

  and(pos: number, bits: number): number {
    return this.#answer(AND, pos, bits | 0, 0);
  }

  #answer(kind: number, pos: number, a: number, b: number): number {
    if (this.#next < this.length) return this.log[this.#next++];
    this.kind = kind;
    this.pos = pos;
    this.a = a;
    this.b = b;
    throw SUSPENDED;
  }
}
