// Shared memory of the model: plain int32 cells, one access at a time, with a running hash of all of them;
// and the cells through which an operation is run again from a log of answers up to its next access.

import type { Cells } from '../../src/shared/cells.ts';

/** Kinds of access. `DONE` and `FAILED` end an operation: it has returned, or thrown a BuddyError. */
export const READ = 0;
export const LOAD = 1;
export const STORE = 2;
export const CAS = 3;
export const OR = 4;
export const AND = 5;
export const WRITE = 6;
export const DONE = 7;
export const FAILED = 8;

export const KIND_NAMES = ['read', 'load', 'store', 'cas', 'or', 'and', 'write'];

/** Two independent 32-bit hashes of the pair (at, value), `salt` telling them apart. */
export function mix(at: number, value: number, salt: number): number {
  let h = Math.imul(at + salt, 0x9e3779b1) ^ Math.imul(value ^ salt, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12) ^ value, 0x297a2d39);
  return h ^ (h >>> 15);
}

export const SALT_1 = 0x51ed270b;
export const SALT_2 = 0x2545f491;

/** The memory. A planted bug is a subclass whose `perform` does something else than it was asked. */
export class Memory {
  readonly cells: Int32Array;
  /** Running hashes of all cells. */
  hash1 = 0;
  hash2 = 0;

  constructor(length: number) {
    this.cells = new Int32Array(length);
  }

  /** One atomic access: `a` and `b` are the arguments after the position. Returns what the worker is answered. */
  perform(kind: number, at: number, a: number, b: number): number {
    const old = this.cells[at];
    switch (kind) {
      case STORE:
      case WRITE:
        this.set(at, a);
        return 0;
      case CAS:
        if (old !== a) return 0;
        this.set(at, b);
        return 1;
      case OR:
        this.set(at, old | a);
        return 0;
      case AND:
        this.set(at, old & a);
        return old & a;
      default:
        return old;
    }
  }

  /** Changes a cell, and the hashes with it. */
  set(at: number, value: number): void {
    const old = this.cells[at];
    if (old === value) return;
    this.hash1 ^= mix(at, old, SALT_1) ^ mix(at, value, SALT_1);
    this.hash2 ^= mix(at, old, SALT_2) ^ mix(at, value, SALT_2);
    this.cells[at] = value;
  }
}

/** The memory as cells, for operations that nothing interrupts. */
export class DirectCells implements Cells {
  readonly memory: Memory;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  read(at: number): number {
    return this.memory.perform(READ, at, 0, 0);
  }

  load(at: number): number {
    return this.memory.perform(LOAD, at, 0, 0);
  }

  write(at: number, value: number): void {
    this.memory.perform(WRITE, at, value, 0);
  }

  store(at: number, value: number): void {
    this.memory.perform(STORE, at, value, 0);
  }

  cas(at: number, expected: number, value: number): boolean {
    return this.memory.perform(CAS, at, expected, value) === 1;
  }

  or(at: number, bits: number): void {
    this.memory.perform(OR, at, bits, 0);
  }

  and(at: number, bits: number): number {
    return this.memory.perform(AND, at, bits, 0);
  }
}

/** Thrown by {@link ModelCells} where the log ends; an operation must not catch it. */
export const SUSPENDED = Symbol('suspended');

/** Cells that answer from a log. The access after its end is noted and ends the run. */
export class ModelCells implements Cells {
  /** Answers so far; the first `length` count. */
  log = new Int32Array(256);
  length = 0;
  /** The access last made: after a run, the one at which the operation was suspended. */
  kind = DONE;
  at = 0;
  a = 0;
  b = 0;
  #next = 0;

  /** Starts over at the first answer. */
  rewind(): void {
    this.#next = 0;
  }

  read(at: number): number {
    return this.#answer(READ, at, 0, 0);
  }

  load(at: number): number {
    return this.#answer(LOAD, at, 0, 0);
  }

  write(at: number, value: number): void {
    this.#answer(WRITE, at, value | 0, 0);
  }

  store(at: number, value: number): void {
    this.#answer(STORE, at, value | 0, 0);
  }

  cas(at: number, expected: number, value: number): boolean {
    return this.#answer(CAS, at, expected | 0, value | 0) === 1;
  }

  or(at: number, bits: number): void {
    this.#answer(OR, at, bits | 0, 0);
  }

  and(at: number, bits: number): number {
    return this.#answer(AND, at, bits | 0, 0);
  }

  #answer(kind: number, at: number, a: number, b: number): number {
    if (this.#next < this.length) return this.log[this.#next++];
    this.kind = kind;
    this.at = at;
    this.a = a;
    this.b = b;
    throw SUSPENDED;
  }
}
