// Operations, and the records that carry them in the log.

import { BuddyError } from '../base/errors.ts';

/** What an allocation may be given along. */
interface Request {
  readonly key?: string | undefined;
  readonly owner?: string | undefined;
  readonly meta?: string | undefined;
  /** Milliseconds of the lease. */
  readonly ttl?: number | undefined;
}

/** A request for units. */
export type AllocOperation =
  | (Request & { readonly op: 'alloc'; readonly size: number })
  | (Request & { readonly op: 'range'; readonly size: number; readonly alignment: number })
  | (Request & { readonly op: 'reserve'; readonly size: number; readonly offset: number });

/** What clients ask of the state machine. Sizes and offsets are units, times milliseconds. */
export type Operation =
  | AllocOperation
  | {
      readonly op: 'free';
      readonly offset: number;
      readonly token: number;
      readonly cooldown?: number | undefined;
    }
  | {
      readonly op: 'renew';
      readonly offset: number;
      readonly token: number;
      readonly ttl?: number | undefined;
    }
  | { readonly op: 'reap' };

/** The content of one record of the log: operations that one client has appended together. */
export interface Batch {
  /** Unique for each batch. A client that does not know whether its record arrived appends it again. */
  readonly id: string;
  /** Number of the last operation that the client had applied when it made the batch. */
  readonly at: number;
  /** The client's running hash at that number. */
  readonly hash: number;
  readonly ops: readonly Operation[];
}

/** Version of the records, of what the state machine makes of them, and of snapshots. */
export const VERSION = 1;

/** The text of a record. */
export function encodeBatch({ id, at, hash, ops }: Batch): string {
  return JSON.stringify({ v: VERSION, id, at, hash, ops });
}

/**
 * The batch in a record.
 *
 * @throws BuddyError `VERSION` if another version has written it, `CORRUPT` if it is not a record of an arena.
 */
export function decodeBatch(data: string): Batch {
  const value = parseJson('a record', data) as Partial<Batch> & { readonly v?: unknown };
  expectVersion('a record', value?.v);
  const { id, at, hash, ops } = value;
  if (
    typeof id !== 'string' ||
    !isCount(at) ||
    !isCount(hash) ||
    !Array.isArray(ops) ||
    !ops.every(isOperation)
  ) {
    throw new BuddyError('CORRUPT', 'a record of the log does not hold operations');
  }
  return value as Batch;
}

/** The value of a JSON text; a BuddyError `CORRUPT` if it is none. */
export function parseJson(what: string, data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new BuddyError('CORRUPT', `${what} of the log is not JSON`, { cause });
  }
}

/** Throws a BuddyError unless `version` is the one that this code reads. */
export function expectVersion(what: string, version: unknown): void {
  if (version === VERSION) return;
  if (typeof version !== 'number') throw new BuddyError('CORRUPT', `${what} of the log has no version`);
  throw new BuddyError('VERSION', `${what} of the log has version ${version}; this code reads ${VERSION}`);
}

/** Whether `value` is an integer from `low` up. */
export function isCount(value: unknown, low = 0): value is number {
  return Number.isInteger(value) && (value as number) >= low;
}

const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
const isTime = (value: unknown): boolean => value === undefined || isCount(value);

function isOperation(value: unknown): value is Operation {
  if (typeof value !== 'object' || value === null) return false;
  const { op, size, alignment, offset, token, key, owner, meta, ttl, cooldown } = value as Record<
    string,
    unknown
  >;
  if (!isText(key) || !isText(owner) || !isText(meta) || !isTime(ttl) || !isTime(cooldown)) return false;
  if (op === 'alloc') return isCount(size, 1);
  if (op === 'range') return isCount(size, 1) && isCount(alignment, 1);
  if (op === 'reserve') return isCount(size, 1) && isCount(offset);
  if (op === 'free' || op === 'renew') return isCount(offset) && isCount(token, 1);
  return op === 'reap';
}
