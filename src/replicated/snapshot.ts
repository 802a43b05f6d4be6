// A state as text, and back. The text comes from a log that others can write to, so it is checked.

import { MAX_CAPACITY } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import type { Holding, Released } from './holding.ts';
import type { MachineState } from './machine.ts';
import { expectVersion, isCount, parseJson, VERSION } from './operation.ts';
import type { Mark } from './window.ts';

/** A holding, or what is remembered of one that was given back, as a row of values: a third of the text that names make. */
type Row = readonly unknown[];

/** The text of a snapshot. O(all that is in the state). */
export function encodeState(state: MachineState): string {
  const { holdings, released } = state;
  return JSON.stringify({
    v: VERSION,
    ...state,
    holdings: holdings.map(rowOfHolding),
    released: released.map(({ token, offset, key, freed }) => [token, offset, key, freed]),
  });
}

/**
 * The state in a snapshot. O(all that is in it).
 *
 * @throws BuddyError `VERSION` if another version has written it, `CORRUPT` if it is not the state of an arena.
 */
export function decodeState(data: string): MachineState {
  const value = parseJson('the snapshot', data) as Partial<MachineState> & { readonly v?: unknown };
  expectVersion('the snapshot', value?.v);
  const { v, holdings, released, ...others } = value;
  if (areRows(holdings) && areRows(released)) {
    const state = { ...others, holdings: holdings.map(holdingIn), released: released.map(releasedIn) };
    if (isState(state)) return state;
  }
  throw new BuddyError('CORRUPT', 'the snapshot of the log is not the state of an arena');
}

function rowOfHolding(holding: Holding): Row {
  const { offset, size, token, key, owner, meta, expires, cooling, op, asked, alignment } = holding;
  return [offset, size, token, key, owner, meta, expires, cooling, op, asked, alignment];
}

function holdingIn(row: Row): Holding {
  const [offset, size, token, key, owner, meta, expires, cooling, op, asked, alignment] = row;
  return { offset, size, token, key, owner, meta, expires, cooling, op, asked, alignment } as Holding;
}

function releasedIn([token, offset, key, freed]: Row): Released {
  return { token, offset, key, freed } as Released;
}

function areRows(value: unknown): value is readonly Row[] {
  return Array.isArray(value) && value.every(Array.isArray);
}

function isState(state: Partial<MachineState>): state is MachineState {
  const { capacity, number, time, hash, nextSnapshot, holdings = [], released = [], marks } = state;
  if (!isCount(capacity, 1) || capacity > MAX_CAPACITY) return false;
  if (![number, time, hash, nextSnapshot].every((value) => isCount(value))) return false;
  return (
    holdings.every(isHolding) && areApart(holdings, capacity) && released.every(isReleased) && areMarks(marks)
  );
}

function isHolding(holding: Holding): boolean {
  const { offset, size, token, key, owner, meta, expires, cooling, op, asked, alignment } = holding;
  if (!isCount(offset) || !isCount(size, 1) || !isCount(token, 1)) return false;
  if (!isTextOrNull(key) || !isTextOrNull(owner) || !isTextOrNull(meta)) return false;
  if ((expires !== null && !isCount(expires)) || typeof cooling !== 'boolean') return false;
  return (op === 'alloc' || op === 'range' || op === 'reserve') && isCount(asked, 1) && isCount(alignment, 1);
}

function isReleased({ token, offset, key, freed }: Released): boolean {
  return isCount(token, 1) && isCount(offset) && isTextOrNull(key) && typeof freed === 'boolean';
}

/** Whether `marks` are those of a window: at least one. */
function areMarks(marks: unknown): marks is readonly Mark[] {
  const isMark = ([number, hash, id]: Row) => isCount(number) && isCount(hash) && typeof id === 'string';
  return areRows(marks) && marks.length > 0 && marks.every(isMark);
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
