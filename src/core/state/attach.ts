// Taking on a state: nothing in the buffer is trusted before all of it has been checked.

import { isArrayBuffer, wholeBuffer } from '../../base/buffers.ts';
import { BuddyError, detachedError } from '../../base/errors.ts';
import { expectFormat, expectLength } from '../../base/format.ts';
import { AT_CAPACITY, HEADER, MAGIC, VERSION } from '../layout.ts';
import { firstViolation, lengthFor } from './check.ts';

/** The state that is all of `source`, in `source` itself or in a copy. Throws as `BuddyAllocator.attach` says. O(capacity). */
export function attachState(source: ArrayBuffer | ArrayBufferView): Int32Array {
  const buffer = wholeBuffer(source);
  if (!isArrayBuffer(buffer)) throw new TypeError('the state must be an ArrayBuffer or a view of one');
  try {
    new Uint8Array(buffer);
  } catch (error) {
    throw error instanceof TypeError ? detachedError() : error;
  }
  return attachStateAt(buffer, 0, true);
}

/**
 * The state at `byteOffset`, a multiple of 4 inside any kind of buffer, checked likewise; with `all` it must end with the
 * buffer. O(capacity).
 */
export function attachStateAt(buffer: ArrayBufferLike, byteOffset: number, all = false): Int32Array {
  const what = 'the state of an allocator';
  const bytes = buffer.byteLength - byteOffset;
  const rest = new Int32Array(buffer, byteOffset, Math.floor(bytes / 4));
  expectFormat(what, rest, HEADER, MAGIC, VERSION);
  const length = lengthFor(rest);
  if (length < 0) throw new BuddyError('CORRUPT', `the state says capacity ${rest[AT_CAPACITY]}`);
  expectLength(what, bytes, length * 4, all);
  const state = rest.subarray(0, length);
  const violation = firstViolation(state);
  if (violation !== undefined) throw new BuddyError('CORRUPT', violation);
  return state;
}
