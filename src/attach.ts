// Taking on a buffer that is said to hold a state.

import { check } from './check.ts';
import { BuddyError, detached } from './errors.ts';
import {
  AT_CAPACITY,
  AT_MAGIC,
  AT_VERSION,
  HEADER,
  layoutOf,
  MAGIC,
  MAX_CAPACITY,
  VERSION,
} from './layout.ts';

/** A view of the state in `buffer`, after all of it has been checked. Throws as `BuddyAllocator.from` says. O(capacity). */
export function attach(buffer: ArrayBuffer): Int32Array<ArrayBuffer> {
  if (!isArrayBuffer(buffer)) throw new TypeError('the state must be an ArrayBuffer');
  const s = view(buffer);
  if (s[AT_MAGIC] !== MAGIC)
    throw new BuddyError('FOREIGN', 'the buffer does not hold the state of an allocator');
  if (s.length < HEADER) {
    throw new BuddyError('TRUNCATED', `the buffer has ${buffer.byteLength} bytes, less than a header`);
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
  const bytes = layoutOf(capacity).length * 4;
  if (buffer.byteLength !== bytes) {
    throw new BuddyError('TRUNCATED', `the buffer has ${buffer.byteLength} bytes; its state takes ${bytes}`);
  }
  const wrong = check(s);
  if (wrong.length > 0) throw new BuddyError('CORRUPT', wrong[0]);
  return s;
}

function view(buffer: ArrayBuffer): Int32Array<ArrayBuffer> {
  try {
    return new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  } catch {
    throw detached();
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
