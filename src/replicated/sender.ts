// How operations get into the log: those that come up while a call is under way go together with the next one.
//
// A record whose reply is lost is appended again, as it is: the state machine takes it once only.

import { BuddyError } from '../base/errors.ts';
import type { Log } from './log.ts';
import type { Outcome, Refusal, Result } from './machine.ts';
import { encodeBatch, type Operation } from './operation.ts';
import type { Replica } from './replica.ts';
import { Unanswered } from './unanswered.ts';

/** Operations of one record, at most. */
const MAX_BATCH = 256;

/** Pauses between attempts, in milliseconds: none before the second, then from the first to the last of these, doubling. */
const FIRST_PAUSE = 10;
const LAST_PAUSE = 1000;

/** An operation that waits, or null for one who waits for the present state only. */
interface Call {
  readonly operation: Operation | null;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

/** What a sender goes by. */
interface SenderOptions {
  /** Milliseconds for which an append is attempted again. */
  readonly patience: number;
  /** The sender that saves the snapshots that this one's records make due; null if this one does. */
  readonly parent: Sender | null;
}

/** Sends the operations of one client. */
export class Sender {
  readonly #log: Log;
  readonly #name: string;
  readonly #replica: Replica;
  readonly #client: string;
  readonly #options: SenderOptions;
  readonly #queue: Call[] = [];
  #batches = 0;
  #isRunning = false;
  /** Settles when nobody uses the replica any more. */
  #free: Promise<unknown> = Promise.resolve();
  /** Why this client has stopped. */
  #fatal: Error | null = null;
  #isSnapshotDue = false;
  #snapshotError: unknown = null;

  /** `client` must be unique: the ids of records begin with it. */
  constructor(log: Log, name: string, replica: Replica, client: string, options: SenderOptions) {
    this.#log = log;
    this.#name = name;
    this.#replica = replica;
    this.#client = client;
    this.#options = options;
  }

  /** Why the last snapshot that was due could not be saved; null if it could. */
  get snapshotError(): unknown {
    return this.#snapshotError;
  }

  /**
   * Sends an operation; without one, only brings the state up to date.
   *
   * @throws BuddyError (by the promise) the code of the refusal, `UNSURE`, or that by which this client has stopped.
   */
  send(operation: Operation | null): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ operation, resolve, reject });
      if (this.#isRunning) return;
      this.#isRunning = true;
      // Calls of the same turn of the event loop go together, too.
      queueMicrotask(() => this.#run());
    });
  }

  /** Runs `task` when nobody else uses the replica. Its errors are the caller's; they stop the client as those of {@link send}. */
  exclusively<T>(task: (replica: Replica) => Promise<T>): Promise<T> {
    const run = this.#free.then(async () => {
      if (this.#fatal !== null) throw this.#fatal;
      try {
        return await task(this.#replica);
      } catch (error) {
        if (!isPassing(error)) this.#fatal = error as Error;
        throw error;
      }
    });
    this.#free = run.catch(() => {});
    return run;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      let calls: Call[] = [];
      try {
        await this.exclusively(async () => {
          calls = this.#queue.splice(0, MAX_BATCH);
          await this.#answer(calls);
        });
      } catch (error) {
        if (calls.length === 0) calls = this.#queue.splice(0);
        for (const { reject } of calls) reject(error as Error);
      }
    }
    this.#isRunning = false;
  }

  async #answer(calls: readonly Call[]): Promise<void> {
    const outcome = await this.#exchange(calls.flatMap(({ operation }) => operation ?? []));
    let index = 0;
    for (const { operation, resolve, reject } of calls) {
      const result = operation === null ? null : outcome.results[index++];
      if (isRefusal(result)) reject(new BuddyError(result.code, result.message));
      else resolve(result);
    }
    if (outcome.snapshotDue) (this.#options.parent ?? this).#isSnapshotDue = true;
    if (this.#isSnapshotDue) await this.#save();
  }

  /** Gets the operations into the log, and returns what they have come to. */
  async #exchange(ops: readonly Operation[]): Promise<Outcome> {
    const replica = this.#replica;
    if (ops.length === 0) {
      await this.#persist(async () => replica.take(await this.#log.read(this.#name, replica.position)));
      return { void: null, results: [], events: [], snapshotDue: false };
    }
    for (;;) {
      const { number, hash } = replica.machine;
      const id = `${this.#client}.${++this.#batches}`;
      const batch = { id, at: number, hash, ops };
      const data = encodeBatch(batch);
      replica.await(batch, data);
      let appends = 0;
      await this.#persist(async () => {
        // A further attempt may only have to remove a doubt.
        if (replica.outcome === null) {
          appends++;
          await replica.take(await this.#log.append(this.#name, data, replica.position));
        }
        if (replica.outcome !== null) return;
        if (replica.machine.hasApplied(id)) {
          throw new BuddyError(
            'UNSURE',
            'the operations have taken effect, but their results are lost in a snapshot',
          );
        }
        throw new Unanswered('the record that was appended is not among those after it');
      });
      const outcome = replica.outcome as Outcome;
      if (outcome.void === null) return outcome;
      if (appends > 1 && replica.hasSkipped && outcome.void !== 'contradicted') {
        throw new BuddyError(
          'UNSURE',
          'the operations may have taken effect: the log no longer tells what became of their first record',
        );
      }
      // A claim is stale if many others were faster. By now this client has caught up with them.
      if (outcome.void !== 'stale') {
        throw new BuddyError(
          'DIVERGED',
          'the log has another history than the one that this client has seen',
        );
      }
    }
  }

  /** Runs `attempt`, until it succeeds and leaves no doubt, for as long as patience lasts. */
  async #persist(attempt: () => Promise<void>): Promise<void> {
    const end = performance.now() + this.#options.patience;
    for (let pause = 0; ; pause = Math.min(LAST_PAUSE, pause * 2 || FIRST_PAUSE)) {
      try {
        await attempt();
        return await this.#replica.settle();
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        if (performance.now() + pause >= end)
          throw new BuddyError('UNSURE', error.message, { cause: error.cause });
      }
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** Saves a snapshot. That it cannot be saved is no reason to refuse operations: the next one is due soon. */
  async #save(): Promise<void> {
    this.#isSnapshotDue = false;
    try {
      await this.#replica.save();
      this.#snapshotError = null;
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      this.#snapshotError = error.cause;
    }
  }
}

/** Whether a client can go on after this error. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof Unanswered ||
    (error instanceof BuddyError && ['UNSURE', 'TRUNCATED'].includes(error.code))
  );
}

function isRefusal(result: Result): result is Refusal {
  return typeof result === 'object' && result !== null && 'code' in result;
}
