// Putting the parts of a file together.

import { TraceError } from '../error.ts';
import { uint8s } from '../memory.ts';

/**
 * Bytes of the largest trace that is read: 2^29 operations. Without a limit, a small packed file could fill all
 * memory.
 */
export const MAX_BYTES = 2 ** 31;

/** The parts of a trace in order of arrival, up to `limit` bytes together. */
export class Parts {
  readonly #limit: number;
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Adds a part.
   *
   * @throws TraceError `TOO_LARGE` if there are then more bytes than the limit.
   */
  add(part: Uint8Array): void {
    this.#length += part.length;
    checkLength(this.#length, this.#limit);
    this.#parts.push(part);
  }

  /** All parts, one after the other. They are gone from here afterwards. O(bytes). */
  join(): Uint8Array<ArrayBuffer> {
    const whole = uint8s(this.#length);
    let offset = 0;
    for (const part of this.#parts.splice(0)) {
      whole.set(part, offset);
      offset += part.length;
    }
    this.#length = 0;
    return whole;
  }
}

/**
 * Checks the length of a trace, in bytes.
 *
 * @throws TraceError `TOO_LARGE` if `length` is more than `limit`.
 */
export function checkLength(length: number, limit: number = MAX_BYTES): void {
  if (length > limit) throw new TraceError('TOO_LARGE', `the trace has more than ${limit} bytes`);
}
