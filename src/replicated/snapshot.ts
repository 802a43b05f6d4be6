// A state as text, and back. The text comes from a log that others can write to, so it is checked.

import { MAX_CAPACITY } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import type { MachineState } from './machine.ts';
import { expectVersion, isCount, parseJson, VERSION } from './operation.ts';

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
  if (!Array.isArray(holdings) || !Array.isArray(released) || !Array.isArray(marks)) return false;
  return marks.length > 0 && areApart(holdings, capacity);
}

/** Whether the holdings are ranges of the arena without an overlap. */
function areApart(holdings: MachineState['holdings'], capacity: number): boolean {
  if (
    !holdings.every(({ offset, size, token }) => isCount(offset) && isCount(size, 1) && isCount(token, 1))
  ) {
    return false;
  }
  let end = 0;
  for (const { offset, size } of holdings.toSorted((a, b) => a.offset - b.offset)) {
    if (offset < end) return false;
    end = offset + size;
  }
  return end <= capacity;
}
