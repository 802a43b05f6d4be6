// Buffers of any realm. `instanceof` fails for a buffer of another frame or of a test runner's sandbox; the getters of the
// prototypes take the buffers of every realm and nothing else.

/** Whether `value` is an ArrayBuffer. */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return hasGetter(ArrayBuffer.prototype, 'byteLength', value);
}

/** Whether `value` is a SharedArrayBuffer. A page that is not cross-origin isolated may lack that type. */
export function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer {
  return (
    typeof SharedArrayBuffer !== 'undefined' && hasGetter(SharedArrayBuffer.prototype, 'byteLength', value)
  );
}

/**
 * Throws a TypeError that tells the remedy if there is no SharedArrayBuffer, as in a page that is not cross-origin
 * isolated.
 */
export function requireSharedMemory(): void {
  if (typeof SharedArrayBuffer !== 'undefined') return;
  throw new TypeError(
    'there is no SharedArrayBuffer here: a page has it once it is cross-origin isolated, that is, served with ' +
      'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
  );
}

/** Whether the getter `key` of `prototype` takes `value`: only the real thing of any realm, never an imitation. */
export function hasGetter(prototype: object, key: string, value: unknown): boolean {
  try {
    Reflect.get(prototype, key, value);
    return true;
  } catch {
    return false; // A getter of the platform throws a TypeError, and only for a foreign receiver.
  }
}

/**
 * The buffer of which `source` shows the whole, without a copy; a copy of the bytes if `source` is a view of a part only.
 * Other values are returned as they are, for the caller to check.
 */
export function wholeBuffer<T>(source: T | ArrayBufferView): T | ArrayBufferLike {
  if (!ArrayBuffer.isView(source)) return source;
  const { buffer, byteOffset, byteLength } = source;
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
}
