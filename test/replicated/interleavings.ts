// Every order in which the calls of several clients can reach a log, with replies that are lost, requests that arrive late, and
// clients that die: runs a scenario again and again, each time with another sequence of choices, until there is no other.

import { BuddyError, type Log, MemoryLog, ReplicatedArena } from '../../src/replicated.ts';

/** What one client does, one operation after another. */
export interface Program {
  /** Milliseconds of patience; 0 makes a call whose reply is lost UNSURE at once. */
  readonly patience: number;
  readonly run: (arena: ReplicatedArena, history: History) => Promise<void>;
}

/** An allocation that was acknowledged, with when it began and ended. */
export interface Acknowledged {
  readonly offset: number;
  readonly token: number;
  readonly size: number;
  readonly number: number;
  readonly began: number;
  readonly ended: number;
}

/** What the clients of one run have seen. */
export class History {
  readonly acknowledged: Acknowledged[] = [];
  readonly freed = new Set<number>();
  readonly errors: string[] = [];
  /** Counts the choices. */
  clock = 0;

  /** Allocates, and notes what comes of it. */
  async alloc(arena: ReplicatedArena, size: number, key?: string): Promise<Acknowledged | null> {
    const began = this.clock;
    const got = await this.expecting(arena.alloc(size, { key }));
    if (got === null) return null;
    const { offset, token, number } = got;
    const block = { offset, token, size: got.size, number, began, ended: this.clock };
    this.acknowledged.push(block);
    return block;
  }

  /** Frees, and notes that. */
  async free(arena: ReplicatedArena, { offset, token }: Acknowledged): Promise<void> {
    this.freed.add(token);
    await this.expecting(arena.free({ offset, token }));
  }

  /** What `call` resolves to; null if it is refused with a code, which is noted. */
  async expecting<T>(call: Promise<T>): Promise<T | null> {
    return call.catch((error: unknown) => {
      if (!(error instanceof BuddyError)) throw error;
      this.errors.push(error.code);
      return null;
    });
  }
}

/** A call that has been made and not carried out. */
interface Pending {
  readonly client: number;
  readonly carryOut: () => Promise<unknown>;
  readonly reply: (value: unknown) => void;
  readonly fail: (error: Error) => void;
  /** Nobody waits for the reply. */
  isLate: boolean;
}

/** A log whose calls wait to be chosen. */
function steppedLog(log: Log, client: number, pending: Pending[]): Log {
  const step = <T>(carryOut: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, fail) => {
      pending.push({ client, carryOut, reply: (value) => resolve(value as T), fail, isLate: false });
    });
  return {
    append: (...parameters) => step(() => log.append(...parameters)),
    read: (...parameters) => step(() => log.read(...parameters)),
    load: (...parameters) => step(() => log.load(...parameters)),
    save: (...parameters) => step(() => log.save(...parameters)),
    durability: () => log.durability(),
  };
}

/** Lets all that waits for settled promises go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** How often what can go wrong does so in one run, at most. */
export interface Faults {
  /** A reply is lost; the request arrives later, or never. */
  readonly losses: number;
  /** A client dies; its request under way arrives later, or never. */
  readonly crashes: number;
}

/** What is examined at the end of each run. */
export interface Ending {
  readonly log: Log;
  readonly history: History;
  /** The clients that live. */
  readonly arenas: readonly ReplicatedArena[];
  readonly crashed: boolean;
}

/** A choice that can be made now. */
type Choice = { readonly kind: 'carry out' | 'lose' | 'crash'; readonly at: number };

function choicesFor(pending: readonly Pending[], faults: Faults, living: readonly number[]): Choice[] {
  const choices: Choice[] = pending.map((_, at) => ({ kind: 'carry out', at }));
  if (faults.losses > 0) {
    for (const [at, { isLate }] of pending.entries()) if (!isLate) choices.push({ kind: 'lose', at });
  }
  if (faults.crashes > 0) for (const at of living) choices.push({ kind: 'crash', at });
  return choices;
}

/** One run, by the choices of `path`; beyond them always the first one. Returns how many there were at each point. */
async function runOnce(
  programs: readonly Program[],
  allowed: Faults,
  path: readonly number[],
  wrap: (log: Log) => Log,
  examine: (ending: Ending) => Promise<void>,
): Promise<number[]> {
  const log = new MemoryLog(() => 1000);
  const pending: Pending[] = [];
  const history = new History();
  const living = new Set<number>();
  const arenas: ReplicatedArena[] = [];
  let failure: unknown;
  await ReplicatedArena.open(log, 'pool', { capacity: 16 });
  for (const [client, { patience }] of programs.entries()) {
    const opening = ReplicatedArena.open(wrap(steppedLog(log, client, pending)), 'pool', { patience });
    // Opening is not what is explored: its calls are carried out as they come.
    for (await settle(); pending.length > 0; await settle()) {
      for (const { carryOut, reply } of pending.splice(0)) reply(await carryOut());
    }
    arenas.push(await opening);
  }
  for (const [client, { run }] of programs.entries()) {
    living.add(client);
    run(arenas[client], history)
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => living.delete(client));
  }
  const sizes: number[] = [];
  const faults = { ...allowed };
  const dead = new Set<number>();
  for (await settle(); living.size > 0; await settle()) {
    const choices = choicesFor(pending, faults, [...living]);
    const { kind, at } = choices[path[sizes.length] ?? 0];
    sizes.push(choices.length);
    history.clock++;
    if (kind === 'crash') {
      faults.crashes--;
      living.delete(at);
      dead.add(at);
      for (const one of pending) if (one.client === at) one.isLate = true;
    } else if (kind === 'lose') {
      faults.losses--;
      pending[at].isLate = true;
      pending[at].fail(new Error('the connection was lost'));
    } else {
      const [one] = pending.splice(at, 1);
      const value = await one.carryOut();
      if (!one.isLate) one.reply(value);
    }
  }
  if (failure !== undefined) throw failure;
  // Whatever comes now is carried out at once.
  let isOver = false;
  const pump = (async () => {
    for (; !isOver; await settle()) {
      for (const { carryOut, reply, isLate } of pending.splice(0)) if (!isLate) reply(await carryOut());
    }
  })();
  const alive = arenas.filter((_, client) => !dead.has(client));
  await examine({ log, history, arenas: alive, crashed: dead.size > 0 });
  isOver = true;
  await pump;
  return sizes;
}

/**
 * Tries every sequence of choices. Throws what `examine` throws, with the sequence in its message.
 *
 * @returns the number of sequences.
 */
export async function explore(
  programs: readonly Program[],
  faults: Faults,
  examine: (ending: Ending) => Promise<void>,
  wrap: (log: Log) => Log = (log) => log,
): Promise<number> {
  let path: number[] = [];
  for (let runs = 1; ; runs++) {
    let sizes: number[];
    try {
      sizes = await runOnce(programs, faults, path, wrap, examine);
    } catch (error) {
      throw new Error(`choices ${path.join(' ')}: ${(error as Error).message}`, { cause: error });
    }
    const next = sizes.map((_, i) => path[i] ?? 0);
    while (next.length > 0 && next[next.length - 1] + 1 === sizes[next.length - 1]) next.pop();
    if (next.length === 0) return runs;
    next[next.length - 1]++;
    path = next;
  }
}
