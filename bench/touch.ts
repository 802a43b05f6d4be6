// Maps memory before the clock starts.

const LINE_BYTES = 64;

/**
 * Writes to every cache line of `memory`, which leaves its contents as they are.
 * An atomic access is one that the compiler does not remove for changing nothing.
 */
export function touchMemory(memory: ArrayBufferLike): void {
  const bytes = new Uint8Array(memory);
  for (let at = 0; at < bytes.length; at += LINE_BYTES) Atomics.or(bytes, at, 0);
}
