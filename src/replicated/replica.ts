// A replica: the state of an arena as the records of its log give it, and how far it has come.

import { BuddyError } from '../base/errors.ts';
import { Fifo } from './fifo.ts';
import type { ArenaEvent } from './holding.ts';
import type { Log, LogRecord } from './log.ts';
import { Machine, type Outcome } from './machine.ts';
import { type Batch, decodeBatch, encodeBatch } from './operation.ts';
import { decodeState, encodeState } from './snapshot.ts';

/** Events that are kept, so that those who follow them need not read the log again. */
const EVENTS_KEPT = 2 ** 12;

/** How often a snapshot is loaded whose records are gone already, as a newer one has replaced it meanwhile. */
const ATTEMPTS = 10;

/** A state, and the position of the last record in it. */
interface Standing {
  readonly machine: Machine;
  readonly position: string;
}

/** The copy of an arena that one client has. Its methods must not overlap in time. */
export class Replica {
  readonly #log: Log;
  readonly #name: string;
  #machine: Machine;
  #position: string;
  readonly #events = new Fifo<ArenaEvent>();
  /** Every event of a larger number is among those kept. */
  #eventsAfter: number;
  /** What is in the record that the client waits for, its text, and what it has come to. */
  #awaited: Batch | null = null;
  #awaitedData = '';
  #outcome: Outcome | null = null;
  #hasSkipped = false;
  /** Whether a record was read since the state was last replayed from the log: whatever is not this client's own. */
  #hasRead = false;
  /** Whether another client's record contradicts this state: then one of the two is wrong. */
  #doubted = false;

  private constructor(log: Log, name: string, { machine, position }: Standing) {
    this.#log = log;
    this.#name = name;
    this.#machine = machine;
    this.#position = position;
    this.#eventsAfter = machine.number;
  }

  /**
   * The arena `name` in `log`, made with `capacity` units if it is not there. `id` is for the record that makes it.
   *
   * @throws BuddyError `FOREIGN` if it is not there and no capacity is given; RangeError if it has another one.
   */
  static async open(log: Log, name: string, capacity: number | undefined, id: string): Promise<Replica> {
    if ((await log.load(name)) === null) {
      if (capacity === undefined)
        throw new BuddyError('FOREIGN', `the log has no arena ${JSON.stringify(name)}`);
      const records = await log.append(name, encodeBatch({ id, at: 0, hash: 0, ops: [] }), null);
      const data = encodeState(Machine.emptyState(capacity));
      // If another client was faster, its snapshot stays.
      for (const { position } of records ?? []) await log.save(name, { position, number: 0, data });
    }
    const replica = new Replica(log, name, await replay(log, name, () => {}));
    const found = replica.machine.allocator.capacity;
    if (capacity !== undefined && capacity !== found) {
      throw new RangeError(`the arena ${JSON.stringify(name)} has ${found} units, not ${capacity}`);
    }
    return replica;
  }

  /** A copy of this replica that goes on by itself, with another view of the same log. O(all that is in the state). */
  fork(log: Log): Replica {
    const machine = new Machine(decodeState(encodeState(this.#machine.state())));
    return new Replica(log, this.#name, { machine, position: this.#position });
  }

  get machine(): Machine {
    return this.#machine;
  }

  /** Position of the last record that was applied. */
  get position(): string {
    return this.#position;
  }

  /** Announces the record of `batch`, whose text is `data`, for {@link outcome}. */
  await(batch: Batch, data: string): void {
    this.#awaited = batch;
    this.#awaitedData = data;
    this.#outcome = null;
    this.#hasSkipped = false;
  }

  /** What the awaited record has come to; null if it has not been seen. */
  get outcome(): Outcome | null {
    return this.#outcome;
  }

  /** Whether a snapshot has taken the place of records that followed since a record was awaited. */
  get hasSkipped(): boolean {
    return this.#hasSkipped;
  }

  /**
   * Applies the records that follow this replica's position. If they are null, the log no longer has that position: takes the
   * newest snapshot then.
   *
   * @throws BuddyError `ROLLED_BACK`, `DIVERGED`, `VERSION` or `CORRUPT`: this replica is of no use any more.
   */
  async take(records: readonly LogRecord[] | null): Promise<void> {
    if (records === null) return this.#rebuild();
    for (const record of records) {
      // Its own record a client need not read.
      const isAwaited = this.#awaited !== null && record.data === this.#awaitedData;
      const batch = isAwaited ? (this.#awaited as Batch) : decodeBatch(record.data);
      if (!isAwaited) this.#hasRead = true;
      const outcome = this.#machine.apply(batch, record.time);
      this.#position = record.position;
      if (outcome.void === 'contradicted') this.#doubted = true;
      this.#note(batch, outcome);
    }
  }

  /** Rebuilds the state from the log if a record contradicts it. Throws as {@link take}. */
  async settle(): Promise<void> {
    if (this.#doubted) await this.#rebuild();
  }

  /** Verifies the state by that which the log gives. Throws as {@link take}. O(state + records since the snapshot). */
  async verify(): Promise<void> {
    await this.#rebuild();
  }

  /**
   * Saves a snapshot of the state as it is, unless the log has a newer one. Others will trust it more than their own states. So
   * if other clients have had a part in it, it is replayed from the log before. Throws as {@link take}. O(state), or as
   * {@link verify}.
   */
  async save(): Promise<void> {
    if (this.#hasRead) await this.verify();
    const { number } = this.#machine;
    await this.#log.save(this.#name, {
      position: this.#position,
      number,
      data: encodeState(this.#machine.state()),
    });
  }

  /**
   * The events of numbers above `after`, up to the present number. From those kept, or else from the log.
   *
   * @throws BuddyError `TRUNCATED` if the log no longer has them all.
   */
  async events(after: number): Promise<ArenaEvent[]> {
    if (after < this.#eventsAfter) {
      const events: ArenaEvent[] = [];
      const { from } = await replay(this.#log, this.#name, (_, outcome) => events.push(...outcome.events));
      if (after < from) {
        throw new BuddyError('TRUNCATED', `the log no longer has the events before operation ${from + 1}`);
      }
      return events.filter(({ number }) => number > after && number <= this.#machine.number);
    }
    return this.#events.toArray().filter(({ number }) => number > after);
  }

  /** Takes the state that the log gives, after a check that it is a later one of the same history. */
  async #rebuild(): Promise<void> {
    const { number, hash } = this.#machine;
    const seen: [Batch, Outcome][] = [];
    const visit = (batch: Batch, outcome: Outcome, reached: number) => {
      if (reached > number || batch.id === this.#awaited?.id) seen.push([batch, outcome]);
    };
    const { machine, position, from } = await replay(this.#log, this.#name, visit);
    if (machine.number < number && (await this.#log.read(this.#name, this.#position)) === null) {
      throw new BuddyError(
        'ROLLED_BACK',
        `the log ends at operation ${machine.number}; it had ${number} before`,
      );
    }
    if (machine.judge(number, hash) === 'contradicted') {
      throw new BuddyError(
        'DIVERGED',
        `this client had another state at operation ${number} than the log gives`,
      );
    }
    this.#machine = machine;
    this.#position = position;
    this.#doubted = false;
    this.#hasRead = false;
    if (from > number) {
      this.#hasSkipped = true;
      this.#eventsAfter = Math.max(this.#eventsAfter, from);
    }
    for (const [batch, outcome] of seen) this.#note(batch, outcome, number);
  }

  /** Keeps what is of interest of a record that was applied: the outcome if it is the awaited one, events above `after`. */
  #note({ id }: Batch, outcome: Outcome, after = 0): void {
    if (id === this.#awaited?.id) this.#outcome ??= outcome;
    for (const event of outcome.events) {
      if (event.number <= after) continue;
      this.#events.push(event);
      if (this.#events.length > EVENTS_KEPT) this.#eventsAfter = (this.#events.shift() as ArenaEvent).number;
    }
  }
}

/**
 * The newest snapshot of an arena, and what the records after it make of it. `visit` is told of each of them, and of
 * the number of the last operation by then. `from` is the number of the last operation in the snapshot.
 *
 * @throws BuddyError `ROLLED_BACK` if there is no snapshot, `VERSION` or `CORRUPT`; and an Error if it cannot keep up.
 */
async function replay(
  log: Log,
  name: string,
  visit: (batch: Batch, outcome: Outcome, reached: number) => void,
): Promise<Standing & { readonly from: number }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const snapshot = await log.load(name);
    if (snapshot === null) {
      throw new BuddyError('ROLLED_BACK', `the log no longer has the arena ${JSON.stringify(name)}`);
    }
    const records = await log.read(name, snapshot.position);
    if (records === null) continue;
    const machine = new Machine(decodeState(snapshot.data));
    let { position } = snapshot;
    for (const record of records) {
      const batch = decodeBatch(record.data);
      const outcome = machine.apply(batch, record.time);
      visit(batch, outcome, machine.number);
      position = record.position;
    }
    return { machine, position, from: snapshot.number };
  }
  throw new BuddyError('ROLLED_BACK', 'the record of the newest snapshot is not in the log');
}
