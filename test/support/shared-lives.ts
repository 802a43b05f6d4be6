// Worker threads that live and die in a shared arena: starting them, terminating them, telling them what to do.

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
  /** Workers that are never terminated, and that are, at a time. */
  readonly survivors: number;
  readonly mortals: number;
  /** Highest order that is asked for. */
  readonly most: number;
  /** Part of the arena that all workers together aim to hold. */
  readonly fill: number;
}

export interface Death {
  /** Its number in the arena; 0 when it died before it could tell. */
  readonly number: number;
  /** Where it died: between two calls, in one, in a recovery. */
  readonly inside: 'nothing' | 'a call' | 'a recovery';
  /** Whether its slot announces a change that is not concluded. */
  readonly announced: boolean;
}

/** Positions and codes in the cells by which the main thread and the workers talk. */
const AT = {
  /** Changes with every command; modulo 3 it is one of these: report and wait, and maybe free everything first. */
  command: 0,
  go: 0,
  report: 1,
  freeAll: 2,
  /** When this changes, everybody verifies all that it holds. */
  sweep: 1,
  places: 16,
  stride: 16,
  /** Of each place: the worker's number in the arena, and whether it is inside of a call (1) or of a recovery (2). */
  number: 0,
  inside: 1,
  /** Whom it is to recover, and whether that is complete (1) or not (2). */
  request: 2,
  answer: 3,
  done: 4,
  /** A letter is 1 + an offset; the one that place p is at work on is -(p * name + that). */
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
  /** A cell for every unit: the tag of its block. */
  readonly data: Int32Array;
  /** Blocks that some worker was freeing for another when it died: live or not, nobody holds them. */
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
    this.#cells = new Int32Array(new SharedArrayBuffer(4 * (AT.places + AT.stride * this.places)));
    this.#geometry = geometryOf(capacity, SLOTS, trackOwners);
    for (let place = 0; place < this.places; place++) this.start(place);
  }

  /** Places of workers: first the survivors', then the others'. */
  get places(): number {
    return this.#setting.survivors + this.#setting.mortals;
  }

  /** Operations of the workers who live now. */
  get operations(): number {
    let sum = 0;
    for (let place = 0; place < this.places; place++) sum += this.#cells[this.#at(place, AT.done)];
    return sum;
  }

  /** Puts a new worker in `place`. */
  start(place: number): void {
    const { survivors, capacity, fill, most } = this.#setting;
    this.#cells.fill(0, this.#at(place, 0), this.#at(place + 1, 0));
    const worker = new Worker(new URL('./shared-mortal.mjs', import.meta.url), {
      workerData: {
        ...{ buffer: this.arena.buffer, data: this.data, cells: this.#cells, letters: this.#letters, at: AT },
        ...{ place, survivor: place < survivors, most, seed: ++this.#seed },
        fill: (fill * capacity) / this.places,
      },
    });
    this.#workers[place] = worker;
    worker.on('error', (error) => {
      this.#failure ??= error;
    });
  }

  /** Terminates the worker in `place` wherever it is, and tells where that was. */
  async terminate(place: number): Promise<Death> {
    await this.#workers[place]?.terminate();
    this.#workers[place] = null;
    if (this.#failure !== null) throw this.#failure;
    this.#letters.forEach((letter, i) => {
      const known = -letter - place * AT.name;
      if (letter >= 0 || known <= 0 || known >= AT.name) return;
      this.forsaken.add(known - 1);
      Atomics.store(this.#letters, i, 0);
    });
    const number = this.#cells[this.#at(place, AT.number)];
    const inside = (['nothing', 'a call', 'a recovery'] as const)[this.#cells[this.#at(place, AT.inside)]];
    const state = new Int32Array(this.arena.buffer);
    const announced =
      this.#setting.trackOwners &&
      number !== 0 &&
      state[slotPos(this.#geometry, slotOf(number)) + SLOT_ANNOUNCED] !== 0;
    return { number, inside, announced };
  }

  async terminateAll(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker?.terminate()));
  }

  /** Waits until all workers that live are attached. */
  attached(): Promise<void> {
    return this.#until(
      () => this.#workers.every((worker, i) => worker === null || this.#cells[this.#at(i, AT.number)] !== 0),
      'attaching',
    );
  }

  /** Tells the worker in `place` to recover worker `number`. */
  request(place: number, number: number): void {
    this.#cells[this.#at(place, AT.answer)] = 0;
    Atomics.store(this.#cells, this.#at(place, AT.request), number);
  }

  /** Whether the worker in `place` is inside of a recovery now. */
  isRecovering(place: number): boolean {
    return Atomics.load(this.#cells, this.#at(place, AT.inside)) === 2;
  }

  /** Makes the worker in `place` recover worker `number`. Resolves to whether that is complete. */
  async recover(place: number, number: number): Promise<boolean> {
    this.request(place, number);
    const answer = this.#at(place, AT.answer);
    await this.#until(() => Atomics.load(this.#cells, answer) !== 0, `recovery of ${number}`);
    return this.#cells[answer] === 1;
  }

  /** Makes everybody verify all that it holds, soon. */
  sweep(): void {
    Atomics.add(this.#cells, AT.sweep, 1);
  }

  /** Waits until `count` more operations have been done. */
  async pass(count: number): Promise<void> {
    const start = this.operations;
    await this.#until(() => this.operations >= start + count, 'working');
  }

  /** Stops everybody between two operations. Resolves to all blocks that they hold, those in letters included. */
  async pause(freeAll = false): Promise<TaggedBlock[]> {
    const reports = this.#workers.flatMap((worker) => (worker === null ? [] : [once(worker, 'message')]));
    this.#command(freeAll ? AT.freeAll : AT.report);
    const held = (await Promise.all(reports)).flatMap(([blocks]) => blocks as TaggedBlock[]);
    for (const letter of this.#letters) {
      if (letter === 0) continue;
      if (letter < 0) throw new Error(`nobody is at work on letter ${letter}`);
      held.push({ offset: letter - 1, size: this.arena.sizeOf(letter - 1), tag: this.data[letter - 1] });
    }
    return held;
  }

  /** After a pause: takes the blocks out of the letters. They are the caller's now. */
  takeLetters(): number[] {
    return [...this.#letters].flatMap((letter, i) => {
      this.#letters[i] = 0;
      return letter === 0 ? [] : [letter - 1];
    });
  }

  /** Everybody goes on after a pause. */
  resume(): void {
    this.#command(AT.go);
  }

  /** The numbers of those who live, the creator's included. Right when all are attached. */
  numbers(): Set<number> {
    const numbers = new Set([this.arena.workerId]);
    this.#workers.forEach((worker, place) => {
      if (worker !== null) numbers.add(this.#cells[this.#at(place, AT.number)]);
    });
    return numbers;
  }

  /** Slots of the arena. */
  get slots(): number {
    return SLOTS;
  }

  #command(kind: number): void {
    const before = this.#cells[AT.command];
    Atomics.store(this.#cells, AT.command, before - (before % 3) + 3 + kind);
    Atomics.notify(this.#cells, AT.command);
  }

  #at(place: number, cell: number): number {
    return AT.places + place * AT.stride + cell;
  }

  #until(condition: () => boolean, what: string): Promise<void> {
    return until(() => {
      if (this.#failure !== null) throw this.#failure;
      return condition();
    }, what);
  }
}
