// What every state format begins with: a magic number, and a version.

import { BuddyError } from './errors.ts';

/**
 * Throws a BuddyError `FOREIGN` if a state does not begin with `magic`, `TRUNCATED` if it has less than `header` int32, and
 * `VERSION` if its second int32 is not `version`. Magic numbers are four letters as a little-endian machine reads them: the
 * state of a big-endian machine is foreign. `what` names the thing in messages, with its article: "a shared arena".
 */
export function expectFormat(
  what: string,
  state: Int32Array | Uint32Array,
  header: number,
  magic: number,
  version: number,
): void {
  if (state[0] !== magic) throw new BuddyError('FOREIGN', `the buffer does not hold ${what}`);
  expectLength(what, state.length * 4, header * 4);
  if (state[1] !== version) {
    throw new BuddyError('VERSION', `${what} has format version ${state[1]}; this code reads ${version}`);
  }
}

/** Throws a BuddyError `TRUNCATED` if `what` takes more than the `present` bytes, or other than those if they are `all`. */
export function expectLength(what: string, present: number, taken: number, all = false): void {
  if (present < taken || (all && present !== taken)) {
    throw new BuddyError('TRUNCATED', `${what} takes ${taken} bytes, but the buffer has ${present}`);
  }
}
