// What a replicated arena needs of a log: one order of records that all clients see, durability, and a place for a snapshot.
// Order, durability and failover are those of the engine behind it.

/** A record as the log has it. */
export interface LogRecord {
  /** Where it lies in the log: opaque, and never the same for two records. */
  readonly position: string;
  /** The log's clock when the record was appended: milliseconds since 1970, an integer, never less than that of a record before. */
  readonly time: number;
  /** What was appended: JSON, so no character of it is a control character. */
  readonly data: string;
}

/** The state of an arena after the record at `position`. */
export interface LogSnapshot {
  readonly position: string;
  /** Number of the last operation in it. */
  readonly number: number;
  readonly data: string;
}

/** What the engine is set to. */
export interface Durability {
  /** Whether an acknowledged operation survives a crash of the server's machine; null if the engine does not tell. */
  readonly crash: boolean | null;
  /**
   * Whether it survives the loss of that machine, if only a replica that has acknowledged it takes over; null if the engine
   * does not tell.
   */
  readonly failover: boolean | null;
  /** The settings that this was read from, by name. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * An ordered, durable log for any number of arenas. All methods reject with the engine's own error if it does not answer; then
 * the call may have taken effect or not, even later.
 */
export interface Log {
  /**
   * Appends a record, durably and after all others, and resolves to the records after the one at `after`, in order, with the
   * new one among them. Resolves to null if the record at `after` is no longer in the log; the new one may be there all the
   * same. If `after` is null: begins the log if there is none, and resolves to the new record alone.
   */
  append(arena: string, data: string, after: string | null): Promise<readonly LogRecord[] | null>;

  /** The records after the one at `after`, in order; null if that one is no longer in the log. */
  read(arena: string, after: string): Promise<readonly LogRecord[] | null>;

  /** The newest snapshot; null if there is none. */
  load(arena: string): Promise<LogSnapshot | null>;

  /**
   * Saves a snapshot, if the record at its position is in the log and the snapshot that is there has a smaller number. Then
   * the records before the position of the snapshot replaced may be deleted. Atomic.
   *
   * @returns whether it was saved.
   */
  save(arena: string, snapshot: LogSnapshot): Promise<boolean>;

  /** What the engine is set to, as far as it tells. */
  durability(): Promise<Durability>;
}
