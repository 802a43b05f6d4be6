// A block that somebody holds, and what is remembered of those that were given back.

/** A block as callers see it. Offsets and sizes are in units, times in milliseconds since 1970 by the log's clock. */
export interface HeldBlock {
  readonly offset: number;
  /** Units in use: for `alloc` the size that was asked for, rounded up to a power of two. */
  readonly size: number;
  /** The number of the operation that allocated it: what its holder proves itself by. */
  readonly token: number;
  /** The key of the request; null without one. */
  readonly key: string | null;
  /** Who holds it, in the words of the request; null without, and while it cools down. */
  readonly owner: string | null;
  /** The text that came along with the request; null without. */
  readonly meta: string | null;
  /** When it may be taken back; null for never. */
  readonly expires: number | null;
  /** Whether it was freed, and only waits for `expires`. */
  readonly cooling: boolean;
}

/** A held block, with what was asked for. Snapshots hold it as it is. */
export interface Holding extends HeldBlock {
  readonly op: 'alloc' | 'range' | 'reserve';
  /** The size of the request. */
  readonly asked: number;
  /** The alignment of the request; 1 if it had none. */
  readonly alignment: number;
}

/** `holding` as callers see it: a copy that is theirs. */
export function shown({ offset, size, token, key, owner, meta, expires, cooling }: HeldBlock): HeldBlock {
  return { offset, size, token, key, owner, meta, expires, cooling };
}

/** A block that was given back: how, and by which token it was held. */
export interface Released {
  readonly token: number;
  readonly offset: number;
  readonly key: string | null;
  /** Whether its holder freed it, rather than its lease ending. */
  readonly freed: boolean;
}

/** A change of an arena. */
export interface ArenaEvent {
  /** Number of the operation that made the change. Those that change nothing have no event. */
  readonly number: number;
  /** The log's clock, in milliseconds since 1970. */
  readonly time: number;
  /**
   * - `alloc`: a block was allocated or reserved.
   * - `free`: its holder freed it. Its units are free, too, unless it cools down.
   * - `renew`: its lease was renewed.
   * - `expire`: its lease had ended, and its units were taken back.
   * - `cooled`: it had cooled down, and its units were taken back.
   */
  readonly type: 'alloc' | 'free' | 'renew' | 'expire' | 'cooled';
  /** The block, after the change. */
  readonly block: HeldBlock;
}
