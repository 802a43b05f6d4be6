// A state as text, and back. The text comes from a log that others can write to, so it is checked.

import { MAX_CAPACITY } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import type { Holding, Released } from './holding.ts';
import type { MachineState } from './machine.ts';
import { expectVersion, isCount, parseJson, VERSION } from './operation.ts';
import type { Mark } from './window.ts';

/** The text of a snapshot. O(all that is in the state). */
export function encodeState(state: MachineState): string {
  return JSON.stringify({ v: VERSION, ...state });
}

/**
 * The state in a snapshot. O(all that is in it).
 *
 * @throws BuddyError `VERSION` if another version has written it, `CORRUPT` if it is not the state of an arena.
 */
export function decodeState(data: string): MachineState {
  const value = parseJson('the snapshot', data) as Partial<MachineState> & { readonly v?: unknown };
  expectVersion('the snapshot', value?.v);
  const { v, ...state } = value;
  if (!isState(state))
    throw new BuddyError('CORRUPT', 'the snapshot of the log is not the state of an arena');
  return state;
}

function isState(state: Partial<MachineState>): state is MachineState {
  const { capacity, number, time, hash, nextSnapshot, holdings, released, marks } = state;
  if (!isCount(capacity, 1) || capacity > MAX_CAPACITY) return false;
  if (![number, time, hash, nextSnapshot].every((value) => isCount(value))) return false;
  return (
    areAll(holdings, isHolding) &&
    areApart(holdings, capacity) &&
    areAll(released, isReleased) &&
    areMarks(marks)
  );
}

function areAll<T>(values: unknown, isOne: (value: Partial<T>) => boolean): values is readonly T[] {
  return (
    Array.isArray(values) &&
    values.every((value) => typeof value === 'object' && value !== null && isOne(value))
  );
}

function isHolding({
  offset,
  size,
  token,
  key,
  owner,
  meta,
  expires,
  cooling,
  op,
  asked,
  alignment,
}: Partial<Holding>): boolean {
  if (!isCount(offset) || !isCount(size, 1) || !isCount(token, 1)) return false;
  if (![key, owner, meta].every(isTextOrNull)) return false;
  if ((expires !== null && !isCount(expires)) || typeof cooling !== 'boolean') return false;
  return (op === 'alloc' || op === 'range' || op === 'reserve') && isCount(asked, 1) && isCount(alignment, 1);
}

function isReleased({ token, offset, key, freed }: Partial<Released>): boolean {
  return isCount(token, 1) && isCount(offset) && isTextOrNull(key) && typeof freed === 'boolean';
}

/** Whether `marks` are those of a window: at least one. */
function areMarks(marks: unknown): marks is readonly Mark[] {
  const isMark = ([number, hash, id]: Partial<Mark>) =>
    isCount(number) && isCount(hash) && typeof id === 'string';
  return areAll<Mark>(marks, (mark) => Array.isArray(mark) && isMark(mark as Mark)) && marks.length > 0;
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

/** Whether the holdings are ranges of the arena without an overlap. */
function areApart(holdings: readonly Holding[], capacity: number): boolean {
  let end = 0;
  for (const { offset, size } of holdings.toSorted((a, b) => a.offset - b.offset)) {
    if (offset < end) return false;
    end = offset + size;
  }
  return end <= capacity;
}
