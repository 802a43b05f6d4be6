// A log in the memory of this process: for tests, and for programs that have no engine yet.

import type { Durability, Log, LogRecord, LogSnapshot } from './log.ts';

interface Entry {
  records: LogRecord[];
  appended: number;
  snapshot: LogSnapshot | null;
}

/**
 * A {@link Log} in memory. All arenas of one process that share the object share the log; nothing survives the process.
 */
export class MemoryLog implements Log {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  /** `now` is the log's clock, in milliseconds since 1970; `Date.now` unless given. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  async append(arena: string, data: string, after: string | null): Promise<readonly LogRecord[] | null> {
    if (after === null && !this.#entries.has(arena)) {
      this.#entries.set(arena, { records: [], appended: 0, snapshot: null });
    }
    const entry = this.#entries.get(arena);
    if (entry === undefined) return null;
    const time = Math.max(Math.floor(this.#now()), entry.records.at(-1)?.time ?? 0);
    const record = { position: String(++entry.appended), time, data };
    entry.records.push(record);
    return after === null ? [record] : recordsAfter(entry, after);
  }

  async read(arena: string, after: string): Promise<readonly LogRecord[] | null> {
    const entry = this.#entries.get(arena);
    return entry === undefined ? null : recordsAfter(entry, after);
  }

  async load(arena: string): Promise<LogSnapshot | null> {
    return this.#entries.get(arena)?.snapshot ?? null;
  }

  async save(arena: string, snapshot: LogSnapshot): Promise<boolean> {
    const entry = this.#entries.get(arena);
    if (entry === undefined || indexOf(entry, snapshot.position) < 0) return false;
    const replaced = entry.snapshot;
    if (replaced !== null && replaced.number >= snapshot.number) return false;
    entry.snapshot = snapshot;
    if (replaced !== null)
      entry.records = entry.records.slice(Math.max(0, indexOf(entry, replaced.position)));
    return true;
  }

  async durability(): Promise<Durability> {
    return { crash: false, failover: false, settings: {} };
  }
}

/** The index of the record at `position`; negative if it is not there. Positions are numbers without gaps. */
function indexOf({ records, appended }: Entry, position: string): number {
  const index = Number(position) - (appended - records.length) - 1;
  return index < records.length ? index : -1;
}

function recordsAfter(entry: Entry, after: string): readonly LogRecord[] | null {
  const index = indexOf(entry, after);
  return index < 0 ? null : entry.records.slice(index + 1);
}
