// Worker threads that live and die in a shared arena: starts them, terminates them and gives them commands.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type Geometry, geometryOf, SLOT_ANNOUNCED } from '../../src/shared/layout.ts';
import { slotOf, slotPos } from '../../src/shared/slots.ts';
import { SharedBuddyAllocator } from '../../src/shared.ts';

/** A block that a worker holds, and the tag in each of its units. */
export interface TaggedBlock {
  readonly offset: number;
  readonly size: number;
  readonly tag: number;
}

export interface LifeSetting {
  readonly capacity: number;
  readonly trackOwners: boolean;
  /** Workers at a time that are never terminated. */
  readonly survivors: number;
  /** Workers at a time that are terminated. */
  readonly mortals: number;
  /** Highest order of a request. */
  readonly most: number;
  /** Part of the arena that all workers together aim to hold. */
  readonly fill: number;
}

export interface Death {
  /** The id of the worker; 0 if it died before it could tell. */
  readonly workerId: number;
  /** Where the worker died: between two calls, in a call, in a recovery. */
  readonly inside: 'nothing' | 'a call' | 'a recovery';
  /** Whether its slot announces a change that is not over. */
  readonly announced: boolean;
}

/** Positions and codes in the cells with which the main thread and the workers communicate. */
const AT = {
  /** Changes with every command. Modulo 3 it is: go on; report and wait; free everything, report and wait. */
  command: 0,
  go: 0,
  report: 1,
  freeAll: 2,
  /** When this changes, each worker verifies all its blocks. */
  sweep: 1,
  seats: 16,
  stride: 16,
  /** Of each seat: the id of its worker. */
  workerId: 0,
  /** Whether the worker is in a call (1) or in a recovery (2). */
  inside: 1,
  /** The id of the worker that it has to recover, and whether that is complete (1) or not (2). */
  request: 2,
  answer: 3,
  done: 4,
  /** A letter is 1 + an offset. While the worker in seat p is at work on it, it is -(p * name + that). */
  name: 2 ** 24,
};

const SLOTS = 24;
const LETTERS = 4;

/** Waits until `condition` holds. */
async function until(condition: () => boolean, what: string): Promise<void> {
  for (const start = performance.now(); !condition(); ) {
    if (performance.now() - start > 30_000) throw new Error(`${what}: nothing for half a minute`);
    await sleep(1);
  }
}

export class Lives {
  readonly arena: SharedBuddyAllocator;
  /** [unit]: the tag of its block. */
  readonly data: Int32Array;
  /** Blocks that a worker was freeing for another when it died. They may be live, but no worker holds them. */
  readonly forsaken = new Set<number>();
  readonly #setting: LifeSetting;
  readonly #letters = new Int32Array(new SharedArrayBuffer(4 * LETTERS));
  readonly #cells: Int32Array;
  readonly #geometry: Geometry;
  readonly #workers: (Worker | null)[] = [];
  #seed: number;
  #failure: Error | null = null;

  constructor(setting: LifeSetting, seed: number) {
    const { capacity, trackOwners } = setting;
    this.#setting = setting;
    this.#seed = seed * 1_000_003;
    this.arena = SharedBuddyAllocator.create({ capacity, trackOwners, maxWorkers: SLOTS });
    this.data = new Int32Array(new SharedArrayBuffer(4 * capacity));
    this.#cells = new Int32Array(new SharedArrayBuffer(4 * (AT.seats + AT.stride * this.seats)));
    this.#geometry = geometryOf(capacity, SLOTS, trackOwners);
    for (let seat = 0; seat < this.seats; seat++) this.start(seat);
  }

  /** Seats of workers: first the survivors', then the others'. */
  get seats(): number {
    return this.#setting.survivors + this.#setting.mortals;
  }

  /** Operations of the workers that live now. */
  get operations(): number {
    let sum = 0;
    for (let seat = 0; seat < this.seats; seat++) sum += this.#cells[this.#at(seat, AT.done)];
    return sum;
  }

  /** Puts a new worker in `seat`. */
  start(seat: number): void {
    const { survivors, capacity, fill, most } = this.#setting;
    this.#cells.fill(0, this.#at(seat, 0), this.#at(seat + 1, 0));
    const worker = new Worker(new URL('./shared-mortal.mjs', import.meta.url), {
      workerData: {
        ...{ buffer: this.arena.buffer, data: this.data, cells: this.#cells, letters: this.#letters, at: AT },
        ...{ seat, survivor: seat < survivors, most, seed: ++this.#seed },
        fill: (fill * capacity) / this.seats,
      },
    });
    this.#workers[seat] = worker;
    worker.on('error', (error) => {
      this.#failure ??= error;
    });
  }

  /** Terminates the worker in `seat`, wherever it is, and resolves to where that was. */
  async terminate(seat: number): Promise<Death> {
    await this.#workers[seat]?.terminate();
    this.#workers[seat] = null;
    if (this.#failure !== null) throw this.#failure;
    this.#letters.forEach((letter, i) => {
      const known = -letter - seat * AT.name;
      if (letter >= 0 || known <= 0 || known >= AT.name) return;
      this.forsaken.add(known - 1);
      Atomics.store(this.#letters, i, 0);
    });
    const workerId = this.#cells[this.#at(seat, AT.workerId)];
    const inside = (['nothing', 'a call', 'a recovery'] as const)[this.#cells[this.#at(seat, AT.inside)]];
    const state = new Int32Array(this.arena.buffer);
    const announced =
      this.#setting.trackOwners &&
      workerId !== 0 &&
      state[slotPos(this.#geometry, slotOf(workerId)) + SLOT_ANNOUNCED] !== 0;
    return { workerId, inside, announced };
  }

  async terminateAll(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker?.terminate()));
  }

  /** Waits until all living workers are attached. */
  attached(): Promise<void> {
    return this.#until(
      () =>
        this.#workers.every((worker, i) => worker === null || this.#cells[this.#at(i, AT.workerId)] !== 0),
      'attaching',
    );
  }

  /** Tells the worker in `seat` to recover worker `dead`. */
  request(seat: number, dead: number): void {
    this.#cells[this.#at(seat, AT.answer)] = 0;
    Atomics.store(this.#cells, this.#at(seat, AT.request), dead);
  }

  /** Whether the worker in `seat` is in a recovery now. */
  isRecovering(seat: number): boolean {
    return Atomics.load(this.#cells, this.#at(seat, AT.inside)) === 2;
  }

  /** Makes the worker in `seat` recover worker `dead`. Resolves to whether that is complete. */
  async recover(seat: number, dead: number): Promise<boolean> {
    this.request(seat, dead);
    const answer = this.#at(seat, AT.answer);
    await this.#until(() => Atomics.load(this.#cells, answer) !== 0, `recovery of ${dead}`);
    return this.#cells[answer] === 1;
  }

  /** Makes each worker verify all its blocks, soon. */
  sweep(): void {
    Atomics.add(this.#cells, AT.sweep, 1);
  }

  /** Waits until `count` more operations have been done. */
  async pass(count: number): Promise<void> {
    const start = this.operations;
    await this.#until(() => this.operations >= start + count, 'working');
  }

  /** Stops each worker between two operations. Resolves to all blocks that they hold, those in letters included. */
  async pause(freeAll = false): Promise<TaggedBlock[]> {
    const reports = this.#workers.flatMap((worker) => (worker === null ? [] : [once(worker, 'message')]));
    this.#command(freeAll ? AT.freeAll : AT.report);
    const held = (await Promise.all(reports)).flatMap(([blocks]) => blocks as TaggedBlock[]);
    for (const letter of this.#letters) {
      if (letter === 0) continue;
      if (letter < 0) throw new Error(`no worker is at work on letter ${letter}`);
      held.push({ offset: letter - 1, size: this.arena.sizeOf(letter - 1), tag: this.data[letter - 1] });
    }
    return held;
  }

  /** After a pause: takes the blocks out of the letters. The caller holds them now. */
  takeLetters(): number[] {
    return [...this.#letters].flatMap((letter, i) => {
      this.#letters[i] = 0;
      return letter === 0 ? [] : [letter - 1];
    });
  }

  /** Lets all workers go on after a pause. */
  resume(): void {
    this.#command(AT.go);
  }

  /** The ids of all living workers, the creator's included. Right if all are attached. */
  workerIds(): Set<number> {
    const ids = new Set([this.arena.workerId]);
    this.#workers.forEach((worker, seat) => {
      if (worker !== null) ids.add(this.#cells[this.#at(seat, AT.workerId)]);
    });
    return ids;
  }

  #command(kind: number): void {
    const before = this.#cells[AT.command];
    Atomics.store(this.#cells, AT.command, before - (before % 3) + 3 + kind);
    Atomics.notify(this.#cells, AT.command);
  }

  #at(seat: number, cell: number): number {
    return AT.seats + seat * AT.stride + cell;
  }

  #until(condition: () => boolean, what: string): Promise<void> {
    return until(() => {
      if (this.#failure !== null) throw this.#failure;
      return condition();
    }, what);
  }
}
