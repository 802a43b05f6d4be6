// Putting the parts of a file together.

import { TraceError } from '../error.ts';

/** Bytes of the largest trace that is read: 2^29 operations. Without a limit a small packed file could fill all memory. */
export const MAX_BYTES = 2 ** 31;

/** The parts of a trace as they come, up to `limit` bytes. */
export class Parts {
  readonly #limit: number;
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws {TraceError} `TOO_LARGE` when that is more than the limit. */
  add(part: Uint8Array): void {
    this.#length += part.length;
    checkLength(this.#length, this.#limit);
    this.#parts.push(part);
  }

  /** All of them, one after the other. */
  join(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      whole.set(part, offset);
      offset += part.length;
    }
    return whole;
  }
}

/** @throws {TraceError} `TOO_LARGE` when a trace of `length` bytes is more than `limit`. */
export function checkLength(length: number, limit: number = MAX_BYTES): void {
  if (length > limit) throw new TraceError('TOO_LARGE', `the trace has more than ${limit} bytes`);
}
