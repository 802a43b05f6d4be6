// ReplicatedArena: a client of an arena that lives in a log.

import {
  checkCapacity,
  checkInteger,
  checkObject,
  checkOffset,
  checkRange,
  checkSize,
  checkText,
  checkWithin,
} from '../base/arguments.ts';
import type { BuddyStats } from '../base/blocks.ts';
import { BuddyAllocator } from '../core/allocator.ts';
import { checkMachine } from './check.ts';
import { type ArenaEvent, type HeldBlock, shown } from './holding.ts';
import type { Durability, Log } from './log.ts';
import type { Allocated } from './machine.ts';
import type { AllocOperation } from './operation.ts';
import { Replica } from './replica.ts';
import { Sender } from './sender.ts';
import { guarded, unguarded } from './unanswered.ts';

/** Characters of the name of an arena, a key or an owner, at most. */
const MAX_NAME = 200;
/** Characters of `meta`, at most. */
const MAX_META = 4000;
/** Milliseconds of a lease, of a cooldown, and of patience, at most: some 31 years. */
const MAX_DURATION = 1e12;

/** How {@link ReplicatedArena.open} opens an arena. */
export interface ReplicatedOptions {
  /**
   * Units in the arena, 1 to 2^30, if it is to be made where there is none. The caller decides what a unit is. Without it, the
   * arena must be there.
   */
  readonly capacity?: number | undefined;
  /**
   * Milliseconds for which a call goes on trying while the log does not answer; 5,000 unless given. That is safe: the log may
   * have the operations several times, but they take effect once.
   */
  readonly patience?: number | undefined;
}

/** What a request may have. */
export interface RequestOptions {
  /**
   * A name for the request, unique in the arena, at most 200 characters. A retry with the same key gets the same block, even
   * from another process.
   */
  readonly key?: string | undefined;
  /** Who holds the block, at most 200 characters. */
  readonly owner?: string | undefined;
  /** Milliseconds for which the block is leased, 1 to 10^12; for ever unless given. */
  readonly ttl?: number | undefined;
  /** Any text that is to be kept with the block, at most 4,000 characters. */
  readonly meta?: string | undefined;
}

/** What a request for a range may have. */
export interface RangeOptions extends RequestOptions {
  /** What the offset is to be a multiple of, in units; 1 unless given. */
  readonly alignment?: number | undefined;
}

/** A block as a request gets it. */
export interface Allocation extends HeldBlock {
  /** Number of the operation. It is the token, unless the block was there already. */
  readonly number: number;
  /** Whether an earlier request of the same key has allocated it. */
  readonly replayed: boolean;
}

/** A block and the proof that one holds it. An {@link Allocation} is one. */
export interface Hold {
  readonly offset: number;
  readonly token: number;
}

/** Figures of an arena. */
export interface ReplicatedStats extends BuddyStats {
  /** Number of the last operation in these figures. */
  readonly number: number;
  /** Blocks that are held, those that cool down included. `liveBlocks` counts the aligned blocks that they consist of. */
  readonly heldBlocks: number;
  /** Held blocks that only cool down. */
  readonly coolingBlocks: number;
  /** Why the last snapshot that this client had to save could not be saved; null if it could, or had to save none. */
  readonly snapshotError: unknown;
}

/**
 * An arena of `capacity` units that any number of processes share through a log, such as a table of PostgreSQL or a stream of
 * Redis. Every process has a copy of the state and applies all operations in the order of the log (state machine replication:
 * Lamport 1978; Schneider, ACM Computing Surveys 22 (4), 1990), so blocks lie where {@link BuddyAllocator} puts them, and no two
 * overlap. Order and durability are the log's.
 *
 * `alloc`, `allocRange`, `reserve`, `free`, `renew` and `reap` are operations. Each has a number, without gaps, which is the
 * order in which they take effect: an operation that ended before another began has the smaller number. Operations that are
 * called while the log is being asked go together as one record. `find`, `blockOf`, `list`, `stats` and `snapshot` answer at
 * once, from the copy, as of {@link ReplicatedArena.number}; `sync` brings the copy up to date.
 *
 * Operations reject with a {@link BuddyError} `UNSURE` if the log does not answer: then the operation may have taken effect, or
 * will. A retry with the same key, or a retry of the same free, is always safe. They reject with `DIVERGED`, `ROLLED_BACK`,
 * `VERSION` or `CORRUPT` if this copy must not be trusted any more; then all further operations do, too.
 */
export class ReplicatedArena {
  readonly #log: Log;
  readonly #name: string;
  readonly #replica: Replica;
  readonly #sender: Sender;

  private constructor(
    log: Log,
    name: string,
    replica: Replica,
    client: string,
    patience: number,
    parent: Sender | null,
  ) {
    this.#log = log;
    this.#name = name;
    this.#replica = replica;
    this.#sender = new Sender(log, name, replica, client, { patience, parent });
  }

  /**
   * Opens the arena `name` of `log`, and makes it if it is not there and a capacity is given. Any number of processes may open it
   * at once. Takes the newest snapshot and the records after it.
   *
   * @throws TypeError, RangeError if an argument is wrong, or the arena has another capacity than the one given.
   * @throws BuddyError `FOREIGN` if there is no such arena and no capacity is given; `VERSION` or `CORRUPT` if this code cannot
   * read it. Errors of the log are passed on.
   */
  static async open(log: Log, name: string, options: ReplicatedOptions = {}): Promise<ReplicatedArena> {
    checkObject('log', log);
    checkName('name', name);
    const { capacity, patience = 5000 } = checkObject('options', options);
    if (capacity !== undefined) checkCapacity(capacity);
    checkWithin('patience', patience, 0, MAX_DURATION);
    const client = newClient();
    const safe = guarded(log);
    const replica = await unguarded(Replica.open(safe, name, capacity, `${client}.0`));
    return new ReplicatedArena(safe, name, replica, client, patience, null);
  }

  /** Units in the arena. */
  get capacity(): number {
    return this.#replica.machine.allocator.capacity;
  }

  /** Number of the last operation in this client's copy. */
  get number(): number {
    return this.#replica.machine.number;
  }

  /**
   * Allocates a block of `size` units rounded up to a power of two, at the lowest address at which one is free. If there is no
   * room, blocks whose lease or cooldown has ended are taken back first. O(log capacity), and a call of the log.
   *
   * @returns the block; null if there is no room.
   * @throws TypeError, RangeError if an argument is wrong.
   * @throws BuddyError `GONE` if the block of this key was given back, so that the request is over; `KEY_MISMATCH` if the key
   * belongs to a request of another kind, size or owner; and those of every operation.
   */
  async alloc(size: number, options: RequestOptions = {}): Promise<Allocation | null> {
    return this.#request({ op: 'alloc', size: checkSize(size), ...checkedOptions(options) });
  }

  /**
   * {@link alloc} of exactly `size` units, at the lowest multiple of `alignment` at which that many are free in a row. O(log
   * capacity) mostly, O(capacity) at worst, and a call of the log.
   *
   * @returns the block; null if there is no room.
   * @throws the errors of {@link alloc}.
   */
  async allocRange(size: number, options: RangeOptions = {}): Promise<Allocation | null> {
    const checked = checkedOptions(options);
    const alignment = checkInteger('alignment', options.alignment ?? 1, 1);
    return this.#request({ op: 'range', size: checkSize(size), alignment, ...checked });
  }

  /**
   * Takes exactly the `size` units from `offset` on, for units that are in use already. O(log capacity), and a call of the log.
   *
   * @returns the block; null if a unit of it is in use.
   * @throws the errors of {@link alloc}; RangeError if the range is not in the arena.
   */
  async reserve(offset: number, size: number, options: RequestOptions = {}): Promise<Allocation | null> {
    checkRange(offset, size, this.capacity);
    return this.#request({ op: 'reserve', offset, size, ...checkedOptions(options) });
  }

  /**
   * Frees a block. With a `cooldown`, in milliseconds, nobody gets its units before that has passed, and as a rule long after:
   * they are taken back when there is no room, or by {@link reap}. O(log capacity), and a call of the log.
   *
   * @returns the units freed; 0 if this token has freed the block before. The last 16,384 blocks given back are remembered.
   * @throws TypeError, RangeError if an argument is wrong.
   * @throws BuddyError `NOT_HOLDER` if the block is not, or no longer, held by this token; and those of every operation.
   */
  async free(
    { offset, token }: Hold,
    options: { readonly cooldown?: number | undefined } = {},
  ): Promise<number> {
    const { cooldown } = checkObject('options', options);
    if (cooldown !== undefined) checkDuration('cooldown', cooldown);
    return (await this.#sender.send({
      op: 'free',
      ...this.#checkedHold({ offset, token }),
      cooldown,
    })) as number;
  }

  /**
   * Lets the lease of a block end in `ttl` milliseconds from now, by the log's clock; never, without. A lease that has ended can
   * be renewed for as long as its block was not taken back. O(1), and a call of the log.
   *
   * @returns when it ends, in milliseconds since 1970; null for never.
   * @throws the errors of {@link free}.
   */
  async renew(
    { offset, token }: Hold,
    options: { readonly ttl?: number | undefined } = {},
  ): Promise<number | null> {
    const { ttl } = checkObject('options', options);
    if (ttl !== undefined) checkDuration('ttl', ttl);
    const ends = (await this.#sender.send({
      op: 'renew',
      ...this.#checkedHold({ offset, token }),
      ttl,
    })) as number;
    return ends === 0 ? null : ends;
  }

  /**
   * Takes back all blocks whose lease or cooldown has ended. O(held blocks * log of them), and a call of the log.
   *
   * @returns how many those were.
   * @throws BuddyError as every operation.
   */
  async reap(): Promise<number> {
    return (await this.#sender.send({ op: 'reap' })) as number;
  }

  /**
   * Brings this client's copy up to date: it then has all operations that had ended when this call began.
   *
   * @returns the number of the last one.
   * @throws BuddyError as every operation.
   */
  async sync(): Promise<number> {
    await this.#sender.send(null);
    return this.number;
  }

  /** The block of the request with this key; null if there is none, or it was given back. O(1). */
  find(key: string): HeldBlock | null {
    const holding = this.#replica.machine.holdingOf(checkName('key', key));
    return holding === null ? null : shown(holding);
  }

  /**
   * The held block that `unit` belongs to; null if it is free. O(log capacity).
   *
   * @throws TypeError, RangeError if it is not the index of a unit.
   */
  blockOf(unit: number): HeldBlock | null {
    const holding = this.#replica.machine.holdingAt(checkOffset('unit', unit, this.capacity));
    return holding === null ? null : shown(holding);
  }

  /** The held blocks in the order of their addresses; with an `owner`, only that one's. O(held blocks * log of them). */
  list(options: { readonly owner?: string | undefined } = {}): HeldBlock[] {
    const { owner } = checkObject('options', options);
    const holdings = this.#replica.machine.holdings();
    const wanted = owner === undefined ? holdings : holdings.filter((holding) => holding.owner === owner);
    return wanted.map(shown).sort((a, b) => a.offset - b.offset);
  }

  /**
   * The changes by operations of numbers above `after`, up to {@link number}, in their order. The last 4,096 or so are at hand;
   * older ones are read from the log, which has those since the last snapshot.
   *
   * @throws TypeError, RangeError if `after` is not an integer from 0 up.
   * @throws BuddyError `TRUNCATED` if the log no longer has them all. Errors of the log are passed on.
   */
  async events(after: number): Promise<ArenaEvent[]> {
    checkInteger('after', after);
    const events = await unguarded(this.#sender.exclusively((replica) => replica.events(after)));
    return events.map((event) => ({ ...event, block: shown(event.block) }));
  }

  /** Counts blocks and units. O(blocks * log capacity). */
  stats(): ReplicatedStats {
    const { machine } = this.#replica;
    const holdings = machine.holdings();
    return {
      ...machine.allocator.stats(),
      number: machine.number,
      heldBlocks: holdings.length,
      coolingBlocks: holdings.filter(({ cooling }) => cooling).length,
      snapshotError: this.#sender.snapshotError,
    };
  }

  /** The arena as an allocator of its own, which shares nothing with this one. O(capacity). */
  snapshot(): BuddyAllocator {
    return BuddyAllocator.attach(this.#replica.machine.allocator.state.slice(0));
  }

  /**
   * Verifies the copy: its invariants, and that the log gives the same state. O(capacity + records since the snapshot).
   *
   * @returns the violations in words; an empty array if all is sound.
   * @throws BuddyError `DIVERGED` or `ROLLED_BACK` if the log gives another state. Errors of the log are passed on.
   */
  async check(): Promise<string[]> {
    await unguarded(this.#sender.exclusively((replica) => replica.verify()));
    return checkMachine(this.#replica.machine);
  }

  /** What the log's engine is set to. Errors of the log are passed on. */
  async durability(): Promise<Durability> {
    return unguarded(this.#log.durability());
  }

  /**
   * A client of the same arena that works inside a transaction of the caller's: `log` must be the same log by way of the
   * connection that the transaction is open on. What is allocated by it is there for others when the transaction commits, and
   * was never there if it is rolled back. Throw it away at the end of the transaction. Until then all other clients wait.
   * O(capacity + held blocks): it has a copy of the state.
   */
  within(log: Log): ReplicatedArena {
    const safe = guarded(checkObject('log', log));
    const client = newClient();
    return new ReplicatedArena(safe, this.#name, this.#replica.fork(safe), client, 0, this.#sender);
  }

  async #request(operation: AllocOperation): Promise<Allocation | null> {
    const result = (await this.#sender.send(operation)) as Allocated | null;
    if (result === null) return null;
    const { holding, number } = result;
    return { ...shown(holding), number, replayed: number !== holding.token };
  }

  #checkedHold({ offset, token }: Hold): Hold {
    return { offset: checkOffset('offset', offset, this.capacity), token: checkInteger('token', token, 1) };
  }

  /** Figures for `console.log` of Node, Deno and Bun. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const { number, allocator } = this.#replica.machine;
    const free = `${allocator.freeUnits} of ${allocator.capacity} units free`;
    return `ReplicatedArena { ${JSON.stringify(this.#name)}, ${free} at operation ${number} }`;
  }
}

/** A name that no other client has. */
function newClient(): string {
  return [...crypto.getRandomValues(new Uint32Array(3))].map((part) => part.toString(36)).join('');
}

function checkName(name: string, value: string): string {
  return checkText(name, value, MAX_NAME);
}

function checkDuration(name: string, value: number): void {
  checkWithin(name, value, 1, MAX_DURATION);
}

/** The options of a request, after a check, and without any others. */
function checkedOptions(options: RequestOptions): RequestOptions {
  const { key, owner, ttl, meta } = checkObject('options', options);
  if (key !== undefined) checkName('key', key);
  if (owner !== undefined) checkName('owner', owner);
  if (ttl !== undefined) checkDuration('ttl', ttl);
  if (meta !== undefined) checkText('meta', meta, MAX_META);
  return { key, owner, ttl, meta };
}
