// Taking on a buffer that is said to hold a state.

import { MAX_CAPACITY } from '../base/arguments.ts';
import { BuddyError, detachedError } from '../base/errors.ts';
import { check } from './check.ts';
import { AT_CAPACITY, AT_MAGIC, AT_VERSION, HEADER, layoutOf, MAGIC, VERSION } from './layout.ts';

/** A view of the state in `buffer`, after all of it has been checked. Throws as `BuddyAllocator.attach` says. O(capacity). */
export function attachState(buffer: ArrayBuffer): Int32Array {
  if (!isArrayBuffer(buffer)) throw new TypeError('the state must be an ArrayBuffer');
  const s = view(buffer);
  const length = stateLength(s, buffer.byteLength);
  if (buffer.byteLength !== length * 4) {
    throw new BuddyError(
      'TRUNCATED',
      `the buffer has ${buffer.byteLength} bytes; its state takes ${length * 4}`,
    );
  }
  return verified(s);
}

/** A view of the state at `byteOffset`, a multiple of 4 inside any kind of buffer, checked likewise. O(capacity). */
export function attachStateAt(buffer: ArrayBufferLike, byteOffset: number): Int32Array {
  const bytes = buffer.byteLength - byteOffset;
  const s = new Int32Array(buffer, byteOffset, Math.floor(bytes / 4));
  const length = stateLength(s, bytes);
  if (length > s.length) {
    throw new BuddyError('TRUNCATED', `the buffer has ${bytes} bytes for a state that takes ${length * 4}`);
  }
  return verified(s.subarray(0, length));
}

/** Length of the state at the beginning of `s`, of which there are `bytes` bytes, by its header. */
function stateLength(s: Int32Array, bytes: number): number {
  if (s[AT_MAGIC] !== MAGIC)
    throw new BuddyError('FOREIGN', 'the buffer does not hold the state of an allocator');
  if (s.length < HEADER) {
    throw new BuddyError('TRUNCATED', `the buffer has ${bytes} bytes, less than a header`);
  }
  if (s[AT_VERSION] !== VERSION) {
    throw new BuddyError(
      'VERSION',
      `the state has format version ${s[AT_VERSION]}; this code reads ${VERSION}`,
    );
  }
  const capacity = s[AT_CAPACITY];
  if (capacity < 1 || capacity > MAX_CAPACITY)
    throw new BuddyError('CORRUPT', `the state says capacity ${capacity}`);
  return layoutOf(capacity).length;
}

function verified(s: Int32Array): Int32Array {
  const wrong = check(s);
  if (wrong.length > 0) throw new BuddyError('CORRUPT', wrong[0]);
  return s;
}

function view(buffer: ArrayBuffer): Int32Array {
  try {
    return new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  } catch {
    throw detachedError();
  }
}

/** Not by instanceof: a buffer may come from another realm, such as a frame. The getter takes none but the real thing. */
function isArrayBuffer(value: unknown): boolean {
  try {
    Reflect.get(ArrayBuffer.prototype, 'byteLength', value);
    return true;
  } catch {
    return false;
  }
}
