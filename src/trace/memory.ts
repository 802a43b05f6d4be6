// Typed arrays as large as a trace. They may be larger than the engine or the machine allows.

import { TraceError } from './error.ts';

/**
 * The result of `make`, which makes a typed array.
 *
 * @throws TraceError `TOO_LARGE` if there is no memory for it, or if the engine has no arrays of that length.
 */
export function withMemory<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new TraceError('TOO_LARGE', `there is not enough memory for the trace: ${cause.message}`);
  }
}

/** `length` zeros. Throws as {@link withMemory}. */
export function int32s(length: number): Int32Array<ArrayBuffer> {
  return withMemory(() => new Int32Array(length));
}

/** `length` zeros. Throws as {@link withMemory}. */
export function float64s(length: number): Float64Array<ArrayBuffer> {
  return withMemory(() => new Float64Array(length));
}

/** `length` zeros. Throws as {@link withMemory}. */
export function uint8s(length: number): Uint8Array<ArrayBuffer> {
  return withMemory(() => new Uint8Array(length));
}
