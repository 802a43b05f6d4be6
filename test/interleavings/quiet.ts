// The checks of final states, in which no operation is under way: the state is sound, its live blocks are those of
// the ghost record and belong to the workers that are said to own them, an allocation succeeds exactly if there is room, and after all frees the arena is one free block
// again.

import { DirectCells, type Memory, SALT_1, SALT_2 } from './cells.ts';
import { HELD, type Machine } from './machine.ts';
import {
  ADOPT,
  ALLOC,
  ATTACH,
  type Block,
  CALL_NAMES,
  DETACH,
  FREE,
  RECOVER,
  type Subject,
} from './subject.ts';
import { Violation } from './violation.ts';

/** Checks final states. Each memory is checked once. */
export class QuietChecks {
  readonly #memory: () => Memory;
  readonly #known = new Set<bigint>();

  /** @param memory makes a memory to work on */
  constructor(memory: () => Memory) {
    this.#memory = memory;
  }

  /** How many different final states there were. */
  get size(): number {
    return this.#known.size;
  }

  /** Checks the state of a machine whose program is over. */
  check(machine: Machine): void {
    if (!this.#isNew(machine)) return;
    const { subject, program } = machine;
    const memory = this.#copyOf(machine.memory);
    const cells = new DirectCells(memory);
    const call = callsOf(subject, cells);
    const living = machine.living.map((w) => machine.idOf(w));
    const attach = (): boolean => {
      const id = call(0, ATTACH, living.length);
      if (id !== 0) living.push(id);
      return id !== 0;
    };
    if (living.length === 0) attach();
    this.#recoverAll(machine, call, living);
    const { ghost } = machine;
    const wrong = subject.check(cells);
    if (wrong.length > 0) throw new Violation(`at the end, ${wrong.join('; ')}`);

    const live = [...subject.blocks(cells)];
    let mayBeLost = subject.takesBack ? 0 : machine.unrecovered.length + machine.recovered.length;
    for (const { offset, size } of live) {
      const block = ghost.find((s) => machine.offset(s) === offset && machine.sizeOf(s) === size);
      if (block === undefined && mayBeLost-- === 0)
        throw new Violation(`at the end, ${size} units at ${offset} are lost`);
    }
    for (const block of ghost) {
      if (machine.holding(block) === HELD && !live.some(({ offset }) => offset === machine.offset(block))) {
        throw new Violation(`at the end, block ${program.names[block]} is not live`);
      }
    }

    if (subject.takesBack && program.workers.flat().some(({ kind }) => kind === ADOPT))
      this.#checkOwners(machine, memory, ghost);

    while (attach());
    if (living.length !== subject.workers)
      throw new Violation(`at the end, ${living.length} workers find room, not ${subject.workers}`);
    for (const worker of living.toReversed()) {
      for (let size = 1, order = 0; size <= subject.capacity; size *= 2, order++) {
        const room = subject.hasRoom(memory.cells, worker, order, live);
        const offset = call(worker, ALLOC, order);
        if (room !== offset >= 0) {
          throw new Violation(
            `at the end, worker ${worker} ${room ? 'finds no' : 'finds'} room for ${size} units, alone, with ${text(live)}`,
          );
        }
        if (offset >= 0) call(worker, FREE, offset);
      }
    }
    for (const { offset } of live) call(living[0], FREE, offset);
    if (subject.keepsRoom) for (const worker of living.slice(1)) call(worker, DETACH, 0);
    this.#takeAll(machine, call, living[0]);
    const still = subject.check(cells);
    if (still.length > 0) throw new Violation(`at the end, with all allocated, ${still.join('; ')}`);
  }

  /** Each worker that lives owns what it is said to: if it is recovered as if dead, just its blocks are taken back. */
  #checkOwners(machine: Machine, now: Memory, ghost: readonly number[]): void {
    const { subject, program, living } = machine;
    for (const worker of living) {
      const other = living.find((w) => w !== worker);
      if (other === undefined) continue;
      const cells = new DirectCells(this.#copyOf(now));
      callsOf(subject, cells)(machine.idOf(other), RECOVER, machine.idOf(worker));
      const left = subject.blocks(cells);
      for (const block of ghost) {
        const isLeft = left.some(({ offset }) => offset === machine.offset(block));
        if (machine.holding(block) === HELD && isLeft === (machine.owner(block) === worker))
          throw new Violation(
            `at the end, worker ${worker} ${isLeft ? 'does not own' : 'owns'} block ${program.names[block]}`,
          );
      }
    }
  }

  #copyOf(memory: Memory): Memory {
    const copy = this.#memory();
    memory.cells.forEach((value, pos) => {
      copy.set(pos, value);
    });
    return copy;
  }

  /** Recovers all dead workers: two that have died at the same spot need two rounds. */
  #recoverAll(
    machine: Machine,
    call: (id: number, kind: number, argument: number) => number,
    living: readonly number[],
  ): void {
    let left = machine.unrecovered.map((w) => machine.idOf(w));
    for (let round = 0; round < 2; round++)
      left = left.filter((dead) => !living.some((id) => call(id, RECOVER, dead) === 1));
    if (left.length > 0) throw new Violation(`at the end, the workers ${left} cannot be recovered`);
  }

  /** After all frees, the whole arena can be allocated. */
  #takeAll(
    { subject }: Machine,
    call: (worker: number, kind: number, argument: number) => number,
    worker: number,
  ): void {
    for (const order of subject.whole) {
      if (call(worker, ALLOC, order) < 0) {
        throw new Violation(`at the end, with everything freed, there is no room for ${2 ** order} units`);
      }
    }
  }

  #isNew(machine: Machine): boolean {
    const key = (BigInt(machine.hash(SALT_1) >>> 0) << 32n) | BigInt(machine.hash(SALT_2) >>> 0);
    const before = this.#known.size;
    this.#known.add(key);
    return this.#known.size > before;
  }
}

/** Calls of a subject, none of which may throw. */
function callsOf(
  subject: Subject,
  cells: DirectCells,
): (id: number, kind: number, argument: number) => number {
  return (id, kind, argument) => {
    try {
      return subject.call(cells, id, kind, argument);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new Violation(
        `at the end, ${CALL_NAMES[kind]}(${argument}) of worker ${id} throws: ${error.message}`,
      );
    }
  };
}

function text(live: readonly Block[]): string {
  return live.length === 0
    ? 'nothing live'
    : live.map(({ offset, size }) => `${size} at ${offset}`).join(', ');
}
