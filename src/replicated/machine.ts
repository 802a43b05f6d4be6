// The state machine: what the operations of a log make of an arena. It does no input or output and uses neither a clock nor
// chance, so every client that applies the same records has the same state.

import type { BuddyErrorCode } from '../base/errors.ts';
import { ReturningMap } from '../base/returning-map.ts';
import { BuddyAllocator } from '../core/allocator.ts';
import { Fifo } from './fifo.ts';
import type { ArenaEvent, Holding, Released } from './holding.ts';
import type { AllocOperation, Batch, Operation } from './operation.ts';
import { type Mark, Window } from './window.ts';

/** Blocks given back that are remembered, so that a late free or a late retry gets the right answer. */
const REMEMBERED = 2 ** 14;

/** Operations between two snapshots, at least. */
const SNAPSHOT_EVERY = 2 ** 16;

/** The hash of an empty arena. */
const FIRST_HASH = 0x811c9dc5;

/** Why an operation was refused. */
export interface Refusal {
  readonly code: BuddyErrorCode;
  readonly message: string;
}

/** What an allocation comes to. */
export interface Allocated {
  readonly holding: Holding;
  /** Number of the operation. */
  readonly number: number;
}

/** What an operation comes to: for a request its block, or null without room; for the others a number, as callers see it. */
export type Result = Allocated | Refusal | number | null;

/**
 * What a record comes to. It is void, that is, changes nothing, if
 *
 * - `duplicate`: a record of this id was applied already;
 * - `stale`: its claim reaches back farther than the window, so nobody can tell whether it is a repetition;
 * - `contradicted`: its client had another state at the number it claims, or operations that are not in this log.
 */
export interface Outcome {
  readonly void: 'duplicate' | 'stale' | 'contradicted' | null;
  /** One for each operation; none if it is void. */
  readonly results: readonly Result[];
  /** The changes, in their order. */
  readonly events: readonly ArenaEvent[];
  /** Whether the client whose record it is has to save a snapshot. */
  readonly snapshotDue: boolean;
}

/** All that a state consists of, as a snapshot has it. */
export interface MachineState {
  readonly capacity: number;
  readonly number: number;
  readonly time: number;
  readonly hash: number;
  readonly nextSnapshot: number;
  readonly holdings: readonly Holding[];
  readonly released: readonly Released[];
  readonly marks: readonly Mark[];
}

const refusal = (code: BuddyErrorCode, message: string): Refusal => ({ code, message });

/** The hash `h` with the int32 `value` mixed in. */
const mix = (h: number, value: number): number => {
  const mixed = Math.imul(h ^ value, 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
};

/** The state of a replicated arena. */
export class Machine {
  /** Units in use, those of blocks that cool down included. */
  readonly allocator: BuddyAllocator;
  /** Number of the last operation. */
  number: number;
  /** The log's clock at the last record. */
  time: number;
  /** The running hash of all results. */
  hash: number;
  /** By offset. A block is set once, and then only changed, so the order of the map is that of the tokens. */
  readonly #holdings = new ReturningMap<Holding>();
  /** By request key its block; null if that was given back. */
  readonly #keys = new Map<string, Holding | null>();
  readonly #released = new Fifo<Released>();
  readonly #releasedByToken = new Map<number, Released>();
  readonly #window: Window;
  /** Nothing is due before this time. */
  #nextDue = Number.POSITIVE_INFINITY;
  #nextSnapshot: number;
  /** The changes of the record that is being applied. */
  #events: ArenaEvent[] = [];

  /** A machine in `state`, whose holdings must lie in the arena without an overlap. O(capacity + holdings * log capacity). */
  constructor(state: MachineState) {
    this.allocator = new BuddyAllocator({ capacity: state.capacity });
    this.number = state.number;
    this.time = state.time;
    this.hash = state.hash;
    this.#nextSnapshot = state.nextSnapshot;
    this.#window = new Window(state.marks);
    for (const holding of state.holdings) {
      this.allocator.reserve(holding.offset, holding.size);
      this.#hold(holding);
    }
    for (const released of state.released) this.#remember(released);
  }

  /** The state of an arena in which nothing has happened. */
  static emptyState(capacity: number): MachineState {
    const marks: Mark[] = [[0, FIRST_HASH, '']];
    return {
      capacity,
      number: 0,
      time: 0,
      hash: FIRST_HASH,
      nextSnapshot: SNAPSHOT_EVERY,
      holdings: [],
      released: [],
      marks,
    };
  }

  /** The whole state. O(all that is in it). */
  state(): MachineState {
    return {
      capacity: this.allocator.capacity,
      number: this.number,
      time: this.time,
      hash: this.hash,
      nextSnapshot: this.#nextSnapshot,
      holdings: this.holdings(),
      released: this.#released.toArray(),
      marks: this.#window.marks(),
    };
  }

  /** The blocks that are held, in the order of their tokens. O(held blocks * log of them). */
  holdings(): Holding[] {
    return this.#holdings.values();
  }

  /** The held block that holds `unit`; null if that is free. O(log capacity), and one step for each block of a range. */
  holdingAt(unit: number): Holding | null {
    // A range may be several blocks of the allocator. The first of them is the one that is on record.
    for (
      let at = this.allocator.blockOf(unit);
      at >= 0;
      at = at === 0 ? -1 : this.allocator.blockOf(at - 1)
    ) {
      const holding = this.#holdings.get(at);
      if (holding !== undefined) return holding;
    }
    return null;
  }

  /** The block of a request; null if it has none, or no longer. O(1). */
  holdingOf(key: string): Holding | null {
    return this.#keys.get(key) ?? null;
  }

  /** What to make of the claim of a client to have had `hash` at `number`. */
  judge(number: number, hash: number): 'true' | 'stale' | 'contradicted' {
    return this.#window.judge(number, hash);
  }

  /** Whether the record of this id is among the last that were applied. */
  hasApplied(id: string): boolean {
    return this.#window.has(id);
  }

  /** Applies the record of `batch` that the log gave the time `time`. */
  apply(batch: Batch, time: number): Outcome {
    const reason = this.#reasonToVoid(batch);
    if (reason !== null) return { void: reason, results: [], events: [], snapshotDue: false };
    this.#events = [];
    if (time > this.time) this.time = time;
    this.hash = mix(mix(this.hash, this.time % 2 ** 32), Math.floor(this.time / 2 ** 32));
    const results = batch.ops.map((operation) => this.#operate(operation));
    this.#window.add([this.number, this.hash, batch.id]);
    const snapshotDue = this.number >= this.#nextSnapshot;
    if (snapshotDue) this.#nextSnapshot = this.number + Math.max(SNAPSHOT_EVERY, 4 * this.#holdings.size);
    return { void: null, results, events: this.#events, snapshotDue };
  }

  #reasonToVoid({ id, at, hash, ops }: Batch): Outcome['void'] {
    // The record that begins a log has no operation.
    if (ops.length === 0 || this.#window.has(id)) return 'duplicate';
    const claim = this.judge(at, hash);
    return claim === 'true' ? null : claim;
  }

  #operate(operation: Operation): Result {
    this.number++;
    const result = this.#resultOf(operation);
    if (typeof result === 'number') this.hash = mix(mix(this.hash, 1), result);
    else if (result === null || 'code' in result) this.hash = mix(this.hash, 2);
    else this.hash = mix(mix(mix(this.hash, 3), result.holding.offset), result.holding.size);
    return result;
  }

  #resultOf(operation: Operation): Result {
    switch (operation.op) {
      case 'free':
        return this.#free(operation.offset, operation.token, operation.cooldown);
      case 'renew':
        return this.#renew(operation.offset, operation.token, operation.ttl);
      case 'reap':
        return this.#reap();
      default:
        return this.#allocate(operation);
    }
  }

  #allocate(operation: AllocOperation): Result {
    const { key } = operation;
    const known = key === undefined ? undefined : this.#keys.get(key);
    if (known === null) return refusal('GONE', `the block of the key ${JSON.stringify(key)} was given back`);
    if (known !== undefined) {
      if (isRequestOf(operation, known)) return { holding: known, number: this.number };
      return refusal(
        'KEY_MISMATCH',
        `the key ${JSON.stringify(key)} belongs to a request of other arguments`,
      );
    }
    let offset = this.#place(operation);
    if (offset < 0 && this.#reap() > 0) offset = this.#place(operation);
    if (offset < 0) return null;
    const holding: Holding = {
      offset,
      size: operation.op === 'alloc' ? this.allocator.sizeOf(offset) : operation.size,
      token: this.number,
      key: key ?? null,
      owner: operation.owner ?? null,
      meta: operation.meta ?? null,
      expires: this.#after(operation.ttl),
      cooling: false,
      op: operation.op,
      asked: operation.size,
      alignment: operation.op === 'range' ? operation.alignment : 1,
    };
    this.#hold(holding);
    this.#report('alloc', holding);
    return { holding, number: this.number };
  }

  /** Takes the units of a request; -1 if there is no room. */
  #place(operation: AllocOperation): number {
    if (operation.op === 'alloc') return this.allocator.alloc(operation.size);
    if (operation.op === 'range') return this.allocator.allocRange(operation.size, operation.alignment);
    const { offset, size } = operation;
    return offset + size <= this.allocator.capacity && this.allocator.reserve(offset, size) ? offset : -1;
  }

  /** The units given back: 0 if the holder of this token has freed the block before. */
  #free(offset: number, token: number, cooldown: number | undefined): Result {
    const holding = this.#heldBy(offset, token);
    if (holding === null) {
      const released = this.#releasedByToken.get(token);
      return released?.freed && released.offset === offset ? 0 : notHolder(offset, token);
    }
    this.#release(holding, true);
    this.#report('free', holding);
    if (cooldown === undefined) this.#giveBack(holding);
    else {
      const expires = this.#after(cooldown);
      this.#hold({ ...holding, key: null, owner: null, meta: null, expires, cooling: true });
    }
    return holding.size;
  }

  /** When the lease ends now; 0 for never. */
  #renew(offset: number, token: number, ttl: number | undefined): Result {
    const holding = this.#heldBy(offset, token);
    if (holding === null) return notHolder(offset, token);
    const renewed = { ...holding, expires: this.#after(ttl) };
    this.#hold(renewed);
    this.#report('renew', renewed);
    return renewed.expires ?? 0;
  }

  /** Takes back all blocks that are due, and returns how many. O(held blocks) if one is due, else O(1). */
  #reap(): number {
    if (this.time < this.#nextDue) return 0;
    this.#nextDue = Number.POSITIVE_INFINITY;
    let reaped = 0;
    for (const holding of this.holdings()) {
      if (holding.expires === null) continue;
      if (holding.expires > this.time) {
        this.#nextDue = Math.min(this.#nextDue, holding.expires);
        continue;
      }
      if (!holding.cooling) this.#release(holding, false);
      this.#report(holding.cooling ? 'cooled' : 'expire', holding);
      this.#giveBack(holding);
      this.hash = mix(this.hash, holding.offset);
      reaped++;
    }
    return reaped;
  }

  #heldBy(offset: number, token: number): Holding | null {
    const holding = this.#holdings.get(offset);
    return holding?.token === token && !holding.cooling ? holding : null;
  }

  #hold(holding: Holding): void {
    this.#holdings.set(holding.offset, holding);
    if (holding.key !== null) this.#keys.set(holding.key, holding);
    if (holding.expires !== null) this.#nextDue = Math.min(this.#nextDue, holding.expires);
  }

  /** Ends the hold of `holding`'s holder. */
  #release({ token, offset, key }: Holding, freed: boolean): void {
    this.#remember({ token, offset, key, freed });
  }

  #remember(released: Released): void {
    this.#released.push(released);
    this.#releasedByToken.set(released.token, released);
    if (released.key !== null) this.#keys.set(released.key, null);
    if (this.#released.length <= REMEMBERED) return;
    const forgotten = this.#released.shift() as Released;
    this.#releasedByToken.delete(forgotten.token);
    if (forgotten.key !== null) this.#keys.delete(forgotten.key);
  }

  #giveBack({ offset, size }: Holding): void {
    this.allocator.release(offset, size);
    this.#holdings.delete(offset);
  }

  /** The time in `duration` milliseconds; null if that is undefined, for never. */
  #after(duration: number | undefined): number | null {
    return duration === undefined ? null : this.time + duration;
  }

  #report(type: ArenaEvent['type'], holding: Holding): void {
    this.#events.push({ number: this.number, time: this.time, type, block: holding });
  }
}

/** Whether `operation` asks for the same as the request that got `holding`. */
function isRequestOf(operation: AllocOperation, holding: Holding): boolean {
  return (
    operation.op === holding.op &&
    operation.size === holding.asked &&
    (operation.op !== 'range' || operation.alignment === holding.alignment) &&
    (operation.op !== 'reserve' || operation.offset === holding.offset) &&
    (operation.owner ?? null) === holding.owner
  );
}

function notHolder(offset: number, token: number): Refusal {
  return refusal('NOT_HOLDER', `the block at ${offset} is not held by token ${token}`);
}
