// What every state format begins with: a magic number and a version.

import { BuddyError } from './errors.ts';

/** The first two int32 of a state. */
export interface Format {
  /** Four letters, as a little-endian machine reads them. A state from a big-endian machine is foreign. */
  readonly magic: number;
  /** Raised by each change that old states do not survive. */
  readonly version: number;
}

/**
 * Throws a BuddyError `FOREIGN` if the magic number of `found` is not the one of `expected`, and `VERSION` if its version is
 * not. `what` names the thing in messages, with its article: "a shared arena".
 */
export function expectFormat(what: string, found: Format, expected: Format): void {
  if (found.magic !== expected.magic) throw new BuddyError('FOREIGN', `the buffer does not hold ${what}`);
  if (found.version !== expected.version) {
    throw new BuddyError(
      'VERSION',
      `${what} has format version ${found.version} here; this code reads ${expected.version}`,
    );
  }
}

/** Throws a BuddyError `TRUNCATED` if `what` takes more than the `present` bytes. */
export function expectLength(what: string, present: number, taken: number): void {
  if (present < taken) {
    throw new BuddyError('TRUNCATED', `${what} takes ${taken} bytes; the buffer has ${present}`);
  }
}
